"""How a row of a list of personas is drawn: a picture, a name, and one line below it. Knows no persona."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPixmap
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem

from app.ui.theme import TextSize, Theme

MIDDLE = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
PADDING_UNITS = 3.5


def row_size(theme: Theme, padding_units: float = PADDING_UNITS) -> QSize:
    """Of a row with two lines."""
    caption = QFontMetrics(theme.font(TextSize.CAPTION)).height()
    return QSize(theme.space(40), QFontMetrics(theme.font()).height() + caption + theme.space(padding_units))


def paint_row(
    painter: QPainter,
    theme: Theme,
    option: QStyleOptionViewItem,
    *,
    picture: QPixmap,
    side: int,
    name: tuple[str, str],
    detail: tuple[str, str] = ("", ""),
) -> None:
    """`picture` stands in the middle of a square of `side`; `name` and `detail` are words and their colour's name."""
    space = theme.space
    rect: QRect = option.rect
    state: QStyle.StateFlag = option.state
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    selected = bool(state & QStyle.StateFlag.State_Selected)
    if selected or state & QStyle.StateFlag.State_MouseOver:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("pressed" if selected else "raised"))
        painter.drawRoundedRect(QRectF(rect).adjusted(space(1), 1, -space(1), -1), space(2), space(2))
    square = QRect(rect.left() + space(2.5), rect.center().y() - side // 2, side, side)
    drawn = QRect(0, 0, round(picture.deviceIndependentSize().width()), round(picture.deviceIndependentSize().height()))
    drawn.moveCenter(square.center())
    painter.drawPixmap(drawn.topLeft(), picture)
    left = square.left() + side + space(2.5)
    lines = QFontMetrics(theme.font()).height() + QFontMetrics(theme.font(TextSize.CAPTION)).height()
    height = lines + space(0.5)
    area = QRect(left, rect.center().y() - height // 2, rect.right() - left - space(3), height)
    half = height // 2
    words, color = name
    _draw(painter, area.adjusted(0, 0, 0, -half) if detail[0] else area, words, theme.font(), theme.color(color))
    words, color = detail
    if words:
        _draw(painter, area.adjusted(0, half, 0, 0), words, theme.font(TextSize.CAPTION), theme.color(color))
    painter.restore()


def _draw(painter: QPainter, area: QRect, words: str, font: QFont, color: QColor) -> None:
    painter.setFont(font)
    painter.setPen(color)
    shown = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, area.width())
    painter.drawText(area, MIDDLE, shown)
