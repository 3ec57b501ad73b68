"""Cuts pages into passages of about 200 word pieces, where a text allows it: between sections, paragraphs, sentences.

No passage crosses a page, so that it can be cited; each knows its lines, the headings above it and its language. Tables
of contents are left out. Of a transcript no line is cut, and a passage knows its time. Pieces are counted word by word
and remembered, since tokenisers split at the same places: five times faster than tokenising the page. Knows no
embedder: how many pieces words make is passed in, else estimated cautiously.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate

from rag.contents import is_contents
from rag.language import UNSPACED, language_of
from rag.transcript import second_at, timed_lines
from rag.types import Chunk, Heading, Page, Unit

SIZE = 200
"""Word pieces of a passage at most; MiniLM sees 256, with the header and its frame."""
SMALL_SECTION = SIZE // 4
"""Shorter sections share a passage with their neighbours."""
_REMEMBERED = 200_000
_PATH_CHARACTERS = 200

Count = Callable[[Sequence[str]], list[int]]
"""How many word pieces each text makes."""

_WORD = re.compile(
    rf"[{UNSPACED}]"  # each by itself: there are no words to see
    rf"|[^\W{UNSPACED}\u0300-\u036f][\w\u0300-\u1fff]{{0,63}}"  # marks belong to the letter before
    r"|\s{64}|([^\w\s])\1{0,63}|\w"
)
_SENTENCE = re.compile(
    r"[.!?\u2026\u061f\u06d4\u0964]+[)\"'\]\u00bb\u201d\u2019]*\s+(?=[^\sa-zà-öø-ÿа-я])|[。！？｡]+[」』）”’]*\s*"
)
_PARAGRAPH = re.compile(r"\n[^\S\n]*(?:\n\s*)+")
_LINE = re.compile(r"\n\s*")
_AS_IT_STANDS = re.compile(r"^(?:\t| {4,}).*$|^.*(?:\t|   \S|\|.*\|).*$", re.MULTILINE)
"""Lines of tables and of code, which mean something as lines."""


class Chunker:
    """Cuts one document after another, page by page; one thread at a time."""

    def __init__(self, count: Count | None = None, *, size: int = SIZE) -> None:
        self._count = count or estimated_pieces
        self._size = size
        self._known: dict[str, int] = {}
        self._above: tuple[Heading, ...] = ()
        self._n_pages: int | None = None
        self._timed = False
        self._in_contents = False
        """The passage before was of a table of contents."""

    def begin(self, n_pages: int | None = None, unit: Unit = Unit.TEXT) -> None:
        """Another document follows, of so many pages if these can be counted: no headings are above its first one."""
        self._above = ()
        self._n_pages = n_pages
        self._timed = unit is Unit.TIME
        self._in_contents = False

    def chunks_of(self, page: Page) -> list[Chunk]:
        """The passages of the next page, in the text's order; none if it holds only white space."""
        text = page.text
        words = [(match.start(), match.group()) for match in _WORD.finditer(text)]
        sections = self._sections(page)
        if not words:
            return []
        measured = _Measured(
            [start for start, _word in words], self._pieces([word for _start, word in words]), len(text)
        )
        language = language_of(text)
        line, counted = page.first_line, 0
        chunks = []
        for start, end, path in self._merged(sections, measured):
            for passage in (self._whole_lines if self._timed else self._cut)(text, start, end, measured):
                first, last = _stripped(text, *passage)
                if first == last or self._is_contents(text[first:last], path):
                    continue
                if self._timed:
                    line, last_line = (second_at(text, at, page.first_line) for at in (first, last))
                else:
                    line += text.count("\n", counted, first)
                    counted = first
                    last_line = line + text.count("\n", first, last)
                chunks.append(Chunk(page.number, first, last, line, last_line, path, language))
        return chunks

    def _is_contents(self, passage: str, path: str) -> bool:
        self._in_contents = is_contents(passage, section=path, after=self._in_contents, n_pages=self._n_pages)
        return self._in_contents

    def _pieces(self, words: list[str]) -> list[int]:
        known = self._known
        if unknown := list({word for word in words if word not in known}):
            if len(known) + len(unknown) > _REMEMBERED:
                known.clear()
                unknown = list(set(words))
            # What makes no piece at all still takes room.
            known.update(zip(unknown, (max(1, n) for n in self._count(unknown)), strict=True))
        return [known[word] for word in words]

    def _sections(self, page: Page) -> list[tuple[int, str]]:
        """Where each section of the page starts, and the path of its headings; remembers those at the page's end."""
        found = [(0, _path(self._above))]
        for heading in sorted(page.headings, key=lambda heading: heading.start):
            self._above = (*(other for other in self._above if other.level < heading.level), heading)
            found.append((min(heading.start, len(page.text)), _path(self._above)))
        return found

    def _merged(self, sections: list[tuple[int, str]], measured: _Measured) -> list[tuple[int, int, str]]:
        """Sections with their ends, small ones together with the next or the one before: start, end, path.

        What is merged has the path of its longest part.
        """
        ends = [start for start, _path in sections[1:]] + [measured.end]
        merged: list[tuple[int, int, str, int]] = []
        for (start, path), end in zip(sections, ends, strict=True):
            own = measured.pieces(start, end)
            if merged and own + measured.pieces(merged[-1][0], merged[-1][1]) <= self._size:
                first, middle, other, longest = merged[-1]
                if min(own, measured.pieces(first, middle)) < SMALL_SECTION:
                    merged[-1] = (first, end, path, own) if own >= longest else (first, end, other, longest)
                    continue
            merged.append((start, end, path, own))
        return [(start, end, path) for start, end, path, _longest in merged]

    def _cut(self, text: str, start: int, end: int, measured: _Measured) -> list[tuple[int, int]]:
        """Passages of at most `size` pieces from one section, of like lengths, so that no small rest is left."""
        if measured.pieces(start, end) <= self._size:
            return [(start, end)]
        borders = _borders(text, start, end)
        places = [[measured.at(border) for border in of_a_kind] for of_a_kind in borders]
        passages = []
        while (left := measured.pieces(start, end)) > self._size:
            wanted = left / -(-left // self._size)
            stop = self._best(borders, places, measured.at(start), left, wanted)
            stop = stop or measured.word_border(text, start, round(wanted))
            passages.append((start, stop))
            start = stop
        return [*passages, (start, end)]

    def _whole_lines(self, text: str, start: int, end: int, measured: _Measured) -> list[tuple[int, int]]:
        """As `_cut`, but never within a line that has a time, however long it is."""
        borders = [first for first, _last in timed_lines(text, start, end) if first > start]
        places = [measured.at(border) for border in borders]
        passages, at = [], 0
        while (left := measured.pieces(start, end)) > self._size and at < len(borders):
            here, wanted = measured.at(start), left / -(-left // self._size)
            fitting = range(at, max(bisect_right(places, here + self._size, at), at + 1))
            best = min(fitting, key=lambda index: abs(places[index] - here - wanted))
            passages.append((start, borders[best]))
            start, at = borders[best], best + 1
        return [*passages, (start, end)]

    def _best(
        self, borders: Sequence[list[int]], places: Sequence[list[int]], here: int, left: int, wanted: float
    ) -> int | None:
        """The border nearest to `wanted`, of the best kind that has one where both sides are full enough."""
        for positions, pieces, least in zip(borders, places, _LEAST, strict=True):
            low = bisect_left(pieces, here + max(1, least * wanted))
            high = bisect_right(pieces, here + min(self._size, left - least * wanted))
            if low < high:
                return positions[min(range(low, high), key=lambda index: abs(pieces[index] - here - wanted))]
        return None


class _Measured:
    """A text's words and the pieces up to each."""

    def __init__(self, starts: list[int], pieces: list[int], end: int) -> None:
        self._starts = starts
        self._sums = [0, *accumulate(pieces)]
        self.end = end

    def at(self, position: int) -> int:
        """Pieces in front of a position."""
        return self._sums[bisect_left(self._starts, position)]

    def pieces(self, start: int, end: int) -> int:
        return self.at(end) - self.at(start)

    def word_border(self, text: str, start: int, size: int) -> int:
        """The last word's start within `size` pieces, one behind white space if there is any in the last third."""
        first = bisect_left(self._starts, start)
        last = max(first + 1, bisect_right(self._sums, self._sums[first] + size) - 1)
        for index in range(last, first + 2 * (last - first) // 3, -1):
            if index < len(self._starts) and text[self._starts[index] - 1].isspace():
                return self._starts[index]
        return self._starts[last]


_LEAST = (0.5, 0.7, 0.7)
"""How full a passage must be to end with a paragraph, a sentence, a line: shares of the wanted length."""


def _borders(text: str, start: int, end: int) -> tuple[list[int], list[int], list[int]]:
    """Where paragraphs, sentences, and lines begin. A line of a table or of code counts as a sentence."""
    paragraphs = [match.end() for match in _PARAGRAPH.finditer(text, start, end)]
    lines = [match.end() for match in _LINE.finditer(text, start, end)]
    sentences = [match.end() for match in _SENTENCE.finditer(text, start, end)]
    whole = [match.span() for match in _AS_IT_STANDS.finditer(text, start, end)]
    if whole:
        begins = [begin for begin, _end in whole]

        def inside(position: int) -> bool:
            place = bisect_right(begins, position) - 1
            return place >= 0 and position <= whole[place][1]

        # A line's border lies behind its white space, so that its own position is within the indented line.
        starts_whole = {position for position in lines if inside(position)}
        sentences = sorted({position for position in sentences if not inside(position)} | starts_whole)
    return paragraphs, sentences, lines


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    passage = text[start:end]
    start += len(passage) - len(passage.lstrip())
    return start, start + len(passage.strip())


def _path(above: Sequence[Heading]) -> str:
    titles = (" ".join(heading.title.split()) for heading in above)
    return " > ".join(title for title in titles if title)[:_PATH_CHARACTERS]


def estimated_pieces(words: Sequence[str]) -> list[int]:
    """What words make, without a tokeniser to ask: right for German, a quarter too many for English."""
    return [1 + (len(word) - 1) // 4 if word.isalpha() else len(word) for word in words]
