"""The library as the window sees it: questions to the library process, and futures for their answers. Any thread.

The process starts with the first question and is started again when it dies; whatever it had committed is there. Knows
no SQL, no format and no model.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeVar

from engine.errors import HearthError, LibraryError, sentence
from engine.worker.calls import unpacked
from engine.worker.child import ChildProcess, EntryPoint
from engine.worker.envelope import MessageTooLongError, error_of
from rag import protocol
from rag.carried_file import CarriedFile, WrittenVectors
from rag.events import EventSink, FilesChanged
from rag.learning_report import LearningReport
from rag.passages import DocumentParts, Finding, Found, Hits
from rag.protocol import Answer, Answered, Ask, Begin, Happened, Question, Unusable
from rag.store.types import (
    Collection,
    CollectionSummary,
    FilePlace,
    FilePosition,
    FileSpan,
    HiddenWords,
    Source,
    SourceOutline,
    StoredFile,
)
from rag.types import Page
from rag.worker import worker_main

T = TypeVar("T")
A = TypeVar("A")
T_co = TypeVar("T_co", covariant=True)
LIGHT = "light"
"""The embedder that comes with Hearth: all-MiniLM-L6-v2 on onnxruntime."""
CRASHES_ALLOWED = 3
CRASH_WINDOW_S = 600.0
_STOPPED = sentence("The document library stopped unexpectedly. Please try again.")
_GIVEN_UP = sentence("The document library stopped several times. It is not started again until Hearth is.")
_CLOSED = sentence("The document library is closed.")
_NOT_STARTED = sentence("The document library could not be started: the computer has no process to spare.")
_TOO_LONG = sentence("This text is too long for the library. Save it as a file, and add that.")


class _Many(Protocol[T_co]):
    @property
    def items(self) -> tuple[T_co, ...]: ...


@dataclass(frozen=True, slots=True)
class LibraryPlace:
    """Where the library lies, its embedder as `rag.opening` knows it ("" for none), the light one's folder, and that of
    the models that hear.
    """

    folder: Path
    embedder: str = ""
    embedder_folder: Path = Path()
    voice_folder: Path = Path()


class LibraryClient:
    """`on_event` is called from the reader thread and must not block.

    Another `entry_point` than this wing's own brings what hears recordings.
    """

    def __init__(self, place: LibraryPlace, on_event: EventSink, *, entry_point: EntryPoint = worker_main) -> None:
        self._place = place
        self._on_event = on_event
        self._entry_point = entry_point
        self._lock = threading.Lock()
        self._process: ChildProcess | None = None
        # Linux ends a child with the thread that started it, and who asks may be a thread that ends.
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="library-start")
        self._waiting: dict[int, Future[Answer]] = {}
        self._asked = 0
        self._crashes: deque[float] = deque(maxlen=CRASHES_ALLOWED)
        self._unusable: HearthError | None = None
        self._closed = self._leaving = False

    @property
    def pid(self) -> int | None:
        """The library process's, None while there is none."""
        process = self._process
        return None if process is None else process.pid

    def start(self) -> None:
        """Have the process read what waits, without a question. Nothing happens if it runs."""
        with self._lock:
            if not self._closed and self._unusable is None:
                try:
                    self._started()
                except OSError:
                    return  # the first question says so

    def collections(self) -> Future[tuple[Collection, ...]]:
        return self._items(protocol.ListCollections(), protocol.Collections)

    def sources(self, collection_id: int | None = None) -> Future[tuple[Source, ...]]:
        return self._items(protocol.ListSources(collection_id), protocol.Sources)

    def files(
        self,
        collection_ids: tuple[int, ...] | None = None,
        blob_id: int | None = None,
        *,
        wait_s: float = 0.0,
        after: FilePlace | None = None,
        limit: int | None = None,
    ) -> Future[tuple[StoredFile, ...]]:
        """Those of collections, those that hold one document, or both; None does not limit. By path.

        `after` the place of one come those behind it, `limit` at most. Files that still wait to be read are waited for,
        `wait_s` at most.
        """
        return self._items(protocol.ListFiles(collection_ids, blob_id, wait_s, after, limit), protocol.Files)

    def outline(self, collection_id: int) -> Future[tuple[SourceOutline, ...]]:
        """The sources of a collection by name, and how many files each has."""
        return self._items(protocol.OutlineCollection(collection_id), protocol.Outlines)

    def rows(self, spans: Sequence[FileSpan]) -> Future[tuple[StoredFile, ...]]:
        """Some files of some sources: those of the spans, in their order."""
        return self._items(protocol.ListRows(tuple(spans)), protocol.Files)

    def position(self, file_id: int) -> Future[FilePosition | None]:
        """Where a file stands in its source, None for one that is no more."""
        return self._position(protocol.FindFile(file_id))

    def next_failed(self, collection_id: int, source_id: int, path: str) -> Future[FilePosition | None]:
        """The next file of a collection that could not be read, behind a path of a source, and around the end."""
        return self._position(protocol.FindFailed(collection_id, source_id, path))

    def retry_failed(self, source_id: int) -> Future[None]:
        """Read all files of a source once more that could not be read."""
        return self._do(protocol.RetryFailed(source_id))

    def _position(self, question: Question) -> Future[FilePosition | None]:
        return self._ask(question, protocol.Positions, lambda answer: answer.items[0] if answer.items else None)

    def summaries(self) -> Future[tuple[CollectionSummary, ...]]:
        """How much is in each collection."""
        return self._items(protocol.SummariseCollections(), protocol.Summaries)

    def add_collection(self, name: str, owner: str = "") -> Future[Collection]:
        """The collection of that name and owner, made if there is none."""
        return self._ask(protocol.AddCollection(name, owner), protocol.Collections, lambda answer: answer.items[0])

    def rename_collection(self, collection_id: int, name: str) -> Future[None]:
        return self._do(protocol.RenameCollection(collection_id, name))

    def remove_collection(self, collection_id: int) -> Future[None]:
        return self._do(protocol.RemoveCollection(collection_id))

    def add(self, collection_id: int, path: Path) -> Future[Source]:
        """A file or a folder; the future ends when its files are listed, before they are read."""
        question = protocol.AddPath(collection_id, path.absolute())
        return self._ask(question, protocol.Sources, lambda answer: answer.items[0])

    def add_text(self, collection_id: int, name: str, text: str) -> Future[Source]:
        question = protocol.AddText(collection_id, name, text)
        return self._ask(question, protocol.Sources, lambda answer: answer.items[0])

    def carry(self, collection_id: int, file: CarriedFile) -> Future[None]:
        """Vectors came along with the documents that were added to a collection: once these are read, they are checked
        and used, or dropped, which a notice says. The file must stay meanwhile.
        """
        return self._do(protocol.CarryVectors(collection_id, file))

    def write_vectors(self, collection_id: int, path: Path) -> Future[WrittenVectors]:
        """Write the vectors of all passages of a collection, to travel with its documents.

        Fails with `LibraryError` while some have none.
        """
        question = protocol.WriteVectors(collection_id, path.absolute())
        return self._ask(question, WrittenVectors, lambda answer: answer)

    def remove_source(self, source_id: int) -> Future[None]:
        return self._do(protocol.RemoveSource(source_id))

    def retry(self, file_id: int) -> Future[None]:
        return self._do(protocol.RetryFile(file_id))

    def look_again(self) -> Future[None]:
        return self._do(protocol.LookAgain())

    def search(
        self,
        question: str,
        *,
        most_characters: int,
        collection_ids: tuple[int, ...] | None = None,
        blob_ids: tuple[int, ...] | None = None,
        wait_s: float = 0.0,
        whole: bool = True,
    ) -> Future[Found]:
        """The passages for a question, together at most `most_characters` long; None does not limit.

        Files that still wait to be read are waited for, `wait_s` at most. `whole`: short documents come as they are.
        """
        asked = protocol.Search(question, collection_ids, blob_ids, most_characters, wait_s, whole)
        return self._ask(asked, Found, lambda answer: answer)

    def find_documents(
        self, subject: str, *, most: int, collection_ids: tuple[int, ...] | None = None
    ) -> Future[Found]:
        """The documents that a subject is in, each by its best passage, the best first."""
        return self._ask(protocol.FindDocuments(subject, collection_ids, most), Found, lambda answer: answer)

    def find_every(
        self,
        finding: Finding,
        words: str = "",
        *,
        most: int,
        exact: bool = False,
        collection_ids: tuple[int, ...] | None = None,
        blob_ids: tuple[int, ...] | None = None,
    ) -> Future[Hits]:
        """Every place of all pages; the first `most` with their surroundings. `exact`: words end as `words` do."""
        question = protocol.FindEvery(finding, words, collection_ids, blob_ids, most, exact)
        return self._ask(question, Hits, lambda answer: answer)

    def read_parts(self, blob_id: int, *, part_characters: int, most: int) -> Future[DocumentParts]:
        """A whole document in parts, or `most` parts evenly spread over it."""
        return self._ask(protocol.ReadParts(blob_id, part_characters, most), DocumentParts, lambda answer: answer)

    def page(self, blob_id: int, number: int) -> Future[Page | None]:
        question = protocol.ReadPage(blob_id, number)
        return self._ask(question, protocol.Pages, lambda answer: answer.items[0] if answer.items else None)

    def hidden_words(self, blob_id: int) -> Future[tuple[HiddenWords, ...]]:
        return self._items(protocol.ListHidden(blob_id), protocol.HiddenList)

    def use_embedder(self, choice: str) -> Future[None]:
        """Have another embedder learn all passages, while the present one serves; ends when it is loaded.

        Fails with a `HearthError` where it cannot be loaded, and all stays as it was.
        """
        future = self._do(protocol.UseEmbedder(choice))

        def keep(ended: Future[None]) -> None:
            if ended.exception() is None:
                self.prefer_embedder(choice)

        future.add_done_callback(keep)
        return future

    def prefer_embedder(self, choice: str) -> None:
        """Begin with this one, whenever the process starts anew."""
        self._place = replace(self._place, embedder=choice)

    def learning(self) -> Future[LearningReport]:
        """Which embedder serves, and how far the one is that is to take its place."""
        return self._ask(protocol.ReportLearning(), LearningReport, lambda answer: answer)

    def wait_until_idle(self, seconds: float) -> Future[None]:
        """Ends when all is read and embedded; fails when the time is over."""
        return self._do(protocol.WaitUntilIdle(seconds))

    def restart(self) -> None:
        """Begin anew, with what has changed in its place (an embedder that was fetched); open questions fail."""
        with self._lock:
            process, self._leaving = self._process, self._process is not None
        if process is not None:
            process.kill()
        self.start()

    def close(self) -> None:
        """End the process; what it was reading is read again next time. Idempotent."""
        with self._lock:
            self._closed = True
            process = self._process
        if process is not None:
            process.kill()
        self._starter.shutdown()

    def _do(self, question: Question) -> Future[None]:
        return self._ask(question, protocol.Done, lambda _answer: None)

    def _items(self, question: Question, kind: type[_Many[T]]) -> Future[tuple[T, ...]]:
        return self._ask(question, kind, lambda answer: answer.items)

    def _ask(self, question: Question, kind: type[A], unpack: Callable[[A], T]) -> Future[T]:
        return unpacked(self._open_call(question), kind, unpack)

    def _open_call(self, question: Question) -> Future[Answer]:
        future: Future[Answer] = Future()
        future.set_running_or_notify_cancel()
        refusal: HearthError | None = None
        with self._lock:
            if self._closed:
                refusal = LibraryError(_CLOSED)
            elif self._unusable is not None:
                refusal = self._unusable
            else:
                self._asked += 1
                try:
                    message = protocol.encode(Ask(self._asked, question))
                except MessageTooLongError:
                    refusal = LibraryError(_TOO_LONG)
                else:
                    try:
                        process = self._started()
                    except OSError:
                        refusal = LibraryError(_NOT_STARTED)
                    else:
                        self._waiting[self._asked] = future
                        process.post(message)
        if refusal is not None:
            future.set_exception(refusal)
        return future

    def _started(self) -> ChildProcess:
        """Under the lock."""
        if self._process is None:
            self._process = self._starter.submit(
                ChildProcess,
                self._entry_point,
                self._on_message,
                self._on_end,
                name="library",
                report_bytes=protocol.MESSAGE_BYTES,
            ).result()
            place = self._place
            begin = Begin(place.folder, place.embedder, place.embedder_folder, place.voice_folder)
            self._process.post(protocol.encode(begin))
        return self._process

    def _on_message(self, raw: bytes) -> None:
        message = protocol.decode_report(raw)
        if isinstance(message, Happened):
            self._on_event(message.event)
        elif isinstance(message, Unusable):
            with self._lock:
                self._unusable = error_of(message.fault)
        else:
            with self._lock:
                future = self._waiting.pop(message.call_id, None)
            if future is None:
                return
            if isinstance(message, Answered):
                future.set_result(message.answer)
            else:
                future.set_exception(error_of(message.fault))

    def _on_end(self) -> None:
        with self._lock:
            self._process = None
            waiting, self._waiting = self._waiting, {}
            reason: HearthError = LibraryError(_CLOSED if self._closed else _STOPPED)
            if self._unusable is not None:
                reason = self._unusable
            elif self._leaving:
                self._leaving = False
            elif not self._closed:
                now = time.monotonic()
                self._crashes.append(now)
                if len(self._crashes) == CRASHES_ALLOWED and now - self._crashes[0] < CRASH_WINDOW_S:
                    reason = self._unusable = LibraryError(_GIVEN_UP)
        for future in waiting.values():
            future.set_exception(reason)
        if not self._closed:
            self._on_event(FilesChanged())
