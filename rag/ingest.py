"""Files that wait are read, one after another, on a thread of its own; whole documents go into the store at once.

So whatever ends the program, a document is in the library or waits. Recordings take long: they are heard beside this
(`rag.recordings`), and stored here like all others. Knows no format (a reader does), no model, no window. What was
read of a changed file serves until the new reading is in.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Protocol

from engine.cancel import CancelToken
from engine.errors import DocumentError, HearthError, RecordingError, StoreError, sentence
from rag.events import EventSink, FilesChanged, LibraryNotice, ReadingProgress
from rag.recordings import Ears, Recordings
from rag.scan import is_reachable, look_at
from rag.store import documents, shelf
from rag.store.database import LibraryDatabase
from rag.store.documents import PassageRange, ReadPage
from rag.store.types import FoundFile, StoredFile
from rag.types import Chunk, DocumentInfo, Page, Unit

READERS_VERSION = 4
"""Goes up when readers or chunker make something else of the same bytes; a migration has all files read again."""
MOST_CHARACTERS = 200_000_000
"""In one document: some 60,000 pages."""
_BLOCK = 1 << 20
_TELL_EVERY_S = 0.1
_MISSING = sentence("“{name}” is not there any more, or Hearth may not read it.")
_TOO_LONG = sentence("“{name}” holds more text than Hearth can take in from one file. Split it.")
_CHANGING = sentence("“{name}” was changed again and again while it was being read. Try again when it is finished.")
_BUG = sentence("“{name}” could not be read because of an error in Hearth.")
_TRIES = 3
"""To read a file that is being written to."""
_STORE_AGAIN_S = 30.0
"""After the library could not be written to (a full disk), it is tried again."""
_log = logging.getLogger(__name__)


class DocumentReader(Protocol):
    """The parser process's client."""

    def read(self, path: Path, cancel: CancelToken) -> Iterator[DocumentInfo | Page]:
        """First what is known of the document, then its pages. Raises `DocumentError`, `CancelledError`.

        `RecordingError` for what must be heard.
        """
        ...


class PageChunker(Protocol):
    """Cuts one document after another; remembers the headings of the pages before."""

    def begin(self, n_pages: int | None = None, unit: Unit = Unit.TEXT) -> None:
        """Another document follows, of so many pages if these can be counted."""
        ...

    def chunks_of(self, page: Page) -> list[Chunk]:
        """The passages of the next page."""
        ...


class Ingest:
    """`on_stored` is told the ids of new chunks, `on_gone` those that are no more; both on the ingest's thread."""

    def __init__(
        self,
        database: LibraryDatabase,
        reader: DocumentReader,
        chunker: PageChunker,
        publish: EventSink,
        *,
        on_stored: Callable[[PassageRange], None],
        on_gone: Callable[[list[PassageRange]], None],
        ears: Ears | None = None,
    ) -> None:
        self._database = database
        self._reader = reader
        self._chunker = chunker
        self._publish = publish
        self._on_stored = on_stored
        self._on_gone = on_gone
        self._recordings = Recordings(ears, publish, self.wake)
        self._changed = threading.Condition()
        self._woken = True
        self._closed = False
        self._idle = False
        self._in_trouble = False
        self._cancel = CancelToken()
        self._reading: int | None = None
        self._thread = threading.Thread(target=self._run, name="ingest", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """There may be something to read, or to delete."""
        with self._changed:
            self._woken, self._idle = True, False
            self._changed.notify_all()

    def drop(self, file_ids: frozenset[int]) -> None:
        """Leave off reading these: they were removed."""
        with self._changed:
            if self._reading in file_ids:
                self._cancel.cancel()
        self._recordings.drop(file_ids)

    @property
    def idle(self) -> bool:
        """Nothing waits to be read; recordings may still be heard."""
        return self._idle

    def wait_until_read(self, timeout_s: float) -> bool:
        """Whether everything was read, but for recordings, before the time was over."""
        with self._changed:
            return self._changed.wait_for(lambda: self._idle or self._closed, timeout_s)

    @property
    def hearing_s(self) -> float:
        """For how long the recording under way has been heard."""
        return self._recordings.hearing_s

    def wait_until_idle(self, timeout_s: float) -> bool:
        """Whether everything was read and heard before the time was over."""
        with self._changed:
            return self._changed.wait_for(lambda: (self._idle and not self._recordings.busy) or self._closed, timeout_s)

    def close(self) -> None:
        """Leave off; the file under way is read again next time. Idempotent."""
        with self._changed:
            self._closed = True
            self._cancel.cancel()
            self._changed.notify_all()
        self._recordings.close()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while self._sleep():
            try:
                while not self._closed and (file := self._next()) is not None:
                    self._take(file)
                if not self._closed:
                    self._sweep()
                self._in_trouble = False
            except StoreError as error:
                # No fault of the file's: it goes on waiting.
                self._in_trouble = True
                self._publish(LibraryNotice.of(error))

    def _sleep(self) -> bool:
        with self._changed:
            if not self._woken and not self._in_trouble:
                self._idle = True
                self._changed.notify_all()
            again_s = _STORE_AGAIN_S if self._in_trouble else None
            self._changed.wait_for(lambda: self._woken or self._closed, again_s)
            self._woken = False
            return not self._closed

    def _next(self) -> StoredFile | None:
        """The next file to be read, or one that was heard."""
        heard = self._recordings.heard
        file = shelf.waiting(self._database, but=self._recordings.pending)
        if file is None:
            self._recordings.forget(heard)  # files that wait no longer: somebody has removed them
        return file

    def _take(self, file: StoredFile) -> None:
        with self._changed:
            if self._closed:
                return
            self._reading, self._cancel = file.id, CancelToken()
            cancel = self._cancel
        try:
            self._read(file, cancel)
        except CancelledError:
            return
        except StoreError:
            raise
        except HearthError as error:
            if not self._is_lost(file):
                shelf.set_failed(self._database, file.id, error)
        except Exception:  # noqa: BLE001  # a bug, which must not keep the other files from being read
            _log.exception("reading a document failed")
            shelf.set_failed(self._database, file.id, DocumentError(_BUG, name=file.path.name))
        finally:
            with self._changed:
                self._reading = None
        self._recordings.forget(frozenset({file.id}))
        self._publish(FilesChanged((file.id,)))

    def _is_lost(self, file: StoredFile) -> bool:
        """Whether its folder or drive is not there just now: then it waits until that is back."""
        source = shelf.source(self._database, file.source_id)
        if source is None or is_reachable(source):
            return False
        shelf.set_reachable(self._database, source.id, False, mounted=source.mounted)
        return True

    def _read(self, file: StoredFile, cancel: CancelToken) -> None:
        for _ in range(_TRIES):
            found = look_at(file.path)
            if found is None:
                raise DocumentError(_MISSING, name=file.path.name)
            digest = _digest(file.path, cancel)
            known = documents.find_blob(self._database, digest)
            try:
                read = self._pages(file, found, cancel) if known is None else None
            except RecordingError:
                if not self._recordings.hear(file, found):
                    raise
                raise CancelledError from None  # the file waits for its words
            if look_at(file.path) == found:
                break
        else:
            raise DocumentError(_CHANGING, name=file.path.name)
        with self._database.transaction():
            # Looked for once more: since then it may have come, or gone.
            blob_id = documents.find_blob(self._database, digest)
            if blob_id is None:
                if read is None:
                    raise CancelledError  # the file still waits
                info, pages = read
                blob_id = documents.put(self._database, digest, info, pages, language=_main_language(pages))
            if not documents.give(self._database, file.id, blob_id, found=found):
                raise CancelledError  # removed meanwhile, so nothing of it is kept
            document = documents.document(self._database, blob_id)
        if document is not None:
            self._on_stored((document.first_chunk, document.first_chunk + document.n_chunks))

    def _pages(self, file: StoredFile, found: FoundFile, cancel: CancelToken) -> tuple[DocumentInfo, list[ReadPage]]:
        info: DocumentInfo | None = None
        pages: list[ReadPage] = []
        n_characters, due = 0, 0.0
        for item in self._recordings.heard_in(file.id, found) or self._reader.read(file.path, cancel):
            if isinstance(item, DocumentInfo):
                info = item
                self._chunker.begin(info.n_pages if info.unit is Unit.PAGE else None, info.unit)
                continue
            n_characters += len(item.text)
            if n_characters > MOST_CHARACTERS:
                raise DocumentError(_TOO_LONG, name=file.path.name)
            pages.append(ReadPage(item, tuple(self._chunker.chunks_of(item))))
            if time.monotonic() >= due:
                due = time.monotonic() + _TELL_EVERY_S
                self._publish(ReadingProgress(file.id, len(pages), info.n_pages if info is not None else None))
        if cancel.cancelled:
            raise CancelledError
        assert info is not None, "a reader tells about the document first"
        return info, pages

    def _sweep(self) -> None:
        gone = documents.sweep(self._database)
        if gone:
            self._on_gone(gone)
            self._publish(FilesChanged())


def _digest(path: Path, cancel: CancelToken) -> bytes:
    """Names a file's bytes and what reads them."""
    digest = hashlib.blake2b(READERS_VERSION.to_bytes(4, "little"), digest_size=32)
    # The suffix tells some formats apart that their bytes do not.
    digest.update(path.suffix.lower().encode("utf-8", "surrogatepass") + b"\0")
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                if cancel.cancelled:
                    raise CancelledError
                digest.update(block)
    except OSError as error:
        raise DocumentError(_MISSING, name=path.name) from error
    return digest.digest()


def _main_language(pages: list[ReadPage]) -> str:
    counts: Counter[str] = Counter()
    for read in pages:
        for chunk in read.chunks:
            counts[chunk.language] += chunk.end - chunk.start
    return counts.most_common(1)[0][0] if counts else ""
