"""An open store takes on what a backup holds, keeps what it held, and refuses backups that cannot serve."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.store.store import ConversationStore
from app.store.types import TextPart
from engine.context.segments import Role
from engine.errors import StoreError, StoreReadOnlyError


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ConversationStore]:
    made = ConversationStore.open(tmp_path / "c.db", backups=tmp_path / "backups")
    yield made
    made.close()


def _say(store: ConversationStore, words: str) -> str:
    conversation = store.create_conversation(title=words)
    store.add_message(conversation.id, parent_id=None, role=Role.USER, parts=(TextPart(words),))
    return conversation.id


def _titles(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("SELECT title FROM conversations ORDER BY title")]


def test_the_store_holds_the_backup_and_the_present_is_kept(store: ConversationStore, tmp_path: Path) -> None:
    old = _say(store, "basil")
    backup = store.backup()
    store.rename(old, "thyme")
    _say(store, "zeppelin")
    aside = store.restore_backup(backup)
    assert [each.title for each in store.conversations()] == ["basil"]
    assert [message.text for message in store.path(old)] == ["basil"]
    assert (len(store.search("basil")) > 0, store.search("zeppelin")) == (True, [])
    assert _titles(aside) == ["thyme", "zeppelin"]
    assert "replaced" in aside.name
    # It goes on as an ordinary store, and the backup is what it was.
    _say(store, "after")
    assert _titles(tmp_path / "c.db") == ["after", "basil"]
    assert _titles(backup) == ["basil"]


def test_another_program_that_has_the_file_open_sees_the_restored_chats(
    store: ConversationStore, tmp_path: Path
) -> None:
    backup = store.backup()
    _say(store, "later")
    with closing(ConversationStore.open(tmp_path / "c.db")) as other:
        assert len(other.conversations()) == 1
        store.restore_backup(backup)
        assert other.conversations() == []
        _say(other, "from the other")
    assert [each.title for each in store.conversations()] == ["from the other"]


def test_a_damaged_backup_is_refused_and_changes_nothing(store: ConversationStore) -> None:
    backup = store.backup()
    backup.write_bytes(b"\0" * 8192)
    _say(store, "present")
    with pytest.raises(StoreError, match="cannot be read"):
        store.restore_backup(backup)
    assert [each.title for each in store.conversations()] == ["present"]


def test_a_backup_of_a_newer_hearth_is_refused(store: ConversationStore) -> None:
    backup = store.backup()
    with closing(sqlite3.connect(backup)) as connection:
        connection.execute("PRAGMA user_version = 999")
    _say(store, "present")
    with pytest.raises(StoreError, match="newer Hearth"):
        store.restore_backup(backup)
    assert [each.title for each in store.conversations()] == ["present"]


def test_a_store_that_may_not_be_written_is_not_restored(store: ConversationStore, tmp_path: Path) -> None:
    backup = store.backup()
    store.close()
    with closing(sqlite3.connect(tmp_path / "c.db")) as connection:
        connection.execute("PRAGMA user_version = 999")
    with closing(ConversationStore.open(tmp_path / "c.db")) as newer, pytest.raises(StoreError) as refusal:
        newer.restore_backup(backup)
    assert not isinstance(refusal.value, StoreReadOnlyError)


def test_listed_are_those_that_are_there(store: ConversationStore) -> None:
    shown, archived, deleted = _say(store, "a"), _say(store, "b"), _say(store, "c")
    store.set_archived(archived, True)
    store.delete_conversation(deleted)
    assert {each.id for each in store.listed((shown, archived, deleted, "gone"))} == {shown, archived}
