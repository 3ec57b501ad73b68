"""A rendered prompt as a flat row of pieces: the template's own words, and content.

Knows no template and no tokeniser. Content keeps its segments, and so its origin, through every cut that a
template makes (trimming, dropping old reasoning).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from engine.context.segments import Origin, Segment


@dataclass(frozen=True, slots=True)
class Literal:
    """Words of the template itself. Only these may become control tokens."""

    text: str


Piece = Literal | Segment


def joined(pieces: Iterable[Piece]) -> str:
    """The prompt as one text. For comparing and showing, never for tokenising."""
    return "".join(piece.text for piece in pieces)


@dataclass(frozen=True, slots=True)
class Content:
    """A message's text in its segments. Offsets are in characters of `text`; cuts return new contents."""

    segments: tuple[Segment, ...]

    @property
    def text(self) -> str:
        return "".join(segment.text for segment in self.segments)

    def __bool__(self) -> bool:
        return any(segment.text for segment in self.segments)

    def __add__(self, other: Content) -> Content:
        return Content(self.segments + other.segments)

    def cut(self, start: int, stop: int) -> Content:
        """The characters from `start` up to `stop`."""
        kept: list[Segment] = []
        begin = 0
        for segment in self.segments:
            end = begin + len(segment.text)
            low, high = max(start, begin), min(stop, end)
            if (low, high) == (begin, end):
                kept.append(segment)
            elif low < high:
                kept.append(replace(segment, text=segment.text[low - begin : high - begin]))
            begin = end
        return Content(tuple(kept))

    def as_json(self) -> Content:
        """As the inside of a JSON string."""
        return Content(tuple(replace(s, text=json.dumps(s.text, ensure_ascii=False)[1:-1]) for s in self.segments))

    def strip(self, characters: str | None = None) -> Content:
        """As `str.strip`, and so as Jinja's `trim`."""
        return self.lstrip(characters).rstrip(characters)

    def lstrip(self, characters: str | None = None) -> Content:
        text = self.text
        return self.cut(len(text) - len(text.lstrip(characters)), len(text))

    def rstrip(self, characters: str | None = None) -> Content:
        return self.cut(0, len(self.text.rstrip(characters)))

    def after_last(self, mark: str) -> Content:
        """What follows the last `mark`; everything if there is none: `text.split(mark)[-1]`."""
        text = self.text
        at = text.rfind(mark)
        return self if at < 0 else self.cut(at + len(mark), len(text))

    def after_first(self, mark: str) -> Content:
        """What follows the first `mark`; everything if there is none."""
        text = self.text
        at = text.find(mark)
        return self if at < 0 else self.cut(at + len(mark), len(text))

    def before_first(self, mark: str) -> Content:
        """What precedes the first `mark`; everything if there is none: `text.split(mark)[0]`."""
        at = self.text.find(mark)
        return self if at < 0 else self.cut(0, at)

    def without(self, mark: str) -> Content:
        """As `str.replace(mark, "")`."""
        text, kept, begin = self.text, Content(()), 0
        while (at := text.find(mark, begin)) >= 0:
            kept += self.cut(begin, at)
            begin = at + len(mark)
        return kept + self.cut(begin, len(text))


def plain(text: str) -> Content:
    """Text that the app puts between contents. Never a control token."""
    return Content((Segment(text, Origin.APP),))


class Writer:
    """Collects pieces in order; neighbouring literals become one, so that they are tokenised as one."""

    def __init__(self) -> None:
        self._pieces: list[Piece] = []

    def mark(self, text: str) -> None:
        """Add words of the template."""
        if not text:
            return
        last = self._pieces[-1] if self._pieces else None
        if isinstance(last, Literal):
            self._pieces[-1] = Literal(last.text + text)
        else:
            self._pieces.append(Literal(text))

    def put(self, content: Content) -> None:
        """Add content."""
        self._pieces.extend(segment for segment in content.segments if segment.text)

    def wrap(self, before: str, content: Content, after: str) -> None:
        """Add content between words of the template."""
        self.mark(before)
        self.put(content)
        self.mark(after)

    @property
    def pieces(self) -> list[Piece]:
        return list(self._pieces)


def merged(pieces: Sequence[Piece]) -> list[Piece]:
    """The same prompt with neighbouring literals joined and empty pieces gone."""
    writer = Writer()
    for piece in pieces:
        if isinstance(piece, Literal):
            writer.mark(piece.text)
        else:
            writer.put(Content((piece,)))
    return writer.pieces
