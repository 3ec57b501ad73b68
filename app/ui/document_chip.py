"""One document or collection above the message field: name, state, a cross. Knows no library."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent, QFontMetrics, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from app.i18n import tr
from app.ui.icons import IconButton, tinted_pixmap
from app.ui.plain_tip import plain_tip
from app.ui.theme import TextSize, Theme

_NAME_WIDTH = 240


class DocumentChip(QWidget):
    """Delete removes it from the keyboard. `reason` says why it is in that state, "" where nothing is wrong."""

    remove_requested = Signal()

    def __init__(self, theme: Theme, name: str, state: str, reason: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self.name, self.state, self.reason = theme, name, state, reason
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        icon, label, detail = QLabel(self), QLabel(self), QLabel(state, self)
        icon.setPixmap(tinted_pixmap(theme, "book-open", color="accent", size=round(16 * theme.zoom)))
        metrics = QFontMetrics(theme.font(TextSize.CAPTION, bold=True))
        label.setText(metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, round(_NAME_WIDTH * theme.zoom)))
        for each in (label, detail):
            each.setProperty("kind", "caption")
            each.setTextFormat(Qt.TextFormat.PlainText)
        label.setStyleSheet(f"color: {theme.colors.text}; font-weight: 500;")
        cross = IconButton(theme, "x", tr("Remove {name}", name=name), size=14, parent=self)
        cross.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        cross.clicked.connect(self.remove_requested)
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.space(2.5), theme.space(1), theme.space(1), theme.space(1))
        row.setSpacing(theme.space(1.5))
        for widget in (icon, label, detail, cross):
            row.addWidget(widget)
        self.setAccessibleName(tr("Document {name}, {state}", name=name, state=state))
        self.setAccessibleDescription(" ".join(each for each in (reason, tr("Press Delete to remove it")) if each))
        self.setToolTip(plain_tip(reason))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.remove_requested.emit()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        focused = self.hasFocus()
        painter.setPen(QPen(self._theme.color("focus" if focused else "border"), 2 if focused else 1))
        painter.setBrush(self._theme.color("raised"))
        inset, radius = 1.0 if focused else 0.5, self._theme.space(2)
        painter.drawRoundedRect(self.rect().toRectF().adjusted(inset, inset, -inset, -inset), radius, radius)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()
