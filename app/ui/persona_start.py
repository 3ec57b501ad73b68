"""What stands in place of a transcript before the first message of a chat with a persona: who it is, its greeting, and
first questions to choose from. Knows no chat; says which question was chosen.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QSpacerItem,
    QVBoxLayout,
    QWidget,
)

from app.i18n import ntr, tr
from app.personas.folder import Shelved
from app.personas.in_use import spoken
from app.ui.elided_label import ElidedLabel
from app.ui.icons import set_button_icon
from app.ui.markdown_view import MarkdownView
from app.ui.persona_icons import PersonaIcons
from app.ui.plain_label import plain_label
from app.ui.theme import Theme

_MOST_STARTERS = 6
_COLUMN_UNITS = 150
_LONG = 34
"""Letters of a first question; longer ones stand one below the other."""


class PersonaStart(QScrollArea):
    """Centred in the room it gets; the questions take the keyboard in their order."""

    starter_chosen = Signal(str)
    """A first question, to be asked at once."""

    def __init__(self, theme: Theme, icons: PersonaIcons, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._icons = theme, icons
        self._shelved: Shelved | None = None
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._page = QWidget()
        self._page.setProperty("kind", "plain")
        self._mark = QLabel()
        self.name = plain_label("", "display")
        self.description = plain_label("", "muted")
        self.about = plain_label("", "caption")
        self._card = QFrame()
        self._card.setProperty("kind", "banner")
        self.greeting = MarkdownView(theme, self._card)
        self._inside = QVBoxLayout(self._card)
        self._inside.addWidget(self.greeting)
        self._holder = QWidget()
        self._grid = QGridLayout(self._holder)
        self.starters: list[QPushButton] = []
        self._middle = QWidget()
        self._column = QVBoxLayout(self._middle)
        for label in (self._mark, self.name, self.description, self.about):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            self._column.addWidget(label)
        self._gap = QSpacerItem(0, 0)
        self._column.addSpacerItem(self._gap)
        self._column.addWidget(self._card)
        self._column.addWidget(self._holder)
        self._outer = QVBoxLayout(self._page)
        self._outer.addStretch(3)
        centred = QHBoxLayout()  # not by alignment: that would forget the lines that words take in this width
        centred.addStretch(1)
        centred.addWidget(self._middle)
        centred.addStretch(1)
        self._outer.addLayout(centred)
        self._outer.addStretch(2)
        self.setWidget(self._page)
        icons.changed.connect(self._show_picture)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def show_persona(self, shelved: Shelved) -> None:
        """Show this one."""
        if shelved == self._shelved:
            return
        self._shelved = shelved
        persona = shelved.persona
        self.name.setText(persona.name)
        self.description.setText(" ".join(spoken(persona, persona.description, tr("you")).split()))
        self.description.setVisible(bool(persona.description))
        self.about.setText(_about(shelved))
        self.about.setVisible(bool(self.about.text()))
        self.greeting.set_text(spoken(persona, persona.greeting, tr("you")))
        self._card.setVisible(bool(persona.greeting.strip()))
        self._show_starters()
        self._show_picture()

    def _show_starters(self) -> None:
        for button in self.starters:
            self._grid.removeWidget(button)
            button.hide()
            button.deleteLater()
        self.starters = []
        words = self._shelved.persona.starters[:_MOST_STARTERS] if self._shelved is not None else ()
        columns = 1 if any(len(starter) > _LONG for starter in words) else 2
        for place, starter in enumerate(words):
            button = QPushButton(self._holder)
            button.setProperty("kind", "starter")
            button.setCursor(Qt.CursorShape.PointingHandCursor)
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            button.setToolTip(starter)
            button.setAccessibleName(tr("Ask: {question}", question=starter))
            button.clicked.connect(lambda _checked=False, asked=starter: self.starter_chosen.emit(asked))
            set_button_icon(button, self._theme, "message-square", color="accent", size=self._theme.space(4))
            self._write(button, starter)
            self._grid.addWidget(button, place // columns, place % columns)
            self.starters.append(button)
        self._holder.setVisible(bool(words))

    def _write(self, button: QPushButton, words: str) -> None:
        """A button's own text would be cut where there is no room for it."""
        space = self._theme.space
        label = ElidedLabel(parent=button)
        label.setText(" ".join(words.split()))
        label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        inside = QHBoxLayout(button)
        inside.setContentsMargins(space(10), 0, space(3.5), 0)
        inside.addWidget(label)
        button.setFixedHeight(space(11.5))

    def _show_picture(self) -> None:
        if self._shelved is not None:
            self._mark.setPixmap(self._icons.pixmap(self._shelved.persona, self._theme.space(16)))

    def _on_theme_changed(self) -> None:
        space = self._theme.space
        self._middle.setFixedWidth(space(_COLUMN_UNITS))
        self._column.setSpacing(space(2.5))
        self._gap.changeSize(0, space(1.5))
        self._inside.setContentsMargins(space(4), space(3), space(4), space(3))
        self._grid.setContentsMargins(0, space(3), 0, 0)
        self._grid.setSpacing(space(2))
        self._outer.setContentsMargins(space(4), space(6), space(4), space(4))
        self._show_starters()
        self._show_picture()


def _about(shelved: Shelved) -> str:
    """Who made it, and what it answers from, in a line."""
    persona = shelved.persona
    parts = [tr("by {author}", author=persona.author)] if persona.author else []
    if persona.knowledge:
        parts.append(
            ntr(
                "answers from {count} document of its own",
                "answers from {count} documents of its own",
                len(persona.knowledge),
            )
        )
    return " · ".join(parts)
