"""What the looks of the memory map mean: a swatch and a word for each that occurs. Knows no list."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.i18n import tr
from app.ui.memory_map_model import MemoryMapModel
from app.ui.memory_paint import PagePainter
from app.ui.theme import TextSize, Theme
from engine.pages import PageState

Swatch = Callable[[PagePainter, QRectF], None]
_ORIGIN = "app"


def _known(draw: PagePainter, rect: QRectF) -> None:
    draw.known(_ORIGIN, [rect])


def _unread(draw: PagePainter, rect: QRectF) -> None:
    draw.unread(_ORIGIN, [rect])


def _next_out(draw: PagePainter, rect: QRectF) -> None:
    draw.known(_ORIGIN, [rect])
    draw.hatched([rect])


def _reserve(draw: PagePainter, rect: QRectF) -> None:
    draw.reserve([rect])


class MapKey(QWidget):
    """As high as its lines."""

    def __init__(self, theme: Theme, model: MemoryMapModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._model = theme, model
        self._signs: list[tuple[str, Swatch]] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        for signal in (model.modelReset, model.dataChanged, model.rowsInserted, theme.changed):
            signal.connect(self._on_changed)
        self._on_changed()

    def _on_changed(self) -> None:
        view, pages = self._model.view, self._model.pages()
        inside = [page for page in pages if page.state is not PageState.OUT]
        self._signs = []
        if any(page.start < view.read_tokens for page in inside):
            self._signs.append((tr("known already"), _known))
        if view.read_tokens < view.prompt_tokens:
            self._signs.append((tr("to be read"), _unread))
        if any(page.state is PageState.NEXT_OUT for page in inside):
            self._signs.append((tr("goes first"), _next_out))
        if view.reserve:
            self._signs.append((tr("kept for the answer"), _reserve))
        self.setAccessibleName(", ".join(word for word, _ in self._signs))
        self._fit()
        self.update()

    def _fit(self) -> None:
        places = self._places()
        self.setFixedHeight(round(places[-1].y()) + self._line if places else 0)

    @property
    def _line(self) -> int:
        return QFontMetrics(self._theme.font(TextSize.CAPTION)).height() + self._theme.space(1)

    def _places(self) -> list[QPointF]:
        """Where each swatch begins: side by side, and on the next line where the row is full."""
        metrics, space = QFontMetrics(self._theme.font(TextSize.CAPTION)), self._theme.space
        places: list[QPointF] = []
        x = y = 0.0
        for word, _ in self._signs:
            width = space(4.5) + metrics.horizontalAdvance(word)
            if x and x + width > self.width():
                x, y = 0.0, y + self._line
            places.append(QPointF(x, y))
            x += width + space(4)
        return places

    def sizeHint(self) -> QSize:
        return QSize(self._theme.space(40), self.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        draw, space = PagePainter(painter, self._theme), self._theme.space
        side = float(space(3))
        painter.setFont(self._theme.font(TextSize.CAPTION))
        for (word, swatch), at in zip(self._signs, self._places(), strict=True):
            swatch(draw, QRectF(at.x(), at.y() + (self._line - side) / 2, side, side))
            painter.setPen(self._theme.color("text_muted"))
            area = QRectF(at.x() + space(4.5), at.y(), self.width(), self._line)
            painter.drawText(area, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), word)
