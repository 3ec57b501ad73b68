"""The library process with real files, the real parser process and real weights, and what happens when it is killed."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TypeVar

import psutil
import pytest

from engine.errors import HearthError, LibraryError, StoreNewerError
from rag import client as client_module
from rag.client import CRASHES_ALLOWED, LIGHT, LibraryClient, LibraryPlace
from rag.events import FilesChanged, LibraryEvent
from rag.passages import Way
from rag.store.database import LibraryDatabase
from rag.store.types import FileState, StoredFile
from rag.worker import worker_main
from tests.minilm_weights import minilm_folder
from tests.unit.foreign_documents import pdf
from tests.unit.library_shelf import bytes_of

pytestmark = pytest.mark.beside

PATIENCE_S = 60.0
WHALES = (
    "Whales are mammals that live in the sea. The blue whale weighs 150 tonnes.",
    "The warranty lasts two years. It ends when the seal is broken.",
    "Bread needs flour, water, salt and yeast, and an hour in the oven.",
)
T = TypeVar("T")


class Telling:
    """The events of a client; waits for what they make true."""

    def __init__(self) -> None:
        self.events: list[LibraryEvent] = []
        self._changed = threading.Condition()

    def __call__(self, event: LibraryEvent) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def wait_for(self, true: Callable[[], bool]) -> None:
        """Asked anew after each event."""
        deadline = time.monotonic() + PATIENCE_S
        while not true():
            with self._changed:
                n_events = len(self.events)
                self._changed.wait_for(lambda before=n_events: len(self.events) != before, 1.0)  # type: ignore[misc]
            assert time.monotonic() < deadline


class Desk:
    """A client, a folder of documents, and one collection."""

    def __init__(self, folder: Path, embedder: str = "") -> None:
        self.place = LibraryPlace(folder / "library", embedder, minilm_folder())
        self.docs = folder / "docs"
        self.docs.mkdir(exist_ok=True)
        self.telling = Telling()
        self.client = LibraryClient(self.place, self.telling)
        self.collection = self.client.add_collection("Books").result(PATIENCE_S).id

    def add(self, path: Path) -> int:
        return self.client.add(self.collection, path).result(PATIENCE_S).id

    def settle(self) -> None:
        self.client.wait_until_idle(PATIENCE_S).result(PATIENCE_S)

    def files(self) -> dict[str, StoredFile]:
        return {file.path.name: file for file in self.client.files().result(PATIENCE_S)}

    def found(self, question: str) -> list[tuple[str, int]]:
        """File and page of each passage."""
        answer = self.client.search(question, most_characters=120, whole=False, wait_s=PATIENCE_S).result(PATIENCE_S)
        return [(each.path.name, each.page) for each in answer.passages]


@pytest.fixture
def desks() -> Iterator[list[Desk]]:
    made: list[Desk] = []
    yield made
    for desk in made:
        desk.client.close()


@pytest.fixture
def desk(tmp_path: Path, desks: list[Desk]) -> Desk:
    desks.append(Desk(tmp_path))
    return desks[0]


def wait_gone(pid: int) -> None:
    try:
        psutil.Process(pid).wait(PATIENCE_S)
    except psutil.NoSuchProcess:
        return


def test_a_day_in_the_library(desk: Desk) -> None:
    pdf(desk.docs / "whales.pdf", *WHALES, title="On whales")
    (desk.docs / "cats.txt").write_text("Cats sleep all day.\n\nThey hunt at night.\n")
    desk.add(desk.docs)
    desk.settle()
    files = desk.files()
    assert {name: (file.state, file.n_pages) for name, file in files.items()} == {
        "whales.pdf": (FileState.READ, 3), "cats.txt": (FileState.READ, 1),
    }  # fmt: skip
    assert files["whales.pdf"].title == "On whales"
    assert desk.found("How long is the warranty?")[0] == ("whales.pdf", 2)
    blob_id = files["whales.pdf"].blob_id
    assert blob_id is not None
    page = desk.client.page(blob_id, 3).result(PATIENCE_S)
    assert page is not None
    assert "Bread needs flour" in page.text
    assert desk.client.page(blob_id, 4).result(PATIENCE_S) is None
    assert desk.client.hidden_words(blob_id).result(PATIENCE_S) == ()
    whole = desk.client.search("Cats?", most_characters=10_000).result(PATIENCE_S)
    assert whole.way is Way.WHOLE
    assert desk.client.files(blob_id=blob_id).result(PATIENCE_S)[0].path.name == "whales.pdf"

    # The folder is watched.
    pdf(desk.docs / "new.pdf", "A lighthouse stands on the cliff.")
    (desk.docs / "cats.txt").unlink()
    desk.telling.wait_for(lambda: set(desk.files()) == {"whales.pdf", "new.pdf"})
    assert desk.found("lighthouse") == [("new.pdf", 1)]
    assert ("cats.txt", 1) not in desk.found("cats hunt at night")

    # And looked at when asked.
    (desk.docs / "late.txt").write_text("A ferry leaves at noon.")
    desk.client.look_again().result(PATIENCE_S)
    assert desk.found("ferry noon")[0] == ("late.txt", 1)

    (source,) = desk.client.sources(desk.collection).result(PATIENCE_S)
    desk.client.remove_source(source.id).result(PATIENCE_S)
    assert desk.files() == {}
    assert desk.found("whale") == []
    assert b"warranty" not in bytes_of(desk.place.folder)
    with pytest.raises(LibraryError, match="no more"):
        desk.client.remove_source(source.id).result(PATIENCE_S)


def test_what_cannot_be_read_says_why_and_can_be_tried_again(desk: Desk) -> None:
    (desk.docs / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing of a document")
    (desk.docs / "fine.txt").write_text("A whale.")
    desk.add(desk.docs)
    desk.settle()
    files = desk.files()
    assert files["fine.txt"].state is FileState.READ
    broken = files["broken.pdf"]
    assert broken.state is FileState.FAILED
    assert broken.fault is not None
    assert "{name}" in broken.fault.template
    mtime_ns = (desk.docs / "broken.pdf").stat().st_mtime_ns
    pdf(desk.docs / "broken.pdf", "Repaired, about a walrus.")
    os.utime(desk.docs / "broken.pdf", ns=(mtime_ns, mtime_ns))
    desk.client.retry(broken.id).result(PATIENCE_S)
    desk.settle()
    assert desk.files()["broken.pdf"].state is FileState.READ
    assert desk.found("walrus") == [("broken.pdf", 1)]
    with pytest.raises(LibraryError, match="no more"):
        desk.client.retry(999).result(PATIENCE_S)
    with pytest.raises(LibraryError, match="not there"):
        desk.client.add(desk.collection, desk.docs / "none.pdf").result(PATIENCE_S)


def test_pasted_text(desk: Desk) -> None:
    source = desk.client.add_text(desk.collection, "Notes", "The key lies under the mat.").result(PATIENCE_S)
    assert source.name == "Notes"
    desk.settle()
    assert len(desk.found("where is the key")) == 1
    with pytest.raises(HearthError, match="too long"):
        desk.client.add_text(desk.collection, "Long", "x" * 10_000_001).result(PATIENCE_S)


@pytest.mark.weights
def test_by_meaning(tmp_path: Path, desks: list[Desk]) -> None:
    desk = Desk(tmp_path, LIGHT)
    desks.append(desk)
    pdf(desk.docs / "whales.pdf", *WHALES)
    desk.add(desk.docs)
    desk.settle()
    assert desk.files()["whales.pdf"].n_unembedded == 0
    found = desk.client.search("guarantee period", most_characters=120, whole=False).result(PATIENCE_S)
    assert found.by_meaning
    assert (found.passages[0].page, found.passages[0].dense > 0.2) == (2, True), "no word of it stands there"
    # Vectors are kept: another start makes none.
    desk.client.close()
    again = Desk(tmp_path, LIGHT)
    desks.append(again)
    again.settle()
    assert again.files()["whales.pdf"].n_unembedded == 0
    assert again.found("guarantee period")[0] == ("whales.pdf", 2)


def test_a_kill_is_a_sentence_and_the_next_question_starts_it_again(desk: Desk) -> None:
    pdf(desk.docs / "whales.pdf", *WHALES)
    desk.add(desk.docs)
    desk.settle()
    pid = desk.client.pid
    assert pid is not None
    for number in range(40):
        (desk.docs / f"{number}.txt").write_text(f"Note {number} about a ship. " * 50)
    desk.client.look_again().result(PATIENCE_S)
    waiting = desk.client.wait_until_idle(PATIENCE_S)
    children = [each.pid for each in psutil.Process(pid).children()]
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(LibraryError, match="stopped unexpectedly"):
        waiting.result(PATIENCE_S)
    for child in children:
        wait_gone(child)
    assert desk.found("warranty")[0] == ("whales.pdf", 2)
    assert desk.client.pid not in (pid, None)
    desk.settle()
    assert {file.state for file in desk.files().values()} == {FileState.READ}
    assert len(desk.files()) == 41
    assert FilesChanged() in desk.telling.events


def test_after_several_crashes_it_is_left_alone(desk: Desk) -> None:
    for number in range(CRASHES_ALLOWED):
        desk.client.collections().result(PATIENCE_S)
        pid = desk.client.pid
        assert pid is not None
        asked = desk.client.wait_until_idle(PATIENCE_S) if number == CRASHES_ALLOWED - 1 else None
        os.kill(pid, signal.SIGKILL)
        desk.telling.wait_for(lambda: desk.client.pid is None)
    assert asked is not None
    with pytest.raises(LibraryError, match="several times"):
        asked.result(PATIENCE_S)
    with pytest.raises(LibraryError, match="several times"):
        desk.client.collections().result(PATIENCE_S)
    assert desk.client.pid is None


def test_crashes_of_long_ago_do_not_count(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "CRASH_WINDOW_S", 0.0)
    for _ in range(CRASHES_ALLOWED + 1):
        desk.client.collections().result(PATIENCE_S)
        pid = desk.client.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        desk.telling.wait_for(lambda: desk.client.pid is None)
    assert desk.client.collections().result(PATIENCE_S)


def test_it_outlives_the_thread_that_asked_first(tmp_path: Path, desks: list[Desk]) -> None:
    """Linux ends a child with the thread that started it."""
    asking = threading.Thread(target=lambda: desks.append(Desk(tmp_path)))
    asking.start()
    asking.join(PATIENCE_S)
    pid = desks[0].client.pid
    assert desks[0].client.collections().result(PATIENCE_S)
    assert desks[0].client.pid == pid


def test_closing_ends_both_processes_and_refuses_questions(desk: Desk) -> None:
    pdf(desk.docs / "whales.pdf", *WHALES)
    desk.add(desk.docs)
    desk.settle()
    pid = desk.client.pid
    assert pid is not None
    children = [each.pid for each in psutil.Process(pid).children()]
    assert children, "the parser's process"
    desk.client.close()
    for each in (pid, *children):
        wait_gone(each)
    with pytest.raises(LibraryError, match="is closed"):
        desk.client.collections().result(PATIENCE_S)
    desk.client.close()


def test_a_library_of_a_newer_hearth_is_refused(tmp_path: Path) -> None:
    (tmp_path / "library").mkdir()
    database = LibraryDatabase(tmp_path / "library" / "library.db")
    database._writer.execute("PRAGMA user_version = 9999")
    database.close()
    client = LibraryClient(LibraryPlace(tmp_path / "library"), lambda _event: None)
    for _ in range(2):
        with pytest.raises(StoreNewerError, match="newer Hearth"):
            client.collections().result(PATIENCE_S)
    client.close()


def talks_nonsense(connection: Connection) -> None:
    """Like a process that has lost its mind."""
    connection.recv_bytes()
    connection.send_bytes(b"{")
    connection.recv_bytes()
    connection.recv_bytes()


def test_a_process_that_talks_nonsense_is_ended(tmp_path: Path) -> None:
    client = LibraryClient(LibraryPlace(tmp_path), lambda _event: None, entry_point=talks_nonsense)
    with pytest.raises(LibraryError, match="stopped unexpectedly"):
        client.collections().result(PATIENCE_S)
    client.close()


def test_no_process_to_spare_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object, **_named: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(client_module, "ChildProcess", refuse)
    client = LibraryClient(LibraryPlace(tmp_path), lambda _event: None, entry_point=worker_main)
    client.start()
    with pytest.raises(LibraryError, match="could not be started"):
        client.collections().result(PATIENCE_S)
    client.close()


def test_two_programs_read_each_file_once_and_know_the_same(tmp_path: Path, desk: Desk, desks: list[Desk]) -> None:
    """As the window and the command line."""
    second = Desk(tmp_path)
    desks.append(second)
    assert second.collection == desk.collection
    for number in range(10):
        (desk.docs / f"{number}.txt").write_text(f"Note {number} about a ship.")
    second.add(desk.docs)
    second.settle()
    assert {file.state for file in second.files().values()} == {FileState.READ}
    pid = second.client.pid
    assert pid is not None
    assert psutil.Process(pid).children() == [], "it reads nothing itself"
    assert len(second.found("ship")) > 1
    assert len(desk.found("ship")) > 1
    desk.client.close()
    (desk.docs / "last.txt").write_text("A walrus.")
    second.client.look_again().result(PATIENCE_S)
    second.settle()
    assert second.found("walrus")[0] == ("last.txt", 1)
    assert psutil.Process(pid).children(), "it has taken over"
