"""The composer's microphone: shows whether it listens, how loud it hears, how far a download is. Opens nothing."""

from __future__ import annotations

from enum import Enum

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app.i18n import tr
from app.ui.icons import IconButton, tinted_pixmap
from app.ui.sound_level import loudness
from app.ui.theme import Theme

_FALLS = 0.7
"""A ring that is larger than the sound shrinks to this share of itself with each report."""


class Stage(Enum):
    """Where dictation stands."""

    OFF = "off"
    OPENING = "opening"
    LISTENING = "listening"
    ENDING = "ending"
    """Closed; the last words are still being written down."""


class MicrophoneButton(IconButton):
    """Says when it is pressed and let go, by pointer or keyboard; a pointer that strays meanwhile changes nothing."""

    pressed_down = Signal()
    let_go = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, "mic", tr("Dictate"), parent=parent)
        self._stage = Stage.OFF
        self._shortcut = ""
        self._ring = 0.0
        self._fraction: float | None = None
        self._is_held = False
        self.setCheckable(True)
        self.pressed.connect(self._on_pressed)
        self.released.connect(self._on_released)

    @property
    def stage(self) -> Stage:
        return self._stage

    @property
    def ring(self) -> float:
        """How loud it shows that it hears, 0..1."""
        return self._ring

    def set_stage(self, stage: Stage) -> None:
        self._stage = stage
        self._ring = 0.0
        self.setChecked(stage in (Stage.OPENING, Stage.LISTENING))
        self._show_label()
        self.update()

    def set_shortcut(self, keys: str) -> None:
        """The keys that the tooltip names."""
        self._shortcut = keys
        self._show_label()

    def show_level(self, level: float) -> None:
        """A root mean square, 0..1."""
        self._ring = max(loudness(level), self._ring * _FALLS)
        self.update()

    def show_fraction(self, fraction: float | None) -> None:
        """How far the download of what hears is, 0..1; None: there is none."""
        self._fraction = fraction
        self._show_label()
        self.update()

    def nextCheckState(self) -> None:
        """Checked is what listens, not what was clicked."""

    def _show_label(self) -> None:
        is_on = self._stage in (Stage.OPENING, Stage.LISTENING)
        self.set_label(tr("Stop dictating") if is_on else tr("Dictate"), shortcut=self._shortcut)
        words = {
            Stage.OFF: tr("Click, or hold while you speak."),
            Stage.OPENING: tr("The microphone is being opened."),
            Stage.LISTENING: tr("Listening."),
            Stage.ENDING: tr("Writing down the last words."),
        }[self._stage]
        if self._fraction is not None:
            words = tr("The models that hear are being fetched: {percent} %", percent=round(100 * self._fraction))
            self.setToolTip(words)
        self.setAccessibleDescription(words)

    def _on_pressed(self) -> None:
        if not self._is_held:
            self._is_held = True
            self.pressed_down.emit()

    def _on_released(self) -> None:
        if self._is_held:
            self._is_held = False
            self.let_go.emit()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        if event.button() is Qt.MouseButton.LeftButton:
            self._on_released()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._stage is Stage.OFF and self._fraction is None:
            super().paintEvent(event)
            return
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        side = min(self.width(), self.height())
        whole = QRectF(0, 0, side, side)
        whole.moveCenter(self.rect().toRectF().center())
        inner = whole.adjusted(*(side * 0.12 * sign for sign in (1, 1, -1, -1)))
        icon = "text_muted"
        if self._stage is Stage.LISTENING:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setOpacity(0.35)
            painter.setBrush(theme.color("accent"))
            grown = side * 0.12 * (1 - self._ring)
            painter.drawEllipse(whole.adjusted(grown, grown, -grown, -grown))
            painter.setOpacity(1.0)
            painter.drawEllipse(inner)
            icon = "on_accent"
        elif self._stage in (Stage.OPENING, Stage.ENDING):
            painter.setPen(QPen(theme.color("accent"), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(inner)
            icon = "accent"
        if self._fraction is not None:
            painter.setPen(QPen(theme.color("border"), 2))
            painter.drawEllipse(inner)
            painter.setPen(QPen(theme.color("accent"), 2))
            painter.drawArc(inner, 90 * 16, -round(360 * 16 * self._fraction))
        if self.hasFocus():
            painter.setPen(QPen(theme.color("focus"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(
                self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5), theme.space(2), theme.space(2)
            )
        size = round(self._size * theme.zoom * (0.85 if self._stage is not Stage.OFF else 0.75))
        corner = inner.center()
        painter.drawPixmap(
            round(corner.x() - size / 2),
            round(corner.y() - size / 2),
            tinted_pixmap(theme, "mic", color=icon, size=size),
        )
