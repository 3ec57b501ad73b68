"""One page of a PDF as PDFium has it: its text at once, or character by character with boxes; its picture.

A thin layer over pypdfium2's raw functions, because objects of its own for every page and character would cost more
than reading them. Knows nothing of what is hidden. One thread only: PDFium is not thread-safe.
"""

from __future__ import annotations

import ctypes
import re
import time
from functools import cached_property
from types import TracebackType
from typing import Any

import pypdfium2.raw as pdfium

Box = tuple[float, float, float, float]
"""Left, bottom, right, top; points, y upwards, as the page has them."""

_BOLD = 600
_BOLD_NAME = re.compile(rb"bold|black|heavy|demi|cmbx", re.I)
_NAME_BYTES = 128
_FINE = 1_000_000
"""PDFium maps to whole pixels: the page's map is taken on a screen this wide and made smaller."""


class PdfPage:
    """Raises `ValueError` where there is no such page or it cannot be read.

    `layered_forms`: what its forms hold may belong to a layer that is off.
    """

    def __init__(self, document: Any, index: int, *, layered_forms: bool = False) -> None:
        self.layered_forms = layered_forms
        self.raw = pdfium.FPDF_LoadPage(document, index)
        if not self.raw:
            raise ValueError(f"no page {index}")
        self.text_page = pdfium.FPDFText_LoadPage(self.raw)
        self.width = max(float(pdfium.FPDF_GetPageWidthF(self.raw)), 1.0)
        self.height = max(float(pdfium.FPDF_GetPageHeightF(self.raw)), 1.0)
        self.n_characters = max(int(pdfium.FPDFText_CountChars(self.text_page)), 0) if self.text_page else 0

    def __enter__(self) -> PdfPage:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.text_page:
            pdfium.FPDFText_ClosePage(self.text_page)
        pdfium.FPDF_ClosePage(self.raw)

    def text(self) -> str:
        """All text in PDFium's order, as it comes: a hyphen at a line's end is U+FFFE."""
        return self._utf16.decode("utf-16-le", "replace").replace("\r\n", "\n")

    def lines(self) -> list[tuple[int, str]]:
        """The same line by line, each with the index of its first character."""
        found: list[tuple[int, str]] = []
        at = 0
        for line in self._utf16.decode("utf-16-le", "replace").split("\r\n"):
            found.append((at, line))
            at += len(line.encode("utf-16-le")) // 2 + 2
        return found

    @cached_property
    def _utf16(self) -> bytes:
        """The text as PDFium has it; read once, for text and lines."""
        if not self.n_characters:
            return b""
        buffer = (ctypes.c_ushort * (self.n_characters + 1))()
        written = pdfium.FPDFText_GetText(self.text_page, 0, self.n_characters, buffer)
        return bytes(buffer)[: 2 * max(written - 1, 0)]

    def characters(self) -> list[str]:
        """One string a character index; "" for the second half of a pair, and for what is no character."""
        found: list[str] = []
        high = 0
        for index in range(self.n_characters):
            code = pdfium.FPDFText_GetUnicode(self.text_page, index)
            if 0xD800 <= code < 0xDC00:
                high = code
                found.append("")
            elif 0xDC00 <= code < 0xE000:
                found.append(chr(0x10000 + ((high - 0xD800) << 10) + code - 0xDC00) if high else "")
                high = 0
            else:
                found.append(chr(code) if 0 < code < 0x110000 else "")
        return found

    def text_object(self, index: int) -> int:
        """The address of the object that a character belongs to, 0 for one that PDFium put in between."""
        found = pdfium.FPDFText_GetTextObject(self.text_page, index)
        return address(found)

    def box(self, index: int, *, loose: bool = False) -> Box | None:
        """Where a character stands: its ink, or with `loose` the height of its whole line."""
        if loose:
            rectangle = pdfium.FS_RECTF()
            if not pdfium.FPDFText_GetLooseCharBox(self.text_page, index, rectangle):
                return None
            return rectangle.left, rectangle.bottom, rectangle.right, rectangle.top
        left, right, bottom, top = ctypes.c_double(), ctypes.c_double(), ctypes.c_double(), ctypes.c_double()
        if not pdfium.FPDFText_GetCharBox(self.text_page, index, left, right, bottom, top):
            return None
        return left.value, bottom.value, right.value, top.value

    def is_bold(self, index: int) -> bool:
        """By the weight of a character's font, or by the font's name where the file does not say."""
        if pdfium.FPDFText_GetFontWeight(self.text_page, index) >= _BOLD:
            return True
        name = ctypes.create_string_buffer(_NAME_BYTES)
        length = pdfium.FPDFText_GetFontInfo(self.text_page, index, name, _NAME_BYTES, ctypes.c_int())
        return 0 < length <= _NAME_BYTES and _BOLD_NAME.search(name.value) is not None

    def visible_box(self) -> Box:
        """What of the page's plane is shown: the crop box within the media box."""
        to_x, to_y = self._inverse()
        xs = sorted((to_x(0, 0), to_x(self.width, self.height)))
        ys = sorted((to_y(0, 0), to_y(self.width, self.height)))
        return xs[0], ys[0], xs[1], ys[1]

    def device_map(self, width_px: int, height_px: int) -> tuple[float, float, float, float, float, float]:
        """(a, b, c, d, e, f): pixel x = a*x + b*y + c, pixel y = d*x + e*y + f, for points of the page's plane."""
        fine_height = max(round(_FINE * height_px / max(width_px, 1)), 1)

        def at(x: float, y: float) -> tuple[float, float]:
            px, py = ctypes.c_int(), ctypes.c_int()
            pdfium.FPDF_PageToDevice(self.raw, 0, 0, _FINE, fine_height, 0, x, y, px, py)
            return px.value * width_px / _FINE, py.value * height_px / fine_height

        step = 100.0
        c, f = at(0, 0)
        (ax, dy), (bx, ey) = at(step, 0), at(0, step)
        return (ax - c) / step, (bx - c) / step, c, (dy - f) / step, (ey - f) / step, f

    def render(self, width_px: int, height_px: int, within_s: float, *, annotations: bool = True) -> Any | None:
        """Height x width x 3 bytes (red, green, blue) on white; None if it takes longer than `within_s`."""
        import numpy as np  # noqa: PLC0415  # most pages are never rendered

        pixels = np.full((height_px, width_px, 4), 255, np.uint8)
        bitmap = pdfium.FPDFBitmap_CreateEx(
            width_px, height_px, pdfium.FPDFBitmap_BGRx, pixels.ctypes.data_as(ctypes.c_void_p), 4 * width_px
        )
        if not bitmap:
            raise MemoryError
        deadline = time.monotonic() + within_s
        callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(pdfium.IFSDK_PAUSE))(
            lambda _pause: int(time.monotonic() > deadline)
        )
        pause = pdfium.IFSDK_PAUSE(version=1, NeedToPauseNow=callback, user=None)
        flags = pdfium.FPDF_REVERSE_BYTE_ORDER | (pdfium.FPDF_ANNOT if annotations else 0)
        try:
            status = pdfium.FPDF_RenderPageBitmap_Start(
                bitmap, self.raw, 0, 0, width_px, height_px, 0, flags, ctypes.byref(pause)
            )
            pdfium.FPDF_RenderPage_Close(self.raw)
        finally:
            pdfium.FPDFBitmap_Destroy(bitmap)
        return pixels[:, :, :3] if status == pdfium.FPDF_RENDER_DONE else None

    def _inverse(self) -> tuple[Any, Any]:
        """Functions from a place on the shown page (points, y down) to x and y on the page's plane."""
        a, b, c, d, e, f = self.device_map(round(100 * self.width), round(100 * self.height))
        a, b, c, d, e, f = (value / 100 for value in (a, b, c, d, e, f))
        determinant = a * e - b * d or 1.0

        def to_x(px: float, py: float) -> float:
            return (e * (px - c) - b * (py - f)) / determinant

        def to_y(px: float, py: float) -> float:
            return (a * (py - f) - d * (px - c)) / determinant

        return to_x, to_y


def address(pointer: Any) -> int:
    """A pointer as a number that may be compared."""
    return ctypes.addressof(pointer.contents) if pointer else 0
