"""How the regions of the context window use their budgets: a line and a small bar each. Knows no engine."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListWidget,
    QListWidgetItem,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from app.i18n import tr
from app.ui.amounts import count_text
from app.ui.memory_words import region_name
from app.ui.stack_bar import draw_stack
from app.ui.theme import TextSize, Theme
from engine.pages import Region, RegionUse

_USE_ROLE = int(Qt.ItemDataRole.UserRole) + 1


class RegionList(QListWidget):
    """As high as its lines; never scrolls. What a region may not hold and does not hold is not shown."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setAccessibleName(tr("How the context window is shared out"))
        self.setItemDelegate(_RegionDelegate(theme, self))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self._fit)
        self.set_regions(())

    def set_regions(self, regions: Sequence[RegionUse]) -> None:
        """Show these, in this order."""
        shown = [use for use in regions if use.tokens or use.budget]
        if [self.item(row).data(_USE_ROLE) for row in range(self.count())] != shown:
            self.clear()
            for use in shown:
                item = QListWidgetItem(region_name(use.region), self)
                item.setData(_USE_ROLE, use)
                item.setData(Qt.ItemDataRole.AccessibleTextRole, spoken_region(use))
                item.setToolTip(spoken_region(use))
        self._fit()

    def _fit(self) -> None:
        self.doItemsLayout()
        height = sum(self.sizeHintForRow(row) for row in range(self.count()))
        self.setFixedHeight(max(1, height))
        self.setVisible(self.count() > 0)

    def sizeHint(self) -> QSize:
        return QSize(self._theme.space(40), self.height())


def spoken_region(use: RegionUse) -> str:
    """A region's use in words."""
    name, tokens, budget = region_name(use.region), count_text(use.tokens), count_text(use.budget)
    if use.region is Region.ANSWER:
        return tr("{name}: {count} tokens", name=name, count=budget)
    return tr("{name}: {tokens} of {budget} tokens", name=name, tokens=tokens, budget=budget)


class _RegionDelegate(QStyledItemDelegate):
    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        height = QFontMetrics(self._theme.font(TextSize.CAPTION)).height() + self._theme.space(3.5)
        return QSize(self._theme.space(40), height)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        use = index.data(_USE_ROLE)
        assert isinstance(use, RegionUse)
        theme, space = self._theme, self._theme.space
        rect: QRect = option.rect
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(theme.color("focus"), 1))
            painter.drawRoundedRect(QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5), space(1), space(1))
        area = rect.adjusted(space(0.5), 0, -space(0.5), -space(2))
        painter.setFont(theme.font(TextSize.CAPTION))
        painter.setPen(theme.color("text_muted"))
        painter.drawText(area, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), region_name(use.region))
        over = use.region is not Region.ANSWER and use.tokens > use.budget
        painter.setPen(theme.color("warning" if over else "text"))
        if use.region is Region.ANSWER:
            numbers = count_text(use.budget)
        else:
            numbers = tr("{used} of {total}", used=count_text(use.tokens), total=count_text(use.budget))
        painter.drawText(area, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight), numbers)
        bar = QRectF(rect.left() + space(0.5), rect.bottom() - space(2), rect.width() - space(1), float(space(1)))
        color = theme.color("warning" if over else "accent")
        amount = float(use.budget if use.region is Region.ANSWER else use.tokens)
        draw_stack(painter, bar, theme, [(color, amount)], float(max(1, use.budget, use.tokens)))
        painter.restore()
