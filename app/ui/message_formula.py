"""A formula on lines of its own: centred, scrolling sideways when it is too wide; its source until it is drawn."""

from __future__ import annotations

import math

from PySide6.QtCore import Qt
from PySide6.QtGui import QPaintEvent, QTextBlockFormat, QTextCursor
from PySide6.QtWidgets import QTextEdit, QWidget

from app.i18n import tr
from app.ui.markdown.blocks import MathBlock, Span, Style
from app.ui.math_images import MathImages, Picture
from app.ui.message_formats import Formats
from app.ui.message_ornaments import Ornaments
from app.ui.message_selection import SelectionGroup
from app.ui.safe_document import SafeTextView


class FormulaView(SafeTextView):
    """One displayed formula."""

    def __init__(
        self,
        block: MathBlock,
        formats: Formats,
        maths: MathImages,
        selection: SelectionGroup,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent, selection=selection)
        self._formats, self._maths = formats, maths
        self.block = block
        self.waits = False
        self._ornaments = Ornaments(self, formats)
        self._ideal = 0.0
        self.setLineWrapMode(QTextEdit.LineWrapMode.FixedPixelWidth)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self._write()

    def set_block(self, block: MathBlock) -> None:
        if block != self.block:
            self.block = block
            self._write()

    def refresh(self) -> None:
        """Write again: formulas have been drawn."""
        self._write()

    def height_for(self, width: int) -> int:
        wanted = max(width, math.ceil(self._ideal))
        if self.lineWrapColumnOrWidth() != wanted:
            self.setLineWrapColumnOrWidth(wanted)
        bar = self._formats.theme.space(3) if wanted > width else 0
        return round(self.document().size().height() + 0.99) + bar

    def _write(self) -> None:
        base = self._formats.span(Span(""))
        found = None
        if self.block.closed:
            found = self._maths.display(self.block.latex, base.font().pixelSize(), base.foreground().color())
        self.waits = self.block.closed and found is None
        self._ideal = found.width + 1 if isinstance(found, Picture) else 0.0
        self.setAccessibleName(tr("Formula: {source}", source=self.block.latex))
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.removeSelectedText()
        form = QTextBlockFormat()
        form.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        cursor.setBlockFormat(form)
        if isinstance(found, Picture):
            self._ornaments.insert_picture(cursor, found, base, source=f"$${self.block.latex}$$")
        elif isinstance(found, str):
            cursor.insertText(found, self._formats.span(Span("", Style.ITALIC)))
        else:
            cursor.insertText(self.block.latex, self._formats.span(Span("", Style.CODE)))
        cursor.endEditBlock()

    def paintEvent(self, event: QPaintEvent) -> None:
        self._ornaments.paint_behind(event.rect())
        super().paintEvent(event)
        self._ornaments.paint_over(event.rect())
