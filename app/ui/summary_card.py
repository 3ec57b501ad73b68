"""The card below the last message that a summary stands for: its words, Edit and Undo. Does nothing itself."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.i18n import ntr, tr
from app.store.types import Summary
from app.ui.icons import themed_icon
from app.ui.message_editor import MessageEditor
from app.ui.theme import TextSize, Theme

_BAR = 3


class SummaryCard(QWidget):
    """`lay_out(width)` returns the height; `resized` asks for it."""

    edited = Signal(str)
    undone = Signal()
    resized = Signal()

    def __init__(self, theme: Theme, summary: Summary, count: int, parent: QWidget) -> None:
        """`count` messages are replaced."""
        super().__init__(parent)
        self._theme, self._summary = theme, summary
        space = theme.space
        title = ntr(
            "Summary of {count} earlier message — the model reads this instead",
            "Summary of {count} earlier messages — the model reads this instead",
            count,
        )
        icon = QLabel(self)
        side = round(15 * theme.zoom)
        icon.setPixmap(themed_icon(theme, "layers", color="text_muted", size=side).pixmap(side, side))
        self.title = QLabel(title, self)
        self.title.setProperty("kind", "muted")
        self.title.setWordWrap(True)
        self.text = QLabel(summary.text, self)
        self.text.setTextFormat(Qt.TextFormat.PlainText)  # a model wrote it: no link, no picture
        self.text.setFont(theme.font(TextSize.BODY))
        self.text.setWordWrap(True)
        self.text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.text.setAccessibleName(title)
        self.text.setAccessibleDescription(summary.text)
        self.edit_button = self._button(tr("Edit"), tr("Edit the summary"))
        self.undo_button = self._button(tr("Use the messages themselves again"), tr("Undo the summary"))
        self.edit_button.clicked.connect(self.edit)
        self.undo_button.clicked.connect(self.undone)
        self.editor: MessageEditor | None = None
        head = QHBoxLayout()
        head.setSpacing(space(2))
        head.addWidget(icon, alignment=Qt.AlignmentFlag.AlignTop)
        head.addWidget(self.title, 1)
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(space(4))
        self._buttons.addWidget(self.edit_button)
        self._buttons.addWidget(self.undo_button)
        self._buttons.addStretch(1)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(space(4) + _BAR, space(3), space(4), space(2))
        self._column.setSpacing(space(1.5))
        self._column.addLayout(head)
        self._column.addWidget(self.text)
        self._column.addLayout(self._buttons)
        self.setAccessibleName(title)

    @property
    def summary(self) -> Summary:
        return self._summary

    def _button(self, text: str, name: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setProperty("kind", "link")
        button.setAccessibleName(name)
        button.setToolTip(name)
        button.setCursor(Qt.CursorShape.PointingHandCursor)
        return button

    def edit(self) -> None:
        """Open the editor in the place of the words."""
        if self.editor is not None:
            return
        self.editor = MessageEditor(self._theme, self._summary.text, resends=False, parent=self)
        self.editor.edit.setAccessibleName(tr("Words of the summary"))
        self.editor.accepted.connect(self._on_accepted)
        self.editor.cancelled.connect(self._close_editor)
        self._column.insertWidget(1, self.editor)
        self.editor.show()  # at once: a layout gives no room to what it will show later
        self._show_words(False)
        self.editor.edit.setFocus()
        self.resized.emit()

    def lay_out(self, width: int) -> int:
        if self.editor is not None:
            self.editor.setFixedHeight(self.editor.height_for(width - self._theme.space(8)))
        self._column.activate()
        return max(self._column.totalHeightForWidth(width), self._column.totalMinimumSize().height())

    def _on_accepted(self, text: str) -> None:
        self._close_editor()
        if text.strip() and text.strip() != self._summary.text:
            self.edited.emit(text)

    def _close_editor(self) -> None:
        if self.editor is not None:
            self.editor.hide()
            self._column.removeWidget(self.editor)
            self.editor.deleteLater()
            self.editor = None
            self._show_words(True)
            self.edit_button.setFocus()
            self.resized.emit()

    def _show_words(self, visible: bool) -> None:
        for widget in (self.text, self.edit_button, self.undo_button):
            widget.setVisible(visible)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.color("raised"))
        painter.drawRoundedRect(QRectF(self.rect()), self._theme.space(2), self._theme.space(2))
        painter.setBrush(self._theme.origin_color("summary"))
        painter.drawRoundedRect(QRectF(0, 0, _BAR, self.height()), _BAR / 2, _BAR / 2)
        painter.end()
