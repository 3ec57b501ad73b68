"""Bring another program's export file into the store. A file from a stranger: streamed, capped, one entry at a time.

Knows no window. What each program's entries mean is in `app.store.foreign`.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import ijson

from app.i18n import error_sentence
from app.limits import IMPORT_FILE_BYTES, IMPORT_RATIO
from app.store.foreign import conversation_from
from app.store.store import ConversationStore
from engine.cancel import CancelToken
from engine.errors import ImportFormatError, LimitError, sentence

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class ImportResult:
    """How many came in, how many were there already, and a sentence for each that could not be read."""

    imported: int
    skipped_duplicates: int
    problems: tuple[str, ...]


def import_file(store: ConversationStore, path: Path, progress: Progress, cancel: CancelToken) -> ImportResult:
    """Import a `.json` export, or the `.zip` that holds it, each conversation in a transaction of its own.

    `progress(done, total)` is in bytes. After a cancel what came in stays. Raises `ImportFormatError` for a file
    that is no export, `LimitError` for one beyond the caps.
    """
    imported = skipped = 0
    problems: list[str] = []
    with _exports(path) as exports:
        for stream, size in exports:
            counter = _Counter(stream, progress, size)
            try:
                for raw in ijson.items(counter, _prefix(counter), use_float=True):
                    if cancel.cancelled:
                        return ImportResult(imported, skipped, tuple(problems))
                    try:
                        entry = conversation_from(raw if isinstance(raw, dict) else {})
                    except ImportFormatError as error:
                        problems.append(error_sentence(error))
                        continue
                    if not entry.messages:
                        continue
                    if store.adopt(entry) is None:
                        skipped += 1
                    else:
                        imported += 1
            except (ijson.JSONError, UnicodeDecodeError) as error:
                if not imported + skipped:
                    raise ImportFormatError(
                        sentence("{name} is not an export that Hearth knows. Choose conversations.json or its .zip."),
                        name=path.name,
                    ) from error
                problems.append(error_sentence(ImportFormatError(sentence("The file ends in the middle."))))
    return ImportResult(imported, skipped, tuple(problems))


class _Counter:
    """A readable stream that tells how far it is, and stops where the promised size does."""

    def __init__(self, stream: IO[bytes], progress: Progress, size: int) -> None:
        self._stream = stream
        self._progress = progress
        self._size = size
        self._read = 0
        self._ahead = b""

    def peek(self) -> bytes:
        """The first byte that is not white space; it will be read again."""
        while not self._ahead.strip():
            block = self._stream.read(64)
            if not block:
                return b""
            self._ahead += block
        return self._ahead.lstrip()[:1]

    def read(self, size: int = -1) -> bytes:
        if self._ahead and size != 0:
            block, self._ahead = self._ahead, b""
        else:
            block = self._stream.read(size)
        self._read += len(block)
        if self._read > self._size:
            raise LimitError(sentence("The file is larger than it says. It was not imported any further."))
        if block:
            self._progress(self._read, self._size)
        return block


def _prefix(counter: _Counter) -> str:
    """Where the conversations are: other programs write an array, Hearth an object."""
    return "conversations.item" if counter.peek() == b"{" else "item"


@contextmanager
def _exports(path: Path) -> Iterator[Iterator[tuple[IO[bytes], int]]]:
    """The JSON streams of a file with their sizes in bytes."""
    size = path.stat().st_size
    if size > IMPORT_FILE_BYTES:
        raise _too_large(path)
    if not zipfile.is_zipfile(path):
        with path.open("rb") as file:
            yield iter([(file, size)])
        return
    with zipfile.ZipFile(path) as archive:
        members = [
            member
            for member in archive.infolist()
            if member.filename.rsplit("/", 1)[-1].startswith("conversations") and member.filename.endswith(".json")
        ]
        if not members:
            raise ImportFormatError(sentence("{name} holds no conversations.json."), name=path.name)
        unpacked = sum(member.file_size for member in members)
        packed = max(1, sum(member.compress_size for member in members))
        if unpacked > IMPORT_FILE_BYTES or unpacked > packed * IMPORT_RATIO:
            raise _too_large(path)

        def streams() -> Iterator[tuple[IO[bytes], int]]:
            for member in members:
                with archive.open(member) as stream:
                    yield stream, member.file_size

        yield streams()


def _too_large(path: Path) -> LimitError:
    return LimitError(
        sentence("{name} is too large to import: {limit} GB is the most."),
        name=path.name,
        limit=IMPORT_FILE_BYTES // (1 << 30),
    )
