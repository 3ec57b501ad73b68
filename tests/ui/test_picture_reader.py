"""Image files of every kind, through the process that decodes them; broken and hostile ones too."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from PySide6.QtCore import QBuffer, QByteArray, QIODevice
from PySide6.QtGui import QColor, QImage, QImageReader

from app.attachments import picture_kind
from app.limits import IMAGE_PIXELS
from app.store.images import ImageFolder
from app.store.types import ImagePart
from app.ui import picture_process, picture_reader
from app.ui.picture_process import SIDE, decode
from app.ui.picture_reader import keep_image, keep_picture
from engine.errors import AttachmentError, LimitError
from engine.model.picture import read_picture
from tests.unit.images import bmp, png, png_claiming

GIF = bytes.fromhex("47494638396102000100800100ff0000ffffff21f90400000000002c00000000020001000002020400003b")
"""Two pixels, red; the second picture of an animation could follow."""


@pytest.fixture
def folder(tmp_path: Path) -> ImageFolder:
    return ImageFolder(tmp_path / "images")


def written(image: QImage, kind: str) -> bytes:
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    assert image.save(buffer, kind)  # type: ignore[call-overload]
    return bytes(data.data())


def filled(width: int, height: int, color: str = "red") -> QImage:
    image = QImage(width, height, QImage.Format.Format_ARGB32)
    image.fill(QColor(color))
    return image


def shown(folder: ImageFolder, part: ImagePart) -> QImage:
    data = folder.read(part)
    assert data is not None
    assert read_picture(data).kind in ("png", "jpeg"), "what the engine's decoder knows"
    image = QImage.fromData(data)
    assert (image.width(), image.height()) == (part.width, part.height)
    return image


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (png(), "image/png"),
        (bmp(), "image/png"),
        (GIF, "image/png"),
        (written(filled(40, 30), "webp"), "image/jpeg"),
        (written(filled(40, 30), "jpg"), "image/jpeg"),
    ],
)
def test_every_kind_becomes_one_the_engine_knows(folder: ImageFolder, data: bytes, media_type: str) -> None:
    part = keep_picture(data, picture_kind(data), "a.png", folder)
    assert part.media_type == media_type
    color = shown(folder, part).pixelColor(part.width - 1, 0)
    assert color.red() > 240 and color.blue() < 20


def test_the_same_file_gives_the_same_image(folder: ImageFolder) -> None:
    assert keep_picture(png(), "png", "a", folder).sha256 == keep_picture(png(), "png", "b", folder).sha256


def test_a_large_image_is_made_smaller(folder: ImageFolder) -> None:
    data = written(filled(3000, 1500), "png")
    part = keep_picture(data, "png", "a", folder)
    assert (part.width, part.height) == (SIDE, SIDE // 2)
    assert shown(folder, part).pixelColor(5, 5) == QColor("red")


def test_a_photograph_that_would_be_a_large_png_becomes_a_jpeg(
    folder: ImageFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_reader, "PNG_BYTES", 200)
    noise = QImage(os.urandom(64 * 64 * 4), 64, 64, QImage.Format.Format_RGB32).copy()
    assert keep_image(noise, "a", folder).media_type == "image/jpeg"


def test_what_is_transparent_becomes_white(folder: ImageFolder) -> None:
    part = keep_picture(written(filled(8, 8, "transparent"), "png"), "png", "a", folder)
    assert shown(folder, part).pixelColor(3, 3) == QColor("white")


def test_a_photograph_stands_upright_and_tells_no_place(folder: ImageFolder) -> None:
    image = filled(40, 20, "red")
    image.setPixelColor(0, 0, QColor("blue"))
    jpeg = written(image, "jpg")
    tiff = b"MM\0*\0\0\0\x08" + struct.pack(">HHHIHH", 1, 0x0112, 3, 1, 6, 0) + bytes(4) + b"Rome, at home"
    exif = b"Exif\0\0" + tiff
    turned = jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]
    part = keep_picture(turned, "jpeg", "a", folder)
    assert (part.width, part.height) == (20, 40)
    assert b"Rome" not in (folder.read(part) or b"Rome")


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (png()[:60], "png"),
        (png()[:8] + b"nonsense", "png"),
        (b"\xff\xd8\xff\xe0" + bytes(50), "jpeg"),
        (b"RIFF\x20\0\0\0WEBPVP8 " + bytes(20), "webp"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "png"),
        (b"", "png"),
    ],
)
def test_what_is_damaged_is_said_by_name(folder: ImageFolder, data: bytes, kind: str) -> None:
    with pytest.raises(AttachmentError, match=r"cat\.png is damaged"):
        keep_picture(data, kind, "cat.png", folder)
    assert not folder.folder.exists()


def test_a_bomb_is_refused_by_its_header(folder: ImageFolder) -> None:
    with pytest.raises(LimitError, match="too many pixels"):
        keep_picture(png_claiming(60_000, 60_000), "png", "a", folder)


@pytest.mark.parametrize(("over", "refused"), [(-1, False), (0, False), (1, True)])
def test_the_cap_of_pixels_is_exact(over: int, refused: bool) -> None:
    found = decode(png(50, 40), "png", 2000 - over)
    assert (found == "pixels") is refused
    assert IMAGE_PIXELS * 4 < 512 << 20, "Qt's own limit lets all of them through"


@pytest.mark.parametrize(("over", "refused"), [(-1, False), (0, False), (1, True)])
def test_the_cap_of_bytes_is_exact(
    folder: ImageFolder, monkeypatch: pytest.MonkeyPatch, over: int, refused: bool
) -> None:
    monkeypatch.setattr(picture_reader, "IMAGE_BYTES", len(png()) - over)
    monkeypatch.setattr(picture_reader, "decoded", lambda *_arguments: filled(2, 2))
    if refused:
        with pytest.raises(LimitError):
            keep_picture(png(), "png", "a", folder)
    else:
        keep_picture(png(), "png", "a", folder)


def dies(connection: Connection, _kind: str, _pixels: int) -> None:
    """As a decoder that is broken into, or breaks."""
    connection.recv_bytes()
    os.abort()


def lies(connection: Connection, _kind: str, _pixels: int) -> None:
    connection.recv_bytes()
    connection.send_bytes(b'{"width": 2000, "height": 2000}')
    connection.send_bytes(bytes(12))


def boasts(connection: Connection, _kind: str, _pixels: int) -> None:
    connection.recv_bytes()
    connection.send_bytes(b'{"width": 100000, "height": 100000}')


def floods(connection: Connection, _kind: str, _pixels: int) -> None:
    connection.recv_bytes()
    connection.send_bytes(b'{"width": 1, "height": 1}')
    connection.send_bytes(bytes(10_000))


def rambles(connection: Connection, _kind: str, _pixels: int) -> None:
    connection.recv_bytes()
    connection.send_bytes(b'["what"]')


@pytest.mark.parametrize("child", [dies, lies, boasts, floods, rambles])
def test_a_decoder_that_went_wrong_takes_nothing_with_it(
    folder: ImageFolder, monkeypatch: pytest.MonkeyPatch, child: Callable[..., None]
) -> None:
    monkeypatch.setattr(picture_process, "main", child)
    with pytest.raises(AttachmentError, match="damaged"):
        keep_picture(png(), "png", "a", folder)


def test_control_qt_alone_would_take_another_format(folder: ImageFolder) -> None:
    """What the format's name holds off: Qt would go by the content."""
    svg = QByteArray(b"<svg xmlns='http://www.w3.org/2000/svg' width='4' height='4'/>")
    buffer = QBuffer(svg)
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    assert QImageReader(buffer).canRead()
    assert decode(bytes(svg.data()), "png", IMAGE_PIXELS) == "damaged"
