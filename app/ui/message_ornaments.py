"""What is painted behind running text and not written into it: list markers, check boxes, the bars of quotes, boxes
behind inline code and chips, and drawn formulas.

A formula holds its place as an empty picture: Qt gives a "middle" picture of height h the ascent (h + x/2) / 2 in the
line, x being the font's x height, but then draws it elsewhere; so it is painted here, on the base line.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFontMetrics,
    QPainter,
    QPen,
    QTextBlock,
    QTextCharFormat,
    QTextCursor,
    QTextFragment,
    QTextImageFormat,
)

from app.ui.math_images import Picture
from app.ui.message_formats import BOX_PROPERTY, LIST_STEP, PLACE_PROPERTY, QUOTE_STEP, TASK_PROPERTY, Formats
from app.ui.message_selection import MARKER_PROPERTY, SOURCE_PROPERTY, fragments_of
from app.ui.safe_document import SafeTextView

_PICTURE_PREFIX = "formula:"


class Ornaments:
    """The ornaments of one view."""

    def __init__(self, view: SafeTextView, formats: Formats) -> None:
        self._view, self._formats = view, formats
        self._pictures: dict[str, Picture] = {}

    def insert_picture(self, cursor: QTextCursor, picture: Picture, form: QTextCharFormat, *, source: str) -> None:
        """Hold the place of a formula in a line; `source` is what it is as text."""
        name = f"{_PICTURE_PREFIX}{picture.image.cacheKey()}"
        self._pictures[name] = picture
        half_x = QFontMetrics(form.font()).xHeight() / 2
        image = QTextImageFormat()
        image.setFont(form.font())
        image.setName(name)
        image.setWidth(picture.width)
        image.setHeight(max(2 * picture.ascent - half_x, 2 * picture.descent + half_x))
        image.setVerticalAlignment(QTextCharFormat.VerticalAlignment.AlignMiddle)
        image.setProperty(SOURCE_PROPERTY, source)
        cursor.insertImage(image)

    def paint_behind(self, area: QRect) -> None:
        """Paint what lies behind the text in an area of the viewport."""
        self._paint(area, self._paint_block)

    def paint_over(self, area: QRect) -> None:
        """Paint the formulas in an area of the viewport: over the text, for a selection is painted with it."""
        if self._pictures:
            self._paint(area, self._paint_formulas)

    def _paint(self, area: QRect, paint: Callable[[QPainter, QTextBlock, QRectF], None]) -> None:
        painter = QPainter(self._view.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        shift = self._view.horizontalScrollBar().value()
        painter.translate(-shift, 0)
        area = area.translated(shift, 0)
        document = self._view.document()
        layout = document.documentLayout()
        block = self._view.cursorForPosition(area.topLeft()).block() if area.top() > 0 else QTextBlock()
        block = block.previous() if block.isValid() and block.previous().isValid() else document.begin()
        while block.isValid():
            box = layout.blockBoundingRect(block)
            if box.top() > area.bottom() + 1 and QTextCursor(block).currentTable() is None:
                break
            if box.bottom() >= area.top() and block.layout().lineCount():
                paint(painter, block, box)
            block = block.next()
        painter.end()

    def _paint_block(self, painter: QPainter, block: QTextBlock, box: QRectF) -> None:
        form = block.blockFormat()
        if form.hasProperty(PLACE_PROPERTY):
            self._paint_bars(painter, str(form.property(PLACE_PROPERTY)), block, box)
        origin = box.topLeft()  # lines carry the indent themselves
        marker = form.property(MARKER_PROPERTY)
        if marker:
            self._paint_marker(painter, str(marker), block, origin)
        for fragment in fragments_of(block):
            kind = fragment.charFormat().property(BOX_PROPERTY)
            if kind:
                self._paint_boxes(painter, str(kind), block, fragment, origin)

    def _paint_formulas(self, painter: QPainter, block: QTextBlock, box: QRectF) -> None:
        for fragment in fragments_of(block):
            if fragment.charFormat().isImageFormat():
                name = fragment.charFormat().toImageFormat().name()
                self._paint_pictures(painter, name, block, fragment, box.topLeft())

    def _paint_bars(self, painter: QPainter, levels: str, block: QTextBlock, box: QRectF) -> None:
        theme, left = self._formats.theme, 0
        after = block.next()
        next_levels = str(after.blockFormat().property(PLACE_PROPERTY) or "") if after.isValid() else ""
        for depth, level in enumerate(levels, start=1):
            if level == "Q":
                bottom = box.bottom()
                if next_levels.startswith(levels[:depth]):
                    bottom = self._view.document().documentLayout().blockBoundingRect(after).top() + 2
                painter.fillRect(
                    QRectF(left, box.top(), max(2, theme.space(0.75)), bottom - box.top()), theme.color("border")
                )
            left += theme.space(QUOTE_STEP if level == "Q" else LIST_STEP)

    def _paint_marker(self, painter: QPainter, marker: str, block: QTextBlock, origin: QPointF) -> None:
        theme, form = self._formats.theme, block.blockFormat()
        line = block.layout().lineAt(0)
        base = origin.y() + line.y() + line.ascent()
        right = form.leftMargin() - theme.space(2)
        font = block.charFormat().font()
        task = form.property(TASK_PROPERTY)
        if task:
            side = round(font.pixelSize() * 0.85)
            self._paint_check(painter, QRectF(right - side + 2, base - side + 1, side, side), done=task == "done")
        elif marker == "•":
            radius = font.pixelSize() * 0.14
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("text_muted"))
            painter.drawEllipse(QPointF(right - radius, base - font.pixelSize() * 0.34), radius, radius)
        else:
            painter.setPen(theme.color("text_muted"))
            painter.setFont(font)
            width = QFontMetrics(font).horizontalAdvance(marker)
            painter.drawText(QPointF(max(0, right - width), base), marker)

    def _paint_check(self, painter: QPainter, box: QRectF, *, done: bool) -> None:
        theme = self._formats.theme
        painter.setPen(QPen(theme.color("accent" if done else "text_faint"), 1.2))
        painter.setBrush(theme.color("accent") if done else QColor(Qt.GlobalColor.transparent))
        painter.drawRoundedRect(box, 2.5, 2.5)
        if done:
            painter.setPen(QPen(theme.color("on_accent"), 1.6))
            x, y, w, h = box.x(), box.y(), box.width(), box.height()
            corners = ((0.25, 0.55), (0.44, 0.73), (0.77, 0.3))
            painter.drawPolyline([QPointF(x + w * across, y + h * down) for across, down in corners])

    def _paint_boxes(
        self, painter: QPainter, kind: str, block: QTextBlock, fragment: QTextFragment, origin: QPointF
    ) -> None:
        theme, text = self._formats.theme, block.layout()
        start = fragment.position() - block.position()
        painter.setPen(QPen(theme.color("border"), 1) if kind == "chip" else Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("raised"))
        over = 0 if kind == "chip" else 2
        for number in range(text.lineCount()):
            line = text.lineAt(number)
            low = max(start, line.textStart())
            high = min(start + fragment.length(), line.textStart() + line.textLength())
            if low < high:
                left, right = _x(line.cursorToX(low)), _x(line.cursorToX(high))
                top, height = origin.y() + line.y(), line.ascent() + line.descent()
                box = QRectF(origin.x() + left - over, top + 0.5, right - left + 2 * over, height - 1)
                painter.drawRoundedRect(box, theme.space(1), theme.space(1))

    def _paint_pictures(
        self, painter: QPainter, name: str, block: QTextBlock, fragment: QTextFragment, origin: QPointF
    ) -> None:
        picture = self._pictures.get(name)
        if picture is None:
            return
        for offset in range(fragment.length()):
            position = fragment.position() - block.position() + offset
            line = block.layout().lineForTextPosition(position)
            x = origin.x() + _x(line.cursorToX(position))
            y = origin.y() + line.y() + line.ascent() - picture.ascent
            painter.drawImage(QRectF(x, y, picture.width, picture.ascent + picture.descent), picture.image)


def _x(value: object) -> float:
    """PySide returns (x, position) where C++ returns x."""
    return float(value[0] if isinstance(value, tuple) else value)  # type: ignore[arg-type]
