"""The library in one process: store, readers, embedder, index and searches, put together. Any thread.

Lives in the library process (see `rag.worker`), in tests also beside them. Knows no window and no language model.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from pathlib import Path

from engine.atomic_write import atomic_write
from engine.cancel import CancelToken
from engine.errors import LibraryError, StoreError, sentence
from rag import carried
from rag.carried_file import CarriedFile, WrittenVectors
from rag.charge import Charge
from rag.embedding.embedder import Embedder
from rag.events import EventSink, FilesChanged
from rag.exhaustive import find_every
from rag.ingest import DocumentReader, Ingest, PageChunker
from rag.learning import Learning, LoadEmbedder
from rag.learning_report import LearningReport
from rag.meaning import MeaningIndex
from rag.parts import parts_of, sampled
from rag.passages import DocumentParts, Finding, Found, Hits
from rag.recordings import Ears
from rag.retrieval import Retriever
from rag.scan import NotReachableError, is_mounted, look, plain_path
from rag.scope import Scope
from rag.store import documents, shelf, vectors
from rag.store.database import LibraryDatabase
from rag.store.documents import PassageRange
from rag.store.types import (
    Collection,
    CollectionSummary,
    FilePlace,
    FilePosition,
    FileSpan,
    HiddenWords,
    Source,
    SourceKind,
    SourceOutline,
    StoredFile,
)
from rag.types import Page, Unit
from rag.watch import FolderWatch

LOCK = "reading.lock"
STANDSTILL_S = 30.0
"""Another program that makes no vector in so long has no embedder."""
RECORDING_WAIT_S = 5.0
"""A question waits for a recording until it has been heard for so long: a short one is known by then."""
PASTED_CHARACTERS = 10_000_000
_STEM_CHARACTERS = 60
_DEVICES = frozenset(["con", "prn", "aux", "nul"])
"""Of Windows, which takes their names for files nowhere."""
_MISSING = sentence("“{name}” is not there any more, or Hearth may not read it.")
_NO_FILE = sentence("This file is in the library no more.")
_TOO_LONG = sentence("This text is too long for the library. Save it as a file, and add that.")


class Library:
    """Opens `folder`/library.db; raises `StoreError`. `begin()` starts to read, to embed and to watch folders.

    Of several on one folder, in other programs too, one does that; the others search, and follow what it does.
    `embedder` names what a person has chosen, and `load_named` loads it on a thread of its own: without it, or while it
    loads, searches go by words. Where there is but one embedder, `load_embedder` is enough. Without `ears`, recordings
    cannot be read.
    """

    def __init__(
        self,
        folder: Path,
        reader: DocumentReader,
        chunker: PageChunker,
        publish: EventSink,
        *,
        load_embedder: Callable[[], Embedder | None] | None = None,
        embedder: str = "",
        load_named: LoadEmbedder | None = None,
        ears: Ears | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._pasted = folder / "pasted"
        self.database = LibraryDatabase(folder / "library.db")
        self._publish = publish
        self._cancel = CancelToken()
        self._looking: dict[int, threading.Lock] = {}
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="library-search")
        self.meaning = MeaningIndex(self.database)
        self.retriever = Retriever(self.database, self.meaning, self._pool)
        self._charge = Charge(folder / LOCK, on_taken=self._take_charge, on_look=self._follow_others)
        self._watch = FolderWatch(self.sources, self.look_at)
        self._ingest = Ingest(
            self.database,
            reader,
            chunker,
            publish,
            on_stored=self._on_stored,
            on_gone=self.meaning.remove,
            ears=ears,
        )
        self._learning = Learning(
            self.database,
            self.meaning,
            publish,
            choice=embedder,
            load=load_named or (lambda _choice: load_embedder() if load_embedder is not None else None),
            is_reading=lambda: not self._ingest.idle,
        )

    def begin(self) -> None:
        """Go on where the last run left off: look at all sources, read what waits, embed what has no vector."""
        self._charge.start()
        self._learning.begin()

    @property
    def reads(self) -> bool:
        """Whether this program is the one that reads what waits."""
        return self._charge.is_ours

    # What is in it

    def collections(self) -> list[Collection]:
        return shelf.collections(self.database)

    def sources(self, collection_id: int | None = None) -> list[Source]:
        return shelf.sources(self.database, collection_id)

    def files(
        self,
        collection_ids: Sequence[int] | None = None,
        blob_id: int | None = None,
        *,
        wait_s: float = 0.0,
        after: FilePlace | None = None,
        limit: int | None = None,
    ) -> list[StoredFile]:
        """By path; `limit` of them behind a place. Files that still wait are read first, for `wait_s` at most."""
        self._wait_for_waiting(wait_s, collection_ids)
        files = shelf.files(self.database, collection_ids=collection_ids, blob_id=blob_id, after=after, limit=limit)
        return self._with_vectors(files, few=limit is not None or blob_id is not None)

    def outline(self, collection_id: int) -> list[SourceOutline]:
        """The sources of a collection, and how many files each has."""
        return shelf.outline(self.database, collection_id)

    def rows(self, spans: Sequence[FileSpan]) -> list[StoredFile]:
        """Some files of some sources, for a list of which only a part is on show."""
        return self._with_vectors(shelf.rows(self.database, spans), few=True)

    def position(self, file_id: int) -> FilePosition | None:
        return shelf.position(self.database, file_id)

    def next_failed(self, collection_id: int, source_id: int, path: str) -> FilePosition | None:
        """The next file that could not be read, around the end."""
        return shelf.next_failed(self.database, collection_id, source_id, path)

    def _with_vectors(self, files: list[StoredFile], *, few: bool) -> list[StoredFile]:
        """The files with the counts of their passages without a vector."""
        if (serving_id := self._learning.counted_id) is None:
            return [replace(file, n_unembedded=file.n_chunks) for file in files]
        if self._learning.queue.complete:
            return files
        some = list({file.blob_id for file in files if file.blob_id}) if few else None
        left = vectors.n_without_by_blob(self.database, serving_id, some)
        return [replace(file, n_unembedded=left.get(file.blob_id or 0, 0)) for file in files]

    def summaries(self) -> list[CollectionSummary]:
        """How much is in each collection."""
        found = shelf.summaries(self.database)
        if (serving_id := self._learning.counted_id) is None:
            return [replace(each, n_unembedded=each.n_chunks) for each in found]
        if self._learning.queue.complete:
            return found
        left = vectors.n_without_by_blob(self.database, serving_id)
        counts: Counter[int] = Counter()
        for collection_id, blob_id in shelf.holders(self.database):
            counts[collection_id] += left.get(blob_id, 0)
        return [replace(each, n_unembedded=counts[each.id]) for each in found]

    def learning(self) -> LearningReport:
        """Which embedder serves, and how far the one is that is to take its place."""
        return self._learning.report()

    def page(self, blob_id: int, number: int) -> Page | None:
        return documents.page(self.database, blob_id, number)

    def hidden_words(self, blob_id: int) -> list[HiddenWords]:
        return documents.hidden_words(self.database, blob_id)

    # What a person does

    def add_collection(self, name: str, owner: str = "") -> Collection:
        return shelf.add_collection(self.database, name.strip(), owner)

    def rename_collection(self, collection_id: int, name: str) -> None:
        """Raises `LibraryError`."""
        shelf.rename_collection(self.database, collection_id, name.strip())

    def remove_collection(self, collection_id: int) -> None:
        """Its documents are deleted at once, where no other collection holds them."""
        for source in self.sources(collection_id):
            self.remove_source(source.id)
        shelf.remove_collection(self.database, collection_id)
        self._publish(FilesChanged())

    def add(self, collection_id: int, path: Path) -> Source:
        """A file or a folder. Raises `LibraryError` where it is not there."""
        path = plain_path(path)
        if path.is_dir():
            kind = SourceKind.FOLDER
        elif path.is_file():
            kind = SourceKind.FILE
        else:
            raise LibraryError(_MISSING, name=path.name)
        source = shelf.add_source(self.database, collection_id, kind, path, path.name)
        self.look_at(source)
        self._watch.follow()
        return source

    def add_text(self, collection_id: int, name: str, text: str) -> Source:
        """Pasted text, in a file of that name, by which answers cite it. Raises `LibraryError` where it is too long."""
        if len(text) > PASTED_CHARACTERS:
            raise LibraryError(_TOO_LONG)
        data = text.encode("utf-8", "replace")
        folder = self._pasted / hashlib.blake2b(data, digest_size=16).hexdigest()
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{_file_stem(name)}.txt"
        atomic_write(path, data)
        source = shelf.add_source(self.database, collection_id, SourceKind.TEXT, path, name)
        self.look_at(source)
        return source

    def remove_source(self, source_id: int) -> None:
        """All that only it holds is deleted at once, from the searches and the store. Raises `LibraryError`."""
        source = next((each for each in self.sources() if each.id == source_id), None)
        files = shelf.files(self.database, source_id=source_id)
        shelf.remove_source(self.database, source_id)
        self._ingest.drop(frozenset(file.id for file in files))
        self.meaning.remove(documents.sweep(self.database))
        self._watch.follow()
        if (
            source is not None
            and source.kind is SourceKind.TEXT
            and not any(each.path == source.path for each in self.sources())
        ):
            source.path.unlink(missing_ok=True)
            with suppress(OSError):  # another name of the same text is in it
                source.path.parent.rmdir()
        self._publish(FilesChanged())

    def retry(self, file_id: int) -> None:
        """Read a file once more. Raises `LibraryError`."""
        if shelf.file(self.database, file_id) is None:
            raise LibraryError(_NO_FILE)
        shelf.retry(self.database, file_id)
        self._publish(FilesChanged((file_id,)))
        self._ingest.wake()

    def use_embedder(self, choice: str) -> None:
        """Have another embedder learn all passages, while the present one serves. Blocks while it loads.

        Raises a `HearthError` where it cannot be loaded; nothing has changed then.
        """
        self._learning.choose(choice)

    def carry(self, collection_id: int, file: CarriedFile) -> None:
        """The vectors in a file came along with the documents that were added to a collection. See `rag.carried`."""
        self._learning.carry(collection_id, file)

    def write_vectors(self, collection_id: int, path: Path) -> WrittenVectors:
        """Write the vectors of all passages of a collection. Raises `LibraryError` where some have none yet."""
        return carried.write(self.database, collection_id, path)

    def retry_failed(self, source_id: int) -> None:
        """Read all files of a source once more that could not be read."""
        shelf.retry_failed(self.database, source_id)
        self._publish(FilesChanged())
        self._ingest.wake()

    def look_at(self, source: Source) -> bool:
        """See what a source holds now; whether something changed. Raises `CancelledError` while closing.

        Where its folder or drive is not there just now, its files are kept.
        """
        with self._looking.setdefault(source.id, threading.Lock()):
            try:
                changes = shelf.take_look(self.database, source.id, look(source, self._cancel))
            except NotReachableError:
                if lost := shelf.set_reachable(self.database, source.id, False, mounted=source.mounted):
                    self._publish(FilesChanged())
                return lost
            is_back = shelf.set_reachable(self.database, source.id, True, mounted=is_mounted(source))
            if is_back:
                self._publish(FilesChanged())
                self._ingest.wake()
        if changes:
            self._ingest.drop(frozenset(changes.removed) | frozenset(changes.changed))
            self._publish(FilesChanged((*changes.added, *changes.changed, *changes.removed)))
            self._ingest.wake()
        return is_back or bool(changes)

    def look_at_all(self) -> bool:
        """As `look_at`, for every source."""
        changed = False
        for source in self.sources():
            changed |= self.look_at(source)
        return changed

    # What is asked

    def search(
        self, question: str, scope: Scope, *, most_characters: int, wait_s: float = 0.0, whole: bool = True
    ) -> Found:
        """The passages for a question; by words alone until the embedder is there.

        Files that still wait are read first, for `wait_s` at most. `whole`: short documents come as they are.
        """
        self._wait_for_waiting(wait_s, scope.collection_ids)
        with self._undisturbed():
            return self.retriever.retrieve(question, scope, most_characters=most_characters, whole=whole)

    def find_documents(self, subject: str, scope: Scope, *, most: int) -> Found:
        """The best passage of each document that a subject is in, the best first."""
        with self._undisturbed():
            return self.retriever.documents(subject, scope, most=most)

    def find_every(self, finding: Finding, words: str, scope: Scope, *, most: int, exact: bool = False) -> Hits:
        """Every place of all pages that holds what is looked for."""
        with self._undisturbed():
            return find_every(self.database, finding, words, scope, most=most, exact=exact)

    def read_parts(self, blob_id: int, part_characters: int, most: int) -> DocumentParts:
        """A whole document, or `most` parts of it, evenly spread."""
        document = documents.document(self.database, blob_id)
        unit = Unit(document.unit) if document is not None else Unit.TEXT
        return sampled(parts_of(documents.pages(self.database, blob_id), part_characters, unit), most)

    def wait_until_idle(self, timeout_s: float) -> bool:
        """Whether all was read and embedded before the time was over."""
        deadline = time.monotonic() + timeout_s
        if not self._wait_until_read(timeout_s) or not self._learning.wait_until_ready(deadline - time.monotonic()):
            return False
        if self._learning.serving_id is None:
            return True
        if not self.reads:
            return self._wait_for_their_vectors(deadline)
        return self._learning.queue.wait_until_idle(deadline - time.monotonic())

    def _undisturbed(self) -> AbstractContextManager[None]:
        """Embedding waits meanwhile."""
        return self._learning.queue.stand_back()

    def _wait_for_waiting(self, wait_s: float, collection_ids: Sequence[int] | None) -> None:
        if wait_s <= 0 or not shelf.is_any_waiting(self.database, collection_ids):
            return
        deadline = time.monotonic() + wait_s
        if not self.reads:
            self._wait_until_read(wait_s, collection_ids)
        elif self._ingest.wait_until_read(wait_s):
            left_s = RECORDING_WAIT_S - self._ingest.hearing_s
            self._ingest.wait_until_idle(min(left_s, deadline - time.monotonic()))

    def _wait_until_read(self, timeout_s: float, collection_ids: Sequence[int] | None = None) -> bool:
        """Waits for all, where this program reads, else for these collections."""
        deadline = time.monotonic() + timeout_s

        def theirs_are_read() -> bool:
            return self.reads or not shelf.is_any_waiting(self.database, collection_ids)

        if not self.reads and not self._charge.wait(theirs_are_read, timeout_s):
            return False
        return not self.reads or self._ingest.wait_until_idle(deadline - time.monotonic())

    def _wait_for_their_vectors(self, deadline: float) -> bool:
        """Until the other program has made all, or makes none: then it has no embedder."""

        def n_left() -> int:
            report = self._learning.report()
            return report.n_left + bool(report.coming)

        fewest, since = n_left(), time.monotonic()

        def all_there_or_standstill() -> bool:
            nonlocal fewest, since
            left = n_left()
            if left < fewest:
                fewest, since = left, time.monotonic()
            return (not left and not self._learning.is_behind) or time.monotonic() > since + STANDSTILL_S

        done = self._charge.wait(all_there_or_standstill, deadline - time.monotonic())
        self._learning.follow()
        return done

    def close(self) -> None:
        """Leave everything as it is committed. Idempotent."""
        self._cancel.cancel()
        self._watch.close()
        self._ingest.close()
        self._learning.close()
        self._pool.shutdown()
        self._charge.close()
        self.database.close()

    def _take_charge(self) -> None:
        """On the thread that began, or later on the charge's."""
        self._ingest.start()
        self._watch.start()
        self._learning.take_charge()

    def _follow_others(self) -> None:
        """What other programs did to the library: on the charge's thread."""
        try:
            if not self.database.changed_elsewhere():
                return
            self._learning.follow()
        except StoreError:
            return  # busy; the next look does it
        self._ingest.wake()
        self._learning.queue.wake()
        self._watch.follow()
        self._publish(FilesChanged())

    def _on_stored(self, span: PassageRange) -> None:
        """Words may have their vectors already, of a document that was there before."""
        self.meaning.take(span)
        self._learning.queue.wake()


def _file_stem(name: str) -> str:
    """A name as every system takes it for a file."""
    kept = "".join(letter if letter.isalnum() or letter in " -_,." else " " for letter in name)
    stem = " ".join(kept.split())[:_STEM_CHARACTERS].strip(" .")
    return stem if stem and stem.casefold() not in _DEVICES else f"{stem}_"
