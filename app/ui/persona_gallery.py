"""The gallery: all personas there are, to talk with, to make one's own, to add; a search and tags over them.

Own ones are as the shelf has them; those that come with Hearth and bundles in folders can be added to it. What a
folder holds is looked at off the main thread, as often as the gallery opens.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.i18n import tr
from app.personas import builtin
from app.personas.builtin import BuiltIn
from app.personas.folder import Shelved
from app.personas.shelves import LocalShelf, Offer, matching, tags_of
from app.ui.icons import themed_icon
from app.ui.library import sentence_of
from app.ui.persona_exchange import PersonaExchange
from app.ui.persona_gallery_details import GalleryDetails
from app.ui.persona_gallery_entries import Entry, Group, entries_of
from app.ui.persona_gallery_list import EntryPictures, GalleryList
from app.ui.persona_gallery_tags import TagChips
from app.ui.persona_gallery_ways import WaysToGetOne, open_freely
from app.ui.persona_menu import persona_menu
from app.ui.persona_operations import PersonaOperations
from app.ui.persona_review import review_persona
from app.ui.persona_versions import VersionsDialog
from app.ui.toast import Toasts
from app.ui.workspace import Workspace

_FOLDERS = "persona.shelves"
_ENTERS = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class GalleryDialog(QDialog):
    """Type to search, arrows to choose, Enter to do what the main button says. Escape leaves the search, then it."""

    chat_requested = Signal(str)
    """The person wants to talk with the persona of this short name; the gallery has closed."""
    looked = Signal()
    """What comes with Hearth and what lies in the folders is known."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        theme = workspace.theme
        self._built_in: tuple[BuiltIn, ...] = ()
        self._offers: tuple[Offer, ...] = ()
        self._closed = False
        self.setWindowTitle(tr("Personas"))
        self.toasts = Toasts(theme, self)
        self.operations = PersonaOperations(workspace, self.toasts, self)
        self.exchange = PersonaExchange(workspace, self.toasts, self)
        self.ways = WaysToGetOne(workspace, self.exchange, self)
        pictures = EntryPictures(workspace.persona_icons)
        self.search = QLineEdit(self)
        self.search.setProperty("kind", "search")
        self.search.setPlaceholderText(tr("Search personas"))
        self.search.setAccessibleName(tr("Search personas"))
        self.search.setClearButtonEnabled(True)
        self._search_mark = self.search.addAction(
            themed_icon(theme, "search", size=16), QLineEdit.ActionPosition.LeadingPosition
        )
        self.tags = TagChips(theme, self)
        self.list = GalleryList(theme, pictures, self)
        self.details = GalleryDetails(theme, pictures, self)
        self.new_button = QPushButton(tr("New persona…"), self)
        self.more_button = QPushButton(tr("More ways…"), self)
        self._lay_out()
        self._connect()
        self._on_theme_changed()
        self._show()
        self.look()
        self.search.setFocus()

    def look(self) -> None:
        """Look again at what comes with Hearth and what lies in the folders."""
        folders = tuple(Path(each) for each in self._workspace.settings.texts(_FOLDERS))

        def find() -> tuple[tuple[BuiltIn, ...], tuple[Offer, ...]]:
            return builtin.offers(), LocalShelf(folders).found()

        def found(both: tuple[tuple[BuiltIn, ...], tuple[Offer, ...]]) -> None:
            if not self._closed:
                self._built_in, self._offers = both
                self._show()
                self.looked.emit()

        self._workspace.bridge.then(self._workspace.run(find), found, self._on_failed)

    def add(self, entry: Entry) -> None:
        """Put what is offered on the person's shelf; a stranger's is shown in full first."""
        personas = self._workspace.personas
        if (built_in := entry.built_in) is not None:
            personas.run(lambda shelf: builtin.add(shelf, built_in), self._on_added, failed=self._on_failed)
        elif (offer := entry.offer) is not None:
            path = offer.path

            def taken(shelved: Shelved) -> None:
                if self._closed:
                    return
                self._choose(shelved)
                review_persona(self._workspace, self, shelved, accepted=self._on_added)

            personas.run(lambda shelf: shelf.take_bundle(path), taken, failed=self._on_failed)

    # What is shown

    def _show(self) -> None:
        personas = self._workspace.personas
        every = entries_of(personas.personas, personas.problems, self._built_in, self._offers)
        self.tags.show_tags(tags_of(every))
        self.list.show_entries(matching(every, self.search.text(), self.tags.wanted))
        self._show_entry()

    def _show_entry(self) -> None:
        self.details.show_entry(self.list.entry)

    # What is done with the chosen one

    def _shelved(self) -> Shelved | None:
        entry = self.list.entry
        return entry.shelved if entry is not None else None

    def _on_chat(self) -> None:
        if (shelved := self._shelved()) is not None:
            self._leave_for(shelved.persona.short_name)

    def _leave_for(self, short_name: str) -> None:
        self.done(QDialog.DialogCode.Accepted)
        self.chat_requested.emit(short_name)

    def _on_edit(self) -> None:
        if (shelved := self._shelved()) is not None:
            self.ways.edit(shelved.persona.short_name)

    def _on_review(self) -> None:
        if (shelved := self._shelved()) is not None:
            self.operations.review(shelved)

    def _on_add(self) -> None:
        if (entry := self.list.entry) is not None:
            self.add(entry)

    def _on_menu(self) -> None:
        shelved, services = self._shelved(), self._workspace.services
        if shelved is None or services is None:
            return
        short_name = shelved.persona.short_name
        menu = persona_menu(self._workspace, self.operations, self.exchange, shelved, self)
        versions = QAction(themed_icon(self._workspace.theme, "history"), tr("Versions…"), menu)
        versions.triggered.connect(lambda: open_freely(VersionsDialog(self._workspace, services, short_name, self)))
        menu.insertAction(menu.actions()[0], versions)
        menu.popup(self.details.more_button.mapToGlobal(self.details.more_button.rect().bottomLeft()))

    def _on_added(self, shelved: Shelved) -> None:
        if not self._closed:
            self._choose(shelved)
            self.toasts.show(tr("“{name}” can be used now.", name=shelved.persona.name))

    def _choose(self, shelved: Shelved) -> None:
        if not self.list.choose(Group.OWN, shelved.persona.short_name):
            self._workspace.personas.show(shelved)  # the list is read again in a moment only
            self.search.clear()
            self.list.choose(Group.OWN, shelved.persona.short_name)

    # The rest

    def _on_failed(self, error: BaseException) -> None:
        if not self._closed:
            self.toasts.show(sentence_of(error))

    def _lay_out(self) -> None:
        self._side = QFrame(self)
        self._side.setProperty("kind", "panel")
        self._left = QVBoxLayout(self._side)
        self._left.addWidget(self.search)
        self._left.addWidget(self.tags)
        self._left.addWidget(self.list, 1)
        self._foot = QHBoxLayout()
        for button in (self.new_button, self.more_button):
            button.setAutoDefault(False)
            self._foot.addWidget(button, 1)
        self._left.addLayout(self._foot)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self._side)
        row.addWidget(self.details, 1)

    def _connect(self) -> None:
        personas, details = self._workspace.personas, self.details
        personas.changed.connect(self._show)
        personas.failed.connect(self.toasts.show)
        self._workspace.persona_icons.changed.connect(self._show_pictures)
        self.tags.wanted_changed.connect(self._show)
        self.search.textChanged.connect(self._show)
        self.search.installEventFilter(self)
        self.list.entry_changed.connect(self._show_entry)
        self.list.activated_entry.connect(lambda _entry: details.act())
        details.chat_requested.connect(self._on_chat)
        details.edit_requested.connect(self._on_edit)
        details.review_requested.connect(self._on_review)
        details.add_requested.connect(self._on_add)
        details.menu_requested.connect(self._on_menu)
        self.operations.begin_requested.connect(self._leave_for)
        self.exchange.begin_requested.connect(self._leave_for)
        ways = self.ways
        ways.chat_requested.connect(self._leave_for)
        ways.saved.connect(lambda name: self.list.choose(Group.OWN, name))
        ways.folders_changed.connect(self.look)
        self.new_button.clicked.connect(lambda: ways.edit(None))
        self.more_button.clicked.connect(lambda: ways.show_menu(self.more_button))
        keys = QKeySequence.StandardKey
        for sequence, run in ((keys.New, lambda: ways.edit(None)), (keys.Find, self.search.setFocus)):
            QShortcut(QKeySequence(sequence), self).activated.connect(run)
        self._workspace.theme.changed.connect(self._on_theme_changed)

    def _show_pictures(self) -> None:
        self.list.viewport().update()
        self._show_entry()

    def _on_theme_changed(self) -> None:
        theme, space = self._workspace.theme, self._workspace.theme.space
        self._side.setFixedWidth(space(85))
        self._left.setContentsMargins(space(3), space(4), space(3), space(4))
        self._left.setSpacing(space(2))
        self._foot.setSpacing(space(2))
        self._search_mark.setIcon(themed_icon(theme, "search", size=round(16 * theme.zoom)))
        self.resize(space(230), space(165))

    def done(self, result: int) -> None:
        """Close it."""
        if not self._closed:
            self._closed = True
            self._workspace.personas.changed.disconnect(self._show)
        super().done(result)

    # Qt

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.search and isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress:
            if event.key() == Qt.Key.Key_Escape and self.search.text():
                self.search.clear()
                return True
            if event.key() in _ENTERS:
                self.details.act()
                return True
            if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up):
                self.list.setFocus()
                self.list.keyPressEvent(event)
                return True
        return super().eventFilter(watched, event)


def open_gallery(parent: QWidget, workspace: Workspace) -> GalleryDialog | None:
    """Show the gallery, modal to `parent`. None while the services are not open."""
    if workspace.services is None:
        return None
    dialog = GalleryDialog(workspace, parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.open()
    return dialog
