"""A bar drawn to scale: stretches of colour on a track that stands for the whole. Knows not what they measure."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.ui.theme import Theme

Stretch = tuple[QColor, float]


def draw_stack(
    painter: QPainter, rect: QRectF, theme: Theme, stretches: Sequence[Stretch], total: float, *, gap: float = 0.0
) -> None:
    """Draw `stretches` (colour, amount) from the left on a track of `total`; what is over is cut off."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    shape = QPainterPath()
    radius = min(rect.height() / 2, theme.space(1.5))
    shape.addRoundedRect(rect, radius, radius)
    painter.fillPath(shape, theme.color("pressed"))
    painter.setClipPath(shape)
    left = rect.left()
    for color, amount in stretches if total > 0 else ():
        width = rect.width() * amount / total
        if amount > 0:
            shown = max(1.0, width - (gap if width > 3 * gap else 0))
            painter.fillRect(QRectF(left, rect.top(), shown, rect.height()), color)
        left += width
    painter.restore()


class StackBar(QWidget):
    """The bar as a widget; give it an accessible name that says the same in words."""

    def __init__(self, theme: Theme, parent: QWidget | None = None, *, units: float = 3) -> None:
        super().__init__(parent)
        self._theme = theme
        self._units = units
        self._stretches: tuple[Stretch, ...] = ()
        self._total = 0.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.updateGeometry)

    def set_stretches(self, stretches: Sequence[Stretch], total: float) -> None:
        self._stretches, self._total = tuple(stretches), total
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.space(40), self._theme.space(self._units))

    def paintEvent(self, event: QPaintEvent) -> None:
        draw_stack(QPainter(self), self.rect().toRectF(), self._theme, self._stretches, self._total, gap=1.0)
