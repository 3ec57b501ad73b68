"""What stands in place of a transcript before the first message: a greeting and a few ways to begin.

Knows no conversation: it says which opening words were chosen.
"""

from __future__ import annotations

import datetime as dt

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from app.i18n import tr
from app.ui.icons import set_button_icon, tinted_pixmap
from app.ui.theme import Theme


def greeting(hour: int) -> str:
    """A word for the time of day."""
    if 5 <= hour < 12:
        return tr("Good morning")
    if 12 <= hour < 18:
        return tr("Good afternoon")
    return tr("Good evening")


class StartPage(QWidget):
    """Centred in the room it gets; the cards take the keyboard in their order."""

    starter_chosen = Signal(str)
    """Words to put into the composer."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._mark = QLabel()
        self._greeting = QLabel()
        self._greeting.setProperty("kind", "display")
        self._promise = QLabel(tr("Everything you write stays on this computer."))
        self._promise.setProperty("kind", "muted")
        self._grid = QGridLayout()
        self._cards: list[tuple[QPushButton, str]] = []
        for position, (icon, title, words) in enumerate(
            (
                ("pen-line", tr("Draft a message"), tr("Help me write a short, friendly message about ")),
                ("code", tr("Explain some code"), tr("Explain step by step what this code does:\n\n")),
                ("lightbulb", tr("Think something through"), tr("Help me weigh the pros and cons of ")),
                ("languages", tr("Translate a text"), tr("Translate into English, and keep the tone:\n\n")),
            )
        ):
            card = QPushButton(title)
            card.setProperty("kind", "starter")
            card.setCursor(Qt.CursorShape.PointingHandCursor)
            card.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            card.clicked.connect(lambda _checked=False, text=words: self.starter_chosen.emit(text))
            self._grid.addWidget(card, position // 2, position % 2)
            self._cards.append((card, icon))
        self._column = QVBoxLayout(self)
        self._column.addStretch(3)
        for widget in (self._mark, self._greeting, self._promise):
            self._column.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        self._holder = QWidget()
        self._holder.setLayout(self._grid)
        self._column.addWidget(self._holder, 0, Qt.AlignmentFlag.AlignHCenter)
        self._column.addStretch(2)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.refresh()

    def set_private(self, private: bool) -> None:
        """Whether what is written stays here: only then the page says so."""
        self._promise.setVisible(private)

    def refresh(self) -> None:
        """Greet for the present hour."""
        self._greeting.setText(greeting(dt.datetime.now().astimezone().hour))

    def _on_theme_changed(self) -> None:
        theme, space = self._theme, self._theme.space
        self._mark.setPixmap(tinted_pixmap(theme, "mark", color="accent", size=space(11)))
        for card, icon in self._cards:
            set_button_icon(card, theme, icon, color="accent", size=space(4.5), gap=space(2.5))
        self._grid.setSpacing(space(2))
        self._grid.setContentsMargins(0, space(6), 0, 0)
        self._holder.setFixedWidth(space(128))
        self._column.setSpacing(space(2))
