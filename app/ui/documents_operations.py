"""What can be done with collections and with what is in them: asks where it must, then tells the flow.

Knows no list; its window shows what comes of it.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QWidget

from app.documents_view import files_text
from app.i18n import tr
from app.passage_place import PassagePlace
from app.ui.amounts import count_text
from app.ui.dialogs import ask_text, confirm
from app.ui.documents_flow import DocumentsFlow
from app.ui.documents_hidden import HiddenWordsDialog
from app.ui.documents_opening import open_document, reveal
from app.ui.documents_preview import PagePreview
from app.ui.documents_rows import FileLine, Line, SourceLine, line_name
from app.ui.sidebar_model import shown_title
from app.ui.workspace import Workspace
from engine.display_name import display_name
from rag.store.types import Collection, SourceKind
from rag.types import Unit


class DocumentOperations(QObject):
    """Of one window; `say` shows a sentence in it."""

    def __init__(self, workspace: Workspace, flow: DocumentsFlow, window: QWidget, say: Callable[[str], None]) -> None:
        super().__init__(window)
        self._workspace, self._flow, self._window, self._say = workspace, flow, window, say

    def preview(self, place: PassagePlace) -> None:
        """Show a passage on its page."""
        preview = PagePreview(self._workspace, self._flow.documents, place, self._window)
        preview.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        preview.open()

    def title_of(self, collection: Collection) -> str:
        """A chat's own collection is called as the chat is, also where it began before the chat had an id."""
        library = self._workspace.library
        conversation = library.conversation(collection.owner)
        if conversation is None and collection.owner:
            conversation = library.asking(collection.id)
        return shown_title(conversation) if conversation is not None else collection.name

    def add_collection(self) -> None:
        name = ask_text(
            self._workspace.theme, self._window, tr("New collection"), yes=tr("Make"), placeholder=tr("Its name")
        )
        if name:
            self._flow.add_collection(name)

    def rename_collection(self, collection: Collection) -> None:
        name = ask_text(
            self._workspace.theme, self._window, tr("Rename the collection"), text=collection.name, yes=tr("Rename")
        )
        if name and name != collection.name:
            self._flow.rename_collection(collection.id, name)

    def remove_collection(self, collection: Collection) -> None:
        if confirm(
            self._workspace.theme,
            self._window,
            tr("Remove “{name}”?", name=display_name(self.title_of(collection))),
            tr(
                "What Hearth has read of its {files} is deleted at once, and chats find nothing in it any more."
                " The files themselves stay where they are; pasted texts are deleted.",
                files=files_text(collection.n_files, number=count_text),
            ),
            yes=tr("Remove"),
            danger=True,
            icon="trash-2",
        ):
            self._flow.remove_collection(collection.id)

    def do(self, action: str, chosen: Line) -> None:
        """A `LineAction` by its id."""
        path = chosen.file.path if isinstance(chosen, FileLine) else chosen.source.path
        run: dict[str, Callable[[], None]] = {
            "preview": lambda: self._show_document(chosen),
            "retry": lambda: self._retry(chosen),
            "hidden": lambda: self._show_hidden(chosen),
            "open": lambda: open_document(self._workspace, self._window, path, said=self._say),
            "reveal": lambda: reveal(self._workspace, path),
            "remove": lambda: self._remove(chosen),
        }
        run[action]()

    def _show_document(self, chosen: Line) -> None:
        if not isinstance(chosen, FileLine) or chosen.file.blob_id is None:
            return
        file = chosen.file
        assert file.blob_id is not None
        first = 0 if file.unit is Unit.TIME else 1
        self.preview(PassagePlace(file.path, file.blob_id, file.title, file.unit, 1, "", 0, 0, first, first))

    def _retry(self, chosen: Line) -> None:
        if isinstance(chosen, FileLine):
            self._flow.retry([chosen.file.id])
        else:
            self._flow.retry_failed(chosen.source.id)

    def _show_hidden(self, chosen: Line) -> None:
        if isinstance(chosen, FileLine) and (blob_id := chosen.file.blob_id) is not None:
            file = chosen.file
            self._flow.hidden_words(
                blob_id, lambda words: HiddenWordsDialog(self._workspace.theme, file, words, self._window).open()
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
        if confirm(self._workspace.theme, self._window, title, words, yes=tr("Remove"), danger=True, icon="trash-2"):
            self._flow.remove_source(source.id)
