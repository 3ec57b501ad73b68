"""A table: as narrow as its words allow; one that is too wide scrolls sideways."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import (
    QPaintEvent,
    QTextBlockFormat,
    QTextCursor,
    QTextFrameFormat,
    QTextTable,
    QTextTableCellFormat,
    QTextTableFormat,
)
from PySide6.QtWidgets import QTextEdit, QWidget

from app.i18n import tr
from app.ui.markdown.blocks import Paragraph, Span, Style, TableBlock
from app.ui.math_images import MathImages
from app.ui.message_formats import Formats
from app.ui.message_ornaments import Ornaments
from app.ui.message_prose import SpanWriter
from app.ui.message_selection import SelectionGroup
from app.ui.safe_document import SafeTextView

_ALIGN = {
    "left": Qt.AlignmentFlag.AlignLeft,
    "center": Qt.AlignmentFlag.AlignHCenter,
    "right": Qt.AlignmentFlag.AlignRight,
}
_LEAST_COLUMN = 22
_MOST_COLUMN = 70
"""In spacing units: no column is squeezed below the first or stretches one line beyond the second."""


class TableView(SafeTextView):
    """One table."""

    def __init__(
        self,
        block: TableBlock,
        formats: Formats,
        maths: MathImages,
        selection: SelectionGroup,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent, selection=selection)
        self._formats = formats
        self._ornaments = Ornaments(self, formats)
        self._writer = SpanWriter(self._ornaments, formats, maths)
        self.block = block
        self._ideal = 0.0
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.setLineWrapMode(QTextEdit.LineWrapMode.FixedPixelWidth)
        self.setAccessibleName(tr("Table"))
        self._write()

    @property
    def waits(self) -> bool:
        return self._writer.waits

    def set_block(self, block: TableBlock) -> None:
        if block != self.block:
            self.block = block
            self._write()

    def refresh(self) -> None:
        """Write again: formulas have been drawn."""
        self._writer.waits = False
        self._write()

    def height_for(self, width: int) -> int:
        space, columns = self._formats.theme.space, max(1, len(self.block.alignments))
        wanted = round(self._ideal + 1)
        if wanted > width:
            wanted = max(width, min(wanted, columns * space(_LEAST_COLUMN)))
        if self.lineWrapColumnOrWidth() != wanted:
            self.setLineWrapColumnOrWidth(wanted)
        bar = space(3) if wanted > width else 0
        return round(self.document().size().height() + 0.99) + bar

    def _write(self) -> None:
        theme, block = self._formats.theme, self.block
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.removeSelectedText()
        form = QTextTableFormat()
        form.setBorder(0)
        form.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_None)
        form.setBorderCollapse(True)
        form.setCellSpacing(0)
        form.setCellPadding(0)
        form.setMargin(0)
        form.setHeaderRowCount(1)
        columns = max(1, len(block.alignments))
        table = cursor.insertTable(max(1, len(block.rows)), columns, form)
        for row, cells in enumerate(block.rows):
            for column in range(columns):
                self._write_cell(table, row, column, cells[column] if column < len(cells) else ())
        cursor.endEditBlock()
        self._hide_last_line()
        self.setLineWrapColumnOrWidth(columns * theme.space(_MOST_COLUMN))
        self._ideal = self.document().idealWidth()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if self._writer.has_links else Qt.FocusPolicy.ClickFocus)

    def _write_cell(self, table: QTextTable, row: int, column: int, spans: tuple[Span, ...]) -> None:
        theme, cell = self._formats.theme, table.cellAt(row, column)
        base = self._formats.span(Span(""))
        form = QTextTableCellFormat()
        form.setFont(base.font())
        form.setTopPadding(theme.space(1.75))
        form.setBottomPadding(theme.space(1.75))
        form.setLeftPadding(theme.space(2 if column else 0.5))
        form.setRightPadding(theme.space(4))
        form.setBottomBorder(1)
        form.setBottomBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
        form.setBottomBorderBrush(theme.color("text_faint" if row == 0 else "border"))
        cell.setFormat(form)
        cursor = cell.firstCursorPosition()
        lines = QTextBlockFormat()
        lines.setAlignment(_ALIGN.get(self.block.alignments[column], Qt.AlignmentFlag.AlignLeft))
        lines.setLineHeight(theme.space(1), QTextBlockFormat.LineHeightTypes.LineDistanceHeight.value)
        cursor.setBlockFormat(lines)
        if row == 0:
            spans = tuple(Span(each.text, each.style | Style.BOLD, each.href, each.kind) for each in spans)
        self._writer.write(cursor, spans, Paragraph((), note=False))

    def _hide_last_line(self) -> None:
        """Qt keeps an empty line after a table; make it as low as can be."""
        last = QTextCursor(self.document())
        last.movePosition(QTextCursor.MoveOperation.End)
        form = QTextBlockFormat()
        form.setLineHeight(1, QTextBlockFormat.LineHeightTypes.FixedHeight.value)
        last.setBlockFormat(form)

    def paintEvent(self, event: QPaintEvent) -> None:
        self._ornaments.paint_behind(event.rect())
        super().paintEvent(event)
        self._ornaments.paint_over(event.rect())
