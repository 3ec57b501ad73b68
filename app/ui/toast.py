"""Short messages that rise over the bottom of a window and go by themselves, with one action at most.

Knows nothing of what they are about.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

from app.ui.theme import Theme

SHOWN_MS = 6000


class Toast(QFrame):
    """One message. The pointer or the keyboard on it keeps it from going."""

    def __init__(
        self, theme: Theme, parent: QWidget, text: str, *, action: str = "", run: Callable[[], None] | None = None
    ) -> None:
        super().__init__(parent)
        self.setProperty("kind", "toast")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.space(4), theme.space(2.5), theme.space(3), theme.space(2.5))
        row.setSpacing(theme.space(3))
        self.label = QLabel(text)
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.label.setWordWrap(len(text) > 70)
        self.label.setMaximumWidth(theme.space(110))
        row.addWidget(self.label, 1)
        self.button: QPushButton | None = None
        if action and run is not None:
            self.button = QPushButton(action)
            self.button.setCursor(Qt.CursorShape.PointingHandCursor)
            self.button.clicked.connect(run)
            self.button.clicked.connect(self.close)
            row.addWidget(self.button)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SHOWN_MS)
        self._timer.timeout.connect(self._on_timeout)
        self._timer.start()

    def _on_timeout(self) -> None:
        if self.underMouse() or (self.button is not None and self.button.hasFocus()):
            self._timer.start()
        else:
            self.close()


class Toasts(QObject):
    """Places the newest toast of a window; a new one takes the old one's place."""

    def __init__(self, theme: Theme, window: QWidget) -> None:
        super().__init__(window)
        self._theme, self._window = theme, window
        self._above: QWidget | None = None
        self._current: Toast | None = None
        window.installEventFilter(self)

    @property
    def current(self) -> Toast | None:
        """The toast on show."""
        return self._current

    def stand_above(self, widget: QWidget) -> None:
        """Toasts rise over this child of the window, centred on it."""
        self._above = widget

    def show(self, text: str, *, action: str = "", run: Callable[[], None] | None = None) -> Toast:
        """Show `text`, with a button `action` that runs `run`."""
        if self._current is not None:
            self._current.close()
        toast = self._current = Toast(self._theme, self._window, text, action=action, run=run)
        toast.destroyed.connect(lambda _gone=None, which=toast: self._on_gone(which))
        self._place()
        toast.show()
        toast.raise_()
        announce(self._window, text)
        return toast

    def _on_gone(self, toast: Toast) -> None:
        if self._current is toast:
            self._current = None

    def _place(self) -> None:
        if self._current is not None:
            self._current.adjustSize()
            space = self._theme.space
            middle, floor = self._window.width() // 2, self._window.height() - space(10)
            if self._above is not None and self._above.isVisible():
                corner = self._above.mapTo(self._window, QPoint(0, 0))
                middle, floor = corner.x() + self._above.width() // 2, corner.y()
            self._current.move(
                max(0, middle - self._current.width() // 2), max(0, floor - self._current.height() - space(2))
            )

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)


def announce(widget: QWidget, text: str) -> None:
    """Let a screen reader say `text`."""
    QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(widget, text))
