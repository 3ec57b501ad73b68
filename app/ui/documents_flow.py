"""The document library as a window sees it: lists that follow its events, and what a person does. Main thread only.

Knows no widget. What a list says may be a moment old: events come far more often than a person can read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Protocol, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal
from shiboken6 import isValid

from app.events import ChatEvent, DocumentsHappened
from app.i18n import tr
from app.ui.bridge import EventBridge
from app.ui.library import sentence_of
from rag.events import EmbeddingProgress, FilesChanged, LibraryNotice, ReadingProgress
from rag.passages import Found
from rag.store.types import Collection, FileState, HiddenWords, Source, StoredFile
from rag.types import Page

T = TypeVar("T")
_PAUSE_MS = 250
"""At least, between two readings of the lists."""
_PAUSE_SHARE = 4
"""Times what the last reading took: the lists never take more than a fifth of the library's time."""
SEARCH_CHARACTERS = 24_000
"""Of passages, for a person to look through."""


class DocumentLibrary(Protocol):
    """The part of `rag.client.LibraryClient` that the windows for documents need."""

    def collections(self) -> Future[tuple[Collection, ...]]: ...
    def sources(self, collection_id: int | None = None) -> Future[tuple[Source, ...]]: ...
    def files(
        self, collection_ids: tuple[int, ...] | None = None, blob_id: int | None = None
    ) -> Future[tuple[StoredFile, ...]]: ...
    def add_collection(self, name: str) -> Future[Collection]: ...
    def rename_collection(self, collection_id: int, name: str) -> Future[None]: ...
    def remove_collection(self, collection_id: int) -> Future[None]: ...
    def add(self, collection_id: int, path: Path) -> Future[Source]: ...
    def add_text(self, collection_id: int, name: str, text: str) -> Future[Source]: ...
    def remove_source(self, source_id: int) -> Future[None]: ...
    def retry(self, file_id: int) -> Future[None]: ...
    def look_again(self) -> Future[None]: ...
    def search(
        self,
        question: str,
        *,
        most_characters: int,
        collection_ids: tuple[int, ...] | None = None,
        blob_ids: tuple[int, ...] | None = None,
        wait_s: float = 0.0,
        whole: bool = True,
    ) -> Future[Found]: ...
    def page(self, blob_id: int, number: int) -> Future[Page | None]: ...
    def hidden_words(self, blob_id: int) -> Future[tuple[HiddenWords, ...]]: ...


class DocumentsFlow(QObject):
    """Collections, and the sources and files of the one that was chosen."""

    collections_changed = Signal()
    files_changed = Signal()
    reading_changed = Signal(int)
    """The id of a file: its `ReadingProgress` is another one."""
    work_changed = Signal()
    """What is under way, beyond a single file's pages."""
    failed = Signal(str)
    """A sentence: something could not be done."""

    def __init__(self, documents: DocumentLibrary, bridge: EventBridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.documents, self._bridge = documents, bridge
        self.collections: tuple[Collection, ...] = ()
        self.collection_id: int | None = None
        self.sources: tuple[Source, ...] = ()
        self.files: tuple[StoredFile, ...] = ()
        self.reading: dict[int, ReadingProgress] = {}
        self.embedding: EmbeddingProgress | None = None
        self.n_waiting = 0
        """Files of the collection that are still to be read."""
        self.n_adding = 0
        """Files and folders that are being looked at."""
        self.loaded = False
        """`files` are those of `collection_id`."""
        self._listing = False
        self._stale = False
        self._asked_at = 0.0
        self._pause = QTimer(self, singleShot=True)
        self._pause.timeout.connect(self.refresh)
        bridge.chat_event.connect(self._on_chat_event)

    @property
    def collection(self) -> Collection | None:
        """The one that was chosen."""
        return next((each for each in self.collections if each.id == self.collection_id), None)

    def refresh(self) -> None:
        """Read the lists again; several wishes during one reading become one more reading."""
        if self._listing:
            self._stale = True
            return
        self._listing, self._stale = True, False
        self._asked_at = time.monotonic()
        self._then(self.documents.collections(), self._on_collections, self._on_listing_failed)

    def choose(self, collection_id: int | None) -> None:
        """Show another collection."""
        if collection_id == self.collection_id:
            return
        self.collection_id = collection_id
        self.sources, self.files, self.loaded = (), (), collection_id is None
        self.files_changed.emit()
        self.refresh()

    # What a person does

    def add_collection(self, name: str, done: Callable[[Collection], None] | None = None) -> None:
        """Make a collection and choose it."""

        def made(collection: Collection) -> None:
            if all(each.id != collection.id for each in self.collections):
                self.collections = (*self.collections, collection)
            self.collection_id = None  # so that choosing it reads its files
            self.choose(collection.id)
            if done is not None:
                done(collection)

        self._do(self.documents.add_collection(name), made)

    def rename_collection(self, collection_id: int, name: str) -> None:
        self._do(self.documents.rename_collection(collection_id, name), lambda _none: self.refresh())

    def remove_collection(self, collection_id: int) -> None:
        self._do(self.documents.remove_collection(collection_id), lambda _none: self.refresh())

    def add(self, paths: Sequence[Path], texts: Sequence[tuple[str, str]] = ()) -> None:
        """Files, folders and texts (name, text), into the chosen collection; into a first one if there is none."""
        collection_id = self.collection_id
        if collection_id is None:
            self.add_collection(tr("My documents"), lambda _made: self.add(paths, texts))
            return
        futures = [self.documents.add(collection_id, path) for path in paths]
        futures += [self.documents.add_text(collection_id, name, text) for name, text in texts]
        self.n_adding += len(futures)
        self.work_changed.emit()
        for future in futures:
            self._then(future, self._on_added, self._on_adding_failed)

    def remove_source(self, source_id: int) -> None:
        self._do(self.documents.remove_source(source_id), lambda _none: self.refresh())

    def retry(self, file_ids: Sequence[int]) -> None:
        """Read files once more."""
        for file_id in file_ids:
            self._do(self.documents.retry(file_id), lambda _none: self.refresh())

    def look_again(self) -> None:
        """See what the folders hold now."""
        self.n_adding += 1
        self.work_changed.emit()
        self._then(self.documents.look_again(), self._on_added, self._on_adding_failed)

    def search(self, question: str, done: Callable[[Found], None], failed: Callable[[str], None]) -> None:
        """Passages of the chosen collection; without any language model."""
        if self.collection_id is None:
            return
        future = self.documents.search(
            question, most_characters=SEARCH_CHARACTERS, collection_ids=(self.collection_id,), whole=False
        )
        self._then(future, done, lambda error: failed(sentence_of(error)))

    def hidden_words(self, blob_id: int, done: Callable[[tuple[HiddenWords, ...]], None]) -> None:
        self._do(self.documents.hidden_words(blob_id), done)

    # What the library says

    def _do(self, future: Future[T], done: Callable[[T], None]) -> None:
        self._then(future, done, lambda error: self.failed.emit(sentence_of(error)))

    def _then(self, future: Future[T], done: Callable[[T], None], failed: Callable[[BaseException], None]) -> None:
        """As the bridge does, while this object lives."""

        def if_alive(run: Callable[[T], None], value: T) -> None:
            if isValid(self):
                run(value)

        def if_alive_failed(error: BaseException) -> None:
            if isValid(self):
                failed(error)

        self._bridge.then(future, lambda value: if_alive(done, value), if_alive_failed)

    def _on_collections(self, collections: tuple[Collection, ...]) -> None:
        # What a person has named comes before what belongs to a chat.
        self.collections = tuple(sorted(collections, key=lambda each: bool(each.owner)))
        if self.collection is None:
            self.collection_id = self.collections[0].id if collections else None
            self.sources, self.files, self.loaded = (), (), False
        self.collections_changed.emit()
        collection_id = self.collection_id
        if collection_id is None:
            self._on_files(None, (), ())
            return
        self._then(
            self.documents.sources(collection_id),
            lambda sources: self._on_sources(collection_id, sources),
            self._on_listing_failed,
        )

    def _on_sources(self, collection_id: int, sources: tuple[Source, ...]) -> None:
        self._then(
            self.documents.files((collection_id,)),
            lambda files: self._on_files(collection_id, sources, files),
            self._on_listing_failed,
        )

    def _on_files(self, collection_id: int | None, sources: tuple[Source, ...], files: tuple[StoredFile, ...]) -> None:
        if collection_id == self.collection_id:
            self.sources, self.files, self.loaded = sources, files, True
            waiting = {file.id for file in files if file.state is FileState.WAITING}
            self.n_waiting = sum(file.reachable for file in files if file.id in waiting)
            self.reading = {key: progress for key, progress in self.reading.items() if key in waiting}
            self.files_changed.emit()
            self.work_changed.emit()
        else:
            self._stale = True
        self._end_listing()

    def _on_listing_failed(self, error: BaseException) -> None:
        self.failed.emit(sentence_of(error))
        self._stale = False
        self._end_listing()

    def _end_listing(self) -> None:
        self._listing = False
        if self._stale:
            took = time.monotonic() - self._asked_at
            self._pause.start(max(_PAUSE_MS, round(1000 * _PAUSE_SHARE * took)) if self.loaded else 0)

    def _on_added(self, _done: object) -> None:
        self.n_adding -= 1
        self.work_changed.emit()
        self.refresh()

    def _on_adding_failed(self, error: BaseException) -> None:
        self.n_adding -= 1
        self.work_changed.emit()
        self.failed.emit(sentence_of(error))

    def _on_chat_event(self, event: ChatEvent) -> None:
        if not isinstance(event, DocumentsHappened):
            return
        happened = event.event
        if isinstance(happened, ReadingProgress):
            self.reading = {happened.file_id: happened}  # one at a time
            self.reading_changed.emit(happened.file_id)
            self.work_changed.emit()
        elif isinstance(happened, EmbeddingProgress):
            ended = not happened.n_left and (self.embedding is None or self.embedding.n_left > 0)
            self.embedding = happened
            self.work_changed.emit()
            if ended:
                self.refresh()
        elif isinstance(happened, FilesChanged):
            for file_id in happened.file_ids:
                self.reading.pop(file_id, None)
            if self._listing or self._pause.isActive():
                self._stale = True
            else:
                self.refresh()
        elif isinstance(happened, LibraryNotice):
            self.failed.emit(tr(happened.template, **dict(happened.fields)))
