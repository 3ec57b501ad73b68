"""The passages that were found for one answer: which way was used, what was read, what the answer leans on.

Shows rows; whoever made them knows where they come from and what a click opens.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from app.i18n import tr
from app.passage_place import SNIPPET_CHARACTERS
from app.ui.documents_passages import PassageLine, PassageList
from app.ui.theme import Theme
from engine.display_name import display_name


def source_line(
    number: int,
    name: str,
    where: str,
    section: str,
    text: str,
    *,
    score: float | None = None,
    used: bool = False,
    verdict: str = "",
) -> PassageLine:
    """A row of the list: a file's name as it is, and a passage's text of any length."""
    line = " ".join(text[: 2 * SNIPPET_CHARACTERS].split())[:SNIPPET_CHARACTERS]
    return PassageLine(number, display_name(name), where, section, line, score, used, verdict)


class SourcesList(QWidget):
    """A sentence above, the passages below. A click or Enter shows a passage on its page."""

    passage_chosen = Signal(int)
    """A row's number."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.head = QLabel(self)
        self.head.setTextFormat(Qt.TextFormat.PlainText)
        self.head.setWordWrap(True)
        self.note = QLabel(self)
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.note.setProperty("kind", "caption")
        self.note.setWordWrap(True)
        self.list = PassageList(theme, self, one_click=True)
        self.list.setAccessibleName(tr("Sources of the answer"))
        self.list.passage_chosen.connect(self.passage_chosen)
        self._words = QVBoxLayout()
        self._words.addWidget(self.head)
        self._words.addWidget(self.note)
        self._column = QVBoxLayout(self)
        self._column.addLayout(self._words)
        self._column.addWidget(self.list, 1)
        self.setFocusProxy(self.list)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.set_sources((), tr("No documents were looked at for this answer."))

    def set_sources(self, lines: Sequence[PassageLine], head: str, *, question: str = "") -> None:
        """Show these below the sentence `head`. `question` is what was looked for, where that is not the message."""
        self.head.setText(head)
        self.note.setText(tr("Looked for: {question}", question=" ".join(question.split())) if question else "")
        self.note.setVisible(bool(question))
        self.list.passages.show(lines)
        self.list.setVisible(bool(lines))
        self.list.setAccessibleName(head)

    def show_number(self, number: int) -> None:
        """Bring passage `number` into view and put the keyboard's place on it."""
        for row, line in enumerate(self.list.passages.lines):
            if line.number == number:
                self.list.setCurrentIndex(self.list.passages.index(row))
                self.list.scrollTo(self.list.currentIndex())

    def _on_theme_changed(self) -> None:
        space = self._theme.space
        self._column.setContentsMargins(0, space(3), 0, 0)
        self._column.setSpacing(space(2))
        self._words.setContentsMargins(space(4), 0, space(4), 0)
        self._words.setSpacing(space(1))
