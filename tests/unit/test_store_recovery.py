"""A damaged conversations.db is kept aside and what can be read is saved."""

from __future__ import annotations

import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from app.store import backups as backups_module
from app.store import recovery, salvage
from app.store.backups import is_sound, newest_backup, restore_backup
from app.store.foreign import ForeignConversation
from app.store.recovery import RecoveryReport, open_or_recover
from app.store.store import ConversationStore
from app.store.types import MessageState, StoredMessage, TextPart
from engine.context.segments import Role
from engine.errors import StoreDamagedError, StoreError

CONVERSATIONS = 40
TURNS = 100
PAGE = 4096
TABLES = ("folders", "conversations", "messages", "parts", "drafts", "searchable", "words_data", "fragments_idx")


def text_of(conversation: int, turn: int) -> str:
    return f"message {turn} of {conversation}: " + f"some words {turn} " * 100


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a store with many messages, and nothing in its log."""
    path = tmp_path_factory.mktemp("sound") / "c.db"
    store = ConversationStore.open(path)
    for number in range(CONVERSATIONS):
        messages = tuple(
            StoredMessage(
                str(turn),
                "",
                str(turn - 1) if turn else None,
                Role.ASSISTANT if turn % 2 else Role.USER,
                (TextPart(text_of(number, turn)),),
                MessageState.COMPLETE,
                1e9,
            )
            for turn in range(TURNS)
        )
        store.adopt(ForeignConversation(f"test:{number}", f"Conversation {number}", 1e9, 1e9, messages, None))
    store.close()
    return path.read_bytes()


def recovered(path: Path, data: bytes, backups: Path | None = None) -> tuple[ConversationStore, RecoveryReport]:
    path.write_bytes(data)
    store, report = open_or_recover(path, backups, check=True)
    assert report is not None
    assert report.damaged_copy.read_bytes() == data, "the damaged file is kept as it was"
    assert store.is_sound()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    return store, report


def whole_messages(store: ConversationStore) -> int:
    """How many messages stand on a shown path with every word of theirs."""
    count = 0
    for conversation in store.conversations():
        number = conversation.title.removeprefix("Conversation ")
        for message in store.path(conversation.id):
            turn = message.text.split()[1] if message.text.startswith("message ") else "-1"
            count += number.isdigit() and turn.isdigit() and message.text == text_of(int(number), int(turn))
    return count


def test_sound_file_opens_without_report(tmp_path: Path, sound: bytes) -> None:
    path = tmp_path / "c.db"
    path.write_bytes(sound)
    store, report = open_or_recover(path, check=True)
    assert report is None
    assert whole_messages(store) == CONVERSATIONS * TURNS
    store.close()


@pytest.mark.parametrize("seed", [1, 2])
def test_forty_damaged_spots_cost_less_than_a_hundredth(tmp_path: Path, sound: bytes, seed: int) -> None:
    spots = random.Random(seed)
    data = bytearray(sound)
    for _ in range(40):
        at = spots.randrange(PAGE, len(data) - 200)
        data[at : at + 200] = spots.randbytes(200)
    store, report = recovered(tmp_path / "c.db", bytes(data))
    assert report.messages_saved >= CONVERSATIONS * TURNS * 0.99
    assert whole_messages(store) >= CONVERSATIONS * TURNS * 0.98, "a conversation stays one path"
    assert store.search("message")
    store.rename(store.conversations()[0].id, "goes on")
    store.close()


def root_page(data: bytes, table: str, tmp_path: Path) -> int:
    (tmp_path / "look.db").write_bytes(data)
    with closing(sqlite3.connect(tmp_path / "look.db")) as connection:
        row = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).fetchone()
    return int(row[0])


@pytest.mark.parametrize("table", TABLES)
def test_lost_root_of_a_table_costs_no_words(tmp_path: Path, sound: bytes, table: str) -> None:
    at = (root_page(sound, table, tmp_path) - 1) * PAGE
    data = sound[:at] + b"\xa5" * PAGE + sound[at + PAGE :]
    path = tmp_path / "c.db"
    path.write_bytes(data)
    store, report = open_or_recover(path, check=True)
    assert (report is not None) or table not in ("conversations", "messages", "parts")
    assert whole_messages(store) == CONVERSATIONS * TURNS, "what search holds stands in"
    conversation = store.conversations()[0].id
    assert [m.role for m in store.path(conversation)][:3] == [Role.USER, Role.ASSISTANT, Role.USER]
    assert len(store.search("message 7 of 3")) > 0
    store.close()


def test_circle_of_messages_is_broken(tmp_path: Path) -> None:
    path = tmp_path / "c.db"
    store = ConversationStore.open(path)
    c = store.create_conversation().id
    first = store.add_message(c, parent_id=None, role=Role.USER, parts=(TextPart("first"),))
    second = store.add_message(c, parent_id=first.id, role=Role.ASSISTANT, parts=(TextPart("second"),))
    store._db.write("UPDATE messages SET parent_id = ? WHERE id = ?", (second.id, first.id))
    store.close()
    assert salvage.salvage(path, tmp_path / "saved.db") == 2
    store = ConversationStore.open(tmp_path / "saved.db")
    assert [m.text for m in store.path(c)] == ["second"]
    store.close()


def test_lost_first_page(tmp_path: Path, sound: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"\0" * PAGE + sound[PAGE:]
    store, report = recovered(tmp_path / "c.db", data)
    assert report.messages_saved == whole_messages(store) == CONVERSATIONS * TURNS
    store.close()

    monkeypatch.setattr(salvage, "_graft_first_page", lambda donor, damaged: None)
    (tmp_path / "control").mkdir()
    store, report = recovered(tmp_path / "control" / "c.db", data)
    assert report.messages_saved == 0
    store.close()


def test_what_only_the_log_holds_is_saved(tmp_path: Path, sound: bytes) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (work / "c.db").write_bytes(sound)
    store = ConversationStore.open(work / "c.db")
    made = store.create_conversation(title="in the log").id
    path = tmp_path / "c.db"
    for suffix in ("", "-wal"):
        shutil.copy(work / f"c.db{suffix}", tmp_path / f"c.db{suffix}")
    store.close()
    at = (root_page(sound, "parts", tmp_path) - 1) * PAGE
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"\xa5" * PAGE)
    store, report = open_or_recover(path)
    assert report is not None, "a file that was left open is checked without being asked to"
    assert store.conversation(made).title == "in the log"
    assert whole_messages(store) == CONVERSATIONS * TURNS
    store.close()


def test_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "c.db"
    path.write_bytes(b"this is not a database" * 1000)
    with pytest.raises(StoreDamagedError):
        ConversationStore.open(path)
    store, report = open_or_recover(path)
    assert report is not None
    assert (report.messages_saved, report.newest_backup, report.restored) == (0, None, False)
    assert store.conversations() == []
    store.close()


def test_backup_takes_the_place_of_what_cannot_be_read_at_all(tmp_path: Path) -> None:
    path, backups = tmp_path / "c.db", tmp_path / "backups"
    store = ConversationStore.open(path, backups=backups)
    store.create_conversation(title="precious")
    made = store.backup()
    store.close()
    store, report = recovered(path, b"\0" * 8192, backups)
    assert (report.newest_backup, report.restored) == (made, True)
    assert [c.title for c in store.conversations()] == ["precious"]
    store.close()


def test_backup_is_offered_where_something_was_saved(tmp_path: Path, sound: bytes) -> None:
    path, backups = tmp_path / "c.db", tmp_path / "backups"
    path.write_bytes(sound)
    store = ConversationStore.open(path, backups=backups)
    store.create_conversation(title="in the backup")
    made = store.backup()
    store.close()
    at = (root_page(sound, "messages", tmp_path)) * PAGE
    store, report = recovered(path, sound[:at] + b"\xa5" * PAGE + sound[at + PAGE :], backups)
    assert (report.newest_backup, report.restored) == (made, False)
    assert "in the backup" not in [c.title for c in store.conversations()]
    store.close()
    assert report.newest_backup is not None
    kept = restore_backup(report.newest_backup, path)
    assert kept is not None
    assert kept.exists()
    store = ConversationStore.open(path)
    assert "in the backup" in [c.title for c in store.conversations()]
    store.close()


def test_backup_that_is_damaged_is_passed_over(tmp_path: Path) -> None:
    store = ConversationStore.open(tmp_path / "c.db", backups=tmp_path / "backups")
    good, bad = store.backup(), store.backup()
    store.close()
    bad.write_bytes(b"\0" * 8192)
    assert newest_backup(tmp_path / "backups") == good
    assert [is_sound(good), is_sound(bad)] == [True, False]


def test_backup_into_a_folder_that_cannot_be_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    store = ConversationStore.open(tmp_path / "c.db", backups=tmp_path / "file" / "backups")
    with pytest.raises(StoreError, match="could not be written"):
        store.backup()
    store.close()


@pytest.mark.parametrize("step", ["salvage", "take_place"])
def test_recovery_that_is_cut_off_begins_anew(
    tmp_path: Path, sound: bytes, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    at = root_page(sound, "parts", tmp_path) * PAGE
    path = tmp_path / "c.db"
    path.write_bytes(sound[:at] + b"\xa5" * PAGE + sound[at + PAGE :])

    def die(*_arguments: object) -> int:
        (tmp_path / "c.db.part").write_bytes(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(recovery, step, die)
        with pytest.raises(KeyboardInterrupt):
            open_or_recover(path, check=True)
    store, report = open_or_recover(path, check=True)
    assert report is not None
    assert whole_messages(store) >= CONVERSATIONS * TURNS * 0.98
    assert not list(tmp_path.glob("*.part*")) + list(tmp_path.glob("*.scratch*"))
    store.close()


def test_log_of_the_damaged_file_is_not_applied_to_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "c.db"
    ConversationStore.open(path).close()
    fresh = tmp_path / "fresh.db"
    shutil.copy(path, fresh)
    store = ConversationStore.open(path)
    store.create_conversation(title="old")
    log = path.with_name("c.db-wal").read_bytes()
    store.close()
    path.with_name("c.db-wal").write_bytes(log)
    backups_module.take_place(fresh, path)
    store = ConversationStore.open(path)
    assert store.conversations() == []
    store.close()
