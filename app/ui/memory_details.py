"""The page of the context window that is selected: what it is, how it begins, and what can be done with it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.i18n import tr
from app.memory_view import MemoryPage, MemoryView
from app.ui.elided_label import ElidedLabel
from app.ui.memory_words import page_name, state_texts, tokens_text
from app.ui.theme import TextSize, Theme
from engine.context.segments import Origin
from engine.pages import PageState

LINES = 6
"""So many lines of a page's text are shown."""
_READ_CHARACTERS = 700


class PageDetails(QFrame):
    """Hidden while no page is selected."""

    message_requested = Signal(str)
    pin_requested = Signal(str, bool)
    evict_requested = Signal(str, bool)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._page: MemoryPage | None = None
        self.setProperty("kind", "banner")
        self._name = ElidedLabel(Qt.TextElideMode.ElideMiddle)
        self._name.setProperty("kind", "large")
        self._state = QLabel()
        self._state.setProperty("kind", "caption")
        self._state.setWordWrap(True)
        self._text = QLabel()
        self._text.setTextFormat(Qt.TextFormat.PlainText)  # a file's words are a stranger's
        self._text.setWordWrap(True)
        self._text.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.show_button = QPushButton(tr("Show in chat"))
        self.show_button.setProperty("kind", "link")
        self.pin_button = QPushButton()
        self.evict_button = QPushButton()
        self.show_button.clicked.connect(self.ask_to_show)
        self.pin_button.clicked.connect(self.ask_to_pin)
        self.evict_button.clicked.connect(self.ask_to_evict)
        self._buttons = QHBoxLayout()
        self._buttons.addWidget(self.pin_button, 1)
        self._buttons.addWidget(self.evict_button, 1)
        self._column = QVBoxLayout(self)
        for widget in (self._name, self._state, self._text):
            self._column.addWidget(widget)
        self._column.addWidget(self.show_button, 0, Qt.AlignmentFlag.AlignLeft)
        self._column.addLayout(self._buttons)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def show_page(self, page: MemoryPage | None, view: MemoryView) -> None:
        """Show a page of `view`; None hides everything."""
        self._page = page
        self.setVisible(page is not None)
        if page is None:
            return
        self._name.setText(page_name(page))
        self._state.setText(" · ".join((tokens_text(page.tokens), *state_texts(page, view))))
        self._text.setText(_beginning(page.text))
        self._text.setVisible(bool(page.text) and not page.growing)
        self.pin_button.setText(tr("Unpin") if page.pinned else tr("Pin"))
        out = page.state is PageState.OUT
        self.evict_button.setText(tr("Take back in") if out else tr("Leave out"))
        self.show_button.setVisible(bool(page.message_id))
        self.pin_button.setVisible(can_be_moved(page))
        self.evict_button.setVisible(can_be_evicted(page))

    def ask_to_show(self) -> None:
        if self._page is not None and self._page.message_id:
            self.message_requested.emit(self._page.message_id)

    def ask_to_pin(self) -> None:
        """Pin or unpin the page."""
        if self._page is not None and can_be_moved(self._page):
            self.pin_requested.emit(self._page.message_id, not self._page.pinned)

    def ask_to_evict(self) -> None:
        """Leave the page out, or take it back in."""
        page = self._page
        if page is not None and can_be_evicted(page):
            self.evict_requested.emit(page.message_id, page.state is not PageState.OUT)

    def _on_theme_changed(self) -> None:
        space = self._theme.space
        self._column.setContentsMargins(space(3), space(2.5), space(3), space(3))
        self._column.setSpacing(space(1.5))
        self._buttons.setSpacing(space(2))
        self._text.setMaximumHeight(LINES * QFontMetrics(self._theme.font(TextSize.BODY)).lineSpacing())


def can_be_moved(page: MemoryPage) -> bool:
    """Whether a page is a message of the chat that can be pinned or left out."""
    return bool(page.message_id) and not page.growing and page.origin not in (Origin.APP, Origin.PERSONA)


def can_be_evicted(page: MemoryPage) -> bool:
    """Whether a page can be left out or, if the person left it out, be taken back in. A pinned one stays."""
    return can_be_moved(page) and (page.excluded if page.state is PageState.OUT else not page.pinned)


def _beginning(text: str) -> str:
    lines = [line for line in text[:_READ_CHARACTERS].splitlines() if line.strip()]
    shown = "\n".join(lines[:LINES])
    return f"{shown} …" if len(lines) > LINES or len(text) > _READ_CHARACTERS else shown
