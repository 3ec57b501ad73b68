"""The icon beside the clock: what Hearth is doing, and the way to it. Main thread only.

Where a desktop has no place for such icons nothing is shown and nothing is missed: all of it is in the window too.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, QRectF, Qt, Signal
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from app.i18n import tr
from app.ui.activity import Activity, Doing, doing_text
from app.ui.icons import program_icon, themed_icon
from app.ui.quick_keys import QuickKeys
from app.ui.theme import Theme

_SIZES = (16, 22, 32, 48)
_DOTS = {
    Doing.LISTENING: "danger",
    Doing.ANSWERING: "accent",
    Doing.DOWNLOADING: "success",
    Doing.PAUSED: "text_faint",
}


class Tray(QObject):
    """`set_wanted` shows and hides it."""

    open_requested = Signal()
    quick_requested = Signal()
    talk_requested = Signal()
    quit_requested = Signal()

    def __init__(self, theme: Theme, activity: Activity, keys: QuickKeys, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme, self._activity, self._keys = theme, activity, keys
        self.icon = QSystemTrayIcon(self)
        self.menu = QMenu()
        self.state = self.menu.addAction("")
        self.state.setEnabled(False)
        self.menu.addSeparator()
        self.open = self.menu.addAction(tr("Open Hearth"))
        self.quick = self.menu.addAction(tr("Quick question…"))
        self.talk = self.menu.addAction(tr("Talk to Hearth"))
        self.menu.addSeparator()
        self.quit = self.menu.addAction(tr("Quit Hearth"))
        self.open.triggered.connect(self.open_requested)
        self.quick.triggered.connect(self.quick_requested)
        self.talk.triggered.connect(self.talk_requested)
        self.quit.triggered.connect(self.quit_requested)
        self.icon.setContextMenu(self.menu)
        self.icon.activated.connect(self._on_activated)
        self.icon.messageClicked.connect(self.open_requested)
        activity.changed.connect(self._show)
        keys.changed.connect(self._show)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    @property
    def is_shown(self) -> bool:
        """It is wanted, and this desktop shows it."""
        return self.icon.isVisible() and QSystemTrayIcon.isSystemTrayAvailable()

    def set_wanted(self, wanted: bool) -> None:
        """Show it where the desktop has a place for it, or hide it."""
        self.icon.setVisible(wanted and QSystemTrayIcon.isSystemTrayAvailable())

    def close(self) -> None:
        """Take it away for good."""
        self.icon.hide()
        self.menu.deleteLater()

    def _show(self) -> None:
        words = doing_text(self._activity.doing)
        self.state.setText(words)
        self.icon.setToolTip(f"{tr('Hearth')}: {words}")
        self.icon.setIcon(state_icon(self._theme, self._activity.doing))
        keys = self._keys.text if self._keys.is_held else ""
        self.quick.setText(f"{tr('Quick question…')}\t{keys}".rstrip())

    def _on_theme_changed(self) -> None:
        for action, name in (
            (self.open, "app-window"),
            (self.quick, "sparkles"),
            (self.talk, "audio-lines"),
            (self.quit, "log-out"),
        ):
            action.setIcon(themed_icon(self._theme, name))
        self._show()

    def _on_activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason is QSystemTrayIcon.ActivationReason.Trigger:
            self.open_requested.emit()


def state_icon(theme: Theme, doing: Doing) -> QIcon:
    """Hearth's icon, with a dot in the colour of what it does."""
    plain = program_icon()
    if doing not in _DOTS:
        return plain
    icon = QIcon()
    for size in _SIZES:
        pixmap = QPixmap(size, size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.drawPixmap(0, 0, plain.pixmap(size, size))
        painter.setPen(Qt.PenStyle.NoPen)
        side = size * 0.5
        painter.setBrush(theme.color("surface"))
        painter.drawEllipse(QRectF(size - side, size - side, side, side))
        inner = side * 0.74
        painter.setBrush(theme.color(_DOTS[doing]))
        middle = size - side / 2 - inner / 2
        painter.drawEllipse(QRectF(middle, middle, inner, inner))
        painter.end()
        icon.addPixmap(pixmap)
    return icon
