"""The big round buttons of the voice view: one to hold while you speak, one to mute. They say what was asked only."""

from __future__ import annotations

from PySide6.QtCore import QElapsedTimer, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QWidget

from app.i18n import tr
from app.ui.icons import tinted_pixmap
from app.ui.theme import Theme

BRIEF_MS = 350
_SIDE_UNITS = 16


class RoundButton(QAbstractButton):
    """A disc with an icon, in the accent's colour while it is `lit`."""

    def __init__(self, theme: Theme, icon: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._icon = icon
        self._lit = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    @property
    def is_lit(self) -> bool:
        return self._lit

    def light(self, lit: bool, *, icon: str = "") -> None:
        """Show it as on or off, with another icon if one is given."""
        self._lit, self._icon = lit, icon or self._icon
        self.update()

    def _on_theme_changed(self) -> None:
        side = self._theme.space(_SIDE_UNITS)
        self.setFixedSize(side, side)
        self.update()

    def sizeHint(self) -> QSize:
        return self.size()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        circle: QRectF = self.rect().toRectF().adjusted(3, 3, -3, -3)
        if self.hasFocus():
            painter.setPen(QPen(theme.color("focus"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(circle.adjusted(-2, -2, 2, 2))
            circle.adjust(3, 3, -3, -3)
        fill = "accent" if self._lit else "pressed" if self.underMouse() else "raised"
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color(fill))
        painter.drawEllipse(circle)
        side = theme.space(6.5)
        pixmap = tinted_pixmap(theme, self._icon, color="on_accent" if self._lit else "text", size=side)
        corner = circle.center().toPoint()
        painter.drawPixmap(corner.x() - side // 2, corner.y() - side // 2, pixmap)
        painter.end()


class HoldButton(RoundButton):
    """Hold it while you speak. `begin` and `finish` are a press and a release by other means.

    Pressed only briefly it stays on until it is pressed again, for whoever cannot hold a key or a button: that is also
    how a screen reader presses it.
    """

    held = Signal(bool)

    def __init__(self, theme: Theme, parent: QWidget | None = None, *, brief_ms: int = BRIEF_MS) -> None:
        super().__init__(theme, "mic", parent)
        self._brief_ms = brief_ms
        self._clock = QElapsedTimer()
        self._stays = self._is_ending = False
        self.setAccessibleName(tr("Talk"))
        self.setAccessibleDescription(
            tr("Hold it while you speak. Pressed briefly, it stays on until you press it again.")
        )
        self.pressed.connect(self.begin)
        self.released.connect(self.finish)

    @property
    def is_on(self) -> bool:
        """The person is to be heard."""
        return self.is_lit

    def begin(self) -> None:
        if self.is_on:
            self._is_ending = True
            self._turn(False)
        else:
            self._clock.start()
            self._turn(True)

    def finish(self) -> None:
        if self._is_ending:
            self._is_ending = False
        elif self.is_on and not self._stays:
            if self._clock.elapsed() < self._brief_ms:
                self._stays = True
            else:
                self._turn(False)

    def let_go(self) -> None:
        """Whatever held it is over."""
        self._is_ending = False
        self._turn(False)

    def _turn(self, on: bool) -> None:
        self._stays = False
        if on != self.is_on:
            self.light(on)
            self.held.emit(on)

    def hitButton(self, position: QPoint) -> bool:
        """A hand that moves a little does not let go."""
        return self.isDown() or super().hitButton(position)


class MuteButton(RoundButton):
    """Large, so that it is found at once."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, "mic", parent)
        self.set_muted(False)

    def set_muted(self, muted: bool, *, shortcut: str = "") -> None:
        self.light(muted, icon="mic-off" if muted else "mic")
        label = tr("Unmute") if muted else tr("Mute")
        self.setAccessibleName(label)
        self.setToolTip(f"{label}  {shortcut}".rstrip())
