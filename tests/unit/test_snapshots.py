"""The shelf of snapshots: what is put on it comes back whole or not at all, and it never grows over its cap."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.model import snapshot_file, snapshots
from engine.model.fingerprint import FileIdentity, file_identity, fingerprint_of
from engine.model.snapshot_file import DamagedSnapshotError, Header
from engine.model.snapshots import Snapshot, SnapshotShelf
from tests.unit.snapshot_writer import FINGERPRINT, STATE_BYTES

OTHER = "0" * 32
PATIENCE_S = 60.0
STATE = random.Random(1).randbytes(5_000)
Shelf = Callable[..., SnapshotShelf]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "snapshots"


@pytest.fixture
def shelf(folder: Path) -> Iterator[Shelf]:
    made: list[SnapshotShelf] = []

    def make(
        max_bytes: int = 1_000_000, fingerprint: str = FINGERPRINT, **more: Callable[[str], None]
    ) -> SnapshotShelf:
        made.append(SnapshotShelf(folder, max_bytes, fingerprint, **more))
        return made[-1]

    yield make
    for each in made:
        each.close()


def put(
    shelf: SnapshotShelf, tokens: range | list[int], state: bytes = STATE, key: str = "k", variant: str = ""
) -> None:
    """Save and wait until it is written."""
    shelf.save(tokens, state, key=key, variant=variant)
    assert shelf.flush(PATIENCE_S)


def only(shelf: SnapshotShelf) -> Snapshot:
    (snapshot,) = shelf.entries()
    return snapshot


def keys(shelf: SnapshotShelf) -> list[str]:
    return sorted(each.key for each in shelf.entries())


def age(snapshot: Snapshot, seconds: float) -> None:
    snapshot_file.mark_used(snapshot.path, snapshot.used_at - seconds)


def size_of(n_tokens: int, state_bytes: int = len(STATE), key: str = "k") -> int:
    return snapshot_file.file_bytes(Header(FINGERPRINT, key, "", n_tokens, state_bytes))


def test_a_round_trip_over_a_restart(shelf: Shelf, folder: Path) -> None:
    put(shelf(), range(300), key="a conversation", variant="an adapter")
    again = shelf()
    snapshot = only(again)
    assert (snapshot.key, snapshot.variant, snapshot.state_bytes) == ("a conversation", "an adapter", len(STATE))
    assert list(snapshot.tokens) == list(range(300))
    assert again.load(snapshot) == STATE
    assert again.disk_bytes == snapshot.path.stat().st_size == size_of(300, key="a conversation") + len("an adapter")
    if os.name == "posix":
        assert folder.stat().st_mode & 0o777 == 0o700
        assert snapshot.path.stat().st_mode & 0o777 == 0o600
    assert b"conversation" not in os.fsencode(snapshot.path.name)


def test_found_and_loaded_before_it_is_written(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, real = threading.Event(), snapshot_file.write

    def held_up(*arguments: object) -> None:
        assert gate.wait(PATIENCE_S)
        real(*arguments)

    monkeypatch.setattr(snapshot_file, "write", held_up)
    one = shelf()
    one.save([1, 2, 3], STATE, key="k")
    found = one.longest([1, 2, 3, 4])
    assert found is not None
    assert found[1] == 3
    assert one.load(found[0]) is STATE, "not copied"
    assert not found[0].path.exists()
    assert not one.flush(0)
    gate.set()
    assert one.flush(PATIENCE_S)
    assert one.load(found[0]) == STATE
    assert found[0].path.exists()


# Damage


@pytest.fixture
def written(shelf: Shelf) -> bytes:
    """A whole file."""
    first = shelf()
    put(first, range(50))
    raw = only(first).path.read_bytes()
    first.clear()
    return raw


def offsets(length: int) -> list[int]:
    """Every part of the file: prefix, header, tokens, state, and some in between."""
    draw = random.Random(2)
    return sorted({*range(24), *(draw.randrange(length) for _ in range(60)), length - 1})


def test_one_wrong_byte_anywhere(shelf: Shelf, folder: Path, written: bytes) -> None:
    lines: list[str] = []
    path = snapshot_file.new_path(folder, FINGERPRINT, "k")
    for offset in offsets(len(written)):
        path.write_bytes(written)
        before = shelf()
        snapshot = only(before)
        wrong = bytearray(written)
        wrong[offset] ^= 0x10
        path.write_bytes(wrong)
        # Damaged after it was found, and damaged at the start
        assert before.load(snapshot) is None
        assert before.entries() == ()
        assert not path.exists()
        path.write_bytes(wrong)
        after = shelf(report=lines.append)
        for found in after.entries():
            assert after.load(found) is None
        # 8 to 11 are the version: a file of another one is not ours to judge
        assert path.exists() == (8 <= offset < 12), offset
        path.unlink(missing_ok=True)
    assert "A damaged snapshot was removed." in lines


def test_the_control_without_the_checksum_damage_is_loaded(
    shelf: Shelf, folder: Path, written: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot_file.zlib, "crc32", lambda _data: 0)
    put(shelf(), range(50))
    path = only(shelf()).path
    wrong = bytearray(path.read_bytes())
    wrong[-1] ^= 1
    path.write_bytes(wrong)
    one = shelf()
    assert one.load(only(one)) not in (None, STATE)


@pytest.mark.parametrize("length", [0, 5, 19, 20, 100, -1])
def test_a_cut_file_is_removed(shelf: Shelf, folder: Path, written: bytes, length: int) -> None:
    path = snapshot_file.new_path(folder, FINGERPRINT, "k")
    path.write_bytes(written[:length])
    assert shelf().entries() == ()
    assert not path.exists()


def test_a_file_with_more_behind_it_is_removed(shelf: Shelf, folder: Path, written: bytes) -> None:
    path = snapshot_file.new_path(folder, FINGERPRINT, "k")
    path.write_bytes(written + b"x")
    assert shelf().entries() == ()
    assert not path.exists()


def test_a_header_that_is_none(folder: Path) -> None:
    folder.mkdir(parents=True)
    for head in (b"[]", b"{}", b'{"tokens_sum": 1, "state_sum": 2}', b"\xff"):
        path = snapshot_file.new_path(folder, FINGERPRINT, "k")
        path.write_bytes(snapshot_file._PREFIX.pack(b"HEARTHKV", 1, len(head), snapshot_file.zlib.crc32(head)) + head)
        with pytest.raises(DamagedSnapshotError):
            snapshot_file.read_index(path)


def test_what_is_not_ours_is_left_alone(shelf: Shelf, folder: Path) -> None:
    folder.mkdir(parents=True)
    foreign = [folder / name for name in ("notes.txt", "x.kvstate", ".kvstate", "a-b-c.kvstate.12.part")]
    for path in foreign:
        path.write_bytes(b"mine")
    one = shelf(max_bytes=1)
    assert one.entries() == ()
    assert one.disk_bytes == 0
    one.clear()
    assert all(path.read_bytes() == b"mine" for path in foreign)


def test_a_file_that_is_gone_is_forgotten(shelf: Shelf) -> None:
    one = shelf()
    put(one, range(10))
    snapshot = only(one)
    snapshot.path.unlink()
    assert one.load(snapshot) is None
    assert one.entries() == ()


# Which one


def test_the_longest_common_prefix(shelf: Shelf) -> None:
    one = shelf()
    put(one, [1, 2, 3, 4, 5, 6, 7, 8], key="long")
    put(one, [1, 2, 9], key="branch")
    put(one, [1, 2, 3, 4, 0, 0, 0], key="longer branch")
    put(one, [1, 2, 3, 4, 5, 6, 7, 8], key="adapted", variant="adapter")

    def choice(tokens: list[int], variant: str = "", *, whole: bool = False) -> tuple[str, int] | None:
        found = one.longest(tokens, variant, whole=whole)
        return None if found is None else (found[0].key, found[1])

    assert choice([1, 2, 3, 4, 5, 7]) == ("long", 5)
    assert choice([1, 2, 3, 4, 0]) == ("longer branch", 5)
    assert choice([1, 2, 3, 4]) == ("longer branch", 4), "the smaller of two that share as much"
    assert choice([1, 2, 9, 9]) == ("branch", 3)
    assert choice([2, 1]) is None
    assert choice([]) is None
    assert choice([1, 2, 3], "adapter") == ("adapted", 3)
    assert choice([1, 2, 3], "another") is None
    # A model that cannot cut needs all of it to be a beginning of the prompt
    assert choice([1, 2, 3, 4, 5, 6, 7], whole=True) is None
    assert choice([1, 2, 3, 4, 5, 6, 7, 8], whole=True) == ("long", 8)
    assert choice([1, 2, 9, 9], whole=True) == ("branch", 3)


def test_the_last_used_of_two_equal_ones(shelf: Shelf) -> None:
    one = shelf()
    for key in ("first", "second"):
        put(one, [1, 2, 3], key=key)
    for snapshot, seconds in zip(one.entries(), (10, 20), strict=True):
        age(snapshot, seconds)
    again = shelf()
    found = again.longest([1, 2, 3])
    assert found is not None
    assert found[0].key == "first"
    second = next(each for each in again.entries() if each.key == "second")
    assert again.load(second) == STATE
    found = again.longest([1, 2, 3])
    assert found is not None
    assert found[0].key == "second"


def test_a_conversation_that_went_on_replaces_itself(shelf: Shelf) -> None:
    one = shelf()
    put(one, [1, 2], key="a")
    put(one, [1, 2], key="b")
    put(one, [1, 2], key="a", variant="adapter")
    put(one, [1, 2, 3], b"longer", key="a")
    put(one, [1, 5], b"branch", key="a")
    assert sorted((each.key, each.variant, list(each.tokens)) for each in one.entries()) == [
        ("a", "", [1, 2, 3]), ("a", "", [1, 5]), ("a", "adapter", [1, 2]), ("b", "", [1, 2]),
    ]  # fmt: skip
    put(one, [1, 5], b"again", key="a")
    assert len(one.entries()) == len(list(only_files(one))) == 4
    found = one.longest([1, 5])
    assert found is not None
    assert one.load(found[0]) == b"again"
    assert one.holds([1, 5], key="a")
    assert not one.holds([1], key="a")
    assert not one.holds([1, 5], key="b")


def only_files(shelf: SnapshotShelf) -> Iterator[Path]:
    return shelf.entries()[0].path.parent.iterdir()


def test_another_fingerprint_sees_nothing_but_counts(shelf: Shelf) -> None:
    one, other = shelf(), shelf(fingerprint=OTHER)
    put(one, [1, 2, 3])
    assert shelf(fingerprint=OTHER).longest([1, 2, 3]) is None
    assert other.disk_bytes == one.disk_bytes > 0


# The cap


@pytest.mark.parametrize(("more", "kept"), [(-1, 0), (0, 1), (1, 1)])
def test_a_state_as_large_as_the_shelf(shelf: Shelf, more: int, kept: int) -> None:
    one = shelf(max_bytes=size_of(100) + more)
    put(one, range(100))
    assert len(one.entries()) == kept
    assert one.disk_bytes == kept * size_of(100)


@pytest.mark.parametrize(("more", "kept"), [(-1, ["b"]), (0, ["a", "b"]), (1, ["a", "b"])])
def test_two_states_as_large_as_the_shelf(shelf: Shelf, more: int, kept: list[str]) -> None:
    one = shelf(max_bytes=2 * size_of(100) + more)
    put(one, range(100), key="a")
    put(one, range(100), key="b")
    assert keys(one) == kept
    assert one.disk_bytes <= one.max_bytes


def test_the_least_recently_used_goes_first(shelf: Shelf) -> None:
    one = shelf(max_bytes=3 * size_of(100))
    for key in ("a", "b", "c"):
        put(one, range(100), key=key)
    for seconds, snapshot in zip((30, 20, 10), one.entries(), strict=True):
        age(snapshot, seconds)
    assert one.load(next(each for each in one.entries() if each.key == "a")) == STATE
    put(one, range(100), key="d")
    assert keys(one) == ["a", "c", "d"]
    assert keys(shelf(max_bytes=3 * size_of(100))) == ["a", "c", "d"]


def test_what_is_replaced_goes_before_others(shelf: Shelf) -> None:
    one = shelf(max_bytes=2 * size_of(100) + 40)
    put(one, range(100), key="a")
    put(one, range(100), key="b")
    age(one.entries()[0], 100)
    put(one, range(101), key="b")
    assert keys(one) == ["a", "b"]


def test_other_models_make_room_too(shelf: Shelf) -> None:
    other = shelf(fingerprint=OTHER)
    put(other, range(100), key="old")
    age(only(other), 100)
    one = shelf(max_bytes=size_of(100) + 10)
    put(one, range(100))
    assert keys(one) == ["k"]
    assert shelf(fingerprint=OTHER).entries() == ()
    assert other.load(only(other)) is None


def test_a_smaller_shelf_is_emptied_at_the_start(shelf: Shelf) -> None:
    one = shelf()
    for key in ("a", "b", "c"):
        put(one, range(100), key=key)
    for seconds, snapshot in zip((10, 30, 20), one.entries(), strict=True):
        age(snapshot, seconds)
    assert keys(shelf(max_bytes=2 * size_of(100))) == ["a", "c"]
    assert shelf(max_bytes=0).entries() == ()


def test_too_much_in_the_queue_is_not_taken(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "MOST_WAITING_BYTES", len(STATE) - 1)
    lines: list[str] = []
    one = shelf(report=lines.append)
    one.save([1], STATE, key="k")
    assert one.entries() == ()
    assert lines == ["A snapshot was not taken: too many wait to be written."]
    monkeypatch.setattr(snapshots, "MOST_WAITING_BYTES", len(STATE))
    put(one, [1])
    assert keys(one) == ["k"]


def test_nothing_and_no_tokens_are_refused(shelf: Shelf) -> None:
    one = shelf()
    put(one, [])
    put(one, [1], b"")
    assert one.entries() == ()


# Forgetting


def test_forget_removes_a_key_of_every_model(shelf: Shelf, folder: Path) -> None:
    one, other = shelf(), shelf(fingerprint=OTHER)
    for each in (one, other):
        put(each, range(10), key="secret")
        put(each, range(10), key="other")
    one.forget("secret")
    assert keys(one) == ["other"]
    assert keys(shelf(fingerprint=OTHER)) == ["other"]
    assert len(list(folder.iterdir())) == 2
    one.forget("")
    assert one.entries() == ()
    assert list(folder.iterdir()) == []


def test_forget_also_what_is_being_written_and_waits(
    shelf: Shelf, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, gate, real = threading.Event(), threading.Event(), snapshot_file.write

    def held_up(*arguments: object) -> None:
        begun.set()
        assert gate.wait(PATIENCE_S)
        real(*arguments)

    monkeypatch.setattr(snapshot_file, "write", held_up)
    one = shelf()
    for number, key in enumerate(("secret", "kept", "secret")):
        one.save([number, 1], STATE, key=key)
    assert begun.wait(PATIENCE_S)
    one.forget("secret")
    assert keys(one) == ["kept"]
    assert not one.flush(0)
    gate.set()
    assert one.flush(PATIENCE_S)
    assert keys(one) == keys(shelf()) == ["kept"]
    assert len(list(folder.iterdir())) == 1


def test_the_folder_without_a_shelf(shelf: Shelf, folder: Path) -> None:
    """What the app does where no model is loaded."""
    assert snapshot_file.bytes_in(folder) == 0
    one = shelf()
    put(one, range(10), key="a")
    put(one, range(10), key="b")
    assert snapshot_file.bytes_in(folder) == one.disk_bytes == 2 * size_of(10)
    snapshot_file.remove_key(folder, "a")
    assert keys(shelf()) == ["b"]
    snapshot_file.remove_all(folder)
    assert snapshot_file.bytes_in(folder) == 0
    assert one.load(one.entries()[0]) is None


# What the disk refuses


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    lines: list[str] = []
    one = SnapshotShelf(tmp_path / "file" / "snapshots", 1_000_000, FINGERPRINT, report=lines.append)
    put(one, [1, 2])
    assert one.entries() == ()
    assert one.longest([1, 2]) is None
    one.forget("k")
    one.close()
    assert lines[0].startswith("The snapshots cannot be read: ")
    assert lines[1].startswith("A snapshot was not written: ")


def test_a_folder_that_was_deleted_is_made_again(shelf: Shelf, folder: Path) -> None:
    one = shelf()
    put(one, range(10), key="a")
    one.clear()
    folder.rmdir()
    put(one, range(10), key="b")
    assert keys(one) == ["b"]


def test_a_disk_with_little_room_left_is_left_alone(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    one = shelf(report=lines.append)
    put(one, range(10), key="before")
    monkeypatch.setattr(snapshots, "SPARE_BYTES", 1 << 62)
    put(one, range(10), key="now")
    assert keys(one) == ["before"]
    assert lines == [f"A snapshot was not written: {os.strerror(28)}."]


@pytest.mark.skipif(sys.platform == "win32", reason="limits of files")
def test_a_write_that_fails_half_way_leaves_nothing(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.unit.snapshot_writer", str(folder), "small"],
        capture_output=True, text=True, timeout=PATIENCE_S, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines() == [
        "A snapshot was not written: File too large.",
        "[('before', 10000), ('after', 10000)]",
    ]
    assert len(list(folder.iterdir())) == 2


KILLS = 20


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_twenty_kills_while_writing_leave_only_whole_files(folder: Path) -> None:
    draw = random.Random(3)
    abandoned = 0
    for _ in range(KILLS):
        writer = subprocess.Popen(
            [sys.executable, "-m", "tests.unit.snapshot_writer", str(folder), "forever"], stdout=subprocess.PIPE
        )
        assert writer.stdout is not None
        for _ in range(draw.randint(1, 3)):
            writer.stdout.readline()
        if draw.random() < 0.8:  # mostly in the middle of a file, which is there as soon as it has been begun
            while not any(file.suffix == ".part" for file in folder.glob("*")):
                assert writer.poll() is None
        writer.kill()
        writer.communicate()
        abandoned += sum(file.suffix == ".part" for file in folder.iterdir())
        lines: list[str] = []
        shelf = SnapshotShelf(folder, 100_000_000, FINGERPRINT, report=lines.append)
        assert lines == []
        for snapshot in shelf.entries():
            state = shelf.load(snapshot)
            assert state is not None
            assert len(state) == STATE_BYTES
        assert set(folder.iterdir()) == {each.path for each in shelf.entries()}, "nothing half is left"
        shelf.close()
    assert abandoned > 0, "no kill hit a file in the middle: the test tried nothing"


def test_a_file_that_another_process_is_writing_is_left_alone(shelf: Shelf, folder: Path) -> None:
    folder.mkdir(parents=True)
    path = snapshot_file.new_path(folder, FINGERPRINT, "k")
    writing = [path.with_name(f"{path.name}.{pid}.part") for pid in (os.getpid(), os.getppid())]
    for part in writing:
        part.write_bytes(b"half")
    shelf()
    assert all(part.exists() for part in writing)
    os.utime(writing[1], (0, 0))
    shelf()
    assert [part.exists() for part in writing] == [True, False]


def test_closed_it_takes_nothing_more(shelf: Shelf) -> None:
    one = shelf()
    put(one, range(10))
    one.close()
    one.close()
    one.save(range(20), STATE, key="k")
    assert list(only(one).tokens) == list(range(10))


# Whose it is


IDENTITY = FileIdentity(1000, 5, "ends")
FACTS = {
    "n_layer": 24, "n_embd": 896, "kv_types": ("f16", "f16"), "template": "chatml", "library_version": "0.3.36",
    "flash_attention": False,
}  # fmt: skip


def test_the_fingerprint_changes_with_every_fact() -> None:
    base = fingerprint_of(IDENTITY, **FACTS)
    others = [
        *(FileIdentity(*change) for change in ((1001, 5, "ends"), (1000, 6, "ends"), (1000, 5, "others"))),
        {"n_layer": 25}, {"n_embd": 897}, {"kv_types": ("f16", "q8_0")}, {"template": "llama3"},
        {"library_version": "0.3.37"}, {"flash_attention": True}, {"more": ("rope",)},
    ]  # fmt: skip
    made = {
        fingerprint_of(other, **FACTS)
        if isinstance(other, FileIdentity)
        else fingerprint_of(IDENTITY, **(FACTS | other))
        for other in others
    }
    assert len(made) == len(others)
    assert base not in made
    assert base == fingerprint_of(IDENTITY, **FACTS)
    assert len(base) == 32


def test_the_identity_of_a_file_is_in_its_ends(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    whole = bytearray(3 * 1024 * 1024)

    def ends(offset: int | None = None) -> str:
        changed = bytearray(whole)
        if offset is not None:
            changed[offset] = 1
        path.write_bytes(changed)
        return file_identity(path).ends

    assert ends() == ends()
    assert len({ends(), ends(0), ends(1024 * 1024 - 1), ends(2 * 1024 * 1024), ends(-1)}) == 5
    # In the middle the time of change tells
    before = file_identity(path)
    os.utime(path, ns=(before.modified_ns + 1_000_000, before.modified_ns + 1_000_000))
    assert file_identity(path) != before
    path.write_bytes(b"small")
    assert file_identity(path).size == 5


def test_tokens_are_four_bytes() -> None:
    assert array("i").itemsize == snapshot_file.TOKEN_BYTES
