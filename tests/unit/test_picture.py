"""Image headers, and the caps that hold before a decoder sees a file."""

from __future__ import annotations

import struct

import pytest

from engine.errors import AttachmentError, LimitError
from engine.model import picture
from engine.model.picture import MAX_BYTES, MAX_PIXELS, Picture, read_picture
from tests.unit.images import bmp, gif_header, jpeg_header, png, png_claiming


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (png(7, 5), Picture("png", 7, 5)),
        (bmp(6, 3), Picture("bmp", 6, 3)),
        (b"BM" + bytes(12) + struct.pack("<Iii", 40, 4, -9), Picture("bmp", 4, 9)),
        (b"BM" + bytes(12) + struct.pack("<IHH", 12, 4, 9), Picture("bmp", 4, 9)),
        (gif_header(300, 2), Picture("gif", 300, 2)),
        (jpeg_header(640, 480), Picture("jpeg", 640, 480)),
    ],
)
def test_a_header_tells_format_and_size(raw: bytes, expected: Picture) -> None:
    assert read_picture(raw) == expected


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"hello",
        b"RIFF\0\0\0\0WEBPVP8 ",
        b"RIFF\0\0\0\0WAVEfmt ",
        b"ID3\x04",
        b"\0\0\0\x20ftypisom",
        png(0, 5),
        png()[:20],
        b"\x89PNG\r\n\x1a\n" + bytes(20),
        gif_header(1, 0),
        jpeg_header(5, 5)[:24],
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8" + b"\xff\xe0\0\0" * 3,
        b"BM",
    ],
)
def test_what_is_no_image_of_a_known_kind_is_refused(raw: bytes) -> None:
    with pytest.raises(AttachmentError, match=r"it\.png"):
        read_picture(raw, "it.png")


@pytest.mark.parametrize("beyond", [-1, 0, 1])
def test_pixels_are_capped(beyond: int) -> None:
    raw = png_claiming(MAX_PIXELS + beyond, 1)
    if beyond > 0:
        with pytest.raises(LimitError, match="pixels"):
            read_picture(raw)
    else:
        assert read_picture(raw).width == MAX_PIXELS + beyond


@pytest.mark.parametrize("beyond", [-1, 0, 1])
def test_bytes_are_capped(beyond: int, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = png()
    monkeypatch.setattr(picture, "MAX_BYTES", len(raw) - beyond)
    if beyond > 0:
        with pytest.raises(LimitError, match="too large"):
            read_picture(raw)
    else:
        read_picture(raw)


def test_the_cap_of_the_worker_is_the_documented_one() -> None:
    from app import limits

    assert limits.IMAGE_BYTES == MAX_BYTES
    assert limits.IMAGE_PIXELS == MAX_PIXELS
