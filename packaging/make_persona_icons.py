"""Draw the icons of the personas that come with Hearth: white lines on a rounded square of two tones, one family.

`python packaging/make_persona_icons.py` writes them anew into the gallery; `--sheet FILE` draws all of them at the
sizes of the window, on light and on dark, to look at.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

GALLERY = Path(__file__).parents[1] / "app" / "personas" / "gallery"
SIDE = 256
"""Pixels of the files."""
SHOWN = (128, 64, 32, 20)
ICONS: dict[str, tuple[str, str, str]] = {
    "hearth-guide": (
        "#f2994a", "#c2410c",
        """<path class="soft" d="M64 20 C67 33 82 40 82 57 A18 18 0 0 1 46 57 C46 48 51 44 54 36 C58 41 62 36 64 20 Z"/>
        <path d="M24 86 C38 79 54 81 64 90 C74 81 90 79 104 86 V106 C90 100 74 101 64 109 C54 101 38 100 24 106 Z"/>
        <path d="M64 90 V108"/>""",
    ),
    "plain-explainer": (
        "#f6c644", "#b7791f",
        """<path class="soft" d="M50 86 C49 76 36 70 36 52 A28 28 0 0 1 92 52 C92 70 79 76 78 86 Z"/>
        <path d="M50 97 H78 M56 108 H72"/><path d="M64 86 V64 M54 55 L64 64 L74 55"/>""",
    ),
    "writing-coach": (
        "#4fb3bf", "#0f6674",
        """<path class="soft" d="M84 24 L104 44 L54 94 L30 98 L34 74 Z"/><path d="M74 34 L94 54"/>
        <path d="M70 105 H104"/>""",
    ),
    "meeting-notes": (
        "#6c9cf0", "#2b4fb0",
        """<path class="soft" d="M34 30 H94 A8 8 0 0 1 102 38 V98 A8 8 0 0 1 94 106 H34 A8 8 0 0 1 26 98 V38
        A8 8 0 0 1 34 30 Z"/><path d="M50 22 V38 M78 22 V38"/>
        <path d="M42 60 L49 67 L60 54 M72 61 H86 M42 84 L49 91 L60 78 M72 85 H86"/>""",
    ),
    "contract-reader": (
        "#8d8aa8", "#43406b",
        """<path class="soft" d="M72 22 H38 A8 8 0 0 0 30 30 V98 A8 8 0 0 0 38 106 H58"/>
        <path d="M72 22 L92 42 V54 M72 22 V42 H92 M46 52 H62 M46 68 H56"/>
        <circle class="soft" cx="78" cy="80" r="18"/><path d="M91 93 L105 107"/>""",
    ),
    "spanish-tutor": (
        "#ef6a6a", "#a61e3c",
        """<path class="soft" d="M36 26 H92 A14 14 0 0 1 106 40 V74 A14 14 0 0 1 92 88 H66 L46 106 V88 H36
        A14 14 0 0 1 22 74 V40 A14 14 0 0 1 36 26 Z"/>
        <path d="M50 74 V54 M50 62 C50 50 78 48 78 62 V74"/><path d="M52 42 C58 34 68 46 76 38"/>""",
    ),
    "code-reviewer": (
        "#5fbf86", "#1c6b45",
        """<path d="M42 38 L20 60 L42 82 M86 38 L108 60 L86 82"/><path class="soft" d="M50 62 L61 73 L80 48"/>
        <path d="M38 104 H90"/>""",
    ),
    "story-master": (
        "#b07be0", "#5b2a9d",
        """<path class="soft" d="M64 18 L104 41 V87 L64 110 L24 87 V41 Z"/>
        <path d="M64 42 L86 80 H42 Z M64 18 V42 M86 80 L104 87 M42 80 L24 87 M24 41 L64 42 L104 41"/>""",
    ),
}  # fmt: skip
"""Upper and lower tone, and the lines on a field of 128 x 128; what is `soft` is filled a little."""


def svg(name: str, *, bold: float = 1.0) -> bytes:
    """The icon as SVG. Classes are written out: Qt's renderer knows little of style sheets."""
    light, deep, lines = ICONS[name]
    width = 6.5 * bold
    stroke = f'fill="none" stroke="#fff" stroke-width="{width}" stroke-linecap="round" stroke-linejoin="round"'
    drawn = lines.replace('class="soft"', 'fill="#fff" fill-opacity="0.22"')
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 128 128"><defs>
    <linearGradient id="tone" x1="0" y1="0" x2="0.6" y2="1"><stop offset="0" stop-color="{light}"/>
    <stop offset="1" stop-color="{deep}"/></linearGradient></defs>
    <rect width="128" height="128" rx="32" fill="url(#tone)"/>
    <g {stroke} transform="translate(7.68 7.68) scale(0.88)">{drawn}</g></svg>""".encode()


def image(name: str, side: int) -> QImage:
    picture = QImage(side, side, QImage.Format.Format_ARGB32)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    QSvgRenderer(QByteArray(svg(name))).render(painter, QRectF(0, 0, side, side))
    painter.end()
    return picture


def sheet(path: Path) -> None:
    """Every icon as the window scales it, on both grounds."""
    cell, row = 140, 150
    picture = QImage(cell * len(ICONS), row * len(SHOWN) * 2 // 2, QImage.Format.Format_RGB32)
    picture.fill(QColor("#faf9f7"))
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.fillRect(0, picture.height() // 2, picture.width(), picture.height(), QColor("#1d1b1a"))
    aspect, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    for column, name in enumerate(ICONS):
        written = QImage(str(GALLERY / name / "icon.png"))
        for half in (0, picture.height() // 2):
            painter.drawImage(column * cell + 6, half + 6, written.scaled(128, 128, aspect, smooth))
            left = column * cell + 6
            for side in SHOWN[1:]:
                painter.drawImage(left, half + 150, written.scaled(side, side, aspect, smooth))
                left += side + 6
    painter.end()
    picture.save(str(path))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sheet", type=Path)
    arguments = parser.parse_args()
    application = QGuiApplication([])
    for name in ICONS:
        image(name, SIDE).save(str(GALLERY / name / "icon.png"), "PNG")
    if arguments.sheet:
        sheet(arguments.sheet)
    application.quit()


if __name__ == "__main__":
    main()
