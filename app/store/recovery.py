"""A damaged conversations.db: kept aside, its readable rows saved into a new file. Nothing is ever deleted.

Knows no window. Reads around damaged pages by primary key: where a range cannot be read it is halved, down to the
single row that is lost.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from app.store.database import Database
from app.store.store import ConversationStore
from engine.errors import StoreDamagedError

_TABLES = ("folders", "conversations", "messages", "parts", "drafts")
_HIGHEST = 1 << 40


@dataclass(frozen=True, slots=True)
class RecoveryReport:
    """What became of a damaged file. `newest_backup` may be restored instead with `restore_backup`."""

    damaged_copy: Path
    messages_saved: int
    newest_backup: Path | None


def open_or_recover(
    path: Path, backups: Path | None = None, *, check: bool = False
) -> tuple[ConversationStore, RecoveryReport | None]:
    """Open the store; where the file is damaged, save what can be read into a new one first.

    `check` asks for SQLite's quick check before use (after an unclean end). Raises `StoreError` for other faults.
    """
    try:
        store = ConversationStore.open(path, backups=backups)
        if not check or store.is_sound():
            return store, None
        store.close()
    except StoreDamagedError:
        pass  # handled by what follows
    aside = _set_aside(path)
    store = ConversationStore.open(path, backups=backups)
    saved = _salvage(aside, path)
    return store, RecoveryReport(aside, saved, newest_backup(backups))


def newest_backup(backups: Path | None) -> Path | None:
    """The newest backup that is sound."""
    if backups is None:
        return None
    for candidate in sorted(backups.glob("conversations-*.db"), reverse=True):
        try:
            database = Database(candidate)
        except StoreDamagedError:
            continue
        sound = database.is_sound()
        database.close()
        if sound:
            return candidate
    return None


def restore_backup(backup: Path, path: Path) -> Path | None:
    """Put a copy of `backup` in the place of `path` (closed); return where the present file was kept."""
    aside = _set_aside(path) if path.exists() else None
    source = Database(backup)
    try:
        source.copy_to(path)
    finally:
        source.close()
    return aside


def _set_aside(path: Path) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
    aside = path.with_name(f"{path.stem}-damaged-{stamp}{path.suffix}")
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    return aside


def _salvage(damaged: Path, path: Path) -> int:
    """Copy every row that can still be read; return how many messages there were among them."""
    try:
        # The -wal is part of the file; SQLite checks each of its frames by checksum.
        source = sqlite3.connect(damaged)
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError:
        return 0
    target = sqlite3.connect(path, isolation_level=None)
    target.execute("PRAGMA foreign_keys = OFF")
    target.execute("BEGIN")
    for table in _TABLES:
        for row in _readable_rows(source, table):
            marks = ", ".join("?" * len(row))
            try:
                target.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", row)
            except sqlite3.DatabaseError:
                continue  # a row whose bytes were damaged in place breaks the table's own rules
    target.execute("COMMIT")
    _mend(target)
    saved = int(target.execute("SELECT count(*) FROM messages").fetchone()[0])
    source.close()
    target.close()
    return saved


def _readable_rows(source: sqlite3.Connection, table: str) -> Iterator[tuple[object, ...]]:
    key = "message_number" if table == "parts" else "rowid"
    ranges = [(-1, _HIGHEST)]
    while ranges:
        low, high = ranges.pop()
        last = low
        try:
            query = f"SELECT {key}, * FROM {table} WHERE {key} > ? AND {key} <= ? ORDER BY {key}"
            for row in source.execute(query, (low, high)):
                last = max(last, row[0])
                yield row[1:]
        except sqlite3.DatabaseError:
            # Rows up to `last` are safe; look for more behind the damage, in ever smaller steps.
            if high - last > 1:
                middle = (last + high) // 2
                ranges += [(middle, high), (last, middle)]


def _mend(target: sqlite3.Connection) -> None:
    """Make the copy whole again: no dangling references, titles and messages findable."""
    target.executescript(
        """
        BEGIN;
        INSERT OR IGNORE INTO conversations (id, title, created_at, updated_at)
            SELECT conversation_id, '', min(created_at), max(created_at) FROM messages
            WHERE conversation_id NOT IN (SELECT id FROM conversations) GROUP BY conversation_id;
        UPDATE messages SET parent_id = NULL WHERE parent_id NOT IN (SELECT id FROM messages);
        UPDATE conversations SET folder_id = NULL WHERE folder_id NOT IN (SELECT id FROM folders);
        UPDATE conversations SET active_leaf = (
            SELECT id FROM messages m WHERE m.conversation_id = conversations.id AND m.deleted_at IS NULL
            ORDER BY number DESC LIMIT 1
        ) WHERE active_leaf IS NULL OR active_leaf NOT IN (SELECT id FROM messages);
        DELETE FROM parts WHERE message_number NOT IN (SELECT number FROM messages);
        INSERT INTO searchable (conversation_id, message_id, body) SELECT id, NULL, title FROM conversations;
        INSERT INTO searchable (conversation_id, message_id, body)
            SELECT m.conversation_id, m.id, (
                SELECT group_concat(text, char(10)) FROM parts WHERE message_number = m.number AND kind = 'text'
            ) FROM messages m
            WHERE m.state <> 'streaming' AND EXISTS (
                SELECT 1 FROM parts WHERE message_number = m.number AND kind = 'text'
            );
        COMMIT;
        """
    )
