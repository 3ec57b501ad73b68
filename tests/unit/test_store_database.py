"""The database under the store: faults of the disk and of other programs, migrations, threads."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.store import database
from app.store.database import MIGRATIONS, Database, newest_version
from app.store.store import ConversationStore
from app.store.types import TextPart
from engine.context.segments import Role
from engine.errors import StoreDamagedError, StoreError, StoreNewerError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "conversations.db"


def filled(path: Path) -> str:
    """A store with one message, open; gives the conversation's id."""
    store = ConversationStore.open(path)
    conversation = store.create_conversation(title="kept")
    store.add_message(conversation.id, parent_id=None, role=Role.USER, parts=(TextPart("first words"),))
    store.close()
    return conversation.id


def test_settings_that_make_a_commit_durable(path: Path) -> None:
    opened = Database(path)
    values = {name: opened.rows(f"PRAGMA {name}")[0][0] for name in ("journal_mode", "synchronous", "foreign_keys")}
    assert values == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    opened.close()


def test_full_disk_is_a_sentence_and_loses_nothing(path: Path) -> None:
    conversation = filled(path)
    store = ConversationStore.open(path)
    pages = store._db.rows("PRAGMA page_count")[0][0]
    store._db.rows(f"PRAGMA max_page_count = {pages + 2}")  # SQLite itself then meets SQLITE_FULL
    with pytest.raises(StoreError, match="disk is full"):
        store.add_message(conversation, parent_id=None, role=Role.USER, parts=(TextPart("x" * 100_000),))
    assert [m.text for m in store.path(conversation)] == ["first words"]
    store._db.rows(f"PRAGMA max_page_count = {pages + 10_000}")
    store.add_message(conversation, parent_id=None, role=Role.USER, parts=(TextPart("x" * 100_000),))
    assert store.is_sound()
    store.close()


def test_another_program_that_holds_the_file_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    conversation = filled(path)
    monkeypatch.setattr(database, "BUSY_S", 0.05)
    store = ConversationStore.open(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="Another program"):
            store.rename(conversation, "no")
        assert store.conversation(conversation).title == "kept", "reading goes on"
    store.rename(conversation, "yes")
    store.close()


def test_two_threads_at_once_are_refused(path: Path) -> None:
    store = ConversationStore.open(path)
    inside, done = threading.Event(), threading.Event()

    def hold() -> None:
        with store._db.transaction():
            inside.set()
            done.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    assert inside.wait(10)
    with pytest.raises(RuntimeError, match="two threads"):
        store.conversations()
    done.set()
    thread.join()
    assert store.conversations() == [], "one after the other is what the pool does"
    store.close()


def test_database_of_another_program_is_left_alone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE theirs (x)")
    with pytest.raises(StoreError, match="another program"):
        ConversationStore.open(path)
    with closing(sqlite3.connect(path)) as other:
        assert [row[0] for row in other.execute("SELECT name FROM sqlite_schema")] == ["theirs"]


@pytest.fixture
def migrations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the migrations that the test may add to."""
    folder = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, folder)
    monkeypatch.setattr(database, "MIGRATIONS", folder)
    return folder


def test_migration_comes_after_a_backup(path: Path, tmp_path: Path, migrations: Path) -> None:
    filled(path)
    number = newest_version() + 1
    (migrations / f"{number:04}_mood.sql").write_text("ALTER TABLE conversations ADD COLUMN mood TEXT;\n")
    store = ConversationStore.open(path, backups=tmp_path / "backups")
    assert store.conversations()[0].title == "kept"
    store.close()
    [backup] = (tmp_path / "backups").iterdir()
    for file, version in ((path, number), (backup, number - 1)):
        with closing(sqlite3.connect(file)) as connection:
            assert connection.execute("PRAGMA user_version").fetchone()[0] == version
            assert connection.execute("SELECT title FROM conversations").fetchall() == [("kept",)]


def test_new_database_needs_no_backup(path: Path, tmp_path: Path) -> None:
    ConversationStore.open(path, backups=tmp_path / "backups").close()
    assert not (tmp_path / "backups").exists()


def test_failing_migration_changes_nothing(path: Path, tmp_path: Path, migrations: Path) -> None:
    filled(path)
    file = migrations / f"{newest_version() + 1:04}_bad.sql"
    file.write_text("DROP TABLE drafts;\nDELETE FROM parts;\nSELECT * FROM no_such_table;\n")
    with pytest.raises(sqlite3.OperationalError, match="no_such_table"):
        ConversationStore.open(path, backups=tmp_path / "backups")
    file.unlink()
    store = ConversationStore.open(path)
    assert store.path(store.conversations()[0].id)[0].text == "first words"
    store.close()


def test_newer_schema_without_our_columns_is_explained(path: Path, migrations: Path) -> None:
    conversation = filled(path)
    file = migrations / f"{newest_version() + 1:04}_split.sql"
    file.write_text("ALTER TABLE messages RENAME COLUMN role TO speaker;\n")
    ConversationStore.open(path, backups=path.parent / "backups").close()
    file.unlink()
    store = ConversationStore.open(path)
    assert store.read_only
    assert store.conversations()[0].title == "kept"
    with pytest.raises(StoreNewerError, match="newer Hearth"):
        store.path(conversation)
    store.close()


def test_migrating_twice_at_once_is_harmless(path: Path) -> None:
    """Both programs have seen an empty file; the slower one finds the work done."""
    slow, quick = Database(path), Database(path)
    version = slow.version
    seen = iter([0])
    slow.version = lambda: next(seen, None) or version()  # type: ignore[method-assign]
    quick.migrate()
    slow.migrate()
    assert slow.is_sound()
    slow.close()
    quick.close()


def test_damaged_file_is_a_sentence(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0" + b"\xff" * 8000)
    with pytest.raises(StoreDamagedError, match="damaged"):
        ConversationStore.open(path)


READER = """
import os, sys
from pathlib import Path
from app.store.store import ConversationStore
from engine.errors import StoreReadOnlyError
import encodings.idna, json.decoder
if os.getuid() == 0:
    os.setuid(65534)  # whom permissions bind
path, writable = Path(sys.argv[1]), sys.argv[2] == "writable"
store = ConversationStore.open(path)
[conversation] = store.conversations()
assert [m.text for m in store.path(conversation.id)][0] == "first words"
assert len(store.search("first")) == 1
assert store.read_only is not writable, store.read_only
try:
    store.rename(conversation.id, "changed")
except StoreReadOnlyError as error:
    print(error)
store.close()
"""


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
@pytest.mark.parametrize("left_open", [False, True])
@pytest.mark.parametrize("writable", [False, True])
def test_read_only_folder(left_open: bool, writable: bool) -> None:
    """Read by a user who may not write, also after a program that died; the writable folder is the control."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "conversations.db"
        filled(path)
        if left_open:
            store = ConversationStore.open(path)
            store.set_pinned(store.conversations()[0].id, True)
            copy = folder / "copy"
            copy.mkdir()
            for part in folder.glob("conversations.db*"):
                shutil.copy(part, copy)
            store.close()
            assert (copy / "conversations.db-wal").stat().st_size > 0
            folder, path = copy, copy / "conversations.db"
        for part in folder.glob("conversations.db*"):
            part.chmod(0o666 if writable else 0o444)
        Path(name).chmod(0o755)
        folder.chmod(0o777 if writable else 0o555)
        arguments = [sys.executable, "-c", READER, str(path), "writable" if writable else "not"]
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False)
        folder.chmod(0o755)
        assert done.returncode == 0, done.stderr
        assert ("may not write" in done.stdout) is not writable
