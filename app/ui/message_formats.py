"""What the words of a message look like: theme and spans in, Qt's text formats out. The only place that decides it."""

from __future__ import annotations

import html

from PySide6.QtGui import QBrush, QFont, QTextBlockFormat, QTextCharFormat, QTextFormat

from app.ui.links import checked_address
from app.ui.markdown.blocks import Level, Paragraph, Place, Span, SpanKind, Style
from app.ui.message_selection import MARKER_PROPERTY
from app.ui.theme import TextSize, Theme

BOX_PROPERTY = QTextFormat.Property.UserProperty + 3
"""Of a character format: draw a rounded box behind ("code" or "chip")."""
PLACE_PROPERTY = QTextFormat.Property.UserProperty + 4
"""Of a block format: its levels as letters ("LQ"), for the quotes' bars."""
TASK_PROPERTY = QTextFormat.Property.UserProperty + 5
"""Of a block format: "open" or "done", for the check box."""

LIST_STEP = 6
QUOTE_STEP = 4
"""In spacing units."""

_HEADINGS = {1: TextSize.TITLE, 2: TextSize.HEADING, 3: TextSize.LARGE}


class Formats:
    """The formats of one theme at one zoom. Made anew when either changes."""

    def __init__(self, theme: Theme, *, size: TextSize = TextSize.LARGE, muted: bool = False) -> None:
        self.theme = theme
        self._size = size
        self._color = theme.color("text_muted" if muted else "text")
        self._spans: dict[tuple[Style, bool, int, bool], QTextCharFormat] = {}

    def indent(self, place: Place) -> int:
        """How far a block stands from the left edge, in pixels."""
        return sum(self.theme.space(LIST_STEP if level is Level.LIST else QUOTE_STEP) for level in place.levels)

    def block(self, paragraph: Paragraph, *, first: bool) -> QTextBlockFormat:
        """The format of a paragraph's block; `first` in its view has no space above."""
        space = self.theme.space
        above = 0.0 if first else space(3) if paragraph.place.spaced else space(1)
        below = 0
        if paragraph.heading:
            above = 0.0 if first else space(6 if paragraph.heading <= 2 else 5)
            below = -space(1)
        form = QTextBlockFormat()
        form.setTopMargin(above)
        form.setBottomMargin(below)
        form.setLeftMargin(self.indent(paragraph.place))
        form.setLineHeight(self._leading(paragraph), QTextBlockFormat.LineHeightTypes.LineDistanceHeight.value)
        if paragraph.heading:
            form.setHeadingLevel(paragraph.heading)
        if paragraph.place.marker:
            form.setProperty(MARKER_PROPERTY, paragraph.place.marker)
        if paragraph.place.task is not None:
            form.setProperty(TASK_PROPERTY, paragraph.place.task.value)
        if Level.QUOTE in paragraph.place.levels:
            form.setProperty(PLACE_PROPERTY, "".join("Q" if x is Level.QUOTE else "L" for x in paragraph.place.levels))
        return form

    def _leading(self, paragraph: Paragraph) -> float:
        return self.theme.space(0.75 if paragraph.heading else 1.5)

    def span(self, span: Span, paragraph: Paragraph | None = None) -> QTextCharFormat:
        """The format of a run of text."""
        heading = paragraph.heading if paragraph is not None else 0
        note = paragraph is not None and paragraph.note
        key = (span.style, bool(span.href), heading, note)
        known = self._spans.get(key)
        if known is None:
            known = self._spans[key] = self._make(span.style, heading, note)
        if not span.href or span.kind is not SpanKind.TEXT:
            return known
        address = checked_address(span.href)
        if address is None:
            return known
        form = QTextCharFormat(known)
        form.setAnchor(True)
        form.setAnchorHref(address.text)
        form.setForeground(self.theme.color("accent"))
        form.setFontUnderline(True)
        return form

    def chip(self, *, href: str = "") -> QTextCharFormat:
        """A picture that is not fetched."""
        form = QTextCharFormat()
        form.setFont(self.theme.font(TextSize.CAPTION))
        form.setForeground(self.theme.color("text_muted"))
        form.setProperty(BOX_PROPERTY, "chip")
        if href:
            form.setAnchor(True)
            form.setAnchorHref(href)
        return form

    def citation(self, span: Span) -> QTextCharFormat:
        """A source that is cited; struck where looking into it failed, quiet where it was not looked into yet."""
        form = self.chip(href=span.href)
        form.setForeground(self.theme.color("text_muted" if span.style & (Style.STRIKE | Style.QUIET) else "accent"))
        form.setFontStrikeOut(Style.STRIKE in span.style)
        form.setToolTip(tip_html(span.tip))
        return form

    def _make(self, style: Style, heading: int, note: bool) -> QTextCharFormat:
        theme = self.theme
        size = _HEADINGS.get(heading, TextSize.BODY) if heading else TextSize.BODY if note else self._size
        font = theme.font(size, bold=bool(heading) or Style.BOLD in style, code=Style.CODE in style)
        if Style.CODE in style:
            font.setPixelSize(round(font.pixelSize() * 0.9))
            font.setFeature(QFont.Tag("calt"), 0)  # no ligatures: code is shown as it is
        font.setItalic(Style.ITALIC in style)
        font.setStrikeOut(Style.STRIKE in style)
        font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
        form = QTextCharFormat()
        form.setFont(font)
        form.setForeground(QBrush(theme.color("text_muted") if note or heading > 3 else self._color))
        if Style.CODE in style:
            form.setProperty(BOX_PROPERTY, "code")
        if Style.RAISED in style:
            form.setVerticalAlignment(QTextCharFormat.VerticalAlignment.AlignSuperScript)
            form.setForeground(QBrush(theme.color("accent")))
        return form


def tip_html(tip: str) -> str:
    """Tool tips guess whether they are HTML: a document's words must never be."""
    return f"<qt>{html.escape(tip).replace(chr(10), '<br>')}</qt>"
