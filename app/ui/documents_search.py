"""What a search of a collection finds, by words and meaning, without any language model.

Asks the library through the flow; knows nothing of what opens.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QLabel, QStackedLayout, QVBoxLayout, QWidget

from app.i18n import ntr, tr
from app.passage_place import PassagePlace, place_of, snippet, where_text
from app.ui.amounts import count_text
from app.ui.documents_flow import DocumentsFlow
from app.ui.documents_passages import PassageLine, PassageList
from app.ui.theme import Theme
from app.ui.toast import announce
from engine.display_name import display_name
from rag.passages import Found, Passage, Way

_PAUSE_MS = 250


def found_line(number: int, passage: Passage, question: str) -> PassageLine:
    """A passage as a line of the list."""
    text, where = snippet(passage.text, question)
    score = passage.score if passage.score > 0 else None
    return PassageLine(
        number, display_name(passage.path.name), where_text(passage), passage.section, text, score, marks=where
    )


class DocumentSearch(QWidget):
    """Searches a moment after the last key; an answer to an older question is dropped."""

    passage_chosen = Signal(object)
    """A `PassagePlace`."""
    searched = Signal(str)
    """The passages for this question are on show."""

    def __init__(self, theme: Theme, flow: DocumentsFlow, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._flow = flow
        self._question = ""
        self._passages: Sequence[Passage] = ()
        self.list = PassageList(theme, self)
        self.list.setAccessibleName(tr("Passages found"))
        self.head = QLabel(self)
        self.head.setProperty("kind", "caption")
        self.head.setContentsMargins(theme.space(4), 0, theme.space(4), theme.space(1))
        self._none = QLabel(self)
        self._none.setProperty("kind", "muted")
        self._none.setTextFormat(Qt.TextFormat.PlainText)
        self._none.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self._none.setWordWrap(True)
        self._none.setContentsMargins(theme.space(6), theme.space(8), theme.space(6), 0)
        results = QWidget(self)
        column = QVBoxLayout(results)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.head)
        column.addWidget(self.list, 1)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(results)
        self._stack.addWidget(self._none)
        self._results = results
        self._timer = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._timer.timeout.connect(self._on_pause)
        self.list.passage_chosen.connect(self._on_chosen)
        self.setFocusProxy(self.list)

    def search(self, question: str, *, at_once: bool = False) -> None:
        """Search for `question` soon; "" shows nothing."""
        self._question = question.strip()
        self._timer.stop()
        if not self._question:
            self._show((), "")
        elif at_once:
            self._on_pause()
        else:
            self._timer.start()

    def choose_current(self) -> None:
        """Show the passage that the keyboard is on, or the first one; search first where that is to come."""
        if self._timer.isActive():
            self.search(self._question, at_once=True)
        else:
            self.list.choose_current()

    def place(self, number: int) -> PassagePlace:
        """Where passage `number` (from 1) stands."""
        return place_of(self._passages[number - 1])

    def _show(self, passages: Sequence[Passage], question: str) -> None:
        self._passages = passages
        self.list.passages.show(())  # the same numbers mean other passages now
        self.list.passages.show([found_line(at, each, question) for at, each in enumerate(passages, 1)])
        self.list.scrollToTop()
        self._stack.setCurrentWidget(self._results if passages else self._none)

    def _on_pause(self) -> None:
        question = self._question
        self._flow.search(
            question,
            lambda found: self._on_found(question, found),
            lambda sentence: self._on_failed(question, sentence),
        )

    def _on_found(self, question: str, found: Found) -> None:
        if question != self._question:
            return
        self._show(found.passages, question)
        count = len(self._passages)
        words = ntr("{number} passage", "{number} passages", count, number=count_text(count))
        if count and not found.by_meaning:
            words = tr("{sentence}, found by words alone", sentence=words)
        elif count and found.way is Way.NOTHING:
            words = tr("Nothing is near to what you are looking for; these come nearest")
        self.head.setText(words)
        self._none.setText(tr("Nothing found for “{query}”.", query=question))
        announce(self, words if count else self._none.text())
        self.searched.emit(question)

    def _on_failed(self, question: str, sentence: str) -> None:
        if question == self._question:
            self._show((), question)
            self._none.setText(sentence)
            announce(self, sentence)
            self.searched.emit(question)

    def _on_chosen(self, number: int) -> None:
        self.passage_chosen.emit(self.place(number))
