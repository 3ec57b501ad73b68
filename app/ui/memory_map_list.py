"""The pages of the context window as a list: the same rows as the map, each a line of words. Knows no store."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from app.i18n import tr
from app.memory_pages import MemoryPage
from app.ui.amounts import count_text
from app.ui.icons import tinted_pixmap
from app.ui.memory_map_model import PAGE_ROLE, MemoryMapModel
from app.ui.memory_paint import PagePainter
from app.ui.memory_words import page_title
from app.ui.theme import TextSize, Theme
from engine.pages import PageState

_MIDDLE = Qt.AlignmentFlag.AlignVCenter


class PageList(QListView):
    """Give it the map's selection model, and both select together."""

    def __init__(self, theme: Theme, model: MemoryMapModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setModel(model)
        self.setItemDelegate(_PageDelegate(theme, model, self))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(tr("Pages of the context window"))
        self.setAccessibleDescription(
            tr("Arrow keys go from page to page. Enter shows a page in the chat, P pins it, Delete leaves it out.")
        )
        theme.changed.connect(self.doItemsLayout)


class _PageDelegate(QStyledItemDelegate):
    """A mark as in the map, the beginning of the text, what is special, the tokens."""

    def __init__(self, theme: Theme, model: MemoryMapModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme, self._model = theme, model

    def _paint_mark(self, painter: QPainter, page: MemoryPage, mark: QRectF) -> None:
        draw = PagePainter(painter, self._theme)
        known = page.growing or page.end <= self._model.view.read_tokens
        if page.state is PageState.OUT:
            draw.left_out(page, [mark])
            return
        (draw.known if known else draw.unread)(page.origin, [mark])
        if page.state is PageState.NEXT_OUT:
            draw.hatched([mark])
        else:
            draw.icon(page.origin, mark, solid=known)

    def _paint_row(self, painter: QPainter, option: QStyleOptionViewItem, page: MemoryPage) -> None:
        theme, space = self._theme, self._theme.space
        rect: QRect = option.rect
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if selected or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("pressed" if selected else "raised"))
            painter.drawRoundedRect(QRectF(rect), space(1), space(1))
        if selected and option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(theme.color("focus"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5), space(1), space(1))
        side = float(space(4.5))
        self._paint_mark(painter, page, QRectF(rect.left() + space(1), rect.center().y() - side / 2 + 0.5, side, side))
        out = page.state is PageState.OUT
        painter.setFont(theme.font(TextSize.CAPTION))
        painter.setPen(theme.color("text_muted"))
        area = rect.adjusted(round(side) + space(3), 0, -space(2), 0)
        number = count_text(page.tokens)
        painter.drawText(area, int(_MIDDLE | Qt.AlignmentFlag.AlignRight), number)
        area.adjust(0, 0, -painter.fontMetrics().horizontalAdvance(number) - space(2), 0)
        for name in self._signs(page):
            pixels = round(13 * theme.zoom)
            pixmap = tinted_pixmap(theme, name, size=pixels)
            painter.drawPixmap(area.right() - pixels, area.center().y() - pixels // 2, pixmap)
            area.adjust(0, 0, -pixels - space(1.5), 0)
        font = theme.font()
        font.setStrikeOut(out)
        painter.setFont(font)
        painter.setPen(theme.color("text_muted" if out else "text"))
        title = painter.fontMetrics().elidedText(page_title(page), Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, int(_MIDDLE | Qt.AlignmentFlag.AlignLeft), title)

    @staticmethod
    def _signs(page: MemoryPage) -> list[str]:
        signs = ["pin"] if page.pinned else []
        if page.state is PageState.NEXT_OUT:
            signs.append("log-out")
        return signs

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        height = QFontMetrics(self._theme.font(TextSize.BODY)).height() + self._theme.space(2.5)
        return QSize(self._theme.space(40), height)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        page = index.data(PAGE_ROLE)
        assert isinstance(page, MemoryPage)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_row(painter, option, page)
        painter.restore()
