"""From a question to the passages that a model reads: both searches side by side, fused, thinned out and packed.

Short documents go in whole. Where nothing is near enough to the question, that is said (`Way.NOTHING`), and the nearest
passages come along for the person to look at. Knows no model and no prompt.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from rag.answerable import FLOOR, confidence, coverage, words_of
from rag.fusion import dense_weight, fuse
from rag.language import language_of
from rag.passages import Found, Passage, Way
from rag.scope import Scope
from rag.store.database import LibraryDatabase
from rag.store.lexical import Allowed, LexicalSearch, spans_of
from rag.types import Unit

CANDIDATES = 64
"""Of each search."""
SPREAD = 400
"""Of each search that looks for documents: many passages may be of one."""
SHOWN = 12
"""Passages that are ranked for a person to look at."""
SHARE_OF_ONE = 0.6
"""Of the passages at most from one document, where several have some that rank as well."""
NEAR_ENOUGH = 0.5
"""Of the best score: what another document's passage must reach to push out one more of the same document."""
LEAST_CHARACTERS = 40
"""A chunk's, by and large: spares a look at documents that cannot be short."""
_GAP = 3
"""Characters between two passages of a page that are one run of text all the same."""
_ROWS = """
SELECT chunk.id, file.id, blob.id, file.path, blob.title, blob.unit, page.number, page.label, chunk.start, chunk.stop,
       chunk.first_line, chunk.last_line, chunk.section, chunk.language,
       substr(page.text, chunk.start + 1, chunk.stop - chunk.start)
FROM chunk JOIN page ON page.id = chunk.page_id JOIN blob ON blob.id = page.blob_id
JOIN file ON file.id = (
    SELECT min(file.id) FROM file JOIN source ON source.id = file.source_id WHERE file.blob_id = blob.id {within}
)
WHERE chunk.id IN ({ids})
"""


class MeaningSearch(Protocol):
    """Passages by their vectors. Any thread."""

    def search(self, question: str, k: int, allowed: Allowed | None) -> list[tuple[int, float]]:
        """The best `k` chunks with the cosines of their vectors; nothing where there is no embedder."""
        ...

    def n_vectors(self) -> int:
        """How many chunks can be found."""
        ...

    def unlearned(self, chunk_ids: Iterable[int]) -> frozenset[int]:
        """Those of the chunks that cannot be found yet."""
        ...


class Retriever:
    """Any thread."""

    def __init__(self, database: LibraryDatabase, meaning: MeaningSearch, pool: Executor) -> None:
        self._database = database
        self._lexical = LexicalSearch(database)
        self._meaning = meaning
        self._pool = pool

    def ranked(self, question: str, scope: Scope, k: int = CANDIDATES) -> list[tuple[int, float]]:
        """The best `k` chunks by the fused score, 0..1."""
        fused, _dense, _lexical = self._search(question, self._allowed(scope, self._lexical.n_chunks()), k)
        return fused[:k]

    def retrieve(self, question: str, scope: Scope, *, most_characters: int, whole: bool = True) -> Found:
        """The passages for a question, the best first, together at most `most_characters` long.

        `whole`: where all documents together are no longer than that, they come as they are.
        """
        n_chunks = self._lexical.n_chunks()
        spans = spans_of(self._database, scope.collection_ids, scope.blob_ids)
        n_searched = len(spans)
        if not n_searched:
            return Found(Way.NOTHING, ())
        if whole and (pages := self._whole(scope, spans, most_characters)) is not None:
            return Found(Way.WHOLE, pages, n_searched, True, 1.0)
        allowed = None if n_searched == n_chunks else spans
        fused, dense, lexical = self._search(question, allowed, CANDIDATES)
        by_meaning, by_words = dict(dense), dict(lexical)
        rows = self.passages([number for number, _score in fused], scope)
        ranked = [
            replace(rows[number], score=score, dense=by_meaning.get(number, -1.0), lexical=by_words.get(number, 0.0))
            for number, score in fused
            if number in rows
        ]
        chosen = merged(packed(thinned(ranked), most_characters))
        sure = self._confidence(question, dense, ranked, n_chunks)
        way = Way.PASSAGES if chosen and sure >= FLOOR else Way.NOTHING
        return Found(way, tuple(chosen), n_searched, bool(dense), sure)

    def documents(self, subject: str, scope: Scope, *, most: int) -> Found:
        """Which documents a subject is in: the best passage of each, as sure as an answer must be (`FLOOR`)."""
        n_chunks = self._lexical.n_chunks()
        allowed = self._allowed(scope, n_chunks)
        n_searched = len(allowed) if allowed is not None else n_chunks
        if not n_searched:
            return Found(Way.NOTHING, ())
        fused, dense, lexical = self._search(subject, allowed, SPREAD)
        by_meaning, by_words = dict(dense), dict(lexical)
        rows = self.passages([number for number, _score in fused], scope)
        words, complete = self._words_of(subject), self._is_complete(n_chunks)
        language = language_of(subject)
        own: dict[int, list[Passage]] = {}
        for number, score in fused:
            if (passage := rows.get(number)) is not None:
                known = by_meaning.get(number, -1.0), by_words.get(number, 0.0)
                own.setdefault(passage.blob_id, []).append(
                    replace(passage, score=score, dense=known[0], lexical=known[1])
                )
        chosen = [
            (sure, passages[0])
            for passages in own.values()
            if (
                sure := confidence(
                    _best_cosine(passages) if complete else None, _covered(words, n_chunks, passages), language
                )
            )
            >= FLOOR
        ]
        chosen.sort(key=lambda each: (-each[0], -each[1].score))
        best = tuple(passage for _sure, passage in chosen[:most])
        way = Way.INVENTORY if best else Way.NOTHING
        return Found(way, best, n_searched, bool(dense), chosen[0][0] if chosen else 0.0)

    def passages(self, chunk_ids: Sequence[int], scope: Scope) -> dict[int, Passage]:
        """The chunks of these ids, each with a file that holds it."""
        if not chunk_ids:
            return {}
        within, values = "", list(chunk_ids)
        if scope.collection_ids is not None:
            within = f"AND source.collection_id IN ({', '.join('?' * len(scope.collection_ids))})"
            values = [*scope.collection_ids, *values]
        sql = _ROWS.format(within=within, ids=", ".join("?" * len(chunk_ids)))
        return {row[0]: _passage(row) for row in self._database.rows(sql, values)}

    def _search(
        self, question: str, allowed: Allowed | None, k: int
    ) -> tuple[list[tuple[int, float]], list[tuple[int, float]], list[tuple[int, float]]]:
        words = self._pool.submit(self._lexical.search, question, k, allowed)
        dense = self._meaning.search(question, k, allowed)
        lexical = words.result()
        unlearned = self._meaning.unlearned(number for number, _score in lexical) if dense else frozenset[int]()
        fused = fuse(dense, lexical, weight=dense_weight(language_of(question)), unlearned=unlearned)
        return fused, dense, lexical

    def _confidence(
        self, question: str, dense: Sequence[tuple[int, float]], ranked: Sequence[Passage], n_chunks: int
    ) -> float:
        covered = _covered(self._words_of(question), n_chunks, ranked)
        best = dense[0][1] if dense and self._is_complete(n_chunks) else None
        return confidence(best, covered, language_of(question))

    def _words_of(self, question: str) -> dict[str, int]:
        """With how many passages of the library hold each: in a small part of it every word would seem to be rare."""
        return self._lexical.n_holding_each(words_of(question))

    def _is_complete(self, n_chunks: int) -> bool:
        """While vectors are still being made, the best passage may be one that has none."""
        return self._meaning.n_vectors() >= n_chunks

    def _allowed(self, scope: Scope, n_chunks: int) -> Allowed | None:
        """None where that is everything: a search that looks at each hit's id is slower."""
        allowed = spans_of(self._database, scope.collection_ids, scope.blob_ids)
        return None if len(allowed) == n_chunks else allowed

    def _whole(self, scope: Scope, allowed: Allowed, most_characters: int) -> tuple[Passage, ...] | None:
        """Every page of the documents, where all of them are short."""
        if len(allowed) * LEAST_CHARACTERS > most_characters:
            return None
        numbers = [number for first, stop in allowed.spans for number in range(first, stop)]
        found = sorted(self.passages(numbers, scope).values(), key=lambda each: each.chunk_id)
        if sum(len(each.text) for each in found) > most_characters:
            return None
        return tuple(merged(found))


def _covered(words: dict[str, int], n_chunks: int, ranked: Sequence[Passage]) -> float:
    return coverage(words, n_chunks, [f"{each.title} {each.section} {each.text}" for each in ranked])


def _best_cosine(passages: Sequence[Passage]) -> float | None:
    best = max(each.dense for each in passages)
    return best if best >= 0 else None


def _passage(row: Sequence[Any]) -> Passage:
    chunk_id, file_id, blob_id, path, title, unit, page, label, start, end, first_line, last_line = row[:12]
    section, language, text = row[12:]
    return Passage(
        chunk_id, file_id, blob_id, Path(path), title, Unit(unit), page, label, start, end, first_line, last_line,
        section, language, text,
    )  # fmt: skip


def thinned(ranked: Sequence[Passage]) -> list[Passage]:
    """Without words that stand there already, and without more of one document than is its share."""
    seen: set[bytes] = set()
    unique: list[Passage] = []
    for passage in ranked:
        words = hashlib.blake2b(
            " ".join(passage.text.split()).encode("utf-8", "surrogatepass"), digest_size=16
        ).digest()
        if words not in seen:
            seen.add(words)
            unique.append(passage)
    best = unique[0].score if unique else 0.0
    others = {passage.blob_id for passage in unique if passage.score >= NEAR_ENOUGH * best}
    if len(others) < 2:
        return unique
    most = max(1, int(SHARE_OF_ONE * SHOWN))
    counts: dict[int, int] = {}
    kept: list[Passage] = []
    late: list[Passage] = []
    for passage in unique:
        counts[passage.blob_id] = counts.get(passage.blob_id, 0) + 1
        (kept if counts[passage.blob_id] <= most else late).append(passage)
    return kept + late


def packed(ranked: Sequence[Passage], most_characters: int) -> list[Passage]:
    """The first passages that fit together; the best one always, cut if it must be."""
    chosen: list[Passage] = []
    room = most_characters
    for passage in ranked[: 4 * SHOWN]:
        if len(passage.text) <= room:
            chosen.append(passage)
            room -= len(passage.text)
        elif not chosen and room > 0:
            chosen.append(replace(passage, text=passage.text[:room], end=passage.start + room))
            break
        if len(chosen) == SHOWN:
            break
    return chosen


def merged(chosen: Sequence[Passage]) -> list[Passage]:
    """Neighbours on one page joined, at the place of the better one."""
    places: dict[int, Passage] = {}
    order: list[int] = []
    for passage in chosen:
        before = next((number for number in order if _follows(places[number], passage)), None)
        after = next((number for number in order if _follows(passage, places[number])), None)
        if before is None and after is None:
            places[passage.chunk_id] = passage
            order.append(passage.chunk_id)
            continue
        joined = passage
        if before is not None:
            joined = _joined(places[before], joined)
        if after is not None:
            joined = _joined(joined, places[after])
        place = min(order.index(number) for number in (before, after) if number is not None)
        key = order[place]
        for number in {before, after} - {None, key}:
            assert number is not None
            order.remove(number)
            del places[number]
        places[key] = joined
    return [places[number] for number in order]


def _follows(first: Passage, second: Passage) -> bool:
    """Whether `second` goes on where `first` ends."""
    same = (first.blob_id, first.page) == (second.blob_id, second.page)
    return same and 0 <= second.start - first.end <= _GAP


def _joined(first: Passage, second: Passage) -> Passage:
    better = first if first.score >= second.score else second
    gap = "\n" if second.start > first.end else ""
    return replace(
        better, start=first.start, end=second.end, first_line=first.first_line, last_line=second.last_line,
        text=first.text + gap + second.text,
    )  # fmt: skip
