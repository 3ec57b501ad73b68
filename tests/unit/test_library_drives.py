"""A drive that was unplugged is no deletion; a file that was deleted is one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.cancel import CancelToken
from engine.errors import DocumentError, sentence
from rag import scan, watch
from rag.events import FilesChanged
from rag.scan import NotReachableError, look
from rag.store import shelf
from rag.store.types import FileState, Source, SourceKind
from tests.unit.library_shelf import PATIENCE_S, bytes_of
from tests.unit.test_ingest import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    for name in ("whale", "ship", "storm"):
        made.write(f"{name}.txt", f"A {name}.")
    made.library.add(made.collection, made.docs)
    yield made
    made.library.close()


def unplug(bench: Bench) -> None:
    bench.docs.rename(bench.folder / "elsewhere")


def plug_in(bench: Bench) -> None:
    (bench.folder / "elsewhere").rename(bench.docs)


def start(bench: Bench) -> None:
    """Without the watch, which would look by itself."""
    bench.library._ingest.start()
    assert bench.library._ingest.wait_until_idle(PATIENCE_S)


def test_what_was_read_is_kept_while_the_drive_is_away(bench: Bench) -> None:
    start(bench)
    (bench.docs / "storm.txt").unlink()
    assert bench.library.look_at_all()
    assert bench.found("storm") == [], "a deleted file is gone at once"
    unplug(bench)
    assert bench.library.look_at_all()
    assert [file.reachable for file in bench.library.files()] == [False, False]
    assert bench.found("whale") == ["whale.txt"]
    assert not bench.library.look_at_all(), "nothing new is told twice"
    plug_in(bench)
    (bench.docs / "ship.txt").unlink()
    bench.write("cat.txt", "A cat.")
    assert bench.library.look_at_all()
    assert bench.library._ingest.wait_until_idle(PATIENCE_S)
    assert {file.path.name: file.reachable for file in bench.library.files()} == {"cat.txt": True, "whale.txt": True}
    assert bench.found("cat ship whale") == ["cat.txt", "whale.txt"]
    assert b"ship" not in bytes_of(bench.folder / "library")
    assert len(bench.reader.read_paths) == 4, "what did not change is not read again"


def test_what_was_read_in_a_folder_that_is_closed_now_is_kept(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = bench.docs / "closed"
    closed.mkdir()
    bench.write("closed/cat.txt", "A cat.")
    bench.write("closed too.txt", "A dog.")
    bench.library.look_at_all()
    start(bench)
    list_folder = os.scandir

    def refuse(folder: Path | str) -> Iterator[os.DirEntry[str]]:
        if Path(folder) == closed:
            raise PermissionError(13, "Permission denied")
        return list_folder(folder)

    with monkeypatch.context() as patched:
        patched.setattr(scan.os, "scandir", refuse)
        assert not bench.library.look_at_all()
        (bench.docs / "closed too.txt").unlink()
        assert bench.library.look_at_all()
        assert bench.found("cat") == ["cat.txt"]
        assert bench.found("dog") == []
    (closed / "cat.txt").unlink()
    assert bench.library.look_at_all()
    assert bench.found("cat") == []


def test_a_single_file_goes_with_its_folder_only(bench: Bench) -> None:
    other = bench.folder / "stick"
    other.mkdir()
    for name in ("a.txt", "b.txt"):
        (other / name).write_text("A lighthouse.")
        bench.library.add(bench.collection, other / name)
    start(bench)
    (other / "a.txt").unlink()
    bench.library.look_at_all()
    assert bench.found("lighthouse") == ["b.txt"]
    other.rename(bench.folder / "away")
    bench.library.look_at_all()
    assert bench.found("lighthouse") == ["b.txt"]
    assert not bench.file("b.txt").reachable


def test_what_waits_goes_on_waiting_and_holds_nobody_up(bench: Bench) -> None:
    unplug(bench)
    bench.library.look_at_all()
    start(bench)
    assert {(file.state, file.reachable) for file in bench.library.files()} == {(FileState.WAITING, False)}
    assert not shelf.is_any_waiting(bench.library.database, None)
    assert bench.reader.read_paths == []
    plug_in(bench)
    assert bench.library.look_at_all()
    assert bench.library._ingest.wait_until_idle(PATIENCE_S)
    assert bench.found("whale ship storm") == ["ship.txt", "storm.txt", "whale.txt"]


def test_a_drive_that_goes_while_a_file_is_read(bench: Bench) -> None:
    def fail(path: Path) -> None:
        if path.exists():
            unplug(bench)
        raise DocumentError(sentence("“{name}” is damaged."), name=path.name)

    bench.reader.before["ship.txt"] = fail
    start(bench)
    assert {file.fault for file in bench.library.files()} == {None}
    assert not any(file.reachable for file in bench.library.files())
    bench.reader.before.clear()
    plug_in(bench)
    bench.library.look_at_all()
    assert bench.library._ingest.wait_until_idle(PATIENCE_S)
    assert {file.state for file in bench.library.files()} == {FileState.READ}


def test_a_drive_that_goes_while_it_is_looked_at(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / "drive" / name).mkdir(parents=True)
        (tmp_path / "drive" / name / "x.txt").write_text("x")
    looking = look(Source(1, 1, SourceKind.FOLDER, tmp_path / "drive", "drive"), CancelToken())
    next(looking)
    (tmp_path / "drive").rename(tmp_path / "gone")
    with pytest.raises(NotReachableError):
        list(looking)


def test_the_empty_folder_that_a_drive_leaves(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    mounted = {bench.docs}
    monkeypatch.setattr(scan.os.path, "ismount", lambda path: Path(path) in mounted)
    bench.library.look_at_all()
    start(bench)
    mounted.clear()
    unplug(bench)
    bench.docs.mkdir()
    bench.library.look_at_all()
    assert not bench.file("whale.txt").reachable
    assert bench.found("whale") == ["whale.txt"]
    bench.docs.rmdir()
    plug_in(bench)
    mounted.add(bench.docs)
    assert bench.library.look_at_all()
    assert bench.file("whale.txt").reachable


def test_an_empty_folder_without_a_drive_holds_nothing(bench: Bench) -> None:
    """Positive control."""
    start(bench)
    unplug(bench)
    bench.docs.mkdir()
    bench.library.look_at_all()
    assert bench.library.files() == []


@pytest.mark.skipif(os.name != "posix", reason="a watched folder cannot be renamed elsewhere")
def test_the_watch_finds_a_drive_that_comes_back(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "_CHECK_S", 0.1)
    monkeypatch.setattr(watch, "SETTLE_S", 0.02)
    bench.library.begin()
    bench.settle()
    unplug(bench)
    wait = bench.library._charge.wait
    assert wait(lambda: not bench.file("whale.txt").reachable, PATIENCE_S)
    assert FilesChanged() in bench.events
    plug_in(bench)
    bench.write("cat.txt", "A cat.")
    assert wait(lambda: bench.found("cat") == ["cat.txt"], PATIENCE_S)
    assert bench.file("whale.txt").reachable
    bench.write("dog.txt", "A dog.")
    assert wait(lambda: bench.found("dog") == ["dog.txt"], PATIENCE_S), "it is watched again"
    (bench.docs / "dog.txt").unlink()
    assert wait(lambda: bench.found("dog") == [], PATIENCE_S)
