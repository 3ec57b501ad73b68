"""A program to be killed: reads documents into a library and says on standard output when one is ready.

Told a line on standard input it forks a child that opens the library and begins, whose process id is the first line of
the answer; "gone" is the last one, when the child is dead. With `torn` a document is not one transaction, which is what
the test of the kills must notice.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import rag.index  # noqa: F401  # what the child needs is loaded once, before the fork
from rag.chunking import Chunker
from rag.events import FilesChanged, LibraryEvent
from rag.language import language_of
from rag.library import Library
from rag.store import shelf
from rag.store.database import LibraryDatabase
from rag.store.types import FileState
from tests.process.store_writer import tell
from tests.unit.library_shelf import TextReader


def read(folder: Path) -> None:
    """Read what waits, for ever; a ready file is told as "<file> <size> <mtime_ns>"."""
    library: Library | None = None

    def publish(event: LibraryEvent) -> None:
        if library is None or not isinstance(event, FilesChanged):
            return
        for number in event.file_ids:
            file = shelf.file(library.database, number)
            if file is not None and file.state is FileState.READ:
                tell(f"{file.id} {file.size} {file.mtime_ns}")

    library = Library(folder, TextReader(), Chunker(), publish)
    library.begin()
    sys.stdin.read()


def main() -> None:
    """Fork a child for each line, and wait for its end."""
    folder = Path(sys.argv[1])
    if sys.argv[2] == "torn":

        @contextmanager
        def no_transaction(_database: LibraryDatabase) -> Iterator[None]:
            yield

        LibraryDatabase.transaction = no_transaction  # type: ignore[method-assign]
    language_of("The model of languages takes a second to load.")
    for _line in sys.stdin:
        child = os.fork()
        if child == 0:
            tell(str(os.getpid()))
            sys.stdin = os.fdopen(os.pipe()[0])
            read(folder)
        os.waitpid(child, 0)
        tell("gone")


if __name__ == "__main__":
    main()
