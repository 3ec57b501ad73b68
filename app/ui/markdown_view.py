"""Some Markdown as a widget of its own, as high as it needs to be: shown by the same blocks as a message, fetching
nothing. Links ask first. Knows no message.
"""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.ui.links import open_url
from app.ui.markdown.plain import plain_blocks
from app.ui.markdown.reader import MarkdownReader
from app.ui.math_images import MathImages
from app.ui.message_body import MessageBody
from app.ui.message_formats import Formats
from app.ui.message_selection import SelectionGroup
from app.ui.theme import Theme


class MarkdownView(QWidget):
    """Takes its width from its layout, and gives itself its height."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._text = theme, ""
        self._maths = MathImages(self)
        self._reader = MarkdownReader()
        self._body: MessageBody | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._maths.ready.connect(self._on_formulas_ready)
        self.destroyed.connect(self._maths.close)
        theme.changed.connect(self._show)

    def set_text(self, text: str) -> None:
        """Show this."""
        if text != self._text:
            self._text = text
            self._show()

    @property
    def body(self) -> MessageBody | None:
        """What shows it; made anew when the theme changes."""
        return self._body

    def _show(self) -> None:
        if self._body is not None:
            self._body.hide()
            self._body.deleteLater()
        blocks = self._reader.read(self._text).blocks
        group = SelectionGroup(self)
        self._body = MessageBody(Formats(self._theme), self._maths, group, self)
        group.setParent(self._body)  # goes with it
        self._body.link_activated.connect(lambda url: open_url(url, self.window()))
        self._body.set_blocks(blocks)
        self._body.show()
        self.setAccessibleName(plain_blocks(blocks))
        self._arrange()

    def _on_formulas_ready(self) -> None:
        if self._body is not None and self._body.refresh_formulas():
            self._arrange()

    def _arrange(self) -> None:
        if self._body is None:
            return
        height = self._body.lay_out(self.width())
        self._body.setGeometry(0, 0, self.width(), height)
        if height != self.height():
            self.setFixedHeight(height)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.space(20), self.height())
