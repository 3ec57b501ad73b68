"""Draws the lines of the model picker: headings, models, a download's progress. Knows nothing beyond `ModelEntry`."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.downloader.order import Progress
from app.model_entry import Availability, Fit, ModelEntry
from app.ui.amounts import progress_text
from app.ui.icons import tinted_pixmap
from app.ui.model_rows import PROGRESS_ROLE, GroupHeading, ModelListModel, entry_detail, fit_label
from app.ui.theme import TextSize, Theme

_FIT_COLORS = {Fit.FITS: "success", Fit.TIGHT: "warning", Fit.TOO_LARGE: "danger"}
_MIDDLE = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft


def fit_color(fit: Fit) -> str:
    """The colour (a field of `Colors`) that a verdict is written in."""
    return _FIT_COLORS.get(fit, "text_muted")


class ModelDelegate(QStyledItemDelegate):
    """Two lines of text, a mark before them, the verdict behind them."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme

    def _paint_heading(self, painter: QPainter, option: QStyleOptionViewItem, heading: GroupHeading) -> None:
        theme, space = self._theme, self._theme.space
        rect: QRect = option.rect
        if heading.foldable and option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("pressed"))
            painter.drawRoundedRect(QRectF(rect).adjusted(space(1), space(1.5), -space(1), 0), space(2), space(2))
        painter.setFont(theme.font(TextSize.CAPTION, bold=True))
        painter.setPen(theme.color("text_muted"))
        area = rect.adjusted(space(3), space(2), -space(2), 0)
        painter.drawText(area, int(_MIDDLE), heading.text)
        if heading.foldable:
            side = round(14 * theme.zoom)
            name = "chevron-down" if heading.open else "chevron-right"
            left = area.left() + painter.fontMetrics().horizontalAdvance(heading.text) + space(1)
            painter.drawPixmap(left, area.center().y() - side // 2, tinted_pixmap(theme, name, size=side))

    def _paint_row(
        self, painter: QPainter, option: QStyleOptionViewItem, row: ModelEntry, progress: Progress | None
    ) -> None:
        theme, space = self._theme, self._theme.space
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        selected = bool(state & QStyle.StateFlag.State_Selected)
        hovered = bool(state & QStyle.StateFlag.State_MouseOver)
        box = QRectF(rect).adjusted(space(1), 1, -space(1), -1)
        if selected or hovered:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("pressed" if selected else "raised"))
            painter.drawRoundedRect(box, space(2), space(2))
        if selected and state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(theme.color("focus"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), space(2), space(2))
        side = round(16 * theme.zoom)
        mark, color = self._mark(row)
        if mark:
            painter.drawPixmap(
                rect.left() + space(3),
                rect.center().y() - side // 2,
                tinted_pixmap(theme, mark, color=color, size=side),
            )
        area = rect.adjusted(space(4) + side + space(1.5), space(2), -space(4), -space(2))
        verdict = "" if progress is not None else fit_label(row.fit)
        caption = theme.font(TextSize.CAPTION)
        if verdict:
            width = QFontMetrics(caption).horizontalAdvance(verdict)
            painter.setFont(caption)
            painter.setPen(theme.color(fit_color(row.fit)))
            painter.drawText(area, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight), verdict)
            area.adjust(0, 0, -(width + space(3)), 0)
        half = area.height() // 2
        self._draw_line(
            painter, QRect(area.left(), area.top(), area.width(), half), row.name, theme.font(bold=row.loaded), "text"
        )
        detail = entry_detail(row) if progress is None else progress_text(progress)
        away = row.availability is Availability.ELSEWHERE
        detail_color = "danger" if row.problem else "warning" if away else "text_muted"
        self._draw_line(
            painter, QRect(area.left(), area.top() + half, area.width(), half), detail, caption, detail_color
        )
        if progress is not None:
            track = QRectF(area.left(), rect.bottom() - space(1.25), area.width(), 2)
            painter.fillRect(track, theme.color("border"))
            painter.fillRect(
                QRectF(track.left(), track.top(), track.width() * progress.fraction, 2), theme.color("accent")
            )

    def _draw_line(self, painter: QPainter, area: QRect, text: str, font: QFont, color: str) -> None:
        painter.setFont(font)
        painter.setPen(self._theme.color(color))
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, int(_MIDDLE), shown)

    @staticmethod
    def _mark(row: ModelEntry) -> tuple[str, str]:
        if row.availability is Availability.ELSEWHERE:
            return "globe", "warning"
        if row.loaded:
            return "check", "accent"
        if row.availability is Availability.TO_FETCH:
            return "download", "text_faint"
        if row.availability is Availability.BROKEN:
            return "triangle-alert", "danger"
        return "", ""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        theme = self._theme
        caption = QFontMetrics(theme.font(TextSize.CAPTION)).height()
        model = index.model()
        if isinstance(model, ModelListModel) and isinstance(model.item(index), GroupHeading):
            return QSize(theme.space(40), caption + theme.space(5))
        return QSize(theme.space(40), QFontMetrics(theme.font()).height() + caption + theme.space(5))

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        model = index.model()
        assert isinstance(model, ModelListModel)
        item = model.item(index)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if isinstance(item, GroupHeading):
            self._paint_heading(painter, option, item)
        elif item is not None:
            progress = model.data(index, PROGRESS_ROLE)
            self._paint_row(painter, option, item, progress if isinstance(progress, Progress) else None)
        painter.restore()
