"""Icons from `app/ui/icons`, tinted with a colour of the theme and drawn sharp for the screen.

Knows no widget but `IconButton`, the one button that shows nothing but an icon.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from PySide6.QtCore import QByteArray, QSize, Qt
from PySide6.QtGui import QGuiApplication, QIcon, QImage, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QAbstractButton, QToolButton, QWidget

from app.ui.theme import Theme

FOLDER = Path(__file__).parent / "icons"


def icon_names() -> list[str]:
    """Every icon there is."""
    return sorted(path.stem for path in FOLDER.glob("*.svg"))


@lru_cache(maxsize=1024)
def _tinted(name: str, color: str, pixels: int) -> QImage:
    # Images, not pixmaps: they may outlive the application object.
    drawing = (FOLDER / f"{name}.svg").read_text(encoding="utf-8").replace("currentColor", color)
    image = QImage(pixels, pixels, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    QSvgRenderer(QByteArray(drawing.encode())).render(painter)
    painter.end()
    return image


def tinted_pixmap(theme: Theme, name: str, *, color: str = "text_muted", size: int = 18) -> QPixmap:
    """The icon `name` in the theme's `color` (a field of `Colors`), `size` device-independent pixels."""
    ratio = QGuiApplication.primaryScreen().devicePixelRatio() if QGuiApplication.primaryScreen() else 1.0
    pixmap = QPixmap.fromImage(_tinted(name, theme.color(color).name(), round(size * ratio)))
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


def themed_icon(theme: Theme, name: str, *, color: str = "text_muted", size: int = 18) -> QIcon:
    """As `tinted_pixmap`, with a faint one for what is disabled. Ask again when the theme changes."""
    icon = QIcon(tinted_pixmap(theme, name, color=color, size=size))
    icon.addPixmap(tinted_pixmap(theme, name, color="text_faint", size=size), QIcon.Mode.Disabled)
    return icon


def program_icon() -> QIcon:
    """Hearth's own icon."""
    return QIcon(str(FOLDER / "hearth.svg"))


def set_button_icon(
    button: QAbstractButton, theme: Theme, name: str, *, color: str = "text_muted", size: int = 18, gap: int = 8
) -> None:
    """Give a button with words an icon, `gap` pixels before them (Qt's own gap is fixed at 4)."""
    icon = QIcon()
    for mode, tint in ((QIcon.Mode.Normal, color), (QIcon.Mode.Disabled, "text_faint")):
        icon.addPixmap(_with_gap(button, tinted_pixmap(theme, name, color=tint, size=size), gap), mode)
    button.setIcon(icon)
    button.setIconSize(QSize(size + max(0, gap - 4), size))


def set_button_picture(button: QAbstractButton, picture: QPixmap, *, gap: int = 8) -> None:
    """As `set_button_icon`, of a picture that is drawn already."""
    size = picture.deviceIndependentSize().toSize()
    button.setIcon(QIcon(_with_gap(button, picture, gap)))
    button.setIconSize(QSize(size.width() + max(0, gap - 4), size.height()))


def _with_gap(button: QAbstractButton, drawn: QPixmap, gap: int) -> QPixmap:
    extra, ratio, size = max(0, gap - 4), drawn.devicePixelRatio(), drawn.deviceIndependentSize()
    wide = QPixmap(round((size.width() + extra) * ratio), round(size.height() * ratio))
    wide.setDevicePixelRatio(ratio)
    wide.fill(Qt.GlobalColor.transparent)
    painter = QPainter(wide)
    painter.drawPixmap(extra if button.isRightToLeft() else 0, 0, drawn)
    painter.end()
    return wide


class IconButton(QToolButton):
    """A flat button with an icon, a tooltip and an accessible name, that follows the theme by itself.

    `size` is the icon's, in pixels at zoom 1. Give keyboard shortcuts in the tooltip through `set_label`.
    """

    def __init__(
        self,
        theme: Theme,
        name: str,
        label: str,
        *,
        size: int = 18,
        color: str = "text_muted",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme, self._name, self._size, self._color = theme, name, size, color
        self.setProperty("kind", "icon")
        self.setAutoRaise(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.set_label(label)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def set_label(self, label: str, *, shortcut: str = "") -> None:
        """Change what the button is called, and the keys its tooltip names."""
        self.setToolTip(f"{label}  {shortcut}".rstrip())
        self.setAccessibleName(label)

    def set_icon(self, name: str, *, color: str | None = None) -> None:
        """Show another icon, or the same in another colour."""
        self._name = name
        self._color = color or self._color
        self._on_theme_changed()

    def _on_theme_changed(self) -> None:
        size = round(self._size * self._theme.zoom)
        self.setIcon(themed_icon(self._theme, self._name, color=self._color, size=size))
        self.setIconSize(QSize(size, size))
