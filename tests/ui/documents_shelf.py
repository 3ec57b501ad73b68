"""A small document library for tests of the windows: everything in memory, answers at once or when told."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from app.events import DocumentsHappened
from app.ui.bridge import EventBridge
from engine.errors import LibraryError, sentence
from rag.events import FilesChanged, LibraryEvent
from rag.passages import Found, Passage, Way
from rag.store.types import (
    Collection,
    FilePosition,
    FileSpan,
    FileState,
    HiddenWords,
    Source,
    SourceKind,
    SourceOutline,
    StoredFile,
)
from rag.types import Page, Unit

T = TypeVar("T")


def ended(value: T) -> Future[T]:
    future: Future[T] = Future()
    future.set_result(value)
    return future


def refused(text: str) -> Future[T]:
    future: Future[T] = Future()
    future.set_exception(LibraryError(sentence("{text}"), text=text))
    return future


def passage_in(
    page: Page, file: StoredFile, words: str, *, section: str = "", score: float = 0.8, chunk_id: int = 1
) -> Passage:
    """The place of `words` on a page as a search would find it."""
    start = page.text.index(words)
    first = page.first_line + page.text.count("\n", 0, start)
    assert file.blob_id is not None
    return Passage(
        chunk_id, file.id, file.blob_id, file.path, file.title, file.unit, page.number, page.label, start,
        start + len(words), first, first + words.count("\n"), section, "en", words, score,
    )  # fmt: skip


class Shelf:
    """What the windows use of `rag.client.LibraryClient`. Tests change it and `tell` what happened."""

    def __init__(self, bridge: EventBridge) -> None:
        self.bridge = bridge
        self.shelf: list[Collection] = []
        self.all_sources: list[Source] = []
        self.all_files: list[StoredFile] = []
        self.pages: dict[tuple[int, int], Page] = {}
        self.hidden: dict[int, tuple[HiddenWords, ...]] = {}
        self.found = Found(Way.NOTHING, ())
        self.asked: list[tuple[str, object]] = []
        self.n_rows_given = 0
        self._last_id = 100

    def tell(self, event: LibraryEvent) -> None:
        """Let the windows know."""
        self.bridge.publish(DocumentsHappened(event))

    def put(
        self, collection_id: int, path: Path, *, kind: SourceKind = SourceKind.FILE, n_pages: int = 0, n_chunks: int = 1
    ) -> StoredFile:
        """A file that was read, as a source of its own."""
        source = self._source(collection_id, kind, path, path.name)
        return self.put_in(source, path, n_pages=n_pages, n_chunks=n_chunks)

    def put_in(self, source: Source, path: Path, *, n_pages: int = 0, n_chunks: int = 1) -> StoredFile:
        """A file that was read, of a source."""
        number = self._number()
        found = path.stat() if path.exists() else None
        size, mtime = (found.st_size, found.st_mtime_ns) if found is not None else (0, 0)
        unit = Unit.PAGE if n_pages else Unit.TEXT
        file = StoredFile(
            number, source.id, source.collection_id, path, size, mtime, FileState.READ, None, 1000 + number,
            path.stem, unit, n_pages, n_chunks,
        )  # fmt: skip
        self.all_files.append(file)
        return file

    def change(self, file: StoredFile, **fields: object) -> StoredFile:
        """Make a file another one, and tell."""
        changed = replace(file, **fields)  # type: ignore[arg-type]
        self.all_files[self.all_files.index(file)] = changed
        self.tell(FilesChanged((file.id,)))
        return changed

    # As the client

    def collections(self) -> Future[tuple[Collection, ...]]:
        counted = [
            replace(each, n_files=sum(file.collection_id == each.id for file in self.all_files)) for each in self.shelf
        ]
        return ended(tuple(counted))

    def sources(self, collection_id: int | None = None) -> Future[tuple[Source, ...]]:
        return ended(tuple(each for each in self.all_sources if collection_id in (None, each.collection_id)))

    def files(
        self, collection_ids: tuple[int, ...] | None = None, blob_id: int | None = None
    ) -> Future[tuple[StoredFile, ...]]:
        found = (each for each in self.all_files if blob_id in (None, each.blob_id))
        return ended(tuple(each for each in found if collection_ids is None or each.collection_id in collection_ids))

    def outline(self, collection_id: int) -> Future[tuple[SourceOutline, ...]]:
        def counted(source: Source) -> SourceOutline:
            own = self._files_of(source.id)
            waiting = sum(file.state is FileState.WAITING and file.reachable for file in own)
            return SourceOutline(source, len(own), waiting, sum(file.state is FileState.FAILED for file in own))

        return ended(tuple(counted(each) for each in self.all_sources if each.collection_id == collection_id))

    def rows(self, spans: Sequence[FileSpan]) -> Future[tuple[StoredFile, ...]]:
        self.n_rows_given += sum(count for _source, _first, count in spans)
        found = [self._files_of(source_id)[first : first + count] for source_id, first, count in spans]
        return ended(tuple(file for files in found for file in files))

    def position(self, file_id: int) -> Future[FilePosition | None]:
        return ended(next((self._position(file) for file in self.all_files if file.id == file_id), None))

    def next_failed(self, collection_id: int, source_id: int, path: str) -> Future[FilePosition | None]:
        failed = [
            file
            for source in self.all_sources
            if source.collection_id == collection_id
            for file in self._files_of(source.id)
            if file.state is FileState.FAILED
        ]
        order = [each.id for each in self.all_sources]
        at = (order.index(source_id) if source_id in order else -1, path)
        behind = [file for file in failed if (order.index(file.source_id), str(file.path)) > at]
        return ended(next((self._position(file) for file in (*behind, *failed)), None))

    def retry_failed(self, source_id: int) -> Future[None]:
        self.asked.append(("retry failed", source_id))
        return ended(None)

    def add_collection(self, name: str) -> Future[Collection]:
        made = Collection(self._number(), name)
        self.shelf.append(made)
        return ended(made)

    def rename_collection(self, collection_id: int, name: str) -> Future[None]:
        if any(each.name == name for each in self.shelf):
            return refused("There is a collection of that name already.")
        self.shelf = [replace(each, name=name) if each.id == collection_id else each for each in self.shelf]
        return ended(None)

    def remove_collection(self, collection_id: int) -> Future[None]:
        self.shelf = [each for each in self.shelf if each.id != collection_id]
        return ended(None)

    def add(self, collection_id: int, path: Path) -> Future[Source]:
        if not path.exists():
            return refused(f"{path.name} is not there.")
        kind = SourceKind.FOLDER if path.is_dir() else SourceKind.FILE
        source = self._source(collection_id, kind, path, path.name)
        for each in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if each.is_file():
                file = self.put_in(source, each)
                self.change(file, state=FileState.WAITING, n_chunks=0, blob_id=None)
        return ended(source)

    def add_text(self, collection_id: int, name: str, text: str) -> Future[Source]:
        self.asked.append(("text", text))
        source = self._source(collection_id, SourceKind.TEXT, Path("/pasted.txt"), name)
        self.put_in(source, source.path)
        return ended(source)

    def remove_source(self, source_id: int) -> Future[None]:
        self.all_sources = [each for each in self.all_sources if each.id != source_id]
        self.all_files = [each for each in self.all_files if each.source_id != source_id]
        return ended(None)

    def retry(self, file_id: int) -> Future[None]:
        self.asked.append(("retry", file_id))
        return ended(None)

    def look_again(self) -> Future[None]:
        self.asked.append(("look again", None))
        return ended(None)

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
        self.asked.append((question, collection_ids))
        return ended(self.found)

    def page(self, blob_id: int, number: int) -> Future[Page | None]:
        return ended(self.pages.get((blob_id, number)))

    def hidden_words(self, blob_id: int) -> Future[tuple[HiddenWords, ...]]:
        return ended(self.hidden.get(blob_id, ()))

    def asked_for(self, what: str) -> Sequence[object]:
        return [value for name, value in self.asked if name == what]

    def _files_of(self, source_id: int) -> list[StoredFile]:
        return [file for file in self.all_files if file.source_id == source_id]

    def _position(self, file: StoredFile) -> FilePosition:
        return FilePosition(file.id, file.source_id, self._files_of(file.source_id).index(file), file.path)

    def _source(self, collection_id: int, kind: SourceKind, path: Path, name: str) -> Source:
        source = Source(self._number(), collection_id, kind, path, name)
        self.all_sources.append(source)
        return source

    def _number(self) -> int:
        self._last_id += 1
        return self._last_id
