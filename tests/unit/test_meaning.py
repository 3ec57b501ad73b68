"""The search by meaning over what the store holds: the same passages, whether vectors are many or few."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag import meaning
from rag.embedding.embedder import Vectors
from rag.index import VectorIndex
from rag.meaning import MeaningIndex
from rag.store import documents, shelf, vectors
from rag.store.database import LibraryDatabase
from rag.store.types import FoundFile
from tests.unit.library_shelf import put, stored

D = 64
N = 300


class Directions:
    """An embedder for which a question is a number, and means the direction of that number."""

    dimensions = D

    def embed_question(self, question: str) -> Vectors:
        return directions(1, seed=int(question))[0]


def directions(n: int, seed: int) -> Any:
    found = np.random.default_rng(seed).standard_normal((n, D)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


@pytest.mark.parametrize("few", [10, 2 * N])
def test_the_nearest_are_found_as_they_are_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    monkeypatch.setattr(meaning, "VectorIndex", partial(VectorIndex, few=few))
    database = LibraryDatabase(tmp_path / "library.db")
    source, (first, second) = stored(database, tmp_path / "first.txt", tmp_path / "second.txt")
    put(database, first.id, "\n\n".join(f"First, {number}." for number in range(N)))
    put(database, second.id, "\n\n".join(f"Second, {number}." for number in range(N)))
    embedder_id = vectors.embedder_id(database, "directions", D)
    waiting = vectors.without_vector(database, embedder_id, after=0, limit=3 * N)
    held = directions(len(waiting), seed=1)
    vectors.put(database, embedder_id, [each.digest for _number, each in waiting], held)
    chunk_ids = np.array([number for number, _each in waiting])
    index = MeaningIndex(database)
    index.use(Directions(), embedder_id)  # type: ignore[arg-type]

    def nearest(question: str, n_first: int) -> list[int]:
        """Of the passages from `n_first` on, by what the store keeps of their vectors."""
        cosines = held[n_first:].astype(np.float16).astype(np.float32) @ directions(1, seed=int(question))[0]
        return chunk_ids[n_first:][np.argsort(-cosines)[:5]].tolist()  # type: ignore[no-any-return]

    for question in map(str, range(20)):
        assert [number for number, _cosine in index.search(question, 5, None)] == nearest(question, 0)
    shelf.take_look(database, source.id, [FoundFile(second.path, 1, 1)])
    spans = documents.sweep(database)
    for question in map(str, range(20)):  # the index has not been told
        found = [number for number, _cosine in index.search(question, 5, None)]
        assert few > N or not set(found) & set(chunk_ids[:N].tolist())
    index.remove(spans)
    for question in map(str, range(20)):
        assert [number for number, _cosine in index.search(question, 5, None)] == nearest(question, N)
    index.close()
    database.close()
