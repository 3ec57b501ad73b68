"""The body of a message: blocks of Markdown, one view below the other. Knows blocks, not messages.

Neighbouring paragraphs share a view; code, tables and formulas have their own. New blocks are compared with those
shown, and only what differs is built again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.ui.markdown.blocks import Block, CodeBlock, MathBlock, Paragraph, Place, RuleBlock, TableBlock
from app.ui.math_images import MathImages
from app.ui.message_code import CodeView
from app.ui.message_formats import Formats
from app.ui.message_formula import FormulaView
from app.ui.message_prose import ProseView
from app.ui.message_selection import SelectionGroup
from app.ui.message_table import TableView
from app.ui.safe_document import SafeTextView
from app.ui.theme import Theme


class RuleView(QWidget):
    """A line across."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme

    def height_for(self, width: int) -> int:
        return self._theme.space(2) + 1

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(0, self.height() // 2, self.width(), 1, self._theme.color("border"))
        painter.end()


_PieceView = ProseView | CodeView | TableView | FormulaView | RuleView


@dataclass(slots=True)
class _Piece:
    """Blocks that share a view."""

    kind: type
    blocks: list[Block]
    place: Place


def group_blocks(blocks: Sequence[Block]) -> list[_Piece]:
    """Put neighbouring paragraphs together."""
    pieces: list[_Piece] = []
    for block in blocks:
        if isinstance(block, Paragraph):
            if pieces and pieces[-1].kind is ProseView:
                pieces[-1].blocks.append(block)
            else:
                pieces.append(_Piece(ProseView, [block], Place()))
            continue
        kind = {CodeBlock: CodeView, TableBlock: TableView, MathBlock: FormulaView, RuleBlock: RuleView}[type(block)]
        pieces.append(_Piece(kind, [block], block.place))
    return pieces


class MessageBody(QWidget):
    """Shows blocks. `lay_out(width)` places the views and returns the height they take."""

    link_activated = Signal(str)
    code_copied = Signal()

    def __init__(
        self, formats: Formats, maths: MathImages, selection: SelectionGroup, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._formats, self._maths, self._selection = formats, maths, selection
        self._pieces: list[_Piece] = []
        self._views: list[_PieceView] = []
        self._heights: list[int] = []
        self._laid_out = -1
        self._dirty_from = 0

    @property
    def views(self) -> Sequence[QWidget]:
        """Top to bottom."""
        return self._views

    @property
    def waits(self) -> bool:
        """Some formula is not drawn yet."""
        return any(getattr(view, "waits", False) for view in self._views)

    def set_blocks(self, blocks: Sequence[Block]) -> None:
        """Show these blocks. Call `lay_out` afterwards."""
        pieces = group_blocks(blocks)
        for index, piece in enumerate(pieces):
            if index < len(self._views) and self._pieces[index].kind is piece.kind:
                if not _same(self._pieces[index].blocks, piece.blocks):
                    self._update_view(self._views[index], piece)
                    self._touch(index)
                elif self._pieces[index].place != piece.place:
                    self._touch(index)
            else:
                self._drop_from(index)
                self._views.append(self._make_view(piece))
                self._heights.append(0)
                self._touch(index)
        self._drop_from(len(pieces))
        self._pieces = pieces

    def refresh_formulas(self) -> bool:
        """Formulas have been drawn: set what waited for them. False: nothing did."""
        changed = False
        for index, view in enumerate(self._views):
            if isinstance(view, (ProseView, TableView, FormulaView)) and view.waits:
                view.refresh()
                self._touch(index)
                changed = True
        return changed

    def lay_out(self, width: int) -> int:
        """Place the views for a width; what did not change since the last time is not measured again."""
        if width != self._laid_out:
            self._dirty_from = 0
            measure_all = True
        else:
            measure_all = False
        top = 0
        for index, (piece, view) in enumerate(zip(self._pieces, self._views, strict=True)):
            left = self._formats.indent(piece.place)
            inner = max(40, width - left)
            if index:
                top += self._gap(self._pieces[index - 1], piece)
            if measure_all or index >= self._dirty_from:
                self._heights[index] = view.height_for(inner)
            height = self._heights[index]
            view.setGeometry(left, top, inner, height)
            top += height
        self._laid_out = width
        self._dirty_from = len(self._views)
        return top

    def ideal_width(self, limit: int) -> int:
        """The narrowest width up to `limit` in which the words stand as they would in `limit`."""
        if len(self._views) == 1 and isinstance(self._views[0], ProseView):
            width = self._views[0].ideal_width(limit)
            self._laid_out = -1
            return width
        return limit

    def _gap(self, above: _Piece, below: _Piece) -> int:
        space = self._formats.theme.space
        if isinstance(below.blocks[0], Paragraph) and below.blocks[0].heading:
            return space(6)
        if isinstance(below.blocks[0], RuleBlock) or isinstance(above.blocks[0], RuleBlock):
            return space(4)
        return space(3)

    def _touch(self, index: int) -> None:
        self._dirty_from = min(self._dirty_from, index)

    def _drop_from(self, index: int) -> None:
        for view in self._views[index:]:
            for each in (view, *view.findChildren(SafeTextView)):
                if isinstance(each, SafeTextView):
                    self._selection.remove(each)
            view.hide()
            view.deleteLater()
        del self._views[index:], self._heights[index:]
        del self._pieces[index:]

    def _make_view(self, piece: _Piece) -> _PieceView:
        block = piece.blocks[0]
        view: _PieceView
        match block:
            case Paragraph():
                view = ProseView(self._formats, self._maths, self._selection, self)
                view.set_blocks([each for each in piece.blocks if isinstance(each, Paragraph)])
            case CodeBlock():
                view = CodeView(block, self._formats.theme, self._selection, self)
                view.copied.connect(self.code_copied)
            case TableBlock():
                view = TableView(block, self._formats, self._maths, self._selection, self)
            case MathBlock():
                view = FormulaView(block, self._formats, self._maths, self._selection, self)
            case RuleBlock():
                view = RuleView(self._formats.theme, self)
        if isinstance(view, SafeTextView):
            view.link_activated.connect(self.link_activated)
        if not self.testAttribute(Qt.WidgetAttribute.WA_WState_ExplicitShowHide) or self.isVisible():
            view.show()
        return view

    def _update_view(self, view: _PieceView, piece: _Piece) -> None:
        block = piece.blocks[0]
        if isinstance(view, ProseView):
            view.set_blocks([each for each in piece.blocks if isinstance(each, Paragraph)])
            return
        match view, block:
            case (CodeView(), CodeBlock()):
                view.set_block(block)
            case (TableView(), TableBlock()):
                view.set_block(block)
            case (FormulaView(), MathBlock()):
                view.set_block(block)


def _same(old: Sequence[Block], new: Sequence[Block]) -> bool:
    return len(old) == len(new) and all(a is b or a == b for a, b in zip(old, new, strict=True))
