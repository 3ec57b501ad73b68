"""How the sidebar's rows and search results are painted, and the line editor for renaming.

Knows the rows' values, and nothing of what a click does beyond the "more" button's place.
"""

from __future__ import annotations

import time

from PySide6.QtCore import (
    QAbstractItemModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFontMetrics, QMouseEvent, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QLineEdit, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.limits import TITLE_CHARACTERS
from app.ui.icons import tinted_pixmap
from app.ui.sidebar_model import ROW_ROLE, RowKind, SidebarModel, SidebarRow
from app.ui.theme import TextSize, Theme

_TURN_S = 1.1
Index = QModelIndex | QPersistentModelIndex


class SidebarDelegate(QStyledItemDelegate):
    """Paints a `SidebarRow`. All rows are of one height, so that ten thousand cost no more than ten."""

    more_requested = Signal(QModelIndex)
    """The "more" button of a row was clicked."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme

    def more_rect(self, row_rect: QRect, *, mirrored: bool) -> QRect:
        """Where a row's "more" button stands."""
        side = self._theme.space(6)
        x = row_rect.left() + self._theme.space(1) if mirrored else row_rect.right() - self._theme.space(1) - side
        return QRect(x, row_rect.center().y() - side // 2 + 1, side, side)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(self._theme.space(40), self._theme.space(8.5))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row = index.data(ROW_ROLE)
        model = index.model()
        if not isinstance(row, SidebarRow) or not isinstance(model, SidebarModel):
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRect(option.rect).adjusted(0, 1, 0, -1)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        focused = bool(option.state & QStyle.StateFlag.State_HasFocus)
        opened = row.key == model.open_id
        if row.kind is not RowKind.SECTION and (hovered or opened):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.color("pressed" if opened else "raised"))
            painter.drawRoundedRect(rect, self._theme.space(2), self._theme.space(2))
        if focused:
            painter.setPen(QPen(self._theme.color("focus"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), self._theme.space(2), self._theme.space(2))
        if row.kind is RowKind.CONVERSATION:
            self._paint_conversation(painter, option, rect, row, model)
        else:
            self._paint_group(painter, option, rect, row)
        painter.restore()

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        editor = QLineEdit(parent)
        editor.setProperty("kind", "rename")
        editor.setMaxLength(TITLE_CHARACTERS)
        editor.setAccessibleName(str(index.data()))
        return editor

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:
        space = self._theme.space
        editor.setGeometry(QRect(option.rect).adjusted(space(1), space(0.75), -space(1), -space(0.75)))

    def editorEvent(self, event: QEvent, model: QAbstractItemModel, option: QStyleOptionViewItem, index: Index) -> bool:
        if isinstance(event, QMouseEvent) and event.type() is QEvent.Type.MouseButtonRelease:
            row = index.data(ROW_ROLE)
            mirrored = option.direction is Qt.LayoutDirection.RightToLeft
            over = self.more_rect(QRect(option.rect), mirrored=mirrored).contains(event.position().toPoint())
            if isinstance(row, SidebarRow) and row.kind is not RowKind.SECTION and over:
                self.more_requested.emit(model.index(index.row(), 0))
                return True
        return super().editorEvent(event, model, option, index)

    def _paint_group(self, painter: QPainter, option: QStyleOptionViewItem, rect: QRect, row: SidebarRow) -> None:
        theme, space = self._theme, self._theme.space
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        inner = rect.adjusted(space(2), 0, -space(2), 0)
        if row.kind is RowKind.FOLDER:
            side = space(4)
            icon = "folder-open" if row.expanded else "folder"
            self._draw(painter, option, inner, tinted_pixmap(theme, icon, size=side), side)
            text_rect = inner.adjusted(side + space(2), 0, -space(6), 0)
            painter.setFont(theme.font())
            painter.setPen(theme.color("text"))
            self._text(painter, option, text_rect, row.title)
            if hovered:
                self._paint_more(painter, option, rect)
            elif row.count:
                painter.setFont(theme.font(TextSize.CAPTION))
                painter.setPen(theme.color("text_muted"))
                self._text(painter, option, inner, str(row.count), end=True)
            return
        painter.setFont(theme.font(TextSize.CAPTION, bold=True))
        painter.setPen(theme.color("text_muted"))
        label = inner.adjusted(0, space(1.5), 0, 0)
        self._text(painter, option, label, row.title)
        if hovered or not row.expanded:
            side = space(3.5)
            icon = "chevron-down" if row.expanded else "chevron-right"
            width = QFontMetrics(painter.font()).horizontalAdvance(row.title)
            self._draw(
                painter, option, label.adjusted(width + space(1), 0, 0, 0), tinted_pixmap(theme, icon, size=side), side
            )

    def _paint_conversation(
        self, painter: QPainter, option: QStyleOptionViewItem, rect: QRect, row: SidebarRow, model: SidebarModel
    ) -> None:
        theme, space = self._theme, self._theme.space
        inner = rect.adjusted(space(2) + space(6) * row.depth, 0, -space(2), 0)
        room = 0
        if option.state & QStyle.StateFlag.State_MouseOver:
            self._paint_more(painter, option, rect)
            room = space(6)
        elif row.key in model.generating:
            self._paint_spinner(painter, option, inner)
            room = space(5)
        elif row.key in model.unread:
            self._paint_dot(painter, option, inner)
            room = space(4)
        text_rect = inner.adjusted(0, 0, -room, 0)
        conversation = row.conversation
        if conversation is not None and conversation.tags:
            text_rect = self._paint_tags(painter, option, text_rect, conversation.tags)
        unread = row.key in model.unread
        painter.setFont(theme.font(bold=unread))
        untitled = conversation is not None and not conversation.title
        painter.setPen(theme.color("text_muted" if untitled else "text"))
        self._text(painter, option, text_rect, row.title)

    def _paint_tags(self, painter: QPainter, option: QStyleOptionViewItem, rect: QRect, tags: tuple[str, ...]) -> QRect:
        theme, space = self._theme, self._theme.space
        painter.setFont(theme.font(TextSize.CAPTION))
        metrics = QFontMetrics(painter.font())
        label = tags[0] if len(tags) == 1 else f"{tags[0]} +{len(tags) - 1}"
        label = metrics.elidedText(label, Qt.TextElideMode.ElideRight, rect.width() // 3)
        width = metrics.horizontalAdvance(label) + space(3)
        height = metrics.height() + space(0.5)
        chip = QRect(rect.right() - width + 1, rect.center().y() - height // 2 + 1, width, height)
        chip = QStyle.visualRect(option.direction, option.rect, chip)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("raised"))
        painter.drawRoundedRect(chip, height / 2, height / 2)
        painter.setPen(theme.color("text_muted"))
        painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, label)
        return rect.adjusted(0, 0, -width - space(1.5), 0)

    def _paint_more(self, painter: QPainter, option: QStyleOptionViewItem, rect: QRect) -> None:
        side = self._theme.space(4)
        area = self.more_rect(rect, mirrored=option.direction is Qt.LayoutDirection.RightToLeft)
        pixmap = tinted_pixmap(self._theme, "ellipsis", size=side)
        painter.drawPixmap(area.center().x() - side // 2 + 1, area.center().y() - side // 2 + 1, pixmap)

    def _paint_spinner(self, painter: QPainter, option: QStyleOptionViewItem, rect: QRect) -> None:
        side = self._theme.space(3)
        area = self._end_square(option, rect, side)
        painter.setPen(
            QPen(self._theme.color("accent"), max(1.5, side / 7), Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap)
        )
        start = -int(time.monotonic() % _TURN_S / _TURN_S * 360 * 16)
        painter.drawArc(area, start, 270 * 16)

    def _paint_dot(self, painter: QPainter, option: QStyleOptionViewItem, rect: QRect) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.color("accent"))
        painter.drawEllipse(self._end_square(option, rect, self._theme.space(2)))

    # All places are reckoned from left to right and mirrored here, at the last moment.

    @staticmethod
    def _end_square(option: QStyleOptionViewItem, rect: QRect, side: int) -> QRect:
        square = QRect(rect.right() - side, rect.center().y() - side // 2 + 1, side, side)
        return QStyle.visualRect(option.direction, option.rect, square)

    @staticmethod
    def _draw(painter: QPainter, option: QStyleOptionViewItem, rect: QRect, pixmap: QPixmap, side: int) -> None:
        place = QRect(rect.left(), rect.center().y() - side // 2 + 1, side, side)
        painter.drawPixmap(QStyle.visualRect(option.direction, option.rect, place).topLeft(), pixmap)

    @staticmethod
    def _text(painter: QPainter, option: QStyleOptionViewItem, rect: QRect, text: str, *, end: bool = False) -> None:
        side = Qt.AlignmentFlag.AlignRight if end else Qt.AlignmentFlag.AlignLeft
        elided = QFontMetrics(painter.font()).elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
        place = QStyle.visualRect(option.direction, option.rect, rect)
        alignment = QStyle.visualAlignment(option.direction, side) | Qt.AlignmentFlag.AlignAbsolute
        painter.drawText(place, alignment | Qt.AlignmentFlag.AlignVCenter, elided)
