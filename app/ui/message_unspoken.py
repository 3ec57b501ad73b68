"""The rest of an answer by speech that was interrupted: nobody heard it, so it stands apart, and paler."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QWidget

from app.i18n import tr
from app.ui.message_body import MessageBody
from app.ui.message_entry import Kit
from app.ui.message_selection import SelectionGroup


class UnspokenRest(QWidget):
    """A caption and the words. `lay_out(width)` places them and returns the height."""

    link_activated = Signal(str)

    def __init__(self, kit: Kit, selection: SelectionGroup, text: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._formats = kit.quiet
        self.text = text
        self._caption = QLabel(tr("Not spoken"), self)
        self._caption.setProperty("kind", "caption")
        self.body = MessageBody(kit.quiet, kit.maths, selection, self)
        self.body.link_activated.connect(self.link_activated)
        self.body.set_blocks(kit.reader.read(text).blocks)

    def lay_out(self, width: int) -> int:
        space = self._formats.theme.space
        left = space(4)
        hint = self._caption.sizeHint()
        self._caption.setGeometry(left, 0, width - left, hint.height())
        top = hint.height() + space(1)
        height = self.body.lay_out(width - left)
        self.body.setGeometry(left, top, width - left, height)
        return top + height

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(0, 0, 2, self.height(), self._formats.theme.color("border"))
        painter.end()
