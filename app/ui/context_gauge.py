"""The context window in a few pixels: a small bar with one stretch for each origin, and two numbers."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from app.amounts import context_text
from app.i18n import tr
from app.ui.amounts import count_text, short_count_text
from app.ui.answer_meter import AnswerMeter
from app.ui.stack_bar import draw_stack
from app.ui.theme import TextSize, Theme

WARN_AT = 0.85
"""From here on the gauge takes the warning colour."""


class ContextGauge(QAbstractButton):
    """How full the context window is; a click opens the panel that explains it."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._used = self._n_ctx = 0
        self._parts: tuple[tuple[str, int], ...] = ()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.updateGeometry)
        self.show_meter(AnswerMeter())

    def show_meter(self, meter: AnswerMeter, n_ctx: int = 0) -> None:
        """Take over the numbers; `n_ctx` is the loaded model's, for a conversation without an answer yet."""
        self._n_ctx = meter.n_ctx or n_ctx
        self._used, self._parts = meter.used, meter.parts
        if self._n_ctx:
            percent = round(100 * self._used / self._n_ctx)
            sentence = tr(
                "Context window: {used} of {total} tokens used ({percent} %)",
                used=count_text(self._used),
                total=count_text(self._n_ctx),
                percent=percent,
            )
        else:
            sentence = tr("Context window: no model is loaded")
        self.setAccessibleName(sentence)
        self.setToolTip(sentence)
        self.updateGeometry()
        self.update()

    @property
    def _text(self) -> str:
        if not self._n_ctx:
            return ""
        return tr("{used} of {total}", used=short_count_text(self._used), total=context_text(self._n_ctx))

    def sizeHint(self) -> QSize:
        space = self._theme.space
        metrics = QFontMetrics(self._theme.font(TextSize.CAPTION))
        text = metrics.horizontalAdvance(self._text) + space(2) if self._text else 0
        return QSize(space(2) + space(16) + text + space(2), metrics.height() + space(2))

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, painter = self._theme, QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5)
        if self.hasFocus() or self.underMouse():
            painter.setPen(QPen(theme.color("focus")) if self.hasFocus() else Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("raised"))
            painter.drawRoundedRect(box, theme.space(2), theme.space(2))
        height = float(theme.space(1.5))
        bar = QRectF(theme.space(2), (self.height() - height) / 2, theme.space(16), height)
        stretches = [(theme.origin_color(origin), tokens) for origin, tokens in self._parts]
        draw_stack(painter, bar, theme, stretches, self._n_ctx)
        nearly_full = self._n_ctx > 0 and self._used / self._n_ctx >= WARN_AT
        painter.setPen(theme.color("warning" if nearly_full else "text_muted"))
        painter.setFont(theme.font(TextSize.CAPTION))
        left = round(bar.right()) + theme.space(2)
        painter.drawText(
            left,
            0,
            self.width() - left,
            self.height(),
            Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft,
            self._text,
        )
