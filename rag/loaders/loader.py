"""What every loader is: a function from an opened file to a document with pages. Knows no format.

Loaders run in the parser process only. They raise `DocumentError` for what a person can do something about; whatever
else a hostile file makes them raise is turned into "damaged" by `rag.loaders.reading`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from engine.display_name import display_name
from engine.errors import DocumentError, sentence
from rag.loaders.limits import FILE_BYTES, MIB
from rag.loaders.ocr import Recogniser
from rag.recording_kinds import BEGINNING, is_recording
from rag.types import DocumentInfo, Page

DAMAGED = sentence("“{name}” is damaged, so it could not be read. Open it in its own program and save it again.")
PROTECTED = sentence("“{name}” is protected by a password. Save a copy without one, and add that.")
NO_TEXT = sentence("“{name}” holds no text.")
TOO_LARGE = sentence("“{name}” is larger than {limit} MB, which is the most Hearth can read of this kind.")
UNPACKS_TOO_LARGE = sentence("“{name}” unpacks to far more than a document needs, so it was not read.")
_EMPTY = sentence("“{name}” is empty, so there is nothing to read.")
_MISSING = sentence("“{name}” is not there any more, or Hearth may not read it.")
_SPECIAL = sentence("“{name}” is not an ordinary file, so it was not read.")
TOO_MUCH_MEMORY = sentence("“{name}” needs too much memory to be read. Split it into smaller files.")
TOO_MANY_PAGES = sentence("“{name}” has more than {limit} pages, which is the most Hearth can read.")
CHANGED = sentence("“{name}” was changed while it was being read. Read it again.")


@dataclass(frozen=True, slots=True)
class Source:
    """A regular file, opened for reading; `name` is safe to show.

    `recogniser` gives what reads print in images, loaded when first asked for; None where there is none.
    """

    path: Path
    file: BinaryIO
    status: os.stat_result
    recogniser: Callable[[], Recogniser | None]

    @property
    def name(self) -> str:
        return display_name(self.path.name)

    @property
    def title(self) -> str:
        """What a document is called that does not say."""
        return display_name(self.path.stem)

    @property
    def suffix(self) -> str:
        return self.path.suffix.lower()

    @property
    def size(self) -> int:
        return self.status.st_size

    def error(self, template: str, **fields: object) -> DocumentError:
        """A `DocumentError` that names this file."""
        return DocumentError(template, name=self.name, **fields)

    def beginning(self, n_bytes: int) -> bytes:
        self.file.seek(0)
        return self.file.read(n_bytes)

    def whole(self, most: int) -> bytes:
        """All bytes. Raises `DocumentError` above `most`."""
        if self.size > most:
            raise self.error(TOO_LARGE, limit=most // MIB)
        return self.beginning(most)

    def changed(self) -> bool:
        """True if somebody wrote to the file since it was opened."""
        now = os.fstat(self.file.fileno())
        return (now.st_size, now.st_mtime_ns) != (self.status.st_size, self.status.st_mtime_ns)


@dataclass(frozen=True, slots=True)
class OpenDocument:
    """What is known at once, and the pages as they are read. Closing the generator frees what it holds."""

    info: DocumentInfo
    pages: Iterator[Page]


class Loader(Protocol):
    """Raises `DocumentError` at once or between pages; never holds more of the document than it must."""

    def __call__(self, source: Source, /) -> OpenDocument: ...


def open_source(path: Path, recogniser: Callable[[], Recogniser | None]) -> Source:
    """Open a regular file; links are followed, and loops of them are missing files. Raises `DocumentError`."""
    name = display_name(path.name)
    try:
        # A FIFO or a device would block or never end: open without waiting, then look what was opened.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError) as error:
        raise DocumentError(_MISSING, name=name) from error
    file = os.fdopen(descriptor, "rb")
    status = os.fstat(descriptor)
    source = Source(path, file, status, recogniser)
    refusal = None
    if not stat.S_ISREG(status.st_mode):
        refusal = source.error(_SPECIAL)
    elif status.st_size == 0:
        refusal = source.error(_EMPTY)
    elif status.st_size > FILE_BYTES and not is_recording(source.beginning(BEGINNING)):
        refusal = source.error(TOO_LARGE, limit=FILE_BYTES // MIB)
    if refusal is not None:
        file.close()
        raise refusal
    return source
