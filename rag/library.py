"""The library in one process: store, readers, embedder, index and searches, put together. Any thread.

Lives in the library process (see `rag.worker`), in tests also beside them. Knows no window and no language model.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from engine.atomic_write import atomic_write
from engine.cancel import CancelToken
from engine.errors import HearthError, LibraryError, sentence
from rag.embedding.embedder import Embedder
from rag.embedding_queue import EmbeddingQueue
from rag.events import EventSink, FilesChanged, LibraryNotice
from rag.ingest import DocumentReader, Ingest, PageChunker
from rag.meaning import MeaningIndex
from rag.passages import Found
from rag.retrieval import Retriever
from rag.scan import look
from rag.scope import Scope
from rag.store import documents, shelf, vectors
from rag.store.database import LibraryDatabase
from rag.store.documents import PassageRange
from rag.store.types import Collection, HiddenWords, Source, SourceKind, StoredFile
from rag.types import Page

PASTED_CHARACTERS = 10_000_000
_MISSING = sentence("“{name}” is not there any more, or Hearth may not read it.")
_NO_FILE = sentence("This file is in the library no more.")
_TOO_LONG = sentence("This text is too long for the library. Save it as a file, and add that.")


class Library:
    """Opens `folder`/library.db; raises `StoreError`. `begin()` starts to read and to embed.

    `load_embedder` is called once, on a thread of its own: without it, or while it loads, searches go by words.
    """

    def __init__(
        self,
        folder: Path,
        reader: DocumentReader,
        chunker: PageChunker,
        publish: EventSink,
        *,
        load_embedder: Callable[[], Embedder | None] | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._pasted = folder / "pasted"
        self.database = LibraryDatabase(folder / "library.db")
        self._publish = publish
        self._load_embedder = load_embedder
        self._cancel = CancelToken()
        self._scanning = threading.Lock()
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="library-search")
        self.meaning = MeaningIndex(self.database)
        self.retriever = Retriever(self.database, self.meaning, self._pool)
        self._queue: EmbeddingQueue | None = None
        self._embedder_ready = threading.Event()
        self._ingest = Ingest(
            self.database, reader, chunker, publish, on_stored=self._on_stored, on_gone=self.meaning.remove
        )
        self._loader = threading.Thread(target=self._load, name="embedder-load", daemon=True)

    def begin(self) -> None:
        """Go on where the last run left off: look at all sources, read what waits, embed what has no vector."""
        self._ingest.start()
        self._loader.start()

    # What is in it

    def collections(self) -> list[Collection]:
        return shelf.collections(self.database)

    def sources(self, collection_id: int | None = None) -> list[Source]:
        return shelf.sources(self.database, collection_id)

    def files(self, collection_ids: Sequence[int] | None = None, blob_id: int | None = None) -> list[StoredFile]:
        files = shelf.files(self.database, collection_ids=collection_ids, blob_id=blob_id)
        if self._queue is None:
            return [replace(file, n_unembedded=file.n_chunks) for file in files]
        left = vectors.n_without_by_blob(self.database, self._queue.embedder_id)
        return [replace(file, n_unembedded=left.get(file.blob_id or 0, 0)) for file in files]

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
        path = path.absolute()
        if path.is_dir():
            kind = SourceKind.FOLDER
        elif path.is_file():
            kind = SourceKind.FILE
        else:
            raise LibraryError(_MISSING, name=path.name)
        source = shelf.add_source(self.database, collection_id, kind, path, path.name)
        self.look_at(source)
        return source

    def add_text(self, collection_id: int, name: str, text: str) -> Source:
        """Pasted text. Raises `LibraryError` where it is too long."""
        if len(text) > PASTED_CHARACTERS:
            raise LibraryError(_TOO_LONG)
        data = text.encode("utf-8", "replace")
        self._pasted.mkdir(exist_ok=True)
        path = self._pasted / f"{hashlib.blake2b(data, digest_size=16).hexdigest()}.txt"
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
        if (
            source is not None
            and source.kind is SourceKind.TEXT
            and not any(each.path == source.path for each in self.sources())
        ):
            source.path.unlink(missing_ok=True)
        self._publish(FilesChanged())

    def retry(self, file_id: int) -> None:
        """Read a file once more. Raises `LibraryError`."""
        if shelf.file(self.database, file_id) is None:
            raise LibraryError(_NO_FILE)
        shelf.retry(self.database, file_id)
        self._publish(FilesChanged((file_id,)))
        self._ingest.wake()

    def look_at(self, source: Source) -> bool:
        """See what a source holds now; whether something changed. Raises `CancelledError` while closing."""
        with self._scanning:
            changes = shelf.take_look(self.database, source.id, look(source, self._cancel))
        if changes:
            self._ingest.drop(frozenset(changes.removed) | frozenset(changes.changed))
            self._publish(FilesChanged((*changes.added, *changes.changed, *changes.removed)))
            self._ingest.wake()
        return bool(changes)

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
        if wait_s > 0 and shelf.is_any_waiting(self.database, scope.collection_ids):
            self._ingest.wait_until_idle(wait_s)
        queue = self._queue
        if queue is None:
            return self.retriever.retrieve(question, scope, most_characters=most_characters, whole=whole)
        with queue.stand_back():
            return self.retriever.retrieve(question, scope, most_characters=most_characters, whole=whole)

    def wait_until_idle(self, timeout_s: float) -> bool:
        """Whether all was read and embedded before the time was over."""
        if not self._ingest.wait_until_idle(timeout_s) or not self._embedder_ready.wait(timeout_s):
            return False
        return self._queue is None or self._queue.wait_until_idle(timeout_s)

    def close(self) -> None:
        """Leave everything as it is committed. Idempotent."""
        self._cancel.cancel()
        self._ingest.close()
        if self._loader.is_alive():
            self._loader.join()
        if self._queue is not None:
            self._queue.close()
        self._pool.shutdown()
        self.meaning.close()
        self.database.close()

    def _load(self) -> None:
        try:
            embedder = self._load_embedder() if self._load_embedder is not None else None
            if embedder is not None and not self._cancel.cancelled:
                queue = EmbeddingQueue(
                    self.database,
                    embedder,
                    self._publish,
                    on_embedded=self._on_embedded,
                    is_reading=lambda: not self._ingest.idle,
                )
                self.meaning.use(embedder, queue.embedder_id)
                self._queue = queue
                queue.start()
        except HearthError as error:
            self._publish(
                LibraryNotice(error.template, tuple((key, str(value)) for key, value in error.fields.items()))
            )
        finally:
            self._embedder_ready.set()

    def _on_stored(self, span: PassageRange) -> None:
        """Words may have their vectors already, of a document that was there before."""
        self.meaning.take(span)
        if (queue := self._queue) is not None:
            queue.wake()

    def _on_embedded(self, span: PassageRange) -> None:
        self.meaning.take(span)
