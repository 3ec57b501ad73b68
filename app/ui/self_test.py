"""Qt's part of `hearth --self-test`: an icon drawn, a picture read. Opens no window."""

from __future__ import annotations

import os

from PySide6 import __version__ as pyside_version
from PySide6.QtGui import QColor, QGuiApplication, QImage

from app.ui.fonts import load_fonts
from app.ui.icons import program_icon
from app.ui.image_bytes import encoded
from app.ui.picture_reader import decoded

_SIDE = 64


def draw_icon(*, offscreen: bool) -> str:
    """The program's icon on this display, or without one. Raises `ValueError` where nothing is drawn."""
    if offscreen:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    app = QGuiApplication.instance() or QGuiApplication(["hearth"])
    image = program_icon().pixmap(_SIDE, _SIDE).toImage()
    middle = image.pixelColor(image.width() // 2, image.height() // 2)
    if image.isNull() or middle.alpha() == 0:
        raise ValueError("the icon is empty")
    refused = load_fonts()
    if refused:
        raise ValueError(f"fonts refused: {', '.join(refused)}")
    assert isinstance(app, QGuiApplication)
    return f"Qt {pyside_version} on {app.platformName()}; icon and fonts are there"


def read_picture() -> str:
    """A JPEG file through the process that decodes pictures. Raises `AttachmentError`, `ValueError`."""
    image = QImage(_SIDE, _SIDE, QImage.Format.Format_RGB888)
    image.fill(QColor("orange"))
    raw = encoded(image, "JPG")
    if not raw:
        raise ValueError("no JPEG file can be written")
    read = decoded(raw, "jpeg", "self-test.jpg")
    if read.width() != _SIDE:
        raise ValueError("another picture came back")
    return "one was read by its own process"
