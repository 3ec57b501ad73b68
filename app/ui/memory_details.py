"""The page of the context window that is selected: what it is, how it begins, and what can be done with it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from app.i18n import tr
from app.memory_pages import MemoryPage, WhyOut
from app.memory_view import MemoryView
from app.ui.elided_label import ElidedLabel
from app.ui.memory_words import page_name, state_texts, tokens_text
from app.ui.theme import TextSize, Theme
from engine.context.segments import Origin
from engine.pages import PageState

LINES = 6
"""So many lines of a page's text are shown."""
_READ_CHARACTERS = 700
_QWIDGETSIZE_MAX = 16_777_215
_FIXED = frozenset({Origin.APP, Origin.PERSONA, Origin.SUMMARY})
"""Origins of pages that are no messages of the chat."""


class PageDetails(QFrame):
    """Hidden while no page is selected."""

    message_requested = Signal(str)
    pin_requested = Signal(str, bool)
    evict_requested = Signal(str, bool)
    summary_edited = Signal(str, str)
    """A summary's id and the person's words for it."""
    summary_undone = Signal(str)

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
        self.edit_button = QPushButton()
        self.undo_button = QPushButton()
        self.edit_button.clicked.connect(self._on_edit)
        self.undo_button.clicked.connect(self._on_undo)
        self.editor = QPlainTextEdit()
        self.editor.setAccessibleName(tr("Words of the summary"))
        self._buttons = QHBoxLayout()
        for button in (self.pin_button, self.evict_button, self.edit_button, self.undo_button):
            self._buttons.addWidget(button, 1)
        self._column = QVBoxLayout(self)
        for widget in (self._name, self._state, self._text, self.editor):
            self._column.addWidget(widget)
        self._column.addWidget(self.show_button, 0, Qt.AlignmentFlag.AlignLeft)
        self._column.addLayout(self._buttons)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def show_page(self, page: MemoryPage | None, view: MemoryView) -> None:
        """Show a page of `view`; None hides everything."""
        if page is None or self._page is None or page.key != self._page.key:
            self.editor.hide()
        self._page = page
        self.setVisible(page is not None)
        if page is None:
            return
        self._name.setText(page_name(page))
        self._state.setText(" · ".join((tokens_text(page.tokens), *state_texts(page, view))))
        is_summary = page.origin == Origin.SUMMARY and bool(page.message_id)
        self._text.setText(page.text if is_summary else _beginning(page.text))
        self._text.setMaximumHeight(_QWIDGETSIZE_MAX if is_summary else LINES * self._line)
        self.pin_button.setText(tr("Unpin") if page.pinned else tr("Pin"))
        out = page.state is PageState.OUT
        self.evict_button.setText(tr("Take back in") if out else tr("Leave out"))
        self.show_button.setVisible(bool(page.message_id) and not is_summary)
        self.pin_button.setVisible(can_be_moved(page))
        self.evict_button.setVisible(can_be_evicted(page))
        for button in (self.edit_button, self.undo_button):
            button.setVisible(is_summary)
        self._show_editing(not self.editor.isHidden())

    def ask_to_show(self) -> None:
        if self._page is not None and self._page.message_id and self._page.origin != Origin.SUMMARY:
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

    def _show_editing(self, editing: bool) -> None:
        page = self._page
        self.editor.setVisible(editing)
        self._text.setVisible(not editing and page is not None and bool(page.text) and not page.growing)
        self.edit_button.setText(tr("Save") if editing else tr("Edit"))
        self.undo_button.setText(tr("Cancel") if editing else tr("Undo summary"))

    def _on_edit(self) -> None:
        editing = not self.editor.isHidden()
        if self._page is not None and editing and (words := self.editor.toPlainText().strip()):
            self.summary_edited.emit(self._page.message_id, words)
        elif self._page is not None and not editing:
            self.editor.setPlainText(self._page.text)
        self._show_editing(not editing)
        if not editing:
            self.editor.setFocus()

    def _on_undo(self) -> None:
        if not self.editor.isHidden():
            self._show_editing(False)
        elif self._page is not None:
            self.summary_undone.emit(self._page.message_id)

    @property
    def _line(self) -> int:
        return QFontMetrics(self._theme.font(TextSize.BODY)).lineSpacing()

    def _on_theme_changed(self) -> None:
        space = self._theme.space
        self._column.setContentsMargins(space(3), space(2.5), space(3), space(3))
        self._column.setSpacing(space(1.5))
        self._buttons.setSpacing(space(2))
        self.editor.setFixedHeight(2 * LINES * self._line)
        colors = self._theme.colors
        self.editor.setStyleSheet(
            f"QPlainTextEdit {{ background: {colors.surface}; border: 1px solid {colors.border};"
            f" border-radius: {space(1.5)}px; }} QPlainTextEdit:focus {{ border-color: {colors.focus}; }}"
        )


def can_be_moved(page: MemoryPage) -> bool:
    """Whether a page is a message of the chat that can be pinned or left out."""
    return bool(page.message_id) and not page.growing and page.origin not in _FIXED


def can_be_evicted(page: MemoryPage) -> bool:
    """Whether a page can be left out or, if the person left it out, be taken back in. A pinned one stays."""
    return can_be_moved(page) and (page.why_out is WhyOut.PERSON if page.state is PageState.OUT else not page.pinned)


def _beginning(text: str) -> str:
    lines = [line for line in text[:_READ_CHARACTERS].splitlines() if line.strip()]
    shown = "\n".join(lines[:LINES])
    return f"{shown} …" if len(lines) > LINES or len(text) > _READ_CHARACTERS else shown
