"""A page of a document as a picture. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass

Rectangle = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels, y downwards; right and bottom are outside."""
Span = tuple[int, int]
"""Characters [start, end) of a page's stored text."""


@dataclass(frozen=True, slots=True)
class PagePicture:
    """`pixels` are 3 bytes each (red, green, blue), row by row; one tuple of rectangles a span, one for each line."""

    width: int
    height: int
    pixels: bytes
    rectangles: tuple[tuple[Rectangle, ...], ...]
