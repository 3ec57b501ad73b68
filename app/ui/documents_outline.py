"""Which row of a collection's list is which source or file, before any file is known. Pure; knows no Qt, no library."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from rag.store.types import FileSpan, SourceKind, SourceOutline

Place = tuple[int, int]
"""A source's id, and where a file stands among its files, from 0."""


class Outline:
    """Sources in their order, below each folder that is not `folded` its files. What is no folder has one row."""

    def __init__(self, sources: Sequence[SourceOutline] = (), folded: frozenset[int] = frozenset()) -> None:
        self.sources, self.folded = tuple(sources), folded
        counts = [1 + self._n_below(each) for each in self.sources]
        self._starts = [0, *accumulate(counts)]
        self._indices = {each.source.id: index for index, each in enumerate(self.sources)}

    def __len__(self) -> int:
        return self._starts[-1]

    def at(self, row: int) -> tuple[SourceOutline, int | None]:
        """What stands in a row: a source's own line, or the file of a place in it."""
        index = bisect_right(self._starts, row) - 1
        each = self.sources[index]
        if each.source.kind is SourceKind.FOLDER:
            return each, row - self._starts[index] - 1 if row > self._starts[index] else None
        return each, 0 if each.n_files else None

    def row_of(self, source_id: int, place: int | None) -> int | None:
        """Where a source's own line (None) or the file of a place stands; None if it is not shown."""
        index = self._indices.get(source_id)
        if index is None:
            return None
        each, start = self.sources[index], self._starts[index]
        if each.source.kind is not SourceKind.FOLDER:
            return start if (place == 0 and each.n_files) or (place is None and not each.n_files) else None
        if place is None:
            return start
        return start + 1 + place if place < self._n_below(each) else None

    def spans(self, first: int, stop: int) -> list[FileSpan]:
        """The files in rows [first, stop)."""
        spans: list[FileSpan] = []
        row, stop = max(0, first), min(stop, len(self))
        while row < stop:
            each, place = self.at(row)
            if place is None:
                row += 1
                continue
            count = min(stop - row, max(1, self._n_below(each) - place))
            spans.append((each.source.id, place, count))
            row += count
        return spans

    def is_shaped_as(self, other: Outline) -> bool:
        """The same rows, whatever they say."""
        return self._shape() == other._shape()

    def _n_below(self, each: SourceOutline) -> int:
        is_open = each.source.kind is SourceKind.FOLDER and each.source.id not in self.folded
        return each.n_files if is_open else 0

    def _shape(self) -> list[tuple[int, int, bool]]:
        return [(each.source.id, self._n_below(each), bool(each.n_files)) for each in self.sources]
