"""The look at the disk: regular files, whatever else lies there; and the watch, which only says when to look."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

import pytest
from watchdog.observers import Observer

from engine.cancel import CancelToken
from engine.errors import StoreError
from rag import scan, watch
from rag.scan import NotReachableError, look, look_at
from rag.store.types import ClosedFolder, Source, SourceKind
from rag.watch import FolderWatch
from tests.unit.library_shelf import PATIENCE_S

posix = pytest.mark.skipif(os.name != "posix", reason="links, pipes and odd names are POSIX")


def folder(path: Path, number: int = 1) -> Source:
    return Source(number, 1, SourceKind.FOLDER, path, path.name)


def found(path: Path) -> list[str]:
    everything = list(look(folder(path), CancelToken()))
    assert not any(isinstance(each, ClosedFolder) for each in everything)
    return sorted(str(each.path.relative_to(path)) for each in everything)


def write(path: Path, text: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_files_of_all_depths_with_size_and_time(tmp_path: Path) -> None:
    write(tmp_path / "a.txt", "four")
    write(tmp_path / "deep" / "er" / "b.txt")
    assert found(tmp_path) == ["a.txt", "deep/er/b.txt"]
    one = look_at(tmp_path / "a.txt")
    assert one is not None
    assert (one.size, one.mtime_ns) == (4, (tmp_path / "a.txt").stat().st_mtime_ns)


@posix
def test_links_pipes_and_devices_are_no_files(tmp_path: Path) -> None:
    write(tmp_path / "real.txt")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "link.txt").symlink_to(tmp_path / "real.txt")
    (tmp_path / "device").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe.txt")
    assert found(tmp_path) == ["real.txt"]
    assert look_at(tmp_path / "pipe.txt") is None
    assert look_at(tmp_path) is None
    assert list(look(Source(1, 1, SourceKind.FILE, tmp_path / "pipe.txt", "p"), CancelToken())) == []


def test_what_programs_keep_for_themselves_is_left_out(tmp_path: Path) -> None:
    for name in (".hidden", "~$open.docx", ".git/config", "node_modules/a.js", "a/__pycache__/b.pyc", "seen.txt"):
        write(tmp_path / name)
    assert found(tmp_path) == ["seen.txt"]


@posix
def test_odd_names(tmp_path: Path) -> None:
    names = ["new\nline.txt", "tab\t.txt", "quo'te\".txt", "%s{x}.txt", "日本.txt", "-rf", " "]
    for name in names:
        write(tmp_path / name)
    raw = os.fsencode(tmp_path) + b"/\xff\xfe.txt"
    Path(os.fsdecode(raw)).write_text("x")
    assert found(tmp_path) == sorted([*names, os.fsdecode(b"\xff\xfe.txt")])


def test_a_name_that_no_system_allows_is_no_file() -> None:
    assert look_at(Path("a\0b")) is None


@posix
@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_left_out(tmp_path: Path) -> None:
    write(tmp_path / "closed" / "a.txt")
    write(tmp_path / "b.txt")
    (tmp_path / "closed").chmod(0)
    assert found(tmp_path) == ["b.txt"]
    (tmp_path / "closed").chmod(0o700)


def test_too_deep_and_too_many_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "_DEEPEST", 2)
    for path in ("0.txt", "1/1.txt", "1/2/2.txt", "1/2/3/3.txt"):
        write(tmp_path / path)
    assert found(tmp_path) == ["0.txt", "1/1.txt", "1/2/2.txt"]
    monkeypatch.setattr(scan, "MOST_FILES", 1)
    assert len(found(tmp_path)) < 3


def test_a_look_can_be_cancelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "_ASK_EVERY", 2)
    for number in range(10):
        write(tmp_path / f"{number}.txt")
    cancel = CancelToken()
    looking = look(folder(tmp_path), cancel)
    next(looking)
    cancel.cancel()
    with pytest.raises(CancelledError):
        list(looking)


def test_a_folder_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    with pytest.raises(NotReachableError):
        found(tmp_path / "gone")
    with pytest.raises(NotReachableError):
        list(look(Source(1, 1, SourceKind.FILE, tmp_path / "gone" / "a.txt", "a"), CancelToken()))
    assert list(look(Source(1, 1, SourceKind.FILE, tmp_path / "gone.txt", "g"), CancelToken())) == []


class Looks:
    """Remembers which sources were looked at; waits for looks."""

    def __init__(self) -> None:
        self.ids: list[int] = []
        self._changed = threading.Condition()

    def __call__(self, source: Source) -> None:
        with self._changed:
            self.ids.append(source.id)
            self._changed.notify_all()

    def wait_for(self, *ids: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: all(self.ids.count(n) >= ids.count(n) for n in ids), PATIENCE_S), (
                f"{self.ids}, not {ids}"
            )
            self.ids.clear()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "SETTLE_S", 0.02)
    monkeypatch.setattr(watch, "_REST", 0)


@pytest.fixture
def watches() -> Iterator[list[FolderWatch]]:
    made: list[FolderWatch] = []
    yield made
    for each in made:
        each.close()


@pytest.mark.usefixtures("quick")
def test_everything_is_looked_at_once_and_then_what_changes(tmp_path: Path, watches: list[FolderWatch]) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    single = write(tmp_path / "single.txt")
    sources = [folder(one, 1), folder(two, 2), Source(3, 1, SourceKind.FILE, single, "single")]
    looks = Looks()
    watches.append(FolderWatch(lambda: sources, looks))
    watches[0].start()
    looks.wait_for(1, 2, 3)
    assert watches[0].is_seeing
    write(one / "deep" / "a.txt")
    looks.wait_for(1)
    single.write_text("changed")
    looks.wait_for(3)
    (one / "deep" / "a.txt").rename(two / "a.txt")
    looks.wait_for(1, 2)
    (two / "a.txt").unlink()
    looks.wait_for(2)
    write(tmp_path / "beside.txt")
    write(one / "last.txt")
    looks.wait_for(1)
    assert 3 not in looks.ids, "another file in the folder of a single one is nothing to look at"


@pytest.mark.usefixtures("quick")
def test_reading_is_no_change(tmp_path: Path, watches: list[FolderWatch]) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    write(one / "a.txt")
    two.mkdir()
    looks = Looks()
    watches.append(FolderWatch(lambda: [folder(one, 1), folder(two, 2)], looks))
    watches[0].start()
    looks.wait_for(1, 2)
    assert found(one) == ["a.txt"]
    (one / "a.txt").read_text()
    write(two / "b.txt")
    looks.wait_for(2)
    assert 1 not in looks.ids


@pytest.mark.usefixtures("quick")
def test_sources_come_and_go(tmp_path: Path, watches: list[FolderWatch]) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    sources = [folder(one, 1)]
    looks = Looks()
    watches.append(FolderWatch(lambda: list(sources), looks))
    watches[0].start()
    looks.wait_for(1)
    sources[:] = [folder(two, 2)]
    watches[0].follow()
    looks.wait_for(2)
    write(one / "a.txt")
    write(two / "a.txt")
    looks.wait_for(2)
    assert 1 not in looks.ids


class Refusing(Observer):  # type: ignore[misc, valid-type]
    """inotify at its limit."""

    def schedule(self, *_arguments: Any, **_named: Any) -> Any:
        raise OSError(28, "inotify watch limit reached")


@pytest.mark.usefixtures("quick")
def test_without_hints_everything_is_looked_at_from_time_to_time(
    tmp_path: Path, watches: list[FolderWatch], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "BLIND_S", 0.02)
    looks = Looks()
    watches.append(FolderWatch(lambda: [folder(tmp_path)], looks, make_observer=Refusing))
    watches[0].start()
    looks.wait_for(1, 1, 1)
    assert not watches[0].is_seeing


@pytest.mark.usefixtures("quick")
def test_a_watcher_that_dies_is_replaced(
    tmp_path: Path, watches: list[FolderWatch], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "_CHECK_S", 0.02)
    made: list[Any] = []

    def observer() -> Any:
        made.append(Observer())
        return made[-1]

    looks = Looks()
    watches.append(FolderWatch(lambda: [folder(tmp_path)], looks, make_observer=observer))
    watches[0].start()
    looks.wait_for(1)
    for emitter in made[0].emitters:
        emitter.stop()
    looks.wait_for(1)
    assert len(made) == 2
    write(tmp_path / "a.txt")
    looks.wait_for(1)


@pytest.mark.usefixtures("quick")
def test_a_look_that_fails_is_made_again(tmp_path: Path, watches: list[FolderWatch]) -> None:
    looks = Looks()
    failures = [StoreError("The disk is full.")]

    def look_or_fail(source: Source) -> None:
        looks(source)
        if failures:
            raise failures.pop()

    watches.append(FolderWatch(lambda: [folder(tmp_path)], look_or_fail))
    watches[0].start()
    looks.wait_for(1)
    write(tmp_path / "a.txt")
    looks.wait_for(1)


@pytest.mark.usefixtures("quick")
def test_where_the_system_watches_no_more_folders_everything_is_looked_at_until_it_does(
    tmp_path: Path, watches: list[FolderWatch], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "BLIND_S", 0.02)
    room = [False]
    monkeypatch.setattr(watch, "has_room", lambda: room[0])
    made: list[Any] = []

    def observer() -> Any:
        made.append(Observer())
        return made[-1]

    looks = Looks()
    watches.append(FolderWatch(lambda: [folder(tmp_path)], looks, make_observer=observer))
    watches[0].start()
    looks.wait_for(1, 1, 1)
    assert not watches[0].is_seeing
    room[0] = True
    while not watches[0].is_seeing:
        looks.wait_for(1)
    assert len(made) == 2, "folders that were left out are watched now"


_FOLDERS = """
import sys
from pathlib import Path
from watchdog.observers import Observer
from rag.watch_room import has_room
root = Path(sys.argv[1])
for number in range(10):
    (root / str(number)).mkdir()
print(has_room())
observer = Observer()
observer.schedule(object(), str(root), recursive=True)
observer.start()
print(has_room())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="inotify is Linux'")
def test_the_systems_limit_is_noticed(tmp_path: Path) -> None:
    limited = f"echo 5 > /proc/sys/user/max_inotify_watches && exec {sys.executable} - {tmp_path}"
    try:
        done = subprocess.run(
            ["unshare", "--user", "--map-root-user", "sh", "-c", limited],
            input=_FOLDERS, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        pytest.skip("there is no unshare")
    if not done.stdout:
        pytest.skip(f"no limit can be set here: {done.stderr}")
    assert done.stdout.split() == ["True", "False"]
