"""A Markdown text that grows: only its last block is read again when more text comes.

A block is settled once a later one has begun beyond doubt (its first line is complete). Reading the pieces gives the
same blocks as reading the whole, but for definitions that come after their use: `finish` reads those texts once more.
"""

from __future__ import annotations

from app.ui.markdown.blocks import Block, MathBlock
from app.ui.markdown.reader import MarkdownReader, Reading, is_blank


class GrowingMarkdown:
    """The blocks of a text so far. `blocks` keeps the same objects for what did not change."""

    def __init__(self, reader: MarkdownReader) -> None:
        self._reader = reader
        self._parts: list[str] = []
        self._settled: list[Block] = []
        self._tail = ""
        self._tail_blocks: tuple[Block, ...] = ()
        self._continues: tuple[str, int] | None = None
        self._after_blank = True
        self._has_definitions = False

    @property
    def source(self) -> str:
        return "".join(self._parts)

    @property
    def blocks(self) -> list[Block]:
        return [*self._settled, *self._tail_blocks]

    def append(self, text: str) -> None:
        """More text has come."""
        if not text:
            return
        self._parts.append(text)
        self._tail += text
        reading = self._read(open_ended=True)
        begun = [index for index, unit in enumerate(reading.units) if self._is_complete(unit.line)]
        if begun and begun[-1] > 0 and not _ends_in_open_formula(reading):
            self._settle(reading.units[begun[-1]].line, reading.units[begun[-1] - 1].ordered)
            reading = self._read(open_ended=True)
        self._tail_blocks = reading.blocks

    def finish(self) -> None:
        """No more text comes."""
        if self._has_definitions:
            self._settled, self._tail, self._continues, self._after_blank = [], self.source, None, True
        self._tail_blocks = self._read(open_ended=False).blocks

    def _read(self, *, open_ended: bool) -> Reading:
        reading = self._reader.read(
            self._tail, open_ended=open_ended, continues=self._continues, after_blank=self._after_blank
        )
        self._has_definitions = self._has_definitions or reading.has_definitions
        return reading

    def _is_complete(self, line: int) -> bool:
        """Whether that line has come whole, with its end."""
        return self._tail.count("\n") > line

    def _settle(self, boundary: int, before: tuple[str, int] | None) -> None:
        """What stands before line `boundary` is final; `before` is the numbered item that ends it."""
        lines = self._tail.split("\n")
        head = "\n".join(lines[:boundary]) + "\n"
        self._tail = head
        self._settled.extend(self._read(open_ended=False).blocks)
        self._continues = before
        self._after_blank = is_blank(lines[boundary - 1])
        self._tail = "\n".join(lines[boundary:])


def _ends_in_open_formula(reading: Reading) -> bool:
    """It may turn out to be no formula, and then belongs to the text before it."""
    last = reading.blocks[-1] if reading.blocks else None
    return isinstance(last, MathBlock) and not last.closed
