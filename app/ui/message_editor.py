"""Editing a message in its place: the text, Cancel, and a button that says what will happen."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QTextCursor
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from app.i18n import tr
from app.ui.theme import TextSize, Theme

_MOST_LINES = 18


class MessageEditor(QWidget):
    """Ctrl+Enter accepts, Escape gives up."""

    accepted = Signal(str)
    cancelled = Signal()

    def __init__(self, theme: Theme, text: str, *, resends: bool, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.edit = QPlainTextEdit(self)
        self.edit.setProperty("kind", "field")
        self.edit.setFont(theme.font(TextSize.LARGE))
        self.edit.setPlainText(text)
        self.edit.setAccessibleName(tr("Text of the message"))
        self.edit.moveCursor(QTextCursor.MoveOperation.End)
        self.save_button = QPushButton(tr("Send again") if resends else tr("Save"), self)
        self.save_button.setProperty("kind", "primary")
        self.cancel_button = QPushButton(tr("Cancel"), self)
        self.save_button.clicked.connect(self._on_save)
        self.cancel_button.clicked.connect(self.cancelled)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.cancel_button)
        buttons.addWidget(self.save_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.space(2))
        column.addWidget(self.edit)
        column.addLayout(buttons)

    def height_for(self, width: int) -> int:
        lines = max(3, min(_MOST_LINES, self.edit.document().blockCount() + len(self.edit.toPlainText()) // 90 + 1))
        return lines * self.edit.fontMetrics().lineSpacing() + self._theme.space(18)

    def _on_save(self) -> None:
        self.accepted.emit(self.edit.toPlainText())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._on_save()
        elif event.key() == Qt.Key.Key_Escape:
            self.cancelled.emit()
        else:
            event.ignore()
