"""The settings' line for the keys of a quick question: which they are, and why they are not held."""

from __future__ import annotations

from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.i18n import tr
from app.ui.quick_keys import QuickKeys
from app.ui.shortcuts_dialog import KeyButton
from app.ui.theme import Theme
from app.ui.toast import announce


class QuickKeysChoice(QWidget):
    """Click, press the new keys."""

    def __init__(self, theme: Theme, keys: QuickKeys) -> None:
        super().__init__()
        self._keys = keys
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.space(2))
        row = QHBoxLayout()
        row.setSpacing(theme.space(3))
        label = QLabel(tr("Keys"))
        row.addWidget(label)
        self.button = KeyButton("")
        self.button.setAutoDefault(False)
        self.button.setMinimumWidth(theme.space(36))
        label.setBuddy(self.button)
        row.addWidget(self.button)
        row.addStretch(1)
        column.addLayout(row)
        self.note = QLabel()
        self.note.setProperty("kind", "warning")
        self.note.setWordWrap(True)
        column.addWidget(self.note)
        self.button.pressed_keys.connect(self._on_pressed_keys)
        keys.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        text = self._keys.text
        self.button.show_keys(text)
        self.button.setAccessibleName(tr("Keys for a quick question: {keys}", keys=text))
        self._say(self._keys.trouble)

    def _say(self, words: str) -> None:
        self.note.setText(words)
        self.note.setVisible(bool(words))
        if words and self.isVisible():
            announce(self, words)

    def _on_pressed_keys(self, sequence: QKeySequence) -> None:
        refused = self._keys.choose(sequence)
        self._show()
        if refused:
            self._say(refused)
