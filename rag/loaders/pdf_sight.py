"""Which characters of a PDF page nobody can see: found by drawing the page with and without them.

Text that changes no pixel is not seen, whatever hid it: its colour, its mode, its transparency, its place, what was
drawn over it, a clip path, or a layer that is off. Only text that could be hidden, by properties that are cheap to
read, is put to that test, so that a plain page is never rendered.

**Scanned pages** are the exception. Character recognition lays invisible words over the picture of the same words, and
without them the page says nothing; so where pictures fill the page, invisible text is read if there is ink under it,
and hidden if it stands where the picture is blank. What somebody laid over other print cannot be told from bad
recognition without reading the picture, and is let through.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pypdfium2.raw as pdfium

from rag.loaders.limits import RENDER_PIXELS, RENDER_S
from rag.loaders.pdf_objects import Drawn, Ground, TextObject, drawn_on
from rag.loaders.pdf_page import Box, PdfPage
from rag.loaders.sight import WHITE, alike
from rag.types import HiddenReason

_SCALE = 1.2
"""Pixels a point: letters of ten points are nine pixels high, and A4 has 0.7 million."""
_LEAST_SCALE = 0.3
_SEEN = 16
"""Of 255, the change of the most changed pixel in a character's box that an eye sees."""
_INK = 40
"""Of 255, light against dark within a word's box on a scan."""
_IMAGE_SHARE = 0.8
"""Of the page's area, covered by pictures: then the page is a scan."""
_WORD = 12
"""Characters that are judged together at most: a full stop alone has too little ink to tell, and Chinese no spaces."""
_PAIRS = 4_000_000
"""Texts times grounds that are compared; beyond, all texts are put to the test."""
_FEW_PAIRS = 2_000
_MARGIN_PT = 1.0


def hidden_characters(page: PdfPage) -> dict[int, HiddenReason]:
    """Character index -> why it is not seen. Empty for most pages, at the cost of reading their objects."""
    drawn = drawn_on(page)
    if not drawn.texts:
        return {}
    shown = page.visible_box()
    suspects = _suspects(drawn, shown)
    if not suspects:
        return {}
    layer: set[int] = set()
    if _image_share(drawn.grounds, shown) >= _IMAGE_SHARE:
        images = [ground for ground in drawn.grounds if ground.is_image]
        layer = {key for key, text in suspects.items() if text.undrawn or _behind(text, images)}
    return _Judge(page, drawn, suspects, layer, shown).verdicts()


def _suspects(drawn: Drawn, shown: Box) -> dict[int, TextObject]:
    """The text objects that something about them could hide."""
    found = {
        key: text
        for key, text in drawn.texts.items()
        if text.undrawn
        or text.is_tiny
        or text.is_cut
        or text.is_layered
        or text.colour is None
        or alike(text.colour, WHITE)
        or not _within(text.box, shown)
    }
    if not drawn.grounds:
        return found
    if len(drawn.texts) * len(drawn.grounds) > _PAIRS or not drawn.complete:
        return dict(drawn.texts)
    rest = {key: text for key, text in drawn.texts.items() if key not in found}
    pairs = _touching if len(rest) * len(drawn.grounds) < _FEW_PAIRS else _touching_arrays
    for key, ground in pairs(rest, drawn.grounds):
        text = rest[key]
        if ground.order > text.order or ground.colour is None or (text.colour and alike(ground.colour, text.colour)):
            found[key] = text
    return found


def _touching(texts: dict[int, TextObject], grounds: list[Ground]) -> Iterator[tuple[int, Ground]]:
    for key, text in texts.items():
        for ground in grounds:
            if _overlap(ground.box, text.box):
                yield key, ground


def _touching_arrays(texts: dict[int, TextObject], grounds: list[Ground]) -> Iterator[tuple[int, Ground]]:
    """As `_touching`, for pages that are drawings."""
    import numpy as np  # noqa: PLC0415  # most pages have few grounds

    keys = list(texts)
    one = np.array([texts[key].box for key in keys], np.float32).T[:, :, None]
    other = np.array([ground.box for ground in grounds], np.float32).T[:, None, :]
    touch = (one[0] < other[2]) & (other[0] < one[2]) & (one[1] < other[3]) & (other[1] < one[3])
    for row, column in np.argwhere(touch).tolist():
        yield keys[row], grounds[column]


class _Judge:
    """Judges the suspects of one page."""

    def __init__(
        self, page: PdfPage, drawn: Drawn, suspects: dict[int, TextObject], layer: set[int], shown: Box
    ) -> None:
        self._page = page
        self._drawn = drawn
        self._suspects = suspects
        self._layer = layer
        self._shown = shown
        scale = max(min(_SCALE, 1200 / max(page.width, page.height)), _LEAST_SCALE)
        scale = min(scale, math.sqrt(RENDER_PIXELS / (page.width * page.height)))
        self._width = max(round(page.width * scale), 1)
        self._height = max(round(page.height * scale), 1)
        self._map = page.device_map(self._width, self._height)

    def verdicts(self) -> dict[int, HiddenReason]:
        """See `hidden_characters`."""
        tested = [text for key, text in self._suspects.items() if key not in self._layer and not _surely(text)]
        picture = self._render() if tested or self._layer else None
        changed = self._changed(picture, tested) if tested and picture is not None else None
        found: dict[int, HiddenReason] = {}
        for key, word, spaces in self._words():
            text = self._suspects[key]
            if key in self._layer:
                # A scan that takes too long to draw is read: losing the whole page would be worse.
                hidden = picture is not None and not self._has_ink(picture, word)
            elif _surely(text) or changed is None:
                hidden = True
            else:
                seen = sum(self._is_seen(changed, index) for index in word)
                hidden = 2 * seen < len(word)
            if hidden:
                reason = self._reason(text, word)
                found.update(dict.fromkeys(word + spaces, reason))
        return found

    def _words(self) -> Iterator[tuple[int, list[int], list[int]]]:
        """Runs of characters of one suspected object, cut at spaces, each with the spaces after it."""
        word: list[int] = []
        spaces: list[int] = []
        key = 0
        for index in range(self._page.n_characters):
            code = pdfium.FPDFText_GetUnicode(self._page.text_page, index)
            if code <= 32 or code == 0xA0:
                if word and code not in (10, 13):
                    spaces.append(index)
                continue
            owner = self._page.text_object(index)
            if word and (spaces or owner != key or len(word) >= _WORD):
                yield key, word, spaces
                word, spaces = [], []
            if owner in self._suspects:
                key = owner
                word.append(index)
        if word:
            yield key, word, spaces

    def _render(self) -> Any | None:
        return self._page.render(self._width, self._height, RENDER_S)

    def _changed(self, picture: Any, tested: list[TextObject]) -> Any | None:
        """How much each pixel changes when the texts are taken away."""
        import numpy as np  # noqa: PLC0415  # most pages are never rendered

        for text in tested:
            pdfium.FPDFPageObj_SetIsActive(text.pointer, False)
        try:
            without = self._render()
        finally:
            for text in tested:
                pdfium.FPDFPageObj_SetIsActive(text.pointer, True)
        if without is None:
            return None
        change = np.maximum(picture, without) - np.minimum(picture, without)
        return np.maximum(np.maximum(change[:, :, 0], change[:, :, 1]), change[:, :, 2])

    def _is_seen(self, changed: Any, index: int) -> bool:
        pixels = self._pixels(changed, self._page.box(index))
        return pixels is not None and bool(pixels.max() >= _SEEN)

    def _has_ink(self, picture: Any, word: list[int]) -> bool:
        boxes = [box for index in word if (box := self._page.box(index))]
        if not boxes:
            return True
        whole = (
            min(box[0] for box in boxes),
            min(box[1] for box in boxes),
            max(box[2] for box in boxes),
            max(box[3] for box in boxes),
        )
        pixels = self._pixels(picture, whole)
        if pixels is None:
            return False
        light = pixels.mean(axis=2)
        return bool(light.max() - light.min() >= _INK)

    def _pixels(self, picture: Any, box: Box | None) -> Any | None:
        """The part of a picture that a box covers, None where it covers nothing of it."""
        if box is None:
            return None
        a, b, c, d, e, f = self._map
        xs = [a * x + b * y + c for x, y in ((box[0], box[1]), (box[2], box[3]))]
        ys = [d * x + e * y + f for x, y in ((box[0], box[1]), (box[2], box[3]))]
        left, right = max(math.floor(min(xs)), 0), min(math.ceil(max(xs)), self._width)
        top, bottom = max(math.floor(min(ys)), 0), min(math.ceil(max(ys)), self._height)
        return picture[top:bottom, left:right] if left < right and top < bottom else None

    def _reason(self, text: TextObject, word: list[int]) -> HiddenReason:
        if text.undrawn:
            return HiddenReason.INVISIBLE
        if text.is_tiny:
            return HiddenReason.TINY
        boxes = [box for index in word if (box := self._page.box(index))]
        if any(not _within(box, self._shown) for box in boxes):
            return HiddenReason.OFF_PAGE
        over = [ground for ground in self._drawn.grounds if ground.order > text.order]
        if any(_overlap(ground.box, box) for ground in over for box in boxes):
            return HiddenReason.COVERED
        if text.is_cut or text.is_layered:
            return HiddenReason.INVISIBLE
        return HiddenReason.SAME_COLOUR


def _surely(text: TextObject) -> bool:
    """Hidden without a look: nothing is drawn, or too small to read though it changes pixels."""
    return text.undrawn or text.is_tiny


def _behind(text: TextObject, images: list[Ground]) -> bool:
    return any(image.order > text.order and _overlap(image.box, text.box) for image in images)


def _image_share(grounds: list[Ground], shown: Box) -> float:
    """How much of the page pictures cover, strips of one scan added up."""
    area = (shown[2] - shown[0]) * (shown[3] - shown[1])
    covered = 0.0
    for ground in grounds:
        if ground.is_image:
            width = min(ground.box[2], shown[2]) - max(ground.box[0], shown[0])
            height = min(ground.box[3], shown[3]) - max(ground.box[1], shown[1])
            covered += max(width, 0.0) * max(height, 0.0)
    return covered / area if area > 0 else 0.0


def image_share(page: PdfPage) -> float:
    """As above, of a page: at least `_IMAGE_SHARE` for a scan."""
    return _image_share(drawn_on(page).grounds, page.visible_box())


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _within(box: Box, shown: Box) -> bool:
    return (
        box[0] >= shown[0] - _MARGIN_PT
        and box[1] >= shown[1] - _MARGIN_PT
        and box[2] <= shown[2] + _MARGIN_PT
        and box[3] <= shown[3] + _MARGIN_PT
    )
