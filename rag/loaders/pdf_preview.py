"""A page of a PDF as a picture, and where on it given words stand. Knows no window.

Passages are characters of a page's stored text; the way back to the PDF's own characters is found by walking along
both at once, which differ only by what the border filter took away or composed.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import Path

from engine.errors import sentence
from rag.loaders.limits import PREVIEW_PIXELS
from rag.loaders.loader import DAMAGED, Source, open_source
from rag.loaders.pdf import open_document, text_of_page
from rag.loaders.pdf_layers import may_have_layered_forms
from rag.loaders.pdf_page import PdfPage
from rag.loaders.picture import PagePicture, Rectangle, Span

_NOT_A_PDF = sentence("“{name}” has no pages that can be shown.")
_NO_PAGE = sentence("“{name}” has no page {number}.")
_TOO_SLOW = sentence("Page {number} of “{name}” takes too long to draw.")
_RENDER_S = 15.0
_LOOK_AHEAD = 64
"""Characters of the PDF that may be missing from the text in one place."""
_SAME_LINE = 0.5
"""Boxes that share half of their height stand on one line."""
_GAP = 1.0
"""Boxes on one line that are further apart than their height begin a new rectangle (columns)."""


def render_page(path: Path, number: int, width_px: int, spans: Sequence[Span] = ()) -> PagePicture:
    """The `number`th page (from 1), `width_px` wide unless that is more than `PREVIEW_PIXELS` allow.

    Raises `DocumentError`.
    """
    source = open_source(path, lambda: None)
    with source.file:
        if b"%PDF-" not in source.beginning(1024):
            raise source.error(_NOT_A_PDF)
        document = open_document(source)
        try:
            if not 1 <= number <= len(document):
                raise source.error(_NO_PAGE, number=number)
            try:
                layered = may_have_layered_forms(source.file)
                page = PdfPage(document, number - 1, layered_forms=layered)
            except ValueError as error:
                raise source.error(DAMAGED) from error
            with page:
                return _picture(source, page, number, width_px, spans)
        finally:
            document.close()


def _picture(source: Source, page: PdfPage, number: int, width_px: int, spans: Sequence[Span]) -> PagePicture:
    ratio = page.height / page.width
    width = max(min(width_px, int((PREVIEW_PIXELS / ratio) ** 0.5)), 1)
    height = min(max(round(width * ratio), 1), PREVIEW_PIXELS)
    pixels = page.render(width, height, _RENDER_S)
    if pixels is None:
        raise source.error(_TOO_SLOW, number=number)
    rectangles: tuple[tuple[Rectangle, ...], ...] = ()
    if spans:
        characters, text, _hidden = text_of_page(page)
        places = aligned(text, characters or page.characters())
        device = page.device_map(width, height)
        rectangles = tuple(_rectangles(page, places[start:end], device, width, height) for start, end in spans)
    return PagePicture(width, height, pixels.tobytes(), rectangles)


def aligned(text: str, characters: Sequence[str]) -> list[int | None]:
    """For each character of a stored text the index of the PDF's character that it comes from, None for none."""
    theirs = [(part, index) for index, each in enumerate(characters) for part in unicodedata.normalize("NFD", each)]
    places: list[int | None] = []
    at = 0
    for character in text:
        place = None
        for part in unicodedata.normalize("NFD", character):
            for ahead in range(at, min(at + _LOOK_AHEAD, len(theirs))):
                if theirs[ahead][0] == part:
                    place = theirs[ahead][1] if place is None else place
                    at = ahead + 1
                    break
        places.append(place)
    return places


def _rectangles(
    page: PdfPage,
    places: Sequence[int | None],
    device: tuple[float, float, float, float, float, float],
    width: int,
    height: int,
) -> tuple[Rectangle, ...]:
    """The boxes of characters joined to one rectangle a line."""
    a, b, c, d, e, f = device
    lines: list[list[float]] = []
    for index in places:
        box = page.box(index, loose=True) if index is not None else None
        if box is None or box[0] == box[2]:
            continue
        xs = sorted(a * x + b * y + c for x, y in ((box[0], box[1]), (box[2], box[3])))
        ys = sorted(d * x + e * y + f for x, y in ((box[0], box[1]), (box[2], box[3])))
        if lines and _continues(lines[-1], xs, ys):
            last = lines[-1]
            lines[-1] = [min(last[0], xs[0]), min(last[1], ys[0]), max(last[2], xs[1]), max(last[3], ys[1])]
        else:
            lines.append([xs[0], ys[0], xs[1], ys[1]])
    found = []
    for left, top, right, bottom in lines:
        shown = (max(int(left), 0), max(int(top), 0), min(int(right) + 1, width), min(int(bottom) + 1, height))
        if shown[0] < shown[2] and shown[1] < shown[3]:
            found.append(shown)
    return tuple(found)


def _continues(line: Sequence[float], xs: Sequence[float], ys: Sequence[float]) -> bool:
    height = min(line[3] - line[1], ys[1] - ys[0])
    shared = min(line[3], ys[1]) - max(line[1], ys[0])
    return shared > _SAME_LINE * height and xs[0] - line[2] < _GAP * (ys[1] - ys[0]) and xs[1] > line[0]
