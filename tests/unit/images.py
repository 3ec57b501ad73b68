"""Write small image files for tests, right ones and wrong ones, without an image library."""

from __future__ import annotations

import struct
import zlib


def _png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int = 32, height: int = 32, *, tint: tuple[int, int, int] = (255, 0, 0)) -> bytes:
    """An RGB image that fades from black at the left to `tint` at the right."""
    row = b"\0" + b"".join(bytes(value * x // max(1, width - 1) for value in tint) for x in range(width))
    return png_claiming(width, height, zlib.compress(row * height))


def png_claiming(width: int, height: int, content: bytes = b"") -> bytes:
    """A PNG whose header says so, whatever its content is."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", content), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_png_chunk(kind, body) for kind, body in chunks)


def bmp(width: int = 8, height: int = 8, *, tint: tuple[int, int, int] = (255, 0, 0)) -> bytes:
    """A plain 24-bit bitmap of one colour."""
    row = bytes(reversed(tint)) * width
    pixels = (row + bytes(-len(row) % 4)) * height
    head = struct.pack("<2sIHHI", b"BM", 54 + len(pixels), 0, 0, 54)
    return head + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, len(pixels), 0, 0, 0, 0) + pixels


def gif_header(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\0\0\0"


def jpeg_header(width: int, height: int) -> bytes:
    """A JPEG up to its frame header, with an application segment and padding before it."""
    application = b"\xff\xe0" + struct.pack(">H", 16) + b"JFIF\0" + bytes(9)
    frame = b"\xff\xff\xc2" + struct.pack(">HBHHB", 17, 8, height, width, 3) + bytes(9)
    return b"\xff\xd8" + application + frame
