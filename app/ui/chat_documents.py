"""The documents of the conversation on show, as a row of chips above the message field.

Files and folders that are dropped on a chat become a collection of its own, which is read at once; collections that a
person has named can be asked too. A new chat takes its own along when it gets an id. Knows no message and no model.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from app.documents_view import pages_text, state_sentence, text_name
from app.embedder_choice import KEY as EMBEDDER_SETTING
from app.events import ChatEvent, DocumentsHappened
from app.i18n import ntr, tr
from app.shown_names import shown_name
from app.store.types import Changes, Conversation
from app.ui.amounts import bytes_text
from app.ui.attachments_flow import FlowLayout
from app.ui.document_chip import DocumentChip
from app.ui.library import sentence_of
from app.ui.workspace import Workspace
from app.weights_bundle import EMBEDDER
from engine.cancel import CancelToken
from rag.client import LIGHT, LibraryClient
from rag.events import EmbeddingProgress, ReadingProgress
from rag.store.types import Collection, FileState, Source, StoredFile
from rag.types import Unit

if TYPE_CHECKING:
    from app.store.store import ConversationStore

_OWN_NAME = "chat"


class ChatDocuments(QWidget):
    """Hidden while there are none. Main thread only."""

    failed = Signal(str)
    """A sentence."""
    said = Signal(str)
    """A sentence: something goes on, or is done."""
    opened = Signal()
    """The person wants to see the library."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._conversation_id = ""
        self._pending: list[int] = []
        self._draft_owner = ""
        self._giving = 0
        self._after: list[Callable[[], None]] = []
        self._held: list[Path | str] = []
        self._fetching = False
        self._collections: tuple[Collection, ...] = ()
        self._sources: tuple[Source, ...] = ()
        self._files: dict[int, list[StoredFile]] = {}
        self._reading: dict[int, ReadingProgress] = {}
        self._chips: list[DocumentChip] = []
        self._asking = self._asks_again = False
        self._flow = FlowLayout(self, spacing=workspace.theme.space(2))
        self.setAccessibleName(tr("Documents of this chat"))
        self.hide()
        workspace.bridge.chat_event.connect(self._on_chat_event)
        workspace.ready.connect(self._on_ready)

    @property
    def chips(self) -> tuple[DocumentChip, ...]:
        return tuple(self._chips)

    @property
    def is_pending(self) -> bool:
        """The conversation is to get documents before its next question."""
        return bool(self._giving) or (not self._conversation_id and bool(self._pending))

    def show_conversation(self, conversation_id: str) -> None:
        """Another conversation is on show ("": a new chat)."""
        if conversation_id == self._conversation_id:
            return
        self._conversation_id = conversation_id
        self._pending, self._draft_owner = [], ""
        self._sources, self._files = (), {}
        self._show()
        self.refresh()

    def add(self, given: Sequence[Path | str]) -> None:
        """Files, folders and texts were given."""
        services = self._workspace.services
        if services is None:
            self._held += given  # the first second after the start
            return
        documents, then = services.documents, self._workspace.bridge.then
        conversation_id = self._conversation_id
        self._draft_owner = self._draft_owner or uuid.uuid4().hex

        self._giving += 1
        new: list[int] = []

        def fill(collection: Collection) -> None:
            if conversation_id:
                new.append(collection.id)
            elif collection.id not in self._pending:
                self._pending.append(collection.id)
            self._add_each(documents, collection.id, list(given), added)

        def added() -> None:
            # Its files are listed: a question waits for those that are not read yet.
            if new:
                self._ask_also(conversation_id, new, self._end_giving)
            else:
                self._end_giving()

        def failed(error: BaseException) -> None:
            self._on_failed(error)
            self._end_giving()

        owner = conversation_id or self._draft_owner
        own = next((each for each in self._collections if each.owner and each.id in self._asked()), None)
        if own is not None:
            fill(own)
        else:
            then(documents.add_collection(_OWN_NAME, owner), fill, failed)

    def adopt(self, conversation_id: str, done: Callable[[], None]) -> None:
        """A question is to be asked: the conversation, which has an id now, gets what it was given. Then `done`."""
        if self._giving:
            self._after.append(lambda: self.adopt(conversation_id, done))
            return
        collections, self._pending = self._pending, []
        if collections:
            self._ask_also(conversation_id, collections, done)
        else:
            done()

    def fill_menu(self, menu: QMenu) -> None:
        """What can be done, for the button beside the message field."""
        menu.addAction(tr("Add documents…")).triggered.connect(self._on_add_files)
        menu.addAction(tr("Add a folder…")).triggered.connect(self._on_add_folder)
        shared = [each for each in self._collections if not each.owner]
        if shared:
            menu.addSection(tr("Ask these collections"))
        asked = self._asked()
        for collection in shared:
            action = menu.addAction(collection.name)
            action.setCheckable(True)
            action.setChecked(collection.id in asked)
            action.toggled.connect(partial(self._on_collection_toggled, collection.id))
        menu.addSeparator()
        light = self._workspace.settings.text(EMBEDDER_SETTING) == LIGHT
        if light and not self._fetching and EMBEDDER.missing(self._workspace.paths.embedder):
            size = bytes_text(EMBEDDER.size_bytes)
            menu.addAction(tr("Also search by meaning ({size} to fetch)…", size=size)).triggered.connect(self._on_fetch)
        menu.addAction(tr("All documents…")).triggered.connect(self.opened)

    def refresh(self) -> None:
        """Ask the library again what there is; at once, or when the last question is answered."""
        services = self._workspace.services
        if services is None:
            return
        if self._asking:
            self._asks_again = True
            return
        self._asking, self._asks_again = True, False
        documents, then = services.documents, self._workspace.bridge.then

        def with_files(files: tuple[StoredFile, ...]) -> None:
            waited = {file.id for each in self._files.values() for file in each if file.state is FileState.WAITING}
            if problem := why_unread([file for file in files if file.id in waited]):
                self.failed.emit(problem)
            self._files = {}
            for file in files:
                self._files.setdefault(file.source_id, []).append(file)
            ended()

        def with_sources(sources: tuple[Source, ...]) -> None:
            asked = self._asked()
            own = {each.id for each in self._collections if each.owner and each.id in asked}
            self._sources = tuple(each for each in sources if each.collection_id in own)
            if own:
                then(documents.files(tuple(own)), with_files, failed)
            else:
                self._files = {}
                ended()

        def with_collections(collections: tuple[Collection, ...]) -> None:
            self._collections = collections
            then(documents.sources(), with_sources, failed)

        def failed(_error: BaseException) -> None:
            ended()  # what is on show stays; a person's own deeds say what went wrong

        def ended() -> None:
            self._asking = False
            self._show()
            if self._asks_again:
                self.refresh()

        then(documents.collections(), with_collections, failed)

    def _conversation(self) -> Conversation | None:
        return self._workspace.library.conversation(self._conversation_id) if self._conversation_id else None

    def _asked(self) -> tuple[int, ...]:
        conversation = self._conversation()
        return conversation.collections if conversation is not None else tuple(self._pending)

    def _ask_also(self, conversation_id: str, collections: Sequence[int], done: Callable[[], None]) -> None:
        """Have a conversation ask these collections too; `done` follows in any case."""

        def keep(store: ConversationStore) -> Changes:
            known = store.conversation(conversation_id).collections
            return store.set_collections(conversation_id, (*known, *collections))

        def failed(error: BaseException) -> None:
            self._on_failed(error)
            done()

        self._workspace.library.run(keep, lambda _changes: done(), failed=failed)

    def _end_giving(self) -> None:
        self._giving -= 1
        if not self._giving:
            after, self._after = self._after, []
            for each in after:
                each()

    def _add_each(
        self, documents: LibraryClient, collection_id: int, given: list[Path | str], done: Callable[[], None]
    ) -> None:
        """One after another, so that what went wrong is said of the right one."""
        if not given:
            self.refresh()
            done()
            return

        def go_on(_source: object) -> None:
            self._add_each(documents, collection_id, given[1:], done)

        def failed(error: BaseException) -> None:
            self._on_failed(error)
            go_on(None)

        each = given[0]
        added = (
            documents.add_text(collection_id, text_name(each), each)
            if isinstance(each, str)
            else documents.add(collection_id, each)
        )
        self._workspace.bridge.then(added, go_on, failed)

    def _on_failed(self, error: BaseException) -> None:
        self.failed.emit(sentence_of(error))

    def _show(self) -> None:
        for chip in self._chips:
            self._flow.removeWidget(chip)
            chip.hide()
            chip.deleteLater()
        self._chips = []
        for source in self._sources:
            files = self._files.get(source.id, [])
            state, reason = source_state(files, self._reading), why_unread(files)
            self._add_chip(source.name, state, partial(self._on_source_removed, source.id), reason)
        asked = self._asked()
        for collection in self._collections:
            if not collection.owner and collection.id in asked:
                state = ntr("{count} file", "{count} files", collection.n_files)
                self._add_chip(collection.name, state, partial(self._on_collection_toggled, collection.id, False))
        self._flow.setSpacing(self._workspace.theme.space(2))
        self.setVisible(bool(self._chips))
        self.updateGeometry()

    def _add_chip(self, name: str, state: str, remove: Callable[[], None], reason: str = "") -> None:
        chip = DocumentChip(self._workspace.theme, name, state, reason, self)
        chip.remove_requested.connect(remove)
        self._chips.append(chip)
        self._flow.addWidget(chip)
        chip.show()

    def _on_ready(self) -> None:
        held, self._held = self._held, []
        if held:
            self.add(held)
        self.refresh()

    def _on_chat_event(self, event: ChatEvent) -> None:
        if not isinstance(event, DocumentsHappened):
            return
        if isinstance(event.event, ReadingProgress):
            self._reading[event.event.file_id] = event.event
            if any(file.id == event.event.file_id for files in self._files.values() for file in files):
                self._show()
        elif not (isinstance(event.event, EmbeddingProgress) and event.event.anew):
            self.refresh()

    def _on_fetch(self) -> None:
        """The person wants the model that finds passages by meaning."""
        folder = self._workspace.paths.embedder
        self._fetching = True
        self.said.emit(tr("Fetching {name}…", name=EMBEDDER.name))

        def fetched(_nothing: object) -> None:
            self._fetching = False
            self.said.emit(tr("{name} is ready.", name=EMBEDDER.name))
            if (services := self._workspace.services) is not None:
                services.documents.restart()

        def failed(error: BaseException) -> None:
            self._fetching = False
            self._on_failed(error)

        self._workspace.bridge.then(
            self._workspace.run(lambda: EMBEDDER.fetch(folder, lambda _progress: None, CancelToken())),
            fetched,
            failed,
        )

    def _on_add_files(self) -> None:
        names, _filter = QFileDialog.getOpenFileNames(self, tr("Add documents"))
        if names:
            self.add([Path(name) for name in names])

    def _on_add_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(self, tr("Add a folder"))
        if name:
            self.add([Path(name)])

    def _on_source_removed(self, source_id: int) -> None:
        services = self._workspace.services
        if services is not None:
            self._workspace.bridge.then(
                services.documents.remove_source(source_id),
                lambda _none: self.refresh(),
                self._on_failed,
            )

    def _on_collection_toggled(self, collection_id: int, asked: bool) -> None:
        if not self._conversation_id:
            chosen = [each for each in self._pending if each != collection_id]
            self._pending = [*chosen, collection_id] if asked else chosen
            self._show()
            return
        now = [each for each in self._asked() if each != collection_id]
        ids = [*now, collection_id] if asked else now
        self._workspace.library.run(
            lambda store: store.set_collections(self._conversation_id, ids), lambda _changes: self._show()
        )


def why_unread(files: Sequence[StoredFile]) -> str:
    """Why the first of the files that could not be read could not, "" where all could."""
    failed = next((file for file in files if file.state is FileState.FAILED), None)
    return f"{shown_name(failed.path.name)}: {state_sentence(failed)}" if failed is not None else ""


def source_state(files: Sequence[StoredFile], reading: dict[int, ReadingProgress]) -> str:
    """Where a source stands, in a few words."""
    if not files:
        return tr("empty")
    if not files[0].reachable:
        return tr("not reachable just now")
    waiting = [file for file in files if file.state is FileState.WAITING]
    failed = sum(file.state is FileState.FAILED for file in files)
    if waiting:
        progress = next((reading[file.id] for file in waiting if file.id in reading), None)
        if len(files) == 1 and progress is not None and progress.unit is Unit.TIME:
            return listening_state(progress)
        if len(files) == 1 and progress is not None and progress.of_pages:
            return tr("reading, {number} of {count} pages", number=progress.n_pages, count=progress.of_pages)
        if len(files) == 1:
            return tr("reading…")
        return tr("reading, {number} of {count} files", number=len(files) - len(waiting), count=len(files))
    if failed == len(files):
        return tr("could not be read")
    if failed:
        return ntr("{count} file could not be read", "{count} files could not be read", failed)
    if len(files) > 1:
        return ntr("{count} file", "{count} files", len(files))
    if files[0].unit is Unit.TIME:
        return tr("transcript")
    return pages_text(files[0].unit, files[0].n_pages) or tr("read")


def listening_state(progress: ReadingProgress) -> str:
    """How far a recording has been heard, in a few words."""
    if not progress.of_pages:
        return tr("listening…")
    return tr("listening, {number} of {count} min", number=progress.n_pages, count=progress.of_pages)
