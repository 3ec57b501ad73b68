"""The document library as a window sees it: lists that follow its events, and what a person does. Main thread only.

Knows no widget. What a list says may be a moment old: events come far more often than a person can read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal

from app.events import ChatEvent, DocumentsHappened
from app.i18n import tr
from app.ui.bridge import EventBridge
from app.ui.documents_outline import Outline, Place
from app.ui.library import sentence_of
from rag.events import EmbeddingProgress, FilesChanged, LibraryNotice, ReadingProgress
from rag.passages import Found
from rag.store.types import (
    Collection,
    FilePosition,
    FileSpan,
    HiddenWords,
    Source,
    SourceOutline,
    StoredFile,
)
from rag.types import Page, Unit

T = TypeVar("T")
_PAUSE_MS = 250
"""At least, between two readings of the lists."""
_PAUSE_SHARE = 4
"""Times what the last reading took: the lists never take more than a fifth of the library's time."""
_AT_FIRST = 200
"""Rows, of which the files are known when a list begins."""
SEARCH_CHARACTERS = 24_000
"""Of passages, for a person to look through."""


class DocumentLibrary(Protocol):
    """The part of `rag.client.LibraryClient` that the windows for documents need."""

    def collections(self) -> Future[tuple[Collection, ...]]: ...
    def sources(self, collection_id: int | None = None) -> Future[tuple[Source, ...]]: ...
    def files(
        self, collection_ids: tuple[int, ...] | None = None, blob_id: int | None = None
    ) -> Future[tuple[StoredFile, ...]]: ...
    def outline(self, collection_id: int) -> Future[tuple[SourceOutline, ...]]: ...
    def rows(self, spans: Sequence[FileSpan]) -> Future[tuple[StoredFile, ...]]: ...
    def position(self, file_id: int) -> Future[FilePosition | None]: ...
    def next_failed(self, collection_id: int, source_id: int, path: str) -> Future[FilePosition | None]: ...
    def add_collection(self, name: str) -> Future[Collection]: ...
    def rename_collection(self, collection_id: int, name: str) -> Future[None]: ...
    def remove_collection(self, collection_id: int) -> Future[None]: ...
    def add(self, collection_id: int, path: Path) -> Future[Source]: ...
    def add_text(self, collection_id: int, name: str, text: str) -> Future[Source]: ...
    def remove_source(self, source_id: int) -> Future[None]: ...
    def retry(self, file_id: int) -> Future[None]: ...
    def retry_failed(self, source_id: int) -> Future[None]: ...
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


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list needs of a new outline: the files of these spans, and those around the file that is chosen."""

    spans: tuple[FileSpan, ...] = ()
    file_id: int | None = None


class DocumentsFlow(QObject):
    """Collections, and of the one that was chosen the sources and those of their files that are on show."""

    collections_changed = Signal()
    files_changed = Signal()
    rows_loaded = Signal(object)
    """More files, `StoredFile`s by their `Place`."""
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
        self.outline: tuple[SourceOutline, ...] = ()
        self.rows: dict[Place, StoredFile] = {}
        """The files that were known when the outline came."""
        self.look: Callable[[tuple[SourceOutline, ...]], Wanted] = _beginning
        """Says what a list needs of a new outline."""
        self.reading: dict[int, ReadingProgress] = {}
        self.embedding: EmbeddingProgress | None = None
        self._positions: dict[int, FilePosition | None] = {}
        """Of files that were read since this began."""
        self.n_adding = 0
        """Files and folders that are being looked at."""
        self.loaded = False
        """`outline` is that of `collection_id`."""
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

    @property
    def sources(self) -> tuple[Source, ...]:
        return tuple(each.source for each in self.outline)

    @property
    def n_files(self) -> int:
        return sum(each.n_files for each in self.outline)

    @property
    def n_waiting(self) -> int:
        """Files of the collection that are still to be read."""
        return sum(each.n_waiting for each in self.outline)

    @property
    def n_failed(self) -> int:
        return sum(each.n_failed for each in self.outline)

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
        self.outline, self.rows, self.loaded = (), {}, collection_id is None
        self.files_changed.emit()
        self.refresh()

    def fetch(self, spans: Sequence[FileSpan]) -> None:
        """Have files come that are not known yet; `rows_loaded` tells of them, if the outline is still the same."""
        outline = self.outline

        def loaded(files: tuple[StoredFile, ...]) -> None:
            if self.outline is outline:
                self.rows_loaded.emit(_placed(spans, files))

        self._do(self.documents.rows(spans), loaded)

    def next_failed(self, source_id: int, path: str, done: Callable[[FilePosition], None]) -> None:
        """Find the next file that could not be read, behind a path of a source."""
        if self.collection_id is not None:
            found = self.documents.next_failed(self.collection_id, source_id, path)
            self._do(found, lambda position: done(position) if position is not None else None)

    def reading_position(self) -> FilePosition | None:
        """Of the file that is being read, if it is of this collection and known; else it is asked for."""
        file_id = next(iter(self.reading), None)
        if file_id is None:
            return None
        if file_id not in self._positions:
            self._positions[file_id] = None

            def found(position: FilePosition | None) -> None:
                self._positions[file_id] = position
                self.work_changed.emit()

            self._then(self.documents.position(file_id), found, lambda _error: None)
        position = self._positions[file_id]
        here = position is not None and any(each.source.id == position.source_id for each in self.outline)
        return position if here else None

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

    def retry_failed(self, source_id: int) -> None:
        """Read all files of a source once more that could not be read."""
        self._do(self.documents.retry_failed(source_id), lambda _none: self.refresh())

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
        self._bridge.then(future, done, failed, owner=self)

    def _on_collections(self, collections: tuple[Collection, ...]) -> None:
        # What a person has named comes before what belongs to a chat.
        self.collections = tuple(sorted(collections, key=lambda each: bool(each.owner)))
        if self.collection is None:
            self.collection_id = self.collections[0].id if collections else None
            self.outline, self.rows, self.loaded = (), {}, False
        self.collections_changed.emit()
        collection_id = self.collection_id
        if collection_id is None:
            self._on_rows(None, (), (), ())
            return
        self._then(
            self.documents.outline(collection_id),
            lambda outline: self._on_outline(collection_id, outline),
            self._on_listing_failed,
        )

    def _on_outline(self, collection_id: int, outline: tuple[SourceOutline, ...]) -> None:
        wanted = self.look(outline)

        def with_position(position: FilePosition | None) -> None:
            spans = wanted.spans if position is None else _around(position, wanted.spans)
            self._then(
                self.documents.rows(spans),
                lambda files: self._on_rows(collection_id, outline, spans, files),
                self._on_listing_failed,
            )

        if wanted.file_id is None:
            with_position(None)
        else:
            self._then(self.documents.position(wanted.file_id), with_position, self._on_listing_failed)

    def _on_rows(
        self,
        collection_id: int | None,
        outline: tuple[SourceOutline, ...],
        spans: Sequence[FileSpan],
        files: tuple[StoredFile, ...],
    ) -> None:
        if collection_id == self.collection_id:
            self.outline, self.rows, self.loaded = outline, _placed(spans, files), True
            if not self.n_waiting:
                self.reading = {}
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
            self.reading = _one_of_each(self.reading, happened)
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


def _one_of_each(before: Mapping[int, ReadingProgress], now: ReadingProgress) -> dict[int, ReadingProgress]:
    """A document and a recording at a time, the document first: it is what will be there sooner."""
    others = (each for each in before.values() if (each.unit is Unit.TIME) is not (now.unit is Unit.TIME))
    return {each.file_id: each for each in sorted((now, *others), key=lambda each: each.unit is Unit.TIME)}


def _beginning(outline: tuple[SourceOutline, ...]) -> Wanted:
    return Wanted(tuple(Outline(outline).spans(0, _AT_FIRST)))


def _around(position: FilePosition, spans: Sequence[FileSpan]) -> tuple[FileSpan, ...]:
    """The spans, and the file of a position if they do not hold it."""
    for source_id, first, count in spans:
        if source_id == position.source_id and first <= position.place < first + count:
            return tuple(spans)
    return (*spans, (position.source_id, position.place, 1))


def _placed(spans: Sequence[FileSpan], files: Sequence[StoredFile]) -> dict[Place, StoredFile]:
    """Files as they came, by their places: of a span there may be fewer, if some have gone meanwhile."""
    found: dict[Place, StoredFile] = {}
    at = 0
    for source_id, first, count in spans:
        stop = at
        while stop < len(files) and stop - at < count and files[stop].source_id == source_id:
            found[source_id, first + stop - at] = files[stop]
            stop += 1
        at = stop
    return found
