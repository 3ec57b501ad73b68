"""Colours, type scale and spacing: the only place that names a colour or a size.

Main thread only.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QGuiApplication

UNIT = 4
"""The one spacing unit, in device-independent pixels; every margin, gap and radius is a multiple."""

UI_FAMILY = "Inter"
CODE_FAMILY = "JetBrains Mono"


class TextSize(StrEnum):
    """The one type scale."""

    CAPTION = "caption"
    BODY = "body"
    LARGE = "large"
    HEADING = "heading"
    TITLE = "title"
    DISPLAY = "display"


_POINTS: dict[TextSize, float] = {
    TextSize.CAPTION: 12,
    TextSize.BODY: 14,
    TextSize.LARGE: 15,
    TextSize.HEADING: 17,
    TextSize.TITLE: 19,
    TextSize.DISPLAY: 27,
}


@dataclass(frozen=True, slots=True)
class Colors:
    """A theme's colours, as "#rrggbb"."""

    window: str
    """Behind everything: sidebar and panels."""
    surface: str
    """The reading surface, the composer, dialogs."""
    raised: str
    """Hovered rows, chips, the user's own messages."""
    pressed: str
    border: str
    text: str
    text_muted: str
    text_faint: str
    accent: str
    accent_hover: str
    on_accent: str
    danger: str
    warning: str
    success: str
    selection: str
    code_background: str
    focus: str
    code_keyword: str
    code_string: str
    code_number: str
    code_name: str
    """Functions, classes, tags."""
    code_comment: str


LIGHT = Colors(
    window="#f6f4f1",
    surface="#fffefc",
    raised="#efece7",
    pressed="#e6e1da",
    border="#ded9d1",
    text="#26231f",
    text_muted="#5c564e",
    text_faint="#716a60",
    accent="#a84a22",
    accent_hover="#903d19",
    on_accent="#ffffff",
    danger="#b3261e",
    warning="#7d5200",
    success="#2e6b3f",
    selection="#f3d9c9",
    code_background="#f5f2ed",
    focus="#c9683f",
    code_keyword="#8a3b78",
    code_string="#3d6b35",
    code_number="#9a5200",
    code_name="#2b5f94",
    code_comment="#757065",
)
DARK = Colors(
    window="#1b1917",
    surface="#221f1c",
    raised="#2d2925",
    pressed="#383330",
    border="#3a3531",
    text="#ece7e0",
    text_muted="#b5ada1",
    text_faint="#988f84",
    accent="#e08a5b",
    accent_hover="#eb9d72",
    on_accent="#1b1917",
    danger="#f2786f",
    warning="#e0ad55",
    success="#7fbf8e",
    selection="#513526",
    code_background="#1a1816",
    focus="#e08a5b",
    code_keyword="#d49bc4",
    code_string="#a3c585",
    code_number="#e0a86a",
    code_name="#8bb8e0",
    code_comment="#908779",
)

_ORIGINS: dict[str, tuple[str, str]] = {
    "app": ("#b3aa9d", "#6f675e"),
    "persona": ("#6f7fa8", "#8ea0cf"),
    "user": ("#c9683f", "#e08a5b"),
    "assistant": ("#6d9a7c", "#7fae8c"),
    "summary": ("#9a7aa0", "#b795bd"),
    "document": ("#c2973c", "#d9b25f"),
    "tool": ("#4f9494", "#6fb3b3"),
}
"""The hues of the memory map by `Origin`, light and dark."""


class ThemeChoice(StrEnum):
    """What the person chose in the settings."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class Theme(QObject):
    """The theme in force. Widgets read `colors` when they paint and restyle themselves on `changed`."""

    changed = Signal()

    def __init__(
        self, choice: ThemeChoice = ThemeChoice.SYSTEM, zoom: float = 1.0, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._choice = choice
        self._zoom = zoom
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._on_system_scheme_changed)

    @property
    def is_dark(self) -> bool:
        if self._choice is ThemeChoice.SYSTEM:
            return QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
        return self._choice is ThemeChoice.DARK

    @property
    def colors(self) -> Colors:
        return DARK if self.is_dark else LIGHT

    @property
    def zoom(self) -> float:
        return self._zoom

    def color(self, name: str) -> QColor:
        """A colour by its field name in `Colors`."""
        return QColor(getattr(self.colors, name))

    def origin_color(self, origin: str) -> QColor:
        """The hue of an `Origin`'s text in the memory map; an unknown origin looks like the app's own."""
        light, dark = _ORIGINS.get(origin, _ORIGINS["app"])
        return QColor(dark if self.is_dark else light)

    def tile_colors(self, key: str) -> tuple[QColor, QColor]:
        """A quiet ground for what is called `key`, always of the same hue, and the colour to write on it."""
        hue = zlib.crc32(key.encode()) % 24 / 24
        if self.is_dark:
            return QColor.fromHslF(hue, 0.30, 0.28), QColor.fromHslF(hue, 0.50, 0.82)
        return QColor.fromHslF(hue, 0.45, 0.88), QColor.fromHslF(hue, 0.50, 0.28)

    def font(self, size: TextSize = TextSize.BODY, *, bold: bool = False, code: bool = False) -> QFont:
        """A font of the scale at the present zoom."""
        font = QFont(CODE_FAMILY if code else UI_FAMILY)
        font.setPixelSize(max(8, round(_POINTS[size] * self._zoom)))
        if code:
            font.setStyleHint(QFont.StyleHint.Monospace)
        if bold:
            font.setWeight(QFont.Weight.DemiBold)
        return font

    def space(self, units: float) -> int:
        """`units` of the spacing unit at the present zoom, in pixels."""
        return round(units * UNIT * self._zoom)

    def choose(self, choice: ThemeChoice) -> None:
        if choice is not self._choice:
            self._choice = choice
            self.changed.emit()

    def set_zoom(self, zoom: float) -> None:
        """0.5 to 3.0; other values are clamped."""
        zoom = min(3.0, max(0.5, round(zoom, 2)))
        if zoom != self._zoom:
            self._zoom = zoom
            self.changed.emit()

    def _on_system_scheme_changed(self) -> None:
        if self._choice is ThemeChoice.SYSTEM:
            self.changed.emit()
