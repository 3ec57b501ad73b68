"""Draws the lines of a collection. Knows nothing beyond their values."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.documents_view import Readiness, readiness
from app.i18n import ntr
from app.ui.amounts import count_text
from app.ui.documents_rows import (
    LINE_ROLE,
    READING_ROLE,
    FileLine,
    Index,
    Line,
    SourceLine,
    line_detail,
    line_name,
    line_size,
    mark_of,
)
from app.ui.icons import tinted_pixmap
from app.ui.theme import TextSize, Theme
from rag.events import ReadingProgress

_DETAIL_COLORS = {Readiness.FAILED: "danger", Readiness.EMPTY: "warning", Readiness.READING: "accent"}


def paint_row_ground(painter: QPainter, option: QStyleOptionViewItem, theme: Theme) -> None:
    """What lies behind a row of a list: chosen, under the pointer, holding the keyboard."""
    state: QStyle.StateFlag = option.state
    space = theme.space
    box = QRectF(option.rect).adjusted(space(1), 1, -space(1), -1)
    selected = bool(state & QStyle.StateFlag.State_Selected)
    if selected or state & QStyle.StateFlag.State_MouseOver:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("pressed" if selected else "raised"))
        painter.drawRoundedRect(box, space(2), space(2))
    if state & QStyle.StateFlag.State_HasFocus:
        painter.setPen(QPen(theme.color("focus"), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), space(2), space(2))


def draw_side(painter: QPainter, option: QStyleOptionViewItem, area: QRect, text: str, *, end: bool = False) -> int:
    """One line of text at the start or the `end` of `area`, cut with "…"; mirrored as the language is. Its width."""
    shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, area.width())
    side = Qt.AlignmentFlag.AlignRight if end else Qt.AlignmentFlag.AlignLeft
    alignment = QStyle.visualAlignment(option.direction, side) | Qt.AlignmentFlag.AlignAbsolute
    place = QStyle.visualRect(option.direction, option.rect, area)
    painter.drawText(place, int(alignment | Qt.AlignmentFlag.AlignVCenter), shown)
    return painter.fontMetrics().horizontalAdvance(shown)


class DocumentDelegate(QStyledItemDelegate):
    """A mark, name and state below each other, the size and what cannot be seen behind them. All of one height."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme

    def _paint_line(
        self, painter: QPainter, option: QStyleOptionViewItem, line: Line, reading: ReadingProgress | None
    ) -> None:
        theme, space = self._theme, self._theme.space
        rect: QRect = option.rect
        depth = line.depth if isinstance(line, FileLine) else 0
        area = rect.adjusted(space(4) + depth * space(6), space(1.75), -space(4), -space(1.75))
        side = space(4)
        icon, color = mark_of(line, reading)
        mark = QRect(area.left(), area.center().y() - side // 2 + 1, side, side)
        painter.drawPixmap(
            QStyle.visualRect(option.direction, rect, mark).topLeft(),
            tinted_pixmap(theme, icon, color=color, size=side),
        )
        area.adjust(side + space(2.5), 0, 0, 0)
        self._paint_behind(painter, option, line, area)
        half = area.height() // 2
        upper = QRect(area.left(), area.top(), area.width(), half)
        lower = QRect(area.left(), area.top() + half, area.width(), area.height() - half)
        folder = isinstance(line, SourceLine)
        self._ink(painter, theme.font(bold=folder), "text")
        draw_side(painter, option, upper, line_name(line))
        self._ink(painter, theme.font(TextSize.CAPTION), self._detail_color(line, reading))
        draw_side(painter, option, lower, line_detail(line, reading))
        if reading is not None and reading.of_pages:
            track = QRectF(area.left(), rect.bottom() - space(1), area.width(), 2)
            share = min(1.0, reading.n_pages / reading.of_pages)
            painter.fillRect(track, theme.color("border"))
            done = QRectF(track.left(), track.top(), track.width() * share, 2)
            if option.direction is Qt.LayoutDirection.RightToLeft:
                done.moveRight(track.right())
            painter.fillRect(done, theme.color("accent"))

    def _paint_behind(self, painter: QPainter, option: QStyleOptionViewItem, line: Line, area: QRect) -> None:
        """The size and what is hidden, at the end of `area`, which is made shorter by that."""
        theme, space = self._theme, self._theme.space
        if isinstance(line, SourceLine):
            if line.n_files:
                side = space(4)
                place = QRect(area.right() - side, area.center().y() - side // 2 + 1, side, side)
                icon = "chevron-down" if line.open else "chevron-right"
                painter.drawPixmap(
                    QStyle.visualRect(option.direction, option.rect, place).topLeft(),
                    tinted_pixmap(theme, icon, size=side),
                )
                area.adjust(0, 0, -side - space(2), 0)
            return
        caption = theme.font(TextSize.CAPTION)
        painter.setFont(caption)
        half = area.height() // 2
        hidden = line.file.n_hidden
        notes = [
            (QRect(area.left(), area.top(), area.width(), half), line_size(line), "text_muted"),
            (
                QRect(area.left(), area.top() + half, area.width(), area.height() - half),
                ntr("{number} word unseen", "{number} words unseen", hidden, number=count_text(hidden))
                if hidden
                else "",
                "warning",
            ),
        ]
        widest = 0
        for place, text, color in notes:
            if text:
                painter.setPen(theme.color(color))
                widest = max(widest, draw_side(painter, option, place, text, end=True))
        area.adjust(0, 0, -(widest + space(3)) if widest else 0, 0)

    def _detail_color(self, line: Line, reading: ReadingProgress | None) -> str:
        if isinstance(line, FileLine):
            return _DETAIL_COLORS.get(readiness(line.file, reading), "text_muted")
        return "danger" if mark_of(line, reading)[1] == "danger" else "text_muted"

    def _ink(self, painter: QPainter, font: QFont, color: str) -> None:
        painter.setFont(font)
        painter.setPen(self._theme.color(color))

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        theme = self._theme
        words = QFontMetrics(theme.font()).height() + QFontMetrics(theme.font(TextSize.CAPTION)).height()
        return QSize(theme.space(40), words + theme.space(4.5))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        line, reading = index.data(LINE_ROLE), index.data(READING_ROLE)
        if not isinstance(line, SourceLine | FileLine):
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_row_ground(painter, option, self._theme)
        self._paint_line(painter, option, line, reading if isinstance(reading, ReadingProgress) else None)
        painter.restore()
