"""The chosen entry of the gallery: what it is, what it begins with, and what can be done with it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from app.i18n import ntr, tr
from app.ui.icons import IconButton
from app.ui.persona_gallery_entries import Entry
from app.ui.persona_gallery_list import EntryPictures
from app.ui.plain_label import plain_label
from app.ui.theme import Theme

_STARTERS = 4


class GalleryDetails(QWidget):
    """Says what was asked for; does nothing itself."""

    chat_requested = Signal()
    edit_requested = Signal()
    review_requested = Signal()
    add_requested = Signal()
    menu_requested = Signal()

    def __init__(self, theme: Theme, pictures: EntryPictures, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._pictures = theme, pictures
        self.entry: Entry | None = None
        self._mark = QLabel()
        self._name = plain_label("", "display")
        self._about = plain_label("", "caption")
        self._description = plain_label("", "")
        self._problem = plain_label("", "danger")
        self._tags = plain_label("", "caption")
        self._begin = plain_label("", "large")
        self._begin.setText(tr("You could ask"))
        self._starters = plain_label("", "muted")
        self.main_button = QPushButton()
        self.main_button.setProperty("kind", "primary")
        self.edit_button = QPushButton(tr("Edit…"))
        self.more_button = IconButton(theme, "ellipsis", tr("More"))
        self._empty = plain_label("", "muted")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._lay_out()
        self.main_button.clicked.connect(self.act)
        self.edit_button.clicked.connect(self.edit_requested)
        self.more_button.clicked.connect(self.menu_requested)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.show_entry(None)

    def show_entry(self, entry: Entry | None) -> None:
        """Show one; None: nothing is there, or nothing matches."""
        self.entry = entry
        self._page.setVisible(entry is not None)
        self._empty.setVisible(entry is None)
        self._empty.setText(tr("Nothing here is like that."))
        if entry is None:
            return
        self._mark.setPixmap(self._pictures.pixmap(entry, self._theme.space(20)))
        shelved = entry.shelved
        self._put(self._name, entry.name)
        self._put(self._about, _about(entry))
        self._put(self._description, entry.description)
        self._put(self._problem, entry.problem)
        self._put(self._tags, " · ".join(entry.tags))
        self._put(self._starters, "\n".join(f"“{' '.join(each.split())}”" for each in entry.starters[:_STARTERS]))
        self._begin.setVisible(bool(entry.starters))
        words = ""
        if shelved is not None:
            words = tr("Chat") if shelved.usable else tr("Look at it…")
        elif not entry.problem:
            words = tr("Add") if entry.built_in is not None else tr("Add…")
        self.main_button.setText(words)
        self.main_button.setVisible(bool(words))
        self.edit_button.setVisible(shelved is not None and shelved.usable)
        self.more_button.setVisible(shelved is not None)

    def act(self) -> None:
        """What the main button says."""
        entry = self.entry
        if entry is None:
            return
        if entry.shelved is not None:
            (self.chat_requested if entry.shelved.usable else self.review_requested).emit()
        elif not entry.problem:
            self.add_requested.emit()

    @staticmethod
    def _put(label: QLabel, text: str) -> None:
        label.setText(text)
        label.setVisible(bool(text))

    def _lay_out(self) -> None:
        self._buttons = QHBoxLayout()
        for button in (self.main_button, self.edit_button):
            button.setAutoDefault(False)
            self._buttons.addWidget(button)
        self._buttons.addWidget(self.more_button)
        self._buttons.addStretch(1)
        content = QWidget()
        content.setProperty("kind", "plain")
        self._column = QVBoxLayout(content)
        self._column.addWidget(self._mark)
        for label in (self._name, self._about, self._description, self._problem):
            self._column.addWidget(label)
        self._column.addLayout(self._buttons)
        for label in (self._begin, self._starters, self._tags):
            self._column.addWidget(label)
        self._column.addStretch(1)
        self._page = QScrollArea(self)
        self._page.setWidgetResizable(True)
        self._page.setFrameShape(QFrame.Shape.NoFrame)
        self._page.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._page.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._page.setWidget(content)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._page, 1)
        whole.addWidget(self._empty, 1)

    def _on_theme_changed(self) -> None:
        space = self._theme.space
        self._column.setContentsMargins(space(8), space(8), space(8), space(6))
        self._column.setSpacing(space(3))
        self._buttons.setSpacing(space(2))
        self._buttons.setContentsMargins(0, space(2), 0, space(4))
        if self.entry is not None:
            self.show_entry(self.entry)


def _about(entry: Entry) -> str:
    parts: list[str] = []
    if entry.shelved is not None:
        parts.append(tr("Version {number}", number=entry.shelved.number))
    elif entry.version:
        parts.append(tr("Version {number}", number=entry.version))
    if entry.author:
        parts.append(tr("by {author}", author=entry.author))
    if entry.n_documents:
        parts.append(ntr("{count} document", "{count} documents", entry.n_documents))
    if entry.offer is not None and not entry.problem:
        signed = entry.signed_by
        parts.append(tr("signed: {words}", words=signed) if signed else tr("nobody has signed it"))
    return " · ".join(parts)
