"""The library of documents: collections at the left, what is in the chosen one at the right, a search over it.

Shows what the flow knows and asks before what cannot be taken back. No model is needed for anything here.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, QPoint, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication, QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from app.documents_view import files_text
from app.i18n import tr
from app.passage_place import PassagePlace
from app.ui.amounts import count_text
from app.ui.composer_text import local_files
from app.ui.dialogs import ask_text, confirm, line
from app.ui.documents_actions import LineActions
from app.ui.documents_collections import CollectionsPane
from app.ui.documents_empty import EmptyCollection
from app.ui.documents_flow import DocumentLibrary, DocumentsFlow
from app.ui.documents_hidden import HiddenWordsDialog
from app.ui.documents_list import DocumentList
from app.ui.documents_opening import open_document, reveal
from app.ui.documents_preview import PagePreview
from app.ui.documents_rows import FileLine, Line, Prepared, SourceLine, line_name
from app.ui.documents_search import DocumentSearch
from app.ui.documents_work import WorkLine
from app.ui.icons import IconButton, themed_icon
from app.ui.library import sentence_of
from app.ui.sidebar_model import shown_title
from app.ui.toast import Toasts
from app.ui.workspace import Workspace
from engine.display_name import display_name
from rag.store.types import Collection, FileState, SourceKind

_AT_ONCE = 2_000
"""Files, of which the lines are put together at once."""
_NAME_CHARACTERS = 60
_ENTERS = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


def text_name(text: str) -> str:
    """What a pasted text is called: its first words."""
    first = next((row.strip() for row in text.splitlines() if row.strip()), "")
    name = display_name(" ".join(first.split())[:_NAME_CHARACTERS]).strip()
    return name or tr("Pasted text")


class DocumentsDialog(QDialog):
    """Files, folders and text can be dropped on it and pasted into it. Escape leaves the search, then the dialog."""

    def __init__(self, workspace: Workspace, documents: DocumentLibrary, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace, self._documents = workspace, documents
        theme = workspace.theme
        self.setWindowTitle(tr("Documents"))
        self.setAcceptDrops(True)
        self._shown = 0
        """Counts what was asked to be shown: of several, the last one counts."""
        self.flow = DocumentsFlow(documents, workspace.bridge, self)
        self._toasts = Toasts(theme, self)
        self.collections = CollectionsPane(theme, self._title_of, self)
        self.search = QLineEdit(self)
        self.search.setProperty("kind", "search")
        self.search.setPlaceholderText(tr("Search this collection, by words and by meaning"))
        self.search.setAccessibleName(tr("Search this collection"))
        self.search.setClearButtonEnabled(True)
        self._search_mark = self.search.addAction(
            themed_icon(theme, "search", size=16), QLineEdit.ActionPosition.LeadingPosition
        )
        self.add_files_button = QPushButton(tr("Add files…"), self)
        self.add_folder_button = QPushButton(tr("Add a folder…"), self)
        for button in (self.add_files_button, self.add_folder_button):
            button.setAutoDefault(False)
        self.more_button = IconButton(theme, "ellipsis", tr("More"))
        self.list = DocumentList(theme, self)
        self.found = DocumentSearch(theme, self.flow, self)
        self.empty = EmptyCollection(theme, self)
        self.stack = QStackedWidget(self)
        for widget in (self.list, self.found, self.empty):
            self.stack.addWidget(widget)
        self.actions_bar = LineActions(theme, self)
        self.work = WorkLine(theme, self.flow, self)
        self._lay_out()
        self._connect()
        self._on_theme_changed()
        self.search.setFocus()
        self.flow.refresh()

    # What a person does

    def add_paths(self, paths: list[Path]) -> None:
        """Put files and folders into the chosen collection."""
        if paths:
            self.search.clear()
            self.flow.add(paths)

    def add_text(self, text: str) -> None:
        """Put a text into the chosen collection."""
        if text.strip():
            self.search.clear()
            self.flow.add((), [(text_name(text), text)])

    def paste(self) -> None:
        """Put what the clipboard holds into the chosen collection."""
        self._take(QGuiApplication.clipboard().mimeData())

    def _take(self, mime: QMimeData) -> None:
        if files := local_files(mime):
            self.add_paths(files)
        elif mime.hasText():
            self.add_text(mime.text())

    def _lay_out(self) -> None:
        self._bar = QHBoxLayout()
        self._bar.addWidget(self.search, 1)
        for button in (self.add_files_button, self.add_folder_button, self.more_button):
            self._bar.addWidget(button)
        self._right = QVBoxLayout()
        self._right.setContentsMargins(0, 0, 0, 0)
        self._right.setSpacing(0)
        self._right.addLayout(self._bar)
        self._right.addWidget(self.stack, 1)
        self._between = line(self)
        self._between.hide()
        self._right.addWidget(self._between)
        self._right.addWidget(self.actions_bar)
        self._right.addWidget(self.work)
        edge = QFrame(self)
        edge.setObjectName("documents_edge")
        edge.setFixedWidth(1)
        self._edge = edge
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.collections)
        row.addWidget(edge)
        row.addLayout(self._right, 1)

    def _connect(self) -> None:
        flow, pane = self.flow, self.collections
        flow.collections_changed.connect(self._on_collections)
        flow.files_changed.connect(self._on_files)
        flow.reading_changed.connect(lambda file_id: self.list.lines.set_reading(file_id, flow.reading))
        flow.failed.connect(self._say)
        pane.chosen.connect(self._on_collection_chosen)
        pane.add_requested.connect(self._on_add_collection)
        pane.rename_requested.connect(self._on_rename_collection)
        pane.remove_requested.connect(self._on_remove_collection)
        self.search.textChanged.connect(self._on_search)
        self.search.installEventFilter(self)
        self.found.passage_chosen.connect(self._preview)
        for holder in (self.add_files_button, self.empty.files_button):
            holder.clicked.connect(self._on_add_files)
        for holder in (self.add_folder_button, self.empty.folder_button):
            holder.clicked.connect(self._on_add_folder)
        self.more_button.clicked.connect(self._on_more)
        self.list.line_changed.connect(self._show_line)
        self.list.shown.connect(lambda each: self._on_action("preview", each))
        self.list.remove_requested.connect(lambda each: self._on_action("remove", each))
        self.list.menu_requested.connect(self._on_menu)
        self.actions_bar.requested.connect(self._on_action)
        self.work.failed_requested.connect(self._on_show_failed)
        keys = QKeySequence.StandardKey
        for sequence, run in (
            (keys.Paste, self.paste),
            (keys.Open, self._on_add_files),
            (keys.Find, self._on_find),
            (keys.Refresh, flow.look_again),
        ):
            QShortcut(QKeySequence(sequence), self).activated.connect(run)
        self._workspace.theme.changed.connect(self._on_theme_changed)

    def _say(self, text: str) -> None:
        self._toasts.show(text)

    # What is shown

    def _on_collections(self) -> None:
        self.collections.show_collections(self.flow.collections, self.flow.collection_id)

    def _on_files(self) -> None:
        """Lines are put together on the pool: a hundred thousand files take most of a second."""
        flow, lines = self.flow, self.list.lines
        self._shown += 1
        shown, sources, files = self._shown, flow.sources, flow.files

        def show(prepared: Prepared) -> None:
            if isValid(self) and shown == self._shown:
                self.list.show_files(prepared, flow.reading)
                self._show_stack()

        if len(files) < _AT_ONCE:
            show(lines.prepared(sources, files))
        else:
            prepared = self._workspace.run(lambda: lines.prepared(sources, files))
            self._workspace.bridge.then(prepared, show, self._on_bug)

    def _on_bug(self, error: BaseException) -> None:
        self._say(sentence_of(error))
        raise error

    def _show_stack(self) -> None:
        if self.search.text().strip():
            self.stack.setCurrentWidget(self.found)
        else:
            is_empty = self.flow.loaded and not self.flow.sources
            self.stack.setCurrentWidget(self.empty if is_empty else self.list)
        self._show_line()

    def _show_line(self) -> None:
        chosen = self.list.line if self.stack.currentWidget() is self.list else None
        reading = self.list.lines.reading_of(chosen) if chosen is not None else None
        self.actions_bar.show_line(chosen, reading)
        self._between.setVisible(chosen is not None)

    def _on_search(self, text: str) -> None:
        self.found.search(text)
        self._show_stack()

    def _on_find(self) -> None:
        self.search.setFocus()
        self.search.selectAll()

    def _preview(self, place: PassagePlace) -> None:
        preview = PagePreview(self._workspace, self._documents, place, self)
        preview.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        preview.open()

    # Collections

    def _title_of(self, collection: Collection) -> str:
        """A chat's own collection is called as the chat is."""
        conversation = self._workspace.library.conversation(collection.owner)
        return shown_title(conversation) if conversation is not None else collection.name

    def _on_collection_chosen(self, collection_id: int) -> None:
        self.search.clear()
        self.flow.choose(collection_id)

    def _on_add_collection(self) -> None:
        name = ask_text(self._workspace.theme, self, tr("New collection"), yes=tr("Make"), placeholder=tr("Its name"))
        if name:
            self.flow.add_collection(name)

    def _on_rename_collection(self, collection: Collection) -> None:
        name = ask_text(
            self._workspace.theme, self, tr("Rename the collection"), text=collection.name, yes=tr("Rename")
        )
        if name and name != collection.name:
            self.flow.rename_collection(collection.id, name)

    def _on_remove_collection(self, collection: Collection) -> None:
        if confirm(
            self._workspace.theme,
            self,
            tr("Remove “{name}”?", name=display_name(self._title_of(collection))),
            tr(
                "What Hearth has read of its {files} is deleted at once, and chats find nothing in it any more."
                " The files themselves stay where they are; pasted texts are deleted.",
                files=files_text(collection.n_files, number=count_text),
            ),
            yes=tr("Remove"),
            danger=True,
            icon="trash-2",
        ):
            self.flow.remove_collection(collection.id)

    # Lines

    def _on_action(self, action: str, chosen: Line) -> None:
        path = chosen.file.path if isinstance(chosen, FileLine) else chosen.source.path
        run: dict[str, Callable[[], None]] = {
            "preview": lambda: self._show_document(chosen),
            "retry": lambda: self._retry(chosen),
            "hidden": lambda: self._show_hidden(chosen),
            "open": lambda: open_document(self._workspace, self, path, said=self._say),
            "reveal": lambda: reveal(self._workspace, path),
            "remove": lambda: self._remove(chosen),
        }
        run[action]()

    def _show_document(self, chosen: Line) -> None:
        if not isinstance(chosen, FileLine) or chosen.file.blob_id is None:
            return
        file = chosen.file
        assert file.blob_id is not None
        self._preview(PassagePlace(file.path, file.blob_id, file.title, file.unit, 1, "", 0, 0, 1, 1))

    def _retry(self, chosen: Line) -> None:
        if isinstance(chosen, FileLine):
            self.flow.retry([chosen.file.id])
        else:
            source_id = chosen.source.id
            failed = [
                file.id for file in self.flow.files if file.source_id == source_id and file.state is FileState.FAILED
            ]
            self.flow.retry(failed)

    def _show_hidden(self, chosen: Line) -> None:
        if isinstance(chosen, FileLine) and (blob_id := chosen.file.blob_id) is not None:
            file = chosen.file
            self.flow.hidden_words(
                blob_id, lambda words: HiddenWordsDialog(self._workspace.theme, file, words, self).open()
            )

    def _remove(self, chosen: Line) -> None:
        source = chosen.source
        if isinstance(chosen, FileLine) and source.kind is SourceKind.FOLDER:
            name = display_name(source.name)
            self._say(tr("This file belongs to the folder {name}: remove that, or move the file out of it.", name=name))
            return
        if source.kind is SourceKind.TEXT:
            words = tr("The library holds the only copy of this text. It is deleted at once.")
        elif source.kind is SourceKind.FOLDER:
            n_files = chosen.n_files if isinstance(chosen, SourceLine) else 1
            words = tr(
                "What Hearth has read of its {files} is deleted at once. The folder itself and the files in it stay.",
                files=files_text(n_files, number=count_text),
            )
        else:
            words = tr("What Hearth has read of it is deleted at once. The file itself stays where it is.")
        title = tr("Remove “{name}” from the library?", name=line_name(chosen))
        if confirm(self._workspace.theme, self, title, words, yes=tr("Remove"), danger=True, icon="trash-2"):
            self.flow.remove_source(source.id)

    def _on_menu(self, chosen: Line, at: QPoint) -> None:
        self.actions_bar.menu(chosen, self).popup(at)

    def _on_show_failed(self) -> None:
        self.search.clear()
        self.list.setFocus()
        self.list.choose_next_failed()

    # Adding

    def _on_add_files(self) -> None:
        names, _filter = QFileDialog.getOpenFileNames(self, tr("Add files"))
        self.add_paths([Path(name) for name in names])

    def _on_add_folder(self) -> None:
        if name := QFileDialog.getExistingDirectory(self, tr("Add a folder")):
            self.add_paths([Path(name)])

    def _on_more(self) -> None:
        menu = QMenu(self)
        menu.aboutToHide.connect(menu.deleteLater)
        theme = self._workspace.theme
        for icon, words, keys, run in (
            ("file-text", tr("Paste"), QKeySequence.StandardKey.Paste, self.paste),
            ("refresh-cw", tr("Look at all folders again"), QKeySequence.StandardKey.Refresh, self.flow.look_again),
        ):
            shown = QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)
            menu.addAction(themed_icon(theme, icon), f"{words}\t{shown}").triggered.connect(run)
        menu.popup(self.more_button.mapToGlobal(self.more_button.rect().bottomLeft()))

    def _on_theme_changed(self) -> None:
        theme, space = self._workspace.theme, self._workspace.theme.space
        self._bar.setContentsMargins(space(4), space(4), space(4), space(2))
        self._bar.setSpacing(space(2))
        self._search_mark.setIcon(themed_icon(theme, "search", size=round(16 * theme.zoom)))
        self._edge.setStyleSheet(f"#documents_edge {{ background: {theme.colors.border}; }}")
        self.resize(space(235), space(165))

    # Qt

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.search and isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress:
            if event.key() == Qt.Key.Key_Escape and self.search.text():
                self.search.clear()
                return True
            if event.key() in _ENTERS:
                if self.search.text().strip():
                    self.found.choose_current()
                return True
            if event.key() == Qt.Key.Key_Down:
                shown = self.found.list if self.stack.currentWidget() is self.found else self.list
                shown.setFocus()
                if not shown.currentIndex().isValid():
                    shown.setCurrentIndex(shown.model().index(0, 0))
                return True
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.search.text():
            self.search.clear()
            self.search.setFocus()
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if local_files(event.mimeData()) or event.mimeData().hasText():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self._take(event.mimeData())


def open_documents(workspace: Workspace, parent: QWidget) -> DocumentsDialog | None:
    """Show the library, modal to `parent`. None while it is not open."""
    services = workspace.services
    if services is None:
        return None
    dialog = DocumentsDialog(workspace, services.documents, parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.open()
    return dialog
