"""Running text: paragraphs, headings, lists and quotes as one document, one text block to each paragraph.

Shows blocks of `app.ui.markdown`; when some change, only those from the first changed one are set again.
What is painted and not written (markers, bars, boxes, formulas) is in `message_ornaments`.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QPaintEvent, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QTextEdit, QWidget

from app.i18n import tr
from app.ui.links import checked_address
from app.ui.markdown.blocks import Paragraph, Span, SpanKind, Style
from app.ui.math_images import MathImages, Picture
from app.ui.message_formats import Formats
from app.ui.message_ornaments import Ornaments
from app.ui.message_selection import SelectionGroup
from app.ui.safe_document import SafeTextView

_LINE = "\u2028"
_EMPTY = "\u200b"


class SpanWriter:
    """Writes spans with a cursor into a safe view's document. Formulas that are not drawn yet are shown as source."""

    def __init__(self, ornaments: Ornaments, formats: Formats, maths: MathImages) -> None:
        self._ornaments, self._formats, self._maths = ornaments, formats, maths
        self.has_links = False
        self.waits = False
        """A formula is not drawn yet."""

    def write(self, cursor: QTextCursor, spans: Sequence[Span], paragraph: Paragraph | None = None) -> None:
        if spans and all(span.kind is SpanKind.MATH for span in spans):
            cursor.insertText(_EMPTY, self._formats.span(Span(""), paragraph))  # gives the line the height of text
        for span in spans:
            match span.kind:
                case SpanKind.TEXT:
                    form = self._formats.span(span, paragraph)
                    self.has_links = self.has_links or form.isAnchor()
                    cursor.insertText(span.text.replace("\n", _LINE), form)
                case SpanKind.MATH:
                    self._write_math(cursor, span, paragraph)
                case SpanKind.IMAGE:
                    self._write_image(cursor, span)
                case SpanKind.CITATION:
                    form = self._formats.citation(span)
                    self.has_links = True
                    cursor.insertText(" ", self._formats.span(Span(""), paragraph))
                    cursor.insertText(f"\u00a0{span.text}\u00a0", form)

    def _write_math(self, cursor: QTextCursor, span: Span, paragraph: Paragraph | None) -> None:
        form = self._formats.span(Span("", span.style), paragraph)
        found = self._maths.inline(span.text, form.font().pixelSize(), form.foreground().color())
        if isinstance(found, Picture):
            self._ornaments.insert_picture(cursor, found, form, source=f"${span.text}$")
        elif isinstance(found, str):
            italic = QTextCharFormat(form)
            italic.setFontItalic(True)
            cursor.insertText(found.replace("\n", " "), italic)
        else:
            self.waits = self.waits or found is None
            cursor.insertText(span.text, self._formats.span(Span("", span.style | Style.CODE), paragraph))

    def _write_image(self, cursor: QTextCursor, span: Span) -> None:
        address = checked_address(span.href)
        host = address.host if address is not None else _scheme_words(span.href)
        description = " ".join(span.text.split())
        words = tr("Image from {host}: {description}", host=host, description=description)
        if not description:
            words = tr("Image from {host}", host=host)
        form = self._formats.chip(href=address.text if address is not None else "")
        self.has_links = self.has_links or form.isAnchor()
        cursor.insertText(f"\u00a0{words}\u00a0", form)


def _scheme_words(url: str) -> str:
    return tr("the text itself") if url.lower().startswith("data:") else tr("an address that is not opened")


class ProseView(SafeTextView):
    """A run of paragraphs. `height_for` lays it out."""

    def __init__(
        self, formats: Formats, maths: MathImages, selection: SelectionGroup, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent, selection=selection)
        self._formats = formats
        self._ornaments = Ornaments(self, formats)
        self._writer = SpanWriter(self._ornaments, formats, maths)
        self._paragraphs: list[Paragraph] = []
        self._waiting: set[int] = set()
        self.setLineWrapMode(QTextEdit.LineWrapMode.FixedPixelWidth)

    @property
    def waits(self) -> bool:
        """Some formula is shown as source until it is drawn; `refresh` then."""
        return bool(self._waiting)

    def set_blocks(self, paragraphs: Sequence[Paragraph]) -> None:
        """Show these, keeping what has not changed."""
        same = 0
        for old, new in zip(self._paragraphs, paragraphs, strict=False):
            if old is not new and old != new:
                break
            same += 1
        if same == len(self._paragraphs) == len(paragraphs):
            return
        self._write_from(same, paragraphs)
        self._paragraphs = list(paragraphs)

    def refresh(self) -> None:
        """Formulas have been drawn: write the paragraphs that waited for them again."""
        waiting, self._waiting = self._waiting, set()
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        for number in waiting:
            block = self.document().findBlockByNumber(number)
            cursor.setPosition(block.position())
            cursor.setPosition(block.position() + block.length() - 1, QTextCursor.MoveMode.KeepAnchor)
            cursor.removeSelectedText()
            self._write_spans(cursor, number, self._paragraphs[number])
        cursor.endEditBlock()

    def height_for(self, width: int) -> int:
        if self.lineWrapColumnOrWidth() != width:
            self.setLineWrapColumnOrWidth(width)
        return round(self.document().size().height() + 0.49)

    def ideal_width(self, limit: int) -> int:
        """The narrowest width up to `limit` that breaks no line more than `limit` does."""
        self.setLineWrapColumnOrWidth(limit)
        return min(limit, round(self.document().idealWidth() + 0.99))

    def _write_from(self, index: int, paragraphs: Sequence[Paragraph]) -> None:
        document = self.document()
        self._waiting = {number for number in self._waiting if number < index}
        cursor = QTextCursor(document)
        cursor.beginEditBlock()
        if index == 0:
            cursor.select(QTextCursor.SelectionType.Document)
            cursor.removeSelectedText()
        elif index < document.blockCount():
            last = document.findBlockByNumber(index - 1)
            cursor.setPosition(last.position() + last.length() - 1)
            cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
            cursor.removeSelectedText()
        else:
            cursor.movePosition(QTextCursor.MoveOperation.End)
        for number in range(index, len(paragraphs)):
            paragraph = paragraphs[number]
            form = self._formats.block(paragraph, first=number == 0)
            base = self._formats.span(Span(""), paragraph)
            if number == 0:
                cursor.setBlockFormat(form)
                cursor.setBlockCharFormat(base)
            else:
                cursor.insertBlock(form, base)
            self._write_spans(cursor, number, paragraph)
        cursor.endEditBlock()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if self._writer.has_links else Qt.FocusPolicy.ClickFocus)

    def _write_spans(self, cursor: QTextCursor, number: int, paragraph: Paragraph) -> None:
        self._writer.waits = False
        self._writer.write(cursor, paragraph.spans, paragraph)
        if self._writer.waits:
            self._waiting.add(number)

    def paintEvent(self, event: QPaintEvent) -> None:
        self._ornaments.paint_behind(event.rect())
        super().paintEvent(event)
        self._ornaments.paint_over(event.rect())
