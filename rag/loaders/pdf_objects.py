"""What is drawn on a PDF page and in which order: text objects, and the grounds that may lie behind or over them.

Reads properties only; renders nothing and judges nothing. Follows ISO 32000-1, sections 8 (graphics) and 9 (text).
"""

from __future__ import annotations

import ctypes
import math
from dataclasses import dataclass, field
from typing import Any

import pypdfium2.raw as pdfium

from rag.loaders.limits import PDF_FORM_DEPTH, PDF_OBJECTS
from rag.loaders.pdf_page import Box, PdfPage, address
from rag.loaders.sight import FAINT, TINY_PT, Colour

_THIN_PT = 2.0
"""Rules and the lines of tables are thinner, and cover no print."""
_STROKED = (pdfium.FPDF_TEXTRENDERMODE_STROKE, pdfium.FPDF_TEXTRENDERMODE_STROKE_CLIP)
_UNDRAWN = (pdfium.FPDF_TEXTRENDERMODE_INVISIBLE, pdfium.FPDF_TEXTRENDERMODE_CLIP)
_HARMLESS_ANNOTATIONS = frozenset(
    {
        pdfium.FPDF_ANNOT_LINK,
        pdfium.FPDF_ANNOT_WIDGET,
        pdfium.FPDF_ANNOT_POPUP,
        pdfium.FPDF_ANNOT_TEXT,
        pdfium.FPDF_ANNOT_HIGHLIGHT,
        pdfium.FPDF_ANNOT_UNDERLINE,
        pdfium.FPDF_ANNOT_STRIKEOUT,
        pdfium.FPDF_ANNOT_SQUIGGLY,
    }
)
_CLIP_PATHS = 8
_MARKS = 32
"""Marked sequences that one object lies in."""
_MARGIN_PT = 1.0
_Matrix = tuple[float, float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class TextObject:
    """One run of text; `colour` None where it is a pattern."""

    pointer: Any
    order: int
    box: Box
    undrawn: bool
    """By its mode, or because it is transparent."""
    colour: Colour | None
    is_tiny: bool
    is_cut: bool
    """A clip path may cut off some of it, or all (8.5.4)."""
    is_layered: bool
    """It belongs to a layer, which may be off (8.11)."""


@dataclass(frozen=True, slots=True)
class Ground:
    """Something with an area; `colour` None where it has many."""

    order: int
    box: Box
    colour: Colour | None
    is_image: bool


@dataclass(frozen=True, slots=True)
class _Outer:
    """What a form brings to the objects in it: its place, and clip paths on the page."""

    matrix: _Matrix | None = None
    clips: tuple[Box, ...] = ()
    is_cut: bool = False
    """By a path that is no rectangle."""
    is_layered: bool = False


@dataclass(slots=True)
class Drawn:
    """All of a page; `complete` False where it holds more than is looked at."""

    texts: dict[int, TextObject] = field(default_factory=dict)
    """By address."""
    grounds: list[Ground] = field(default_factory=list)
    complete: bool = True


def drawn_on(page: PdfPage) -> Drawn:
    """Walk the page's objects, those inside of forms too, then its annotations."""
    drawn = Drawn()
    _Walk(drawn).page(page)
    return drawn


class _Walk:
    def __init__(self, drawn: Drawn) -> None:
        self._drawn = drawn
        self._order = 0
        # Filled again and again by PDFium: making them costs more than the calls.
        self._edges = tuple(ctypes.c_float() for _ in range(4))
        self._channels = tuple(ctypes.c_uint() for _ in range(4))
        self._number = ctypes.c_float()
        self._mode, self._stroke = ctypes.c_int(), ctypes.c_int()
        self._point = ctypes.c_float(), ctypes.c_float()
        self._name, self._length = (ctypes.c_ushort * 4)(), ctypes.c_ulong()
        self._layered_forms = False

    def page(self, page: PdfPage) -> None:
        self._layered_forms = page.layered_forms
        on_page = _Outer()
        for index in range(pdfium.FPDFPage_CountObjects(page.raw)):
            if not self._object(pdfium.FPDFPage_GetObject(page.raw, index), on_page, 0):
                self._drawn.complete = False
                break
        for index in range(min(pdfium.FPDFPage_GetAnnotCount(page.raw), PDF_OBJECTS)):
            self._annotation(page, index)

    def _object(self, pointer: Any, outer: _Outer, depth: int) -> bool:
        self._order += 1
        if self._order > PDF_OBJECTS:
            return False
        kind = pdfium.FPDFPageObj_GetType(pointer)
        if kind == pdfium.FPDF_PAGEOBJ_TEXT:
            self._text(pointer, outer)
        elif kind == pdfium.FPDF_PAGEOBJ_PATH:
            self._path(pointer, outer.matrix)
        elif kind in (pdfium.FPDF_PAGEOBJ_IMAGE, pdfium.FPDF_PAGEOBJ_SHADING):
            box = self._box(pointer, outer.matrix)
            self._drawn.grounds.append(Ground(self._order, box, None, kind == pdfium.FPDF_PAGEOBJ_IMAGE))
        elif kind == pdfium.FPDF_PAGEOBJ_FORM and depth < PDF_FORM_DEPTH:
            inner = self._inner(pointer, outer)
            for index in range(pdfium.FPDFFormObj_CountObjects(pointer)):
                if not self._object(pdfium.FPDFFormObj_GetObject(pointer, index), inner, depth + 1):
                    return False
        return True

    def _inner(self, pointer: Any, outer: _Outer) -> _Outer:
        clips = self._clips(pointer)
        more = () if clips is None else tuple(_moved(each, outer.matrix) if outer.matrix else each for each in clips)
        return _Outer(
            _times(self._matrix(pointer), outer.matrix),
            (*outer.clips, *more),
            outer.is_cut or clips is None or (bool(clips) and _is_turned(outer.matrix)),
            outer.is_layered or self._layered_forms or self._is_layered(pointer),
        )

    def _text(self, pointer: Any, outer: _Outer) -> None:
        matrix = outer.matrix
        mode = pdfium.FPDFTextObj_GetTextRenderMode(pointer)
        stroked = mode in _STROKED
        get = pdfium.FPDFPageObj_GetStrokeColor if stroked else pdfium.FPDFPageObj_GetFillColor
        colour, opacity = self._colour(get, pointer)
        box = self._box(pointer, matrix)
        # Fonts made of pictures call any size theirs (Type 3, 9.6.5), so the box must be small too: asked first.
        is_tiny = min(box[2] - box[0], box[3] - box[1]) < 2 * TINY_PT and self._size(pointer, matrix) < TINY_PT
        undrawn = mode in _UNDRAWN or opacity < FAINT
        clips = self._clips(pointer)
        own = box if matrix is None or not clips else self._box(pointer, None)
        is_cut = (
            outer.is_cut
            or clips is None
            or not all(_holds(each, own) for each in clips)
            or not all(_holds(each, box) for each in outer.clips)
        )
        is_layered = outer.is_layered or self._is_layered(pointer)
        self._drawn.texts[address(pointer)] = TextObject(
            pointer, self._order, box, undrawn, colour, is_tiny, is_cut, is_layered
        )

    def _clips(self, pointer: Any) -> tuple[Box, ...] | None:
        """The rectangles that an object is clipped to, in its own plane; None where a path is another shape."""
        clip = pdfium.FPDFPageObj_GetClipPath(pointer)
        count = pdfium.FPDFClipPath_CountPaths(clip)
        if count <= 0:
            return ()
        if count > _CLIP_PATHS:
            return None
        boxes = [self._rectangle(clip, path) for path in range(count)]
        return None if None in boxes else tuple(box for box in boxes if box is not None)

    def _rectangle(self, clip: Any, path: int) -> Box | None:
        n_points = pdfium.FPDFClipPath_CountPathSegments(clip, path)
        if n_points not in (4, 5):
            return None
        xs, ys = [], []
        for index in range(n_points):
            segment = pdfium.FPDFClipPath_GetPathSegment(clip, path, index)
            is_curve = pdfium.FPDFPathSegment_GetType(segment) == pdfium.FPDF_SEGMENT_BEZIERTO
            if is_curve or not pdfium.FPDFPathSegment_GetPoint(segment, *self._point):
                return None
            xs.append(self._point[0].value)
            ys.append(self._point[1].value)
        box = (min(xs), min(ys), max(xs), max(ys))
        # Each side goes along one axis, from corner to corner: straight, and all four corners are there.
        corners = {(x, y) for x, y in zip(xs, ys, strict=True)}
        is_rectangle = corners == {(x, y) for x in (box[0], box[2]) for y in (box[1], box[3])} and all(
            (xs[index] == xs[index - 1]) is not (ys[index] == ys[index - 1]) for index in range(1, 4)
        )
        return box if is_rectangle else None

    def _is_layered(self, pointer: Any) -> bool:
        for index in range(min(pdfium.FPDFPageObj_CountMarks(pointer), _MARKS)):
            mark = pdfium.FPDFPageObj_GetMark(pointer, index)
            size = ctypes.sizeof(self._name)
            if not pdfium.FPDFPageObjMark_GetName(mark, self._name, size, self._length):
                continue
            if self._length.value == 6 and self._name[0] == ord("O") and self._name[1] == ord("C"):
                return True
        return False

    def _size(self, pointer: Any, matrix: _Matrix | None) -> float:
        """Of the font on the page, in points."""
        a, b, c, d, _e, _f = _times(self._matrix(pointer), matrix)
        if not pdfium.FPDFTextObj_GetFontSize(pointer, self._number):
            return 0.0
        return abs(self._number.value) * min(math.hypot(a, b), math.hypot(c, d))

    def _path(self, pointer: Any, matrix: _Matrix | None) -> None:
        if not pdfium.FPDFPath_GetDrawMode(pointer, self._mode, self._stroke):
            return
        box = self._box(pointer, matrix)
        if min(box[2] - box[0], box[3] - box[1]) < _THIN_PT:
            return
        if self._mode.value == pdfium.FPDF_FILLMODE_NONE:
            # A line may be as thick as it likes; a thin one around something covers nothing.
            if not self._stroke.value or not pdfium.FPDFPageObj_GetStrokeWidth(pointer, self._number):
                return
            if self._number.value < 2 * _THIN_PT:
                return
            colour, opacity = self._colour(pdfium.FPDFPageObj_GetStrokeColor, pointer)
        else:
            colour, opacity = self._colour(pdfium.FPDFPageObj_GetFillColor, pointer)
        if opacity >= FAINT:
            self._drawn.grounds.append(Ground(self._order, box, colour if opacity > 0.95 else None, is_image=False))

    def _annotation(self, page: PdfPage, index: int) -> None:
        annotation = pdfium.FPDFPage_GetAnnot(page.raw, index)
        if not annotation:
            return
        try:
            if pdfium.FPDFAnnot_GetSubtype(annotation) not in _HARMLESS_ANNOTATIONS:
                rectangle = pdfium.FS_RECTF()
                if pdfium.FPDFAnnot_GetRect(annotation, rectangle):
                    self._order += 1
                    box = (rectangle.left, rectangle.bottom, rectangle.right, rectangle.top)
                    self._drawn.grounds.append(Ground(self._order, box, None, is_image=False))
        finally:
            pdfium.FPDFPage_CloseAnnot(annotation)

    def _colour(self, get: Any, pointer: Any) -> tuple[Colour | None, float]:
        red, green, blue, alpha = self._channels
        if not get(pointer, red, green, blue, alpha):
            return None, 1.0
        return (red.value, green.value, blue.value), alpha.value / 255

    def _box(self, pointer: Any, matrix: _Matrix | None) -> Box:
        left, bottom, right, top = self._edges
        if not pdfium.FPDFPageObj_GetBounds(pointer, left, bottom, right, top):
            return 0.0, 0.0, 0.0, 0.0
        box = (left.value, bottom.value, right.value, top.value)
        return box if matrix is None else _moved(box, matrix)

    @staticmethod
    def _matrix(pointer: Any) -> _Matrix:
        found = pdfium.FS_MATRIX()
        if not pdfium.FPDFPageObj_GetMatrix(pointer, found):
            return 1.0, 0.0, 0.0, 1.0, 0.0, 0.0
        return found.a, found.b, found.c, found.d, found.e, found.f


def _times(inner: _Matrix, outer: _Matrix | None) -> _Matrix:
    if outer is None:
        return inner
    a, b, c, d, e, f = inner
    p, q, r, s, t, u = outer
    return a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s, e * p + f * r + t, e * q + f * s + u


def _is_turned(matrix: _Matrix | None) -> bool:
    """Whether a rectangle is none any more, or its box is larger."""
    return matrix is not None and (matrix[1] != 0 or matrix[2] != 0) and (matrix[0] != 0 or matrix[3] != 0)


def _holds(clip: Box, box: Box) -> bool:
    return (
        box[0] >= clip[0] - _MARGIN_PT
        and box[1] >= clip[1] - _MARGIN_PT
        and box[2] <= clip[2] + _MARGIN_PT
        and box[3] <= clip[3] + _MARGIN_PT
    )


def _moved(box: Box, matrix: _Matrix) -> Box:
    a, b, c, d, e, f = matrix
    corners = [(x, y) for x in (box[0], box[2]) for y in (box[1], box[3])]
    xs = [a * x + c * y + e for x, y in corners]
    ys = [b * x + d * y + f for x, y in corners]
    return min(xs), min(ys), max(xs), max(ys)
