"""Bring another program's export file into the store. A file from a stranger: streamed, capped, one entry at a time.

Knows no window. What each program's entries mean is in `app.store.foreign`.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import ijson

from app.i18n import error_sentence, tr
from app.limits import IMPORT_CONVERSATION_BYTES, IMPORT_FILE_BYTES, IMPORT_RATIO
from app.store.foreign import ForeignConversation, conversation_from
from app.store.store import ConversationStore
from app.store.types import Conversation
from engine.cancel import CancelToken
from engine.errors import ImportFormatError, LimitError, sentence

Progress = Callable[[int, int], None]
Adopt = Callable[[ForeignConversation], Conversation | None]
_MEMBER = re.compile(r"(?:[^/]+/)*conversations[^/]*\.json")


@dataclass(frozen=True, slots=True)
class ImportResult:
    """How many came in, how many were there already, and a sentence for each that could not be read."""

    imported: int
    skipped_duplicates: int
    problems: tuple[str, ...]


def import_file(store: ConversationStore, path: Path, progress: Progress, cancel: CancelToken) -> ImportResult:
    """`import_with` into a store of this thread."""
    return import_with(store.adopt, path, progress, cancel)


def import_with(adopt: Adopt, path: Path, progress: Progress, cancel: CancelToken) -> ImportResult:
    """Import a `.json` export, or the `.zip` that holds it, handing each conversation to `adopt`.

    `adopt` is `ConversationStore.adopt`, or brings it to the store's thread, so that a long import keeps nobody
    waiting. `progress(done, total)` is in KiB. After a cancel what came in stays. Raises `ImportFormatError` for a
    file that is no export, `LimitError` for one beyond the caps, `StoreError` where the store refuses.
    """
    imported = skipped = 0
    problems: list[str] = []
    try:
        with _exports(path) as (streams, size):
            counter = _Counter(progress, size)
            for stream in streams:
                counter.turn_to(stream)
                for raw in ijson.items(counter, _prefix(counter), use_float=True):
                    if cancel.cancelled:
                        break
                    counter.start_entry()
                    try:
                        entry = conversation_from(raw)
                    except ImportFormatError as error:
                        problems.append(error_sentence(error))
                        continue
                    if not entry.messages:
                        continue  # programs export chats that were opened and never used
                    if adopt(entry) is None:
                        skipped += 1
                    else:
                        imported += 1
    except (ijson.JSONError, ValueError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        if not imported + skipped + len(problems):
            raise ImportFormatError(
                sentence("{name} is not an export that Hearth knows. Choose conversations.json or its .zip."),
                name=path.name,
            ) from error
        problems.append(tr("The file is damaged; what comes after the damage was left out."))
    except OSError as error:
        raise ImportFormatError(
            sentence("{name} cannot be read: {reason}."), name=path.name, reason=error.strerror or error
        ) from error
    return ImportResult(imported, skipped, tuple(problems))


class _Counter:
    """The streams of a file as a reader that tells how far it is, and stops where a cap or the promised size does."""

    def __init__(self, progress: Progress, size: int) -> None:
        self._progress = progress
        self._size = size
        self._read = 0
        self._entry_at = 0
        self._stream: IO[bytes] = io.BytesIO()
        self._ahead = b""

    def turn_to(self, stream: IO[bytes]) -> None:
        """Go on with the next stream."""
        self._stream = stream
        self._ahead = b""
        self.start_entry()

    def start_entry(self) -> None:
        """What is read from now on belongs to the next conversation."""
        self._entry_at = self._read

    def peek(self) -> bytes:
        """The first byte that is not white space; it will be read again."""
        while not self._ahead.strip():
            block = self._stream.read(64)
            if not block:
                return b""
            self._ahead += block
        return self._ahead.lstrip()[:1]

    def read(self, size: int = -1) -> bytes:
        if size == 0:
            return b""
        block = self._ahead + self._stream.read(size)
        self._ahead = b""
        self._read += len(block)
        if self._read > self._size:
            raise LimitError(sentence("The file is larger than it says. It was not imported any further."))
        if self._read - self._entry_at > IMPORT_CONVERSATION_BYTES:
            raise LimitError(
                sentence("A conversation of more than {limit} MB cannot be imported."),
                limit=IMPORT_CONVERSATION_BYTES // (1 << 20),
            )
        self._progress(self._read >> 10, self._size >> 10)
        return block


def _prefix(counter: _Counter) -> str:
    """Where the conversations are: other programs write an array, Hearth an object."""
    return "conversations.item" if counter.peek() == b"{" else "item"


@contextmanager
def _exports(path: Path) -> Iterator[tuple[Iterator[IO[bytes]], int]]:
    """The JSON streams of a file and their size together, in bytes."""
    size = path.stat().st_size
    if size > IMPORT_FILE_BYTES:
        raise _too_large(path)
    if not zipfile.is_zipfile(path):
        with path.open("rb") as file:
            yield iter([file]), size
        return
    with zipfile.ZipFile(path) as archive:
        members = [member for member in archive.infolist() if _MEMBER.fullmatch(member.filename)]
        if not members:
            raise ImportFormatError(sentence("{name} holds no conversations.json."), name=path.name)
        unpacked = sum(member.file_size for member in members)
        packed = max(1, sum(member.compress_size for member in members))
        if unpacked > IMPORT_FILE_BYTES or unpacked > packed * IMPORT_RATIO:
            raise _too_large(path)

        def streams() -> Iterator[IO[bytes]]:
            for member in sorted(members, key=lambda member: member.filename):
                with archive.open(member) as stream:
                    yield stream

        yield streams(), unpacked


def _too_large(path: Path) -> LimitError:
    return LimitError(
        sentence("{name} is too large to import: {limit} GB is the most."),
        name=path.name,
        limit=IMPORT_FILE_BYTES // (1 << 30),
    )
