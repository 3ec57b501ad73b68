"""A damaged conversations.db is kept aside and what can be read is saved."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from app.store.recovery import open_or_recover, restore_backup
from app.store.store import ConversationStore
from app.store.types import TextPart
from engine.context.segments import Role
from engine.errors import StoreDamagedError

MESSAGES = 3000


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a store with many messages, and nothing in its log."""
    folder = tmp_path_factory.mktemp("sound")
    store = ConversationStore.open(folder / "c.db")
    for number in range(MESSAGES // 100):
        c = store.create_conversation(title=f"Conversation {number}").id
        parent = None
        with store._db.transaction():
            for turn in range(100):
                role = Role.ASSISTANT if turn % 2 else Role.USER
                text = f"message {turn} of {number}: " + "words " * 60
                parent = store.add_message(c, parent_id=parent, role=role, parts=(TextPart(text),)).id
    store.close()
    return (folder / "c.db").read_bytes()


def test_sound_file_opens_without_report(tmp_path: Path, sound: bytes) -> None:
    path = tmp_path / "c.db"
    path.write_bytes(sound)
    store, report = open_or_recover(path, check=True)
    assert report is None
    assert len(store.conversations()) == MESSAGES // 100


def test_damaged_spots_cost_few_rows(tmp_path: Path, sound: bytes) -> None:
    spots = random.Random(7)
    data = bytearray(sound)
    for _ in range(5):
        at = spots.randrange(40_960, len(data) - 4096)
        data[at : at + 300] = spots.randbytes(300)
    path = tmp_path / "c.db"
    path.write_bytes(data)
    store, report = open_or_recover(path, check=True)
    assert report is not None
    assert report.damaged_copy.read_bytes() == bytes(data), "the damaged file is kept as it was"
    assert report.messages_saved >= MESSAGES * 0.95
    assert store.is_sound()
    assert store.search("message")
    conversation = store.conversations()[0]
    store.rename(conversation.id, "goes on")


def test_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "c.db"
    path.write_bytes(b"this is not a database" * 1000)
    with pytest.raises(StoreDamagedError):
        ConversationStore.open(path)
    store, report = open_or_recover(path)
    assert report is not None
    assert (report.messages_saved, report.newest_backup) == (0, None)
    assert store.conversations() == []


def test_backup_takes_the_place_of_a_damaged_file(tmp_path: Path) -> None:
    path, backups = tmp_path / "c.db", tmp_path / "backups"
    store = ConversationStore.open(path, backups=backups)
    store.create_conversation(title="precious")
    store.backup()
    store.close()
    path.write_bytes(b"\0" * 8192)
    store, report = open_or_recover(path, backups)
    assert report is not None
    assert report.newest_backup is not None
    store.close()
    kept = restore_backup(report.newest_backup, path)
    assert kept is not None
    assert kept.exists()
    assert [c.title for c in ConversationStore.open(path).conversations()] == ["precious"]
