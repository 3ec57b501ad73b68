"""What a model thought before it answered: one quiet line that unfolds."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QToolButton, QWidget

from app.ui.icons import themed_icon
from app.ui.markdown.blocks import Block
from app.ui.math_images import MathImages
from app.ui.message_body import MessageBody
from app.ui.message_formats import Formats
from app.ui.message_selection import SelectionGroup
from app.ui.message_usage import thought_text


class ReasoningFold(QWidget):
    """The line and, unfolded, the thoughts. `lay_out(width)` places it and returns the height."""

    toggled = Signal(bool)
    link_activated = Signal(str)

    def __init__(
        self,
        formats: Formats,
        maths: MathImages,
        selection: SelectionGroup,
        *,
        expanded: bool,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._formats = formats
        self._expanded = expanded
        self.button = QToolButton(self)
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.button.setCheckable(True)
        self.button.setChecked(expanded)
        self.button.setProperty("kind", "fold")
        theme = formats.theme
        self.button.setStyleSheet(
            f"QToolButton {{ color: {theme.colors.text_muted}; background: transparent; border: 1px solid transparent;"
            f" border-radius: {theme.space(1.5)}px; padding: {theme.space(0.5)}px {theme.space(1)}px;"
            " padding-left: 0; }"
            f"QToolButton:hover {{ color: {theme.colors.text}; }}"
            f"QToolButton:focus {{ border-color: {theme.colors.focus}; }}"
        )
        self.button.toggled.connect(self._on_toggled)
        self.body = MessageBody(formats, maths, selection, self)
        self.body.link_activated.connect(self.link_activated)
        self.body.setVisible(expanded)
        self._blocks: Sequence[Block] = ()
        self._point()

    @property
    def is_expanded(self) -> bool:
        return self._expanded

    def set_state(self, seconds: float, *, thinking: bool) -> None:
        """How long it took so far, and whether it goes on."""
        self.button.setText(thought_text(seconds, thinking=thinking))
        self.button.setAccessibleName(self.button.text())

    def set_blocks(self, blocks: Sequence[Block]) -> None:
        self._blocks = blocks
        if self._expanded:
            self.body.set_blocks(blocks)

    def lay_out(self, width: int) -> int:
        space = self._formats.theme.space
        hint = self.button.sizeHint()
        self.button.setGeometry(0, 0, min(width, hint.width()), hint.height())
        if not self._expanded:
            return hint.height()
        top, left = hint.height() + space(2), space(4)
        height = self.body.lay_out(width - left)
        self.body.setGeometry(left, top, width - left, height)
        return top + height + space(1)

    def _on_toggled(self, checked: bool) -> None:
        self._expanded = checked
        if checked:
            self.body.set_blocks(self._blocks)
        self.body.setVisible(checked)
        self._point()
        self.toggled.emit(checked)

    def _point(self) -> None:
        name = "chevron-down" if self._expanded else "chevron-right"
        theme = self._formats.theme
        self.button.setIcon(themed_icon(theme, name, size=round(14 * theme.zoom)))

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._expanded:
            painter = QPainter(self)
            top = self.button.height() + self._formats.theme.space(2)
            painter.fillRect(
                0, top, 2, self.height() - top - self._formats.theme.space(1), self._formats.theme.color("border")
            )
            painter.end()
