"""The composer's one button: a filled circle with an arrow to send or a square to stop. Sends nothing itself."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QWidget

from app.i18n import tr
from app.ui.icons import tinted_pixmap
from app.ui.theme import Theme


class SendButton(QAbstractButton):
    """Stop is always possible, send only when `enabled`."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._generating = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.set_state(generating=False, enabled=False)

    def set_state(self, *, generating: bool, enabled: bool, reason: str = "") -> None:
        """`reason` says why sending is not possible."""
        self._generating = generating
        self.setEnabled(generating or enabled)
        label = tr("Stop the answer") if generating else tr("Send")
        self.setAccessibleName(label)
        self.setAccessibleDescription("" if generating else reason)
        self.setToolTip(label if generating else reason or label)
        self.update()

    def _on_theme_changed(self) -> None:
        side = self._theme.space(9)
        self.setFixedSize(side, side)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.space(9), self._theme.space(9))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self.isEnabled():
            fill = "pressed"
        elif self._generating:
            fill = "text_muted" if self.underMouse() else "text"
        else:
            fill = "accent_hover" if self.underMouse() or self.isDown() else "accent"
        circle = self.rect().toRectF()
        if self.hasFocus():
            painter.setPen(QPen(self._theme.color("focus"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(circle.adjusted(1, 1, -1, -1))
            circle.adjust(4, 4, -4, -4)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.color(fill))
        painter.drawEllipse(circle)
        if self._generating:
            side = 11 * self._theme.zoom
            square = QRectF(0, 0, side, side)
            square.moveCenter(circle.center())
            painter.setBrush(self._theme.color("surface"))
            painter.drawRoundedRect(square, side / 5, side / 5)
            return
        side = round(20 * self._theme.zoom)
        color = "on_accent" if self.isEnabled() else "text_faint"
        pixmap = tinted_pixmap(self._theme, "arrow-up", color=color, size=side)
        corner = circle.center().toPoint()
        painter.drawPixmap(corner.x() - side // 2, corner.y() - side // 2, pixmap)
