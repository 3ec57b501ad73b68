"""A calm picture of who is speaking: a disc that breathes with the sound, and changes its shape with the mood.

Repaints at most 25 times a second, and only while something moves and can be seen; where less motion is wanted,
only when the mood changes. Knows no voice: it is told a mood and how loud it is.
"""

from __future__ import annotations

import math
from enum import StrEnum

from PySide6.QtCore import QElapsedTimer, QPointF, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QHideEvent, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.ui.theme import Theme


class Mood(StrEnum):
    STILL = "still"
    LISTENING = "listening"
    THINKING = "thinking"
    SPEAKING = "speaking"


SIDE_UNITS = 56
"""In spacing units."""
LIVELY_MS, QUIET_MS = 40, 80
_QUIETEST_DB, _LOUDEST_DB = -50.0, -12.0
_ATTACK_S, _RELEASE_S, _CHANGE_S = 0.06, 0.25, 0.22
"""Time constants: how soon it follows what grows louder, softer, and another mood."""
_BREATH_S, _TURN_S = 4.0, 6.0
_SETTLED = 0.005
_LONGEST_STEP_S = 0.2


def loudness(level: float) -> float:
    """How loud a root mean square of 0..1 seems, 0..1."""
    if level <= 0:
        return 0.0
    db = 20 * math.log10(level)
    return min(1.0, max(0.0, (db - _QUIETEST_DB) / (_LOUDEST_DB - _QUIETEST_DB)))


def mixed(first: QColor, second: QColor, share: float) -> QColor:
    """`share` 0..1 of the second."""
    return QColor.fromRgbF(
        first.redF() + (second.redF() - first.redF()) * share,
        first.greenF() + (second.greenF() - first.greenF()) * share,
        first.blueF() + (second.blueF() - first.blueF()) * share,
    )


class VoicePicture(QWidget):
    """Decoration only: what it shows is also said in words beside it."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._mood = Mood.STILL
        self._weights = {mood: float(mood is Mood.STILL) for mood in Mood}
        self._heard = self._loud = 0.0
        """How loud it is, and how loud it is drawn."""
        self._age_s = 0.0
        self._has_less_motion = False
        self._clock = QElapsedTimer()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._on_tick)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self._on_theme_changed)

    @property
    def mood(self) -> Mood:
        return self._mood

    @property
    def moves(self) -> bool:
        """It is being repainted by and by."""
        return self._timer.isActive()

    def show_mood(self, mood: Mood) -> None:
        if mood is not self._mood:
            self._mood = mood
            self._heard = 0.0
            self._wake()

    def show_level(self, level: float) -> None:
        """A root mean square, 0..1, of whoever speaks."""
        self._heard = loudness(level) if self._mood in (Mood.LISTENING, Mood.SPEAKING) else 0.0
        if self._heard > 0:
            self._wake()

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._age_s += seconds
        for mood in Mood:
            target = float(mood is self._mood)
            self._weights[mood] += (target - self._weights[mood]) * (1 - math.exp(-seconds / _CHANGE_S))
        within = _ATTACK_S if self._heard > self._loud else _RELEASE_S
        self._loud += (self._heard - self._loud) * (1 - math.exp(-seconds / within))

    def is_settled(self) -> bool:
        """Nothing moves any more."""
        return self._mood is Mood.STILL and self._weights[Mood.STILL] > 1 - _SETTLED

    def set_less_motion(self, less: bool) -> None:
        """Change only with the mood."""
        self._has_less_motion = less
        self._wake()

    def _wake(self) -> None:
        if not self.isVisible():
            return
        if self._has_less_motion:
            self._weights = {mood: float(mood is self._mood) for mood in Mood}
            self._loud = self._age_s = 0.0
            self._timer.stop()
            self.update()
        elif not self._timer.isActive():
            self._clock.start()
            self._timer.start(LIVELY_MS)

    def _on_tick(self) -> None:
        handle = self.window().windowHandle()
        if handle is not None and not handle.isExposed():
            return  # minimised, or covered
        self.advance(min(_LONGEST_STEP_S, self._clock.restart() / 1000))
        self.update()
        if self.is_settled():
            self._timer.stop()
            return
        breathes_only = self._mood is Mood.LISTENING and max(self._heard, self._loud) < 2 * _SETTLED
        self._timer.setInterval(QUIET_MS if breathes_only else LIVELY_MS)

    def _on_theme_changed(self) -> None:
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        side = self._theme.space(SIDE_UNITS)
        return QSize(side, side)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._wake()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, weights, loud = self._theme, self._weights, self._loud
        surface, tint, accent = theme.color("surface"), theme.color("selection"), theme.color("accent")
        painter = QPainter(self)
        painter.fillRect(event.rect(), surface)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        centre = self.rect().toRectF().center()
        unit = min(self.width(), self.height()) * 0.29
        listens, thinks, speaks = weights[Mood.LISTENING], weights[Mood.THINKING], weights[Mood.SPEAKING]
        awake = 1 - weights[Mood.STILL]
        breath = math.sin(2 * math.pi * self._age_s / _BREATH_S)

        def disc(radius: float, color: QColor, at: QPointF = centre) -> None:
            painter.setBrush(color)
            painter.drawEllipse(at, radius, radius)

        for reach, share in ((1.0, 0.3), (0.5, 0.55)):
            swell = awake * (0.1 + 0.03 * breath) + (listens + speaks) * 0.5 * loud
            disc(unit * (1 + reach * swell), mixed(surface, tint, share * awake))
        disc(unit * (1 + 0.02 * breath * awake), mixed(theme.color("raised"), tint, awake))
        inner = (
            listens * (0.34 + 0.03 * breath + 0.4 * loud)
            + speaks * (0.8 + 0.01 * breath + 0.18 * loud)
            + thinks * (0.2 + 0.02 * breath)
            + weights[Mood.STILL] * 0.2
        )
        disc(unit * inner, mixed(theme.color("text_faint"), accent, awake))
        if thinks > _SETTLED:
            turn = 2 * math.pi * self._age_s / _TURN_S
            for number in range(3):
                angle = turn + number * 2 * math.pi / 3
                swing = unit * 0.6 * thinks * (1 + 0.06 * math.sin(2 * angle))
                spot = centre + QPointF(math.cos(angle), math.sin(angle)) * swing
                disc(unit * 0.085 * thinks, mixed(tint, accent, thinks), spot)
        painter.end()
