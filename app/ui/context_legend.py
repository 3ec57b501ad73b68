"""The lines under the context bar as a list that arrows and screen readers can go through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
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
from app.ui.memory_paint import PagePainter
from app.ui.theme import TextSize, Theme

_LINE_ROLE = int(Qt.ItemDataRole.UserRole) + 1


@dataclass(frozen=True, slots=True)
class LegendLine:
    """A colour (by origin; "" is the empty track), its name and its tokens."""

    origin: str
    name: str
    tokens: int


class ContextLegend(QListWidget):
    """As high as its lines; never scrolls."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._lines: tuple[LegendLine, ...] = ()
        self.setAccessibleName(tr("What the context window holds"))
        self.setItemDelegate(_LegendDelegate(theme, self))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self._on_theme_changed)

    def set_lines(self, lines: Sequence[LegendLine], n_ctx: int) -> None:
        """Show these lines; shares are of `n_ctx`."""
        if tuple(lines) == self._lines:
            return
        self._lines = tuple(lines)
        while self.count() > len(lines):
            self.takeItem(self.count() - 1)
        for number, line in enumerate(lines):
            item = self.item(number) if number < self.count() else QListWidgetItem(self)
            share = round(100 * line.tokens / n_ctx) if n_ctx else 0
            item.setData(_LINE_ROLE, line)
            item.setText(line.name)
            spoken = tr("{name}: {count} tokens, {share} %", name=line.name, count=count_text(line.tokens), share=share)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, spoken)
            item.setToolTip(spoken)
        self._on_theme_changed()

    def _on_theme_changed(self) -> None:
        self.doItemsLayout()
        self.setVisible(bool(self._lines))
        self.setFixedHeight(max(1, len(self._lines) * self._line_height()))

    def _line_height(self) -> int:
        return QFontMetrics(self._theme.font(TextSize.BODY)).height() + self._theme.space(1.5)

    def sizeHint(self) -> QSize:
        return QSize(self._theme.space(40), len(self._lines) * self._line_height())


class _LegendDelegate(QStyledItemDelegate):
    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        height = QFontMetrics(self._theme.font(TextSize.BODY)).height() + self._theme.space(1.5)
        return QSize(self._theme.space(40), height)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        line = index.data(_LINE_ROLE)
        assert isinstance(line, LegendLine)
        theme, rect = self._theme, option.rect
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        side = float(theme.space(4))
        mark = QRectF(rect.left() + 1, rect.center().y() - side / 2 + 0.5, side, side)
        painter.setPen(Qt.PenStyle.NoPen if line.origin else QPen(theme.color("text_faint")))
        painter.setBrush(theme.origin_color(line.origin) if line.origin else theme.color("pressed"))
        painter.drawRoundedRect(mark, side / 6, side / 6)
        if line.origin:
            PagePainter(painter, theme).icon(line.origin, mark, solid=True)
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(theme.color("focus"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5), theme.space(1), theme.space(1))
        painter.setFont(theme.font())
        painter.setPen(theme.color("text_muted"))
        area = rect.adjusted(round(side) + theme.space(2), 0, -2, 0)
        painter.drawText(area, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), line.name)
        painter.setPen(theme.color("text"))
        painter.drawText(
            area, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight), count_text(line.tokens)
        )
        painter.restore()
