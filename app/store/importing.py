"""Bring another program's export file into the store. A file from a stranger: streamed, capped, one entry at a time.

Knows no window. What each program's entries mean is in `app.store.foreign`.
"""

from __future__ import annotations

import codecs
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from app.i18n import error_sentence, tr
from app.limits import IMPORT_CONVERSATION_CHARACTERS, IMPORT_FILE_BYTES, IMPORT_RATIO
from app.store.foreign import ForeignConversation, TakeImage, conversation_from
from app.store.store import ConversationStore
from app.store.types import Conversation
from engine.cancel import CancelToken
from engine.errors import ImportFormatError, LimitError, sentence

Progress = Callable[[int, int], None]
Adopt = Callable[[ForeignConversation], Conversation | None]
_MEMBER = re.compile(r"(?:[^/]+/)*conversations[^/]*\.json")
_BLOCK = 1 << 18
_LONGEST_WORD = 16
"""Characters; an error so close to the end of what was read may be for want of the rest."""
_BLANK = " \t\r\n"
_START = re.compile(
    r'\[|\{(?:\s*"(?!conversations")[^"\\]{0,99}"\s*:\s*(?:"[^"\\]{0,999}"|[-+.\w]{1,99})\s*,)*\s*"conversations"\s*:\s*\['
)
"""Where the conversations begin."""


@dataclass(frozen=True, slots=True)
class ImportResult:
    """How many came in, how many were there already, and a sentence for each that could not be read."""

    imported: int
    skipped_duplicates: int
    problems: tuple[str, ...]


def import_file(store: ConversationStore, path: Path, progress: Progress, cancel: CancelToken) -> ImportResult:
    """`import_with` into a store of this thread."""
    return import_with(store.adopt, path, progress, cancel)


def import_with(
    adopt: Adopt, path: Path, progress: Progress, cancel: CancelToken, take: TakeImage | None = None
) -> ImportResult:
    """Import a `.json` export, or the `.zip` that holds it, handing each conversation to `adopt`.

    `adopt` is `ConversationStore.adopt`, or brings it to the store's thread, so that a long import keeps nobody
    waiting. `take` keeps the images of our own exports. `progress(done, total)` is in KiB. After a cancel what came in
    stays. Raises `ImportFormatError` for a file that is no export, `LimitError` for one beyond the caps, `StoreError`
    where the store refuses.
    """
    imported = skipped = 0
    problems: list[str] = []
    try:
        with _exports(path) as (streams, size):
            read = _Progress(progress, size)
            for stream in streams:
                for raw in _entries(_Text(stream, read)):
                    if cancel.cancelled:
                        break
                    try:
                        entry = conversation_from(raw, take)
                    except ImportFormatError as error:
                        problems.append(error_sentence(error))
                        continue
                    if not entry.messages:
                        continue  # programs export chats that were opened and never used
                    if adopt(entry) is None:
                        skipped += 1
                    else:
                        imported += 1
    except (ValueError, RecursionError, zipfile.BadZipFile, zlib.error, EOFError) as error:
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


class _Progress:
    """How much of a file was read, told after each block; a stream that gives more than it promised is cut off."""

    def __init__(self, progress: Progress, size: int) -> None:
        self._progress = progress
        self._size = size
        self._read = 0

    def add(self, n_bytes: int) -> None:
        """Count what was read."""
        self._read += n_bytes
        if self._read > self._size:
            raise LimitError(sentence("The file is larger than it says. It was not imported any further."))
        self._progress(self._read >> 10, self._size >> 10)


class _Text:
    """The part of a JSON text that is being looked at: what was read from `position` on."""

    def __init__(self, stream: IO[bytes], progress: _Progress) -> None:
        self._stream = stream
        self._progress = progress
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self.buffer = ""
        self.position = 0
        self.ended = False

    def more(self) -> None:
        """Read on, as much again as is waiting already, so that a long entry is not tried too often."""
        waiting = len(self.buffer) - self.position
        if waiting > IMPORT_CONVERSATION_CHARACTERS:
            raise LimitError(
                sentence("A conversation of more than {limit} million characters cannot be imported."),
                limit=IMPORT_CONVERSATION_CHARACTERS // 1_000_000,
            )
        block = self._stream.read(max(_BLOCK, waiting))
        self._progress.add(len(block))
        self.ended = not block
        self.buffer = self.buffer[self.position :] + self._decoder.decode(block, final=self.ended)
        self.position = 0

    def skip(self, characters: str) -> str:
        """The next character that is none of `characters`; "" at the end."""
        while True:
            while self.position < len(self.buffer) and self.buffer[self.position] in characters:
                self.position += 1
            if self.position < len(self.buffer) or self.ended:
                return self.buffer[self.position : self.position + 1]
            self.more()


def _entries(text: _Text) -> Iterator[object]:
    """The conversations of a JSON text, one at a time: other programs write an array, Hearth an object with one.

    The standard library's decoder, as it neither crashes nor takes memory without bounds over hostile files; of two
    streaming parsers in C the one did the first and the other the second.
    """
    text.skip(_BLANK)
    start = _START.match(text.buffer, text.position)
    if start is None:
        raise ValueError("no array of conversations")
    text.position = start.end()
    decoder = json.JSONDecoder()
    while (first := text.skip(_BLANK + ",")) != "]":
        if not first:
            raise ValueError("the array has no end")
        try:
            value, end = decoder.raw_decode(text.buffer, text.position)
        except json.JSONDecodeError as error:
            cut_off = error.msg.startswith("Unterminated") or error.pos > len(text.buffer) - _LONGEST_WORD
            if text.ended or not cut_off:
                raise
            text.more()
            continue
        if end == len(text.buffer) and not text.ended:  # a number may go on
            text.more()
            continue
        text.position = end
        yield value


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
