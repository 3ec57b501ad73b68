"""An image of Qt's as the bytes of a file. Any thread."""

from __future__ import annotations

from PySide6.QtCore import QBuffer, QIODevice
from PySide6.QtGui import QImage


def encoded(image: QImage, format_name: str, quality: int = -1) -> bytes:
    """Its file in a format as Qt names it, b"" where Qt cannot write it; `quality` is 0..100, -1 for Qt's own."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, format_name, quality)  # type: ignore[call-overload]  # the stubs want bytes, which fail
    return bytes(buffer.data().data())
