"""Where a token lies in the memory map: rows of square cells, read like a page of text. Pure geometry; knows no page.

A stretch of tokens is drawn on its rows without gaps and exactly to scale, so its area is proportional to its tokens;
cells are what free space shows, and what gives the scale its round number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF


def round_number(least: int) -> int:
    """The smallest of 1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32 ... that is at least `least`."""
    if least <= 4:
        return least
    power = 1 << (least - 1).bit_length()  # the next power of two; below it lie its 5/8 and 3/4
    return next(number for number in (power * 5 // 8, power * 3 // 4, power) if number >= least)


@dataclass(frozen=True, slots=True)
class MemoryGrid:
    """`cell` tokens to a cell, `columns` cells to a row, a cell and its gap every `pitch` pixels."""

    left: float
    top: float
    pitch: float
    gap: float
    columns: int
    cell: int
    total: int

    @classmethod
    def fitted(cls, *, left: float, top: float, width: float, pitch: float, rows: int, total: int) -> MemoryGrid:
        """The finest grid of a round number of tokens to a cell whose `total` fits into `rows` rows of this width.

        The pitch is the least one with which whole cells fill the width.
        """
        gap = max(1.0, round(pitch / 8))
        columns = max(1, math.floor((width + gap) / pitch))
        pitch = max(pitch, (width + gap) / columns)
        cell = round_number(max(1, math.ceil(total / (columns * max(1, rows)))))
        return cls(left, top, pitch, gap, columns, cell, max(0, total))

    @property
    def per_row(self) -> int:
        """Tokens in a row."""
        return self.cell * self.columns

    @property
    def width(self) -> float:
        return self.columns * self.pitch - self.gap

    @property
    def height(self) -> float:
        return math.ceil(self.total / self.per_row) * self.pitch

    def stretch(self, start: float, end: float) -> list[QRectF]:
        """The rectangles of the tokens from `start` up to `end`, one a row; what is beyond the total is cut off."""
        end = min(end, self.total)
        rects: list[QRectF] = []
        per_row, scale = self.per_row, self.width / self.per_row
        while start < end:
            row = int(start // per_row)
            stop = min(end, (row + 1) * per_row)
            left = self.left + (start - row * per_row) * scale
            height = self.pitch - self.gap
            rects.append(QRectF(left, self.top + row * self.pitch, (stop - start) * scale, height))
            start = stop
        return rects

    def cells(self, start: float, end: float) -> list[QRectF]:
        """As `stretch`, in pieces of a cell with gaps between them; the first and last may be narrower."""
        end = min(end, self.total)
        rects: list[QRectF] = []
        inset = self.gap / 2
        while start < end:
            stop = min(end, (math.floor(start / self.cell) + 1) * self.cell)
            pieces = (rect.adjusted(inset, 0, -inset, 0) for rect in self.stretch(start, stop))
            rects += [rect for rect in pieces if rect.width() > 0]
            start = stop
        return rects

    def token_at(self, point: QPointF) -> int | None:
        """The token under a point; None beside the grid."""
        x, y = point.x() - self.left, point.y() - self.top
        if not (0 <= x < self.width and 0 <= y < self.height):
            return None
        token = int(y // self.pitch) * self.per_row + int(x / self.width * self.per_row)
        return token if token < self.total else None
