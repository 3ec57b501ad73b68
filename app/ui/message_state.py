"""The line below an answer that did not end as it should: what happened, and what can be done."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from app.i18n import tr
from app.message_states import state_text
from app.store.types import MessageState, StoredMessage
from app.ui.icons import tinted_pixmap
from app.ui.message_actions import Action
from app.ui.theme import Theme


class StateLine(QWidget):
    """A sentence with an icon and one button."""

    chosen = Signal(object)
    """An `Action`."""

    def __init__(self, theme: Theme, message: StoredMessage, parent: QWidget) -> None:
        super().__init__(parent)
        failed = message.state is MessageState.FAILED
        icon = QLabel(self)
        name = "circle-alert" if failed else "circle-stop"
        icon.setPixmap(
            tinted_pixmap(theme, name, color="danger" if failed else "text_faint", size=round(16 * theme.zoom))
        )
        self.sentence = QLabel(state_text(message), self)
        self.sentence.setTextFormat(Qt.TextFormat.PlainText)
        self.sentence.setWordWrap(True)
        self.sentence.setProperty("kind", "danger" if failed else "muted")
        self.sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        anew = failed or not message.text  # nothing is there to go on from
        action = Action.REGENERATE if anew else Action.CONTINUE
        self.button = QPushButton(tr("Try again") if anew else tr("Continue"), self)
        self.button.setProperty("kind", "quiet")
        self.button.clicked.connect(lambda: self.chosen.emit(action))
        self._theme, self._icon = theme, icon

    def lay_out(self, width: int) -> int:
        """Place the parts: the button stands right after the sentence. Returns the height."""
        space, hint = self._theme.space, self.button.sizeHint()
        side = round(16 * self._theme.zoom)
        left = side + space(2)
        most = max(80, width - left - hint.width() - space(2))
        metrics = self.sentence.fontMetrics()
        box = metrics.boundingRect(0, 0, most, 10_000, Qt.TextFlag.TextWordWrap, self.sentence.text())
        wide = min(most, box.width() + 2)
        height = max(hint.height(), box.height())
        self._icon.setGeometry(0, (height - side) // 2, side, side)
        self.sentence.setGeometry(left, 0, wide, height)
        self.button.setGeometry(left + wide + space(2), (height - hint.height()) // 2, hint.width(), hint.height())
        return height
