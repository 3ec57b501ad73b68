"""Runs in a process of its own for one image file: decodes it, makes it small, and hands back bare pixels.

Image files are foreign, and decoders have had holes: what goes wrong here ends here. No network, no files, little
memory and time. Knows no window; Qt's readers are used without an application.
"""

from __future__ import annotations

import json
import sys
from multiprocessing.connection import Connection

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QSize, Qt
from PySide6.QtGui import QImage, QImageReader, QPainter

from engine.worker.no_network import forbid_network

SIDE = 2048
"""Pixels of the longer side at most: more than present models look at, enough to read a page of print."""
MAX_FILE_BYTES = 1 << 26
_MEMORY_BYTES = 3 << 30
"""Of address space, Qt's libraries included."""
_PIXELS_MIB = 512
"""What Qt may take for one decoded image."""
_SECONDS = 20
"""Of computing."""


def main(connection: Connection, kind: str, most_pixels: int) -> None:
    """Receive a file's bytes; send a JSON line {"width", "height"} and then 3 bytes a pixel, or {"why"} alone."""
    forbid_network()
    _limit()
    raw = connection.recv_bytes(MAX_FILE_BYTES)
    image = decode(raw, kind, most_pixels)
    if isinstance(image, str):
        connection.send_bytes(json.dumps({"why": image}).encode())
        return
    connection.send_bytes(json.dumps({"width": image.width(), "height": image.height()}).encode())
    connection.send_bytes(pixels_of(image))


def decode(raw: bytes, kind: str, most_pixels: int) -> QImage | str:
    """The first image of a file as `small` makes it; "pixels" where it has too many, "damaged" where it is none.

    Turned upright as the file says. `kind` is Qt's name of the format, and no other is tried.
    """
    data = QByteArray(raw)
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    QImageReader.setAllocationLimit(_PIXELS_MIB)
    reader = QImageReader(buffer, QByteArray(kind.encode("ascii")))
    reader.setAutoTransform(True)
    size = reader.size()
    if size.width() * size.height() > most_pixels:
        return "pixels"
    if size.isValid() and max(size.width(), size.height()) > SIDE:
        # JPEG is decoded at a fraction of its size at once.
        reader.setScaledSize(size.scaled(SIDE, SIDE, Qt.AspectRatioMode.KeepAspectRatio).expandedTo(QSize(1, 1)))
    image = reader.read()
    return "damaged" if image.isNull() else small(image)


def small(image: QImage) -> QImage:
    """At most `SIDE` pixels a side, three colours, on white where it is transparent: models see no transparency."""
    if max(image.width(), image.height()) > SIDE:
        aspect, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        image = image.scaled(SIDE, SIDE, aspect, smooth)
    if image.hasAlphaChannel():
        ground = QImage(image.size(), QImage.Format.Format_RGB32)
        ground.fill(Qt.GlobalColor.white)
        painter = QPainter(ground)
        painter.drawImage(0, 0, image)
        painter.end()
        image = ground
    return image.convertToFormat(QImage.Format.Format_RGB888)


def pixels_of(image: QImage) -> bytes:
    """Its rows without the bytes that Qt fills them up with."""
    row, stride = 3 * image.width(), image.bytesPerLine()
    raw = bytes(image.constBits())
    return raw if row == stride else b"".join(raw[at : at + row] for at in range(0, stride * image.height(), stride))


def _limit() -> None:
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415  # not on Windows

    for what, most in (
        (resource.RLIMIT_AS, _MEMORY_BYTES),
        (resource.RLIMIT_CPU, _SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        _soft, hard = resource.getrlimit(what)
        if hard == resource.RLIM_INFINITY or hard > most:
            resource.setrlimit(what, (most, most))
