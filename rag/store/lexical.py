"""Passages by their words: BM25 of SQLite's FTS5 over stems, and over three-letter fragments for scripts that put no
space between words. Any text of a person's is a safe query. Knows no vector.

FTS5 ranks as in Robertson and Zaragoza, "The Probabilistic Relevance Framework" (2009), with k1 = 1.2 and b = 0.75.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from rag.function_words import content_runs, content_words
from rag.language import language_of, needs_fragments
from rag.store.database import LibraryDatabase
from rag.store.documents import PassageRange

MOST_TERMS = 48
"""Of a question; what it says beyond them is not looked for."""
MOST_PAIRS, MOST_GOING_ON = 8, 32
"""Words of two letters that are looked for, and ways each may go on, the commonest first."""
COMMON = 0.15
"""A word in more than this share of the passages finds nothing by itself, and ranking all of them takes long."""
_RARE_ENOUGH = 2_000
"""Passages; with fewer matches even a common word is quickly ranked."""
HEADER_WEIGHT = 1.5
"""Of a word in title or section, where one in the passage weighs 1."""
_WORD = re.compile(r"\w+", re.UNICODE)
_FRAGMENT = 3
_REMEMBERED = 10_000
_ALL = 1_000_000
"""Passages, that is: more are not counted."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """The chunks that a search may find: sorted ranges of ids."""

    spans: tuple[PassageRange, ...]

    def __contains__(self, chunk_id: object) -> bool:
        if not isinstance(chunk_id, int):
            return False
        place = bisect_right(self.spans, chunk_id, key=lambda span: span[0]) - 1
        return place >= 0 and chunk_id < self.spans[place][1]

    def __len__(self) -> int:
        return sum(stop - first for first, stop in self.spans)


def spans_of(
    database: LibraryDatabase, collection_ids: Sequence[int] | None, blob_ids: Sequence[int] | None
) -> Allowed:
    """The chunks of these collections' files, of these documents, or of both; None does not limit."""
    wheres = ["n_chunks > 0"]
    values: list[int] = []
    if blob_ids is not None:
        wheres.append(f"id IN ({', '.join('?' * len(blob_ids))})")
        values += blob_ids
    within = ""
    if collection_ids is not None:
        within = f" AND source.collection_id IN ({', '.join('?' * len(collection_ids))})"
        values += collection_ids
    wheres.append(
        f"EXISTS (SELECT 1 FROM file JOIN source ON source.id = file.source_id WHERE file.blob_id = blob.id{within})"
    )
    rows = database.rows(f"SELECT first_chunk, n_chunks FROM blob WHERE {' AND '.join(wheres)} ORDER BY 1", values)
    merged: list[PassageRange] = []
    for first, n_chunks in rows:
        if merged and merged[-1][1] == first:
            merged[-1] = (merged[-1][0], first + n_chunks)
        else:
            merged.append((first, first + n_chunks))
    return Allowed(tuple(merged))


class LexicalSearch:
    """Any thread. Higher scores are better."""

    def __init__(self, database: LibraryDatabase) -> None:
        self._database = database
        self._counts: dict[str, tuple[int, int]] = {}
        """Word -> passages that hold it, and how many were counted at most; as long as the library stays as it is."""
        self._state = (-1, -1)

    def search(self, question: str, k: int, allowed: Allowed | None = None) -> list[tuple[int, float]]:
        """The best `k` chunks with their scores. `allowed` None: all."""
        if k < 1 or (allowed is not None and not allowed):
            return []
        if needs_fragments(question):
            fragments = list(dict.fromkeys((*_fragments(question), *self._of_pairs(question))))
            found = self._ranked("letters", _any_of(fragments), k, allowed)
            if found:
                return found
        return self._ranked("words", _any_of(self._informative(question)), k, allowed)

    def _of_pairs(self, question: str) -> Iterator[str]:
        """Fragments that begin with a word of two letters; most words of Chinese and many of Japanese are so short."""
        runs = (run for word in _WORD.findall(question) if needs_fragments(word) for run in content_runs(word))
        pairs = dict.fromkeys(run for run in runs if len(run) == _FRAGMENT - 1)
        for pair in islice(pairs, MOST_PAIRS):
            rows = self._database.rows(
                "SELECT term FROM letters_terms WHERE term >= ? AND term < ? ORDER BY doc DESC LIMIT ?",
                (pair, f"{pair}\U0010ffff", MOST_GOING_ON),
            )
            yield from (str(row[0]) for row in rows)

    def n_holding(self, word: str, at_most: int = _ALL) -> int:
        """How many chunks hold a word, or a fragment of three letters; `at_most` so many are counted."""
        self.n_chunks()
        return self._n_holding(word, at_most)

    def n_holding_each(self, words: Iterable[str]) -> dict[str, int]:
        """As `n_holding`, of several words: whether the library has changed is asked once, for it takes a while."""
        self.n_chunks()
        return {word: self._n_holding(word, _ALL) for word in words}

    def _n_holding(self, word: str, at_most: int) -> int:
        counts = self._counts
        count, counted = counts.get(word, (0, 0))
        if count == counted < at_most:  # not known, or there may be more
            table = "letters" if needs_fragments(word) else "words"
            row = self._database.row(
                f"SELECT count(*) FROM (SELECT 1 FROM {table} WHERE {table} MATCH ? LIMIT ?)", (_quoted(word), at_most)
            )
            count = 0 if row is None else int(row[0])
            counts[word] = (count, at_most)
        return min(count, at_most)

    def n_chunks(self) -> int:
        """In the library. Where that has changed, words are counted anew."""
        row = self._database.row("SELECT coalesce(sum(n_chunks), 0), coalesce(max(id), 0) FROM blob")
        state = (0, 0) if row is None else (int(row[0]), int(row[1]))
        if state != self._state or len(self._counts) > _REMEMBERED:
            self._counts, self._state = {}, state
        return state[0]

    def _ranked(self, table: str, expression: str, k: int, allowed: Allowed | None) -> list[tuple[int, float]]:
        if not expression:
            return []
        found: list[tuple[int, float]] = []
        limit = "" if allowed is not None else f"LIMIT {k}"
        rows = self._database.stream(
            f"SELECT rowid, bm25({table}, {HEADER_WEIGHT}, 1.0) AS score FROM {table}"
            f" WHERE {table} MATCH ? ORDER BY score {limit}",
            (expression,),
        )
        for number, score in rows:
            if allowed is None or number in allowed:
                found.append((number, -score))
                if len(found) == k:
                    break
        return found

    def _informative(self, question: str) -> list[str]:
        """Its words without those that say nothing or are everywhere; all of them where none is left."""
        found = list(dict.fromkeys(word.lower() for word in _WORD.findall(question)))
        words = content_words(found, language_of(question))[:MOST_TERMS]
        common = max(_RARE_ENOUGH, COMMON * self.n_chunks())
        rare = [word for word in words if self._n_holding(word, int(common) + 1) <= common]
        return rare or words


def _quoted(word: str) -> str:
    """As an FTS5 string: operators and column names inside mean nothing."""
    return '"' + word.replace('"', '""').replace("\0", "") + '"'


def _any_of(terms: Sequence[str]) -> str:
    return " OR ".join(_quoted(term) for term in terms)


def _fragments(question: str) -> list[str]:
    """Fragments of three letters that do not reach over a border of words."""
    runs = _WORD.findall(question)
    found = [run[at : at + _FRAGMENT] for run in runs for at in range(max(1, len(run) - _FRAGMENT + 1))]
    return list(dict.fromkeys(each for each in found if len(each) == _FRAGMENT))[:MOST_TERMS]
