"""What was recalled into a question: a quiet line for each passage, which leads to its message."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QPushButton, QWidget

from app.i18n import tr
from app.store.types import RecallPart
from app.ui.icons import themed_icon
from app.ui.theme import Theme


class RecallLines(QWidget):
    """Right-aligned, one below the other. `lay_out(width)` places them and returns the height."""

    activated = Signal(str)
    """The id of the message that a passage came from."""

    def __init__(self, theme: Theme, parts: Sequence[RecallPart], parent: QWidget) -> None:
        super().__init__(parent)
        self._theme, self.parts = theme, tuple(parts)
        self.buttons = [self._button(part) for part in parts]

    def lay_out(self, width: int) -> int:
        top = 0
        for button, part in zip(self.buttons, self.parts, strict=True):
            metrics = QFontMetrics(button.font())
            words = " ".join(part.text.split())
            whole = tr("Recalled from earlier: {text}", text=tr("“{text}”", text=words))
            button.setText(metrics.elidedText(whole, Qt.TextElideMode.ElideRight, width // 2).replace("&", "&&"))
            hint = button.sizeHint()
            wide = min(width, hint.width())
            button.setGeometry(width - wide, top, wide, hint.height())
            top += hint.height()
        return top

    def _button(self, part: RecallPart) -> QPushButton:
        button = QPushButton(self)
        button.setProperty("kind", "quiet")
        button.setIcon(themed_icon(self._theme, "history", color="text_muted", size=round(13 * self._theme.zoom)))
        button.setCursor(Qt.CursorShape.PointingHandCursor)
        source = tr("From the file {name}.", name=part.name) + "\n" if part.name else ""
        button.setToolTip(tr("Show the message that this comes from"))
        button.setAccessibleName(source + tr("Recalled from earlier: {text}", text=part.text))
        button.setAccessibleDescription(tr("Show the message that this comes from"))
        button.clicked.connect(lambda: self.activated.emit(part.message_id))
        return button
