"""Both searches over a real library, whose vectors are written down: what is found, and what is refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rag.passages import Found, Way
from rag.retrieval import Retriever
from rag.scope import Scope
from rag.store.database import LibraryDatabase
from rag.store.lexical import Allowed, LexicalSearch
from tests.unit.library_shelf import put, stored


class Cosines:
    """All chunks are as near to a question as was written down."""

    def __init__(self, cosine: float, n_chunks: int) -> None:
        self._cosine = cosine
        self._n_chunks = n_chunks

    def search(self, _question: str, k: int, allowed: Allowed | None) -> list[tuple[int, float]]:
        numbers = range(1, self._n_chunks + 1)
        return [(number, self._cosine) for number in numbers if allowed is None or number in allowed][:k]

    def n_vectors(self) -> int:
        return self._n_chunks

    def unlearned(self, _chunk_ids: Iterable[int]) -> frozenset[int]:
        return frozenset()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[LibraryDatabase]:
    opened = LibraryDatabase(tmp_path / "library.db")
    yield opened
    opened.close()


def retrieved(database: LibraryDatabase, question: str, scope: Scope, cosine: float) -> Found:
    with ThreadPoolExecutor(1) as pool:
        retriever = Retriever(database, Cosines(cosine, LexicalSearch(database).n_chunks()), pool)
        return retriever.retrieve(question, scope, most_characters=2000, whole=False)


def test_words_that_hold_a_question_together_find_nothing(database: LibraryDatabase) -> None:
    _source, (a,) = stored(database, Path("/books/a.txt"))
    put(database, a.id, "How do I know? What can you do about it?\n\nOld logs are deleted with rotate.\n\nNothing.")
    found = LexicalSearch(database).search("How do I delete old logs?", 5)
    assert [number for number, _score in found] == [2]
    assert LexicalSearch(database).search("What do you do?", 5), "a question of nothing else looks for all its words"


def test_how_rare_a_word_is_the_whole_library_says(database: LibraryDatabase) -> None:
    """Within one document that never names it, a word that fills another one is still what the question is about."""
    _source, (perl, debian) = stored(database, Path("/books/perl.txt"), Path("/books/debian.txt"))
    put(database, perl.id, "\n\n".join(f"Perl sorts a hash, the {number}th way." for number in range(60)))
    blob_id = put(database, debian.id, "\n\n".join(f"A package is sorted, the {number}th way." for number in range(10)))
    only_debian = Scope(blob_ids=(blob_id,))
    here = retrieved(database, "How do I sort a hash in Perl?", Scope(), 0.45)
    there = retrieved(database, "How do I sort a hash in Perl?", only_debian, 0.45)
    assert here.way is Way.PASSAGES
    assert there.way is Way.NOTHING
    assert there.passages, "the nearest ones come along"
