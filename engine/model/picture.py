"""What an image file claims to be, from its first bytes: format, width and height. Decodes nothing.

A decoder takes memory as the header says, so the header is read before any decoder sees the file. The formats are
those that mtmd's decoder (stb_image) knows and people have. Knows no model.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from engine.errors import AttachmentError, LimitError, sentence

MAX_BYTES = 20 * 1024 * 1024
"""Of an image file."""
MAX_PIXELS = 50_000_000
"""Width times height; three bytes each when decoded."""

_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_BARE = frozenset(range(0xD0, 0xDA)) | {0x01}


@dataclass(frozen=True, slots=True)
class Picture:
    """`kind` is "png", "jpeg", "gif" or "bmp"; width and height in pixels."""

    kind: str
    width: int
    height: int


def read_picture(raw: bytes, name: str = "") -> Picture:
    """The header of an image. Raises `LimitError` for one too large, `AttachmentError` for what cannot be looked at."""
    if len(raw) > MAX_BYTES:
        raise LimitError(
            sentence("The image {name} is too large: {size:.0f} MB, and {limit:.0f} MB are the most."),
            name=name,
            size=len(raw) / 1e6,
            limit=MAX_BYTES / 1e6,
        )
    try:
        picture = _read(raw)
    except (struct.error, IndexError):
        picture = None  # it ends inside its header
    if picture is None or picture.width < 1 or picture.height < 1:
        raise AttachmentError(
            sentence("{name} cannot be looked at. Use a PNG, JPEG, GIF or BMP image that other programs can open."),
            name=name,
        )
    if picture.width * picture.height > MAX_PIXELS:
        raise LimitError(
            sentence("The image {name} has too many pixels: {width} x {height}. Make it smaller."),
            name=name,
            width=picture.width,
            height=picture.height,
        )
    return picture


def _read(raw: bytes) -> Picture | None:
    if raw.startswith(b"\x89PNG\r\n\x1a\n"):
        return Picture("png", *struct.unpack_from(">II", raw, 16)) if raw[12:16] == b"IHDR" else None
    if raw.startswith(b"\xff\xd8\xff"):
        return _read_jpeg(raw)
    if raw.startswith((b"GIF87a", b"GIF89a")):
        return Picture("gif", *struct.unpack_from("<HH", raw, 6))
    if raw.startswith(b"BM"):
        (header,) = struct.unpack_from("<I", raw, 14)
        if header == 12:
            return Picture("bmp", *struct.unpack_from("<HH", raw, 18))
        width, height = struct.unpack_from("<ii", raw, 18)
        return Picture("bmp", abs(width), abs(height))
    return None


def _read_jpeg(raw: bytes) -> Picture | None:
    """Walk the segments up to the frame header (ITU T.81, B.1)."""
    at = 2
    while raw[at] == 0xFF:
        marker = raw[at + 1]
        if marker == 0xFF:  # padding
            at += 1
        elif marker in _JPEG_BARE:
            at += 2
        elif marker in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", raw, at + 5)
            return Picture("jpeg", width, height)
        else:
            (length,) = struct.unpack_from(">H", raw, at + 2)
            at += 2 + max(2, length)
    return None
