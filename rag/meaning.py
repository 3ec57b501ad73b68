"""Passages by meaning: the embedder of the present, and the index in memory that is filled from the store.

Any thread. The store's vectors are the truth; nothing of the index is kept on disk. A question is embedded by the model
that made the vectors it is compared with, also while another one takes its place.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import numpy as np

from rag.embedding.embedder import Embedder
from rag.index import VectorIndex
from rag.store import vectors
from rag.store.database import LibraryDatabase
from rag.store.documents import PassageRange
from rag.store.lexical import Allowed


@dataclass(slots=True)
class _Serving:
    """An embedder and the index of its vectors; `n_searches` are under way with both."""

    embedder: Embedder
    embedder_id: int
    index: VectorIndex
    n_searches: int = 0


class MeaningIndex:
    """Finds nothing until `use` has given it an embedder."""

    def __init__(self, database: LibraryDatabase) -> None:
        self._database = database
        self._lock = threading.RLock()
        """What changes an index; held while one is filled, which searches do not wait for."""
        self._taking = threading.Condition()
        self._serving: _Serving | None = None

    def use(self, embedder: Embedder, embedder_id: int) -> None:
        """Search with this embedder from now on; fills the index with its vectors. The old one serves until then.

        Nothing searches with the old one any more when this returns.
        """
        dimensions = embedder.dimensions
        read = partial(vectors.of_ids, self._database, embedder_id, dimensions)
        new = _Serving(embedder, embedder_id, VectorIndex(dimensions, read))
        with self._lock:  # what comes or goes meanwhile waits, and is then done to this index
            for ids, found in vectors.of_chunks(self._database, embedder_id, dimensions):
                new.index.add(ids, found)
            self._replace(new)

    def take(self, span: PassageRange) -> None:
        """Take in what vectors the chunks of these ids have by now."""
        with self._lock:
            if (serving := self._serving) is None:
                return
            for ids, found in vectors.of_chunks(self._database, serving.embedder_id, serving.embedder.dimensions, span):
                serving.index.add(ids, found)

    def remove(self, spans: list[PassageRange]) -> None:
        """These chunks are no more."""
        with self._lock:
            if self._serving is not None:
                for first, stop in spans:
                    self._serving.index.remove(np.arange(first, stop, dtype=np.int64))

    def catch_up(self) -> None:
        """Take in, and forget, what another program has put into the store or deleted."""
        with self._lock:
            if (serving := self._serving) is None:
                return
            held = serving.index.ids()
            stored = vectors.chunk_ids(self._database, serving.embedder_id)
            serving.index.remove(np.setdiff1d(held, stored, assume_unique=True))
            missing = np.setdiff1d(stored, held, assume_unique=True)
            if len(missing):
                self.take((int(missing[0]), int(missing[-1]) + 1))

    def search(self, question: str, k: int, allowed: Allowed | None) -> list[tuple[int, float]]:
        """As `rag.retrieval.MeaningSearch`."""
        with self._taken() as serving:
            if serving is None or not len(serving.index) or (allowed is not None and not allowed):
                return []
            within = None
            if allowed is not None:
                within = np.concatenate([np.arange(first, stop, dtype=np.int64) for first, stop in allowed.spans])
            ids, scores = serving.index.search(serving.embedder.embed_question(question), k, within)
        return list(zip(ids.tolist(), scores.tolist(), strict=True))

    def n_vectors(self) -> int:
        serving = self._serving
        return 0 if serving is None else len(serving.index)

    def unlearned(self, chunk_ids: Iterable[int]) -> frozenset[int]:
        """Those of the chunks that have no vector yet."""
        serving = self._serving
        return frozenset(number for number in chunk_ids if serving is None or number not in serving.index)

    def close(self) -> None:
        """Find nothing any more. The embedder is closed by whoever gave it."""
        with self._lock:
            self._replace(None)

    def _replace(self, new: _Serving | None) -> None:
        with self._taking:
            old, self._serving = self._serving, new
            self._taking.wait_for(lambda: old is None or not old.n_searches)

    @contextmanager
    def _taken(self) -> Iterator[_Serving | None]:
        with self._taking:
            serving = self._serving
            if serving is not None:
                serving.n_searches += 1
        try:
            yield serving
        finally:
            if serving is not None:
                with self._taking:
                    serving.n_searches -= 1
                    self._taking.notify_all()
