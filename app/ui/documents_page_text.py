"""The stored text of a page with a passage marked, and its line numbers if it has any. Knows no file, fetches none."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt, QTimer
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent, QTextCursor, QTextOption
from PySide6.QtWidgets import QFrame, QPlainTextDocumentLayout, QPlainTextEdit, QTextEdit, QWidget

from app.i18n import tr
from app.ui.safe_document import SafeDocument
from app.ui.text_units import plain_for_document, units
from app.ui.theme import TextSize, Theme

_CONTEXT_LINES = 3
"""Above a passage that is brought into view."""


class _Numbers(QWidget):
    def __init__(self, view: PageTextView) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self) -> QSize:
        return QSize(self._view.numbers_width(), 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        self._view.paint_numbers(event)


class PageTextView(QPlainTextEdit):
    """Read-only; text can be selected and copied."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._first_line: int | None = 1
        self._span = (0, 0)
        document = SafeDocument(self)
        document.setDocumentLayout(QPlainTextDocumentLayout(document))
        self.setDocument(document)
        self.setReadOnly(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setAccessibleName(tr("Text of the page"))
        self._numbers = _Numbers(self)
        self.blockCountChanged.connect(self._on_block_count_changed)
        self.updateRequest.connect(self._on_update_request)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def show_text(self, text: str, first_line: int | None, span: tuple[int, int], *, code: bool = False) -> None:
        """Show a text whose first line has the number `first_line`; characters [start, end) of it are the passage.

        None: its lines are not numbered.
        """
        self._first_line = first_line
        self.setFont(self._theme.font(TextSize.BODY, code=code))
        shown = plain_for_document(text)
        self.setPlainText(shown)
        self._numbers.setVisible(first_line is not None)
        self._on_block_count_changed()
        start = units(shown[: span[0]])
        self._span = (start, start + units(shown[span[0] : span[1]])) if span[0] < span[1] else (0, 0)
        self._mark()
        cursor = self.textCursor()
        cursor.setPosition(self._span[0])
        self.setTextCursor(cursor)
        # Once the view has its height, and its rows their widths.
        QTimer.singleShot(0, self, self._bring_passage)

    def marked_text(self) -> str:
        """The passage as it is marked, "" for none."""
        cursor = self._passage_cursor()
        return cursor.selectedText().replace("\u2029", "\n")

    def numbers_width(self) -> int:
        """Of the column of line numbers, in pixels."""
        if self._first_line is None:
            return 0
        digits = len(str(self._first_line + max(0, self.blockCount() - 1)))
        return self.fontMetrics().horizontalAdvance("0") * max(2, digits) + self._theme.space(6)

    def paint_numbers(self, event: QPaintEvent) -> None:
        painter = QPainter(self._numbers)
        painter.fillRect(event.rect(), self._theme.color("window"))
        if self._first_line is None:
            return
        painter.setFont(self._theme.font(TextSize.CAPTION, code=True))
        block = self.firstVisibleBlock()
        first, last = self._passage_blocks()
        offset = self.contentOffset()
        while block.isValid():
            area = self.blockBoundingGeometry(block).translated(offset)
            if area.top() > event.rect().bottom():
                break
            number = block.blockNumber()
            inside = first <= number <= last and self._span[0] < self._span[1]
            painter.setPen(self._theme.color("text" if inside else "text_faint"))
            place = QRect(0, round(area.top()), self._numbers.width() - self._theme.space(3), round(self._row_height()))
            painter.drawText(
                place, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), str(self._first_line + number)
            )
            block = block.next()

    def _row_height(self) -> float:
        return float(self.fontMetrics().lineSpacing())

    def _passage_cursor(self) -> QTextCursor:
        cursor = QTextCursor(self.document())
        cursor.setPosition(self._span[0])
        cursor.setPosition(self._span[1], QTextCursor.MoveMode.KeepAnchor)
        return cursor

    def _passage_blocks(self) -> tuple[int, int]:
        document = self.document()
        return document.findBlock(self._span[0]).blockNumber(), document.findBlock(self._span[1]).blockNumber()

    def _mark(self) -> None:
        if self._span[0] == self._span[1]:
            self.setExtraSelections([])
            return
        each = QTextEdit.ExtraSelection()
        each.cursor = self._passage_cursor()
        each.format.setBackground(self._theme.color("selection"))
        each.format.setForeground(self._theme.color("text"))
        self.setExtraSelections([each])

    def _bring_passage(self) -> None:
        """In lines as they are wrapped: that is what the scroll bar of this kind of view counts."""
        block = self.document().findBlock(self._span[0])
        self.verticalScrollBar().setValue(max(0, block.firstLineNumber() - _CONTEXT_LINES))

    def _on_block_count_changed(self) -> None:
        self.setViewportMargins(self.numbers_width(), 0, 0, 0)

    def _on_update_request(self, area: QRect, moved: int) -> None:
        if moved:
            self._numbers.scroll(0, moved)
        else:
            self._numbers.update(0, area.y(), self._numbers.width(), area.height())

    def _on_theme_changed(self) -> None:
        self.setFont(self._theme.font())
        self.document().setDocumentMargin(self._theme.space(2))
        self._on_block_count_changed()
        self._mark()
        self._numbers.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        area = self.contentsRect()
        self._numbers.setGeometry(QRect(area.left(), area.top(), self.numbers_width(), area.height()))
