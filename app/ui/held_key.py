"""The keys of a shortcut while they are held: Qt tells when a shortcut is pressed, this tells when it is let go."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QEvent, QKeyCombination, QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QApplication

_MODIFIERS = {
    Qt.KeyboardModifier.ControlModifier: Qt.Key.Key_Control,
    Qt.KeyboardModifier.ShiftModifier: Qt.Key.Key_Shift,
    Qt.KeyboardModifier.AltModifier: Qt.Key.Key_Alt,
    Qt.KeyboardModifier.MetaModifier: Qt.Key.Key_Meta,
}


class HeldKey(QObject):
    """Watches all key events from a press to its end, and none otherwise."""

    let_go = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._keys: frozenset[Qt.Key] = frozenset()

    @property
    def is_held(self) -> bool:
        return bool(self._keys)

    def press(self, sequences: Iterable[QKeySequence]) -> None:
        """A command was given that has these shortcuts: whichever is down now is held, none after a click in a menu."""
        down = QGuiApplication.keyboardModifiers()
        keys: set[Qt.Key] = set()
        for sequence in sequences:
            last: QKeyCombination = sequence[sequence.count() - 1]  # type: ignore[index]  # PySide6's stubs lack it
            if last.keyboardModifiers() == down:
                keys.add(last.key())
                keys |= {key for modifier, key in _MODIFIERS.items() if down & modifier}
        app = QApplication.instance()
        if keys and app is not None:
            self._keys = frozenset(keys)
            app.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        is_end = event.type() is QEvent.Type.ApplicationDeactivate
        if isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyRelease and not event.isAutoRepeat():
            is_end = is_end or event.key() in self._keys
        if is_end and self._keys:
            self._keys = frozenset()
            app = QApplication.instance()
            if app is not None:
                app.removeEventFilter(self)
            self.let_go.emit()
        return False
