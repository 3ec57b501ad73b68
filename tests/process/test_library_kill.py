"""100 `kill -9` while documents are read: none is torn, none that was ready is lost; and a control that tears them."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rag.chunking import Chunker
from rag.library import Library
from rag.store import shelf
from rag.store.database import LibraryDatabase
from rag.store.types import FileState, FoundFile, Source, SourceKind
from tests.unit.library_shelf import TextReader

KILLS = 100
CONTROL_KILLS = 15
N_FILES = 8
N_PAGES = 6
MOST_READY = 4
"""A child is killed after at most so many documents, and up to `LATER_S` seconds later: anywhere within one."""
LATER_S = 0.03

pytestmark = [pytest.mark.skipif(os.name != "posix", reason="kill -9 and fork are POSIX"), pytest.mark.beside]


class Shelf:
    """Documents on the disk, which change before each kill, and what a child has said of them."""

    def __init__(self, folder: Path) -> None:
        self.library = folder / "library"
        self.library.mkdir()
        self.docs = folder / "docs"
        self.docs.mkdir()
        self.chance = random.Random(2026)
        self.version = 0
        self.told: dict[int, tuple[int, int]] = {}
        self.change_all()
        database = LibraryDatabase(self.library / "library.db")
        collection = shelf.add_collection(database, "Books")
        shelf.add_source(database, collection.id, SourceKind.FOLDER, self.docs, "docs")
        self.look(database)
        database.close()

    def change_all(self) -> None:
        self.version += 1
        for number in range(N_FILES):
            pages = [
                "\n\n".join(f"Version{self.version} of {number}, page {page}: " + "word " * 40 for _ in range(5))
                for page in range(N_PAGES)
            ]
            path = self.docs / f"{number}.txt"
            path.write_text("\f".join(pages))
            os.utime(path, ns=(self.version, self.version))

    def look(self, database: LibraryDatabase) -> Source:
        (source,) = shelf.sources(database)
        found = [FoundFile(path, path.stat().st_size, path.stat().st_mtime_ns) for path in sorted(self.docs.iterdir())]
        shelf.take_look(database, source.id, found)
        return source


@contextmanager
def program(folder: Path, mode: str) -> Iterator[subprocess.Popen[str]]:
    """The program that forks a reading child for each line it is told."""
    started = subprocess.Popen(
        [sys.executable, "-m", "tests.process.library_reader", str(folder), mode],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    try:
        yield started
    finally:
        assert started.stdin is not None
        assert started.stdout is not None
        started.stdin.close()
        started.stdout.close()
        started.wait(30)


def kill_once(started: subprocess.Popen[str], books: Shelf) -> dict[int, tuple[int, int]]:
    """Start a child, kill it at a random moment, and give the documents it said were ready."""
    assert started.stdin is not None
    assert started.stdout is not None
    started.stdin.write("go\n")
    started.stdin.flush()
    child = int(started.stdout.readline())
    told: dict[int, tuple[int, int]] = {}

    def take(line: str) -> None:
        number, size, mtime_ns = (int(each) for each in line.split())
        told[number] = (size, mtime_ns)

    for _ in range(books.chance.randint(1, MOST_READY)):
        take(started.stdout.readline())
    moment = time.perf_counter() + books.chance.uniform(0, LATER_S)
    while time.perf_counter() < moment:
        pass
    os.kill(child, signal.SIGKILL)
    while (line := started.stdout.readline()) != "gone\n":
        take(line)
    return told


def faults_of(database: LibraryDatabase, told: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """Documents that are torn, and documents that were ready and are not as they were."""
    torn = lost = 0
    wrong = database.rows(
        """
        SELECT blob.id FROM blob WHERE n_pages <> (SELECT count(*) FROM page WHERE blob_id = blob.id)
        OR n_chunks <> (SELECT count(*) FROM chunk JOIN page ON page.id = chunk.page_id WHERE blob_id = blob.id)
        OR n_chunks <> (SELECT count(*) FROM words_docsize WHERE id >= first_chunk AND id < first_chunk + n_chunks)
        OR n_pages <> ?
        """,
        (N_PAGES,),
    )
    torn += len(wrong)
    files = {file.id: file for file in shelf.files(database)}
    for file in files.values():
        torn += file.state is FileState.READ and file.n_pages != N_PAGES
    for number, as_told in told.items():
        file = files[number]
        lost += file.state is not FileState.READ or (file.size, file.mtime_ns) != as_told
    return torn, lost


def kills(folder: Path, mode: str, n: int) -> tuple[int, int, int]:
    """Torn and lost documents over all kills, and how many kills left something waiting."""
    books = Shelf(folder)
    torn = lost = interrupted = 0
    with program(books.library, mode) as started:
        for _ in range(n):
            told = kill_once(started, books)
            database = LibraryDatabase(books.library / "library.db")
            new_torn, new_lost = faults_of(database, told)
            torn, lost = torn + new_torn, lost + new_lost
            interrupted += shelf.is_any_waiting(database, None)
            assert database.row("PRAGMA quick_check") == ("ok",)
            books.change_all()
            books.look(database)
            database.close()
    return torn, lost, interrupted


def test_nothing_is_torn_and_nothing_ready_is_lost_in_100_kills(tmp_path: Path) -> None:
    torn, lost, interrupted = kills(tmp_path, "honest", KILLS)
    assert (torn, lost) == (0, 0)
    assert interrupted > KILLS / 2, "the kills came while there was something to read"
    library = Library(tmp_path / "library", TextReader(), Chunker(), lambda _event: None)
    library.begin()
    assert library.wait_until_idle(60)
    assert [file.n_pages for file in library.files()] == [N_PAGES] * N_FILES
    assert library.database.row("SELECT count(*) FROM blob") == (N_FILES,), "old versions are gone"
    with library.database.transaction():
        library.database.write("INSERT INTO words (words) VALUES ('integrity-check')")
    library.close()


def test_documents_put_in_piece_by_piece_would_be_noticed(tmp_path: Path) -> None:
    torn, _lost, _interrupted = kills(tmp_path, "torn", CONTROL_KILLS)
    assert torn > 0
