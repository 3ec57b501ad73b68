"""The library of documents: collections at the left, what is in the chosen one at the right, a search over it.

Shows what the flow knows and asks before what cannot be taken back. No model is needed for anything here.
"""

from __future__ import annotations

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

from app.documents_view import text_name
from app.i18n import tr
from app.ui.composer_text import local_files
from app.ui.dialogs import line
from app.ui.documents_actions import LineActions
from app.ui.documents_collections import CollectionsPane
from app.ui.documents_empty import EmptyCollection
from app.ui.documents_flow import DocumentLibrary, DocumentsFlow
from app.ui.documents_list import DocumentList
from app.ui.documents_operations import DocumentOperations
from app.ui.documents_rows import FileLine, Line
from app.ui.documents_search import DocumentSearch
from app.ui.documents_work import WorkLine
from app.ui.icons import IconButton, themed_icon
from app.ui.toast import Toasts
from app.ui.workspace import Workspace

_ENTERS = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class DocumentsDialog(QDialog):
    """Files, folders and text can be dropped on it and pasted into it. Escape leaves the search, then the dialog."""

    def __init__(self, workspace: Workspace, documents: DocumentLibrary, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        theme = workspace.theme
        self.setWindowTitle(tr("Documents"))
        self.setAcceptDrops(True)
        self.flow = DocumentsFlow(documents, workspace.bridge, self)
        self._toasts = Toasts(theme, self)
        self.operations = DocumentOperations(workspace, self.flow, self, self._say)
        self.collections = CollectionsPane(theme, self.operations.title_of, self)
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
        flow, pane, operations = self.flow, self.collections, self.operations
        flow.collections_changed.connect(self._on_collections)
        flow.files_changed.connect(self._on_files)
        flow.rows_loaded.connect(self.list.lines.add)
        flow.look = self.list.wanted
        self.list.lines.rows_wanted.connect(flow.fetch)
        flow.reading_changed.connect(lambda file_id: self.list.lines.set_reading(file_id, flow.reading))
        flow.failed.connect(self._say)
        pane.chosen.connect(self._on_collection_chosen)
        pane.add_requested.connect(operations.add_collection)
        pane.rename_requested.connect(operations.rename_collection)
        pane.remove_requested.connect(operations.remove_collection)
        self.search.textChanged.connect(self._on_search)
        self.search.installEventFilter(self)
        self.found.passage_chosen.connect(operations.preview)
        for holder in (self.add_files_button, self.empty.files_button):
            holder.clicked.connect(self._on_add_files)
        for holder in (self.add_folder_button, self.empty.folder_button):
            holder.clicked.connect(self._on_add_folder)
        self.more_button.clicked.connect(self._on_more)
        self.list.line_changed.connect(self._show_line)
        self.list.shown.connect(lambda each: operations.do("preview", each))
        self.list.remove_requested.connect(lambda each: operations.do("remove", each))
        self.list.menu_requested.connect(self._on_menu)
        self.actions_bar.requested.connect(operations.do)
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
        self.list.show_files(self.flow.outline, self.flow.rows, self.flow.reading)
        self._show_stack()

    def _show_stack(self) -> None:
        if self.search.text().strip():
            self.stack.setCurrentWidget(self.found)
        else:
            is_empty = self.flow.loaded and not self.flow.outline
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

    def _on_collection_chosen(self, collection_id: int) -> None:
        self.search.clear()
        self.flow.choose(collection_id)

    def _on_menu(self, chosen: Line, at: QPoint) -> None:
        self.actions_bar.menu(chosen, self).popup(at)

    def _on_show_failed(self) -> None:
        self.search.clear()
        self.list.setFocus()
        chosen = self.list.line
        source_id = 0 if chosen is None else chosen.source.id
        path = str(chosen.file.path) if isinstance(chosen, FileLine) else ""
        self.flow.next_failed(source_id, path, self.list.choose)

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
