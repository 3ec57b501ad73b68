"""A library without processes: a reader whose documents a test writes down, and one passage a paragraph."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from pathlib import Path

from engine.cancel import CancelToken
from engine.errors import DocumentError, sentence
from rag.events import LibraryEvent
from rag.library import Library
from rag.store import documents, shelf
from rag.store.database import LibraryDatabase
from rag.store.documents import ReadPage
from rag.store.types import FoundFile, Source, SourceKind, StoredFile
from rag.types import Chunk, DocumentInfo, Page, Unit

PATIENCE_S = 20.0


class Paragraphs:
    """One passage a paragraph."""

    def begin(self, n_pages: int | None = None, unit: Unit = Unit.TEXT) -> None:
        """Remembers nothing."""

    def chunks_of(self, page: Page) -> list[Chunk]:
        return chunks(page.text, page.number)


class TextReader:
    """Reads text, a page a form feed; does what the tests have written down for a file's name first."""

    def __init__(self) -> None:
        self.read_paths: list[Path] = []
        self.before: dict[str, Callable[[Path], object]] = {}
        """File name -> what happens after its first page."""

    def read(self, path: Path, cancel: CancelToken) -> Iterator[DocumentInfo | Page]:
        self.read_paths.append(path)
        texts = path.read_text("utf-8").split("\f")
        yield DocumentInfo(path.stem, Unit.PAGE, "text/plain", len(texts))
        for number, text in enumerate(texts, 1):
            if number == 2 or len(texts) == 1:
                self.before.get(path.name, lambda _path: None)(path)
            if cancel.cancelled:
                raise CancelledError
            yield Page(number, text)


class Gate:
    """Holds the reader until it is opened."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.opened = threading.Event()

    def __call__(self, _path: Path) -> None:
        self.reached.set()
        assert self.opened.wait(PATIENCE_S)


def refuse(path: Path) -> None:
    raise DocumentError(sentence("“{name}” is damaged."), name=path.name)


def chunks(text: str, page: int = 1) -> list[Chunk]:
    found, at = [], 0
    for paragraph in text.split("\n\n"):
        if paragraph.strip():
            found.append(Chunk(page, at, at + len(paragraph), 1, 1, language="en"))
        at += len(paragraph) + 2
    return found


def library(folder: Path, reader: TextReader, events: list[LibraryEvent] | None = None) -> Library:
    """Not begun."""
    return Library(folder, reader, Paragraphs(), (events if events is not None else []).append)


def put(database: LibraryDatabase, file_id: int, *texts: str, digest: bytes = b"", title: str = "t") -> int:
    """A document of these pages, in one transaction, as a file's; its blob's id."""
    pages = [ReadPage(Page(n, text), tuple(chunks(text, n))) for n, text in enumerate(texts, 1)]
    info = DocumentInfo(title, Unit.PAGE, "text/plain")
    with database.transaction():
        blob_id = documents.put(database, digest or "\f".join(texts).encode(), info, pages, language="en")
        file = shelf.file(database, file_id)
        assert file is not None
        documents.give(database, file_id, blob_id, found=FoundFile(file.path, file.size, file.mtime_ns))
    return blob_id


def stored(database: LibraryDatabase, *paths: Path) -> tuple[Source, list[StoredFile]]:
    """A source with files that wait."""
    collection = shelf.add_collection(database, "Books")
    source = shelf.add_source(database, collection.id, SourceKind.FOLDER, Path("/books"), "books")
    shelf.take_look(database, source.id, [FoundFile(path, 1, 1) for path in paths])
    return source, shelf.files(database, source_id=source.id)


def bytes_of(folder: Path) -> bytes:
    """All that lies on the disk of a library."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())
