"""A label that ends in "…" instead of pushing its neighbours away; the whole text is its tooltip."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QWidget


class ElidedLabel(QLabel):
    """One line of plain text."""

    def __init__(self, mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._mode = mode
        self._tip = ""
        self.setTextFormat(Qt.TextFormat.PlainText)

    def set_tip(self, tip: str) -> None:
        """A tooltip of its own, in place of the whole text."""
        self._tip = tip
        self.setToolTip(tip)
        self.setAccessibleDescription(tip)

    def minimumSizeHint(self) -> QSize:
        metrics = QFontMetrics(self.font())
        return QSize(metrics.averageCharWidth() * 4, super().minimumSizeHint().height())

    def sizeHint(self) -> QSize:
        # QLabel's own width, plus one pixel of grace for fractional advances.
        return super().sizeHint() + QSize(1, 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        shown = self.fontMetrics().elidedText(self.text(), self._mode, self.contentsRect().width())
        tip = self._tip or (self.text() if shown != self.text() else "")
        if tip != self.toolTip():
            self.setToolTip(tip)
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.contentsRect(), int(self.alignment()), shown)
