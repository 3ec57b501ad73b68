"""What stands in the trial chat before its first question, and the frame around the words to ask."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from app.i18n import tr
from app.personas.persona import Persona
from app.ui.workspace import Workspace

_STARTERS = 4
_SHOWN_CHARACTERS = 300


class TrialStart(QWidget):
    """What stands there before the first question: the greeting, and the starters to choose from."""

    chosen = Signal(str)

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._greeting = QLabel(self)
        self._words = QLabel(
            tr("It answers as it stands at the left, saved or not. Nothing you ask here is kept."), self
        )
        self._words.setProperty("kind", "muted")
        self._buttons = QVBoxLayout()
        self._column = QVBoxLayout(self)
        self._column.addStretch(2)
        for label in (self._greeting, self._words):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            self._column.addWidget(label)
        self._column.addLayout(self._buttons)
        self._column.addStretch(3)
        self._shown: tuple[str, ...] | None = None
        workspace.theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def show_persona(self, persona: Persona) -> None:
        """Greet as the persona does, and offer its starters."""
        greeting = " ".join(persona.greeting.split())
        self._greeting.setText(greeting if len(greeting) <= _SHOWN_CHARACTERS else f"{greeting[:_SHOWN_CHARACTERS]}…")
        self._greeting.setVisible(bool(greeting))
        starters = persona.starters[:_STARTERS]
        if starters == self._shown:
            return
        self._shown = starters
        while (item := self._buttons.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for each in starters:
            button = QPushButton(each if len(each) <= 60 else f"{each[:60]}…")
            button.setProperty("kind", "starter")
            button.setAutoDefault(False)
            button.setCursor(Qt.CursorShape.PointingHandCursor)
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            button.clicked.connect(lambda _checked=False, words=each: self.chosen.emit(words))
            self._buttons.addWidget(button)

    def _on_theme_changed(self) -> None:
        space = self._workspace.theme.space
        self._column.setContentsMargins(space(6), space(4), space(6), space(4))
        self._column.setSpacing(space(4))
        self._buttons.setSpacing(space(2))


class WordsFrame(QWidget):
    """The rounded frame around the words to send."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = workspace.theme

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(self._theme.color("border"))
        painter.setBrush(self._theme.color("surface"))
        radius = self._theme.space(4)
        painter.drawRoundedRect(self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)
