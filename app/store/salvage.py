"""Saving what can be read of a damaged conversations.db into a new one. Changes nothing of the damaged file.

Reads around damaged pages by row number. A lost first page, without which SQLite reads nothing at all, is taken from
a new database: the migrations put the same tables at the same places. Knows no window and no backups.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from app.store.database import Database, newest_version

_FIRST_TABLES = ("folders", "conversations", "messages", "parts", "drafts")
_TABLES = (*_FIRST_TABLES, "summaries")
_HIGHEST = 1 << 62
_ONE_BY_ONE = 64
"""Rows tried singly behind a damaged spot, about what a page holds, before the steps double."""
_PAGE_SIZE_AT, _VERSION_AT, _VALID_FOR_AT = 16, 60, 92
"""Offsets in the header of a database file (SQLite's file format, section 1.3)."""


def salvage(damaged: Path, saved: Path) -> int:
    """Make the database `saved` of every row of `damaged` that can be read; return how many messages it has."""
    scratch = damaged.with_name(damaged.name + ".scratch")
    for path in (saved, scratch):  # of a recovery that was cut off
        _remove(path)
    _copy(damaged, scratch)
    try:
        version = _version(scratch)
        new = Database(saved)
        new.migrate(version)
        new.close()
        with closing(sqlite3.connect(saved, isolation_level=None)) as target:
            target.execute("PRAGMA journal_mode = DELETE")  # one file, which can take the other's place
            if not _is_readable(scratch):
                _remove(scratch)
                _copy(damaged, scratch)
                _graft_first_page(saved, scratch)
            target.execute("PRAGMA foreign_keys = OFF")
            target.execute("BEGIN")
            # What search holds stands in for lost titles and texts.
            target.execute("CREATE TEMP TABLE known (conversation_id TEXT, message_id TEXT, title TEXT, body TEXT)")
            target.execute("CREATE INDEX known_messages ON known (message_id)")
            target.execute("CREATE INDEX known_titles ON known (conversation_id) WHERE message_id IS NULL")
            if _is_readable(scratch):
                with closing(sqlite3.connect(scratch)) as source:
                    source.text_factory = lambda raw: raw.decode("utf-8", "replace")
                    _fill(source, target)
            _mend(target)
            target.execute("COMMIT")
            return int(target.execute("SELECT count(*) FROM messages").fetchone()[0])
    finally:
        _remove(scratch)


def _fill(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    for table, into in (*((name, name) for name in _TABLES), ("searchable", "known")):
        names = [row[1] for row in target.execute(f"PRAGMA table_info({into})")]
        if not names:
            continue  # a table of a later version than the file's
        columns, marks = ", ".join(names), ", ".join("?" * len(names))
        for row in _readable_rows(source, table, columns):
            try:
                target.execute(f"INSERT OR IGNORE INTO {into} ({columns}) VALUES ({marks})", row)
            except sqlite3.DatabaseError:
                continue  # bytes damaged in place: the row breaks the table's own rules


def _readable_rows(source: sqlite3.Connection, table: str, columns: str) -> Iterator[tuple[object, ...]]:
    query = f"SELECT rowid, {columns} FROM {table} WHERE rowid >= ? ORDER BY rowid"
    at = 0
    while at < _HIGHEST:
        try:
            for row in source.execute(query, (at,)):
                at = row[0] + 1
                yield row[1:]
            return
        except sqlite3.DatabaseError:
            at = _behind_damage(source, f"{query} LIMIT 1", at)


def _behind_damage(source: sqlite3.Connection, query: str, at: int) -> int:
    """The lowest row number above `at` from which on `query` can be answered, at least for a while."""

    def fails(number: int) -> bool:
        try:
            source.execute(query, (number,)).fetchone()
        except sqlite3.DatabaseError:
            return True
        return False

    for number in range(at + 1, at + _ONE_BY_ONE):
        if not fails(number):
            return number
    low, step = at + _ONE_BY_ONE - 1, 1
    while fails(low + step):
        low, step = low + step, 2 * step
        if low > _HIGHEST:
            return _HIGHEST
    high = low + step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fails(middle) else (low, middle)
    return high


def _mend(target: sqlite3.Connection) -> None:
    """Make the copy whole again: no dangling references, every title and message findable."""
    for statement in _MENDING:
        target.execute(statement)
    if target.execute("PRAGMA table_info(summaries)").fetchone() is not None:
        target.execute("DELETE FROM summaries WHERE conversation_id NOT IN (SELECT id FROM conversations)")


_NO_ID = "(length({0}) <> 32 OR {0} GLOB '*[^0-9a-f]*')"
_MENDING = (
    # Bytes damaged in place: a row that can be read but is not the one that was written.
    f"DELETE FROM conversations WHERE {_NO_ID.format('id')}",
    f"DELETE FROM messages WHERE {_NO_ID.format('id')} OR {_NO_ID.format('conversation_id')}",
    f"DELETE FROM known WHERE {_NO_ID.format('conversation_id')}"
    f" OR (message_id IS NOT NULL AND {_NO_ID.format('message_id')})",
    # A message whose row is lost but whose words search knows comes back below the one before it. Who spoke is lost;
    # conversations alternate. Its number must not be one that the parts of another lost message name.
    """INSERT OR IGNORE INTO messages (number, id, conversation_id, parent_id, role, state, created_at)
    SELECT place + (SELECT coalesce(max(number), 0) FROM messages)
                 + (SELECT coalesce(max(message_number), 0) FROM parts),
        message_id, conversation_id, before, iif(turn % 2 = 1, 'user', 'assistant'), 'complete',
        coalesce((SELECT c.created_at FROM conversations c WHERE c.id = conversation_id), 0)
    FROM (
        SELECT rowid AS place, message_id, conversation_id,
               row_number() OVER turns AS turn, lag(message_id) OVER turns AS before
        FROM known WHERE message_id IS NOT NULL WINDOW turns AS (PARTITION BY conversation_id ORDER BY rowid)
    )""",
    # A conversation whose row is lost lives on with its title, if that is known, and its messages.
    """INSERT OR IGNORE INTO conversations (id, title, created_at, updated_at)
    SELECT m.conversation_id, coalesce((
        SELECT k.title FROM known k WHERE k.conversation_id = m.conversation_id AND k.message_id IS NULL
    ), ''), min(m.created_at), max(m.created_at)
    FROM messages m WHERE m.conversation_id NOT IN (SELECT id FROM conversations) GROUP BY m.conversation_id""",
    """INSERT INTO parts (message_number, position, kind, text)
    SELECT m.number, 0, 'text', k.body FROM known k JOIN messages m ON m.id = k.message_id
    WHERE k.body <> '' AND NOT EXISTS (SELECT 1 FROM parts p WHERE p.message_number = m.number)""",
    # A message whose parent is lost hangs on the one before it, so that a conversation stays one path.
    """UPDATE messages SET parent_id = (
        SELECT e.id FROM messages e WHERE e.conversation_id = messages.conversation_id
        AND e.number < messages.number AND e.deleted_at IS NULL ORDER BY e.number DESC LIMIT 1
    ) WHERE parent_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM messages e WHERE e.id = messages.parent_id AND e.conversation_id = messages.conversation_id
    )""",
    # What no root leads to goes round in a circle.
    """WITH RECURSIVE reached (id) AS (
        SELECT id FROM messages WHERE parent_id IS NULL
        UNION SELECT m.id FROM messages m JOIN reached ON m.parent_id = reached.id
    ) UPDATE messages SET parent_id = NULL WHERE id NOT IN reached""",
    "UPDATE conversations SET folder_id = NULL WHERE folder_id NOT IN (SELECT id FROM folders)",
    """UPDATE conversations SET active_leaf = (
        SELECT m.id FROM messages m WHERE m.conversation_id = conversations.id AND m.deleted_at IS NULL
        ORDER BY EXISTS (SELECT 1 FROM messages e WHERE e.parent_id = m.id), m.number DESC LIMIT 1
    ) WHERE active_leaf IS NULL OR NOT EXISTS (SELECT 1 FROM messages m WHERE m.id = conversations.active_leaf)""",
    "DELETE FROM parts WHERE NOT EXISTS (SELECT 1 FROM messages m WHERE m.number = parts.message_number)",
    "INSERT INTO searchable (conversation_id, title) SELECT id, title FROM conversations",
    """INSERT INTO searchable (conversation_id, message_id, body)
    SELECT conversation_id, id, text FROM (
        SELECT m.conversation_id, m.id, (
            SELECT group_concat(text, char(10, 10)) FROM (
                SELECT iif(p.kind = 'image', p.name, p.text) AS text FROM parts p
                WHERE p.message_number = m.number AND p.kind IN ('text', 'image') ORDER BY p.position
            )
        ) AS text FROM messages m WHERE m.state <> 'streaming'
    ) WHERE text IS NOT NULL""",
)


def _is_readable(path: Path) -> bool:
    """True if SQLite finds our tables in it."""
    try:
        with closing(sqlite3.connect(path)) as connection:
            names = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
            return names >= set(_FIRST_TABLES)
    except sqlite3.DatabaseError:
        return False


def _version(path: Path) -> int:
    """The schema version that a damaged file seems to have."""
    with path.open("rb") as file:
        header = file.read(100)
    version = int.from_bytes(header[_VERSION_AT : _VERSION_AT + 4], "big")
    return version if 1 <= version <= newest_version() else newest_version()


def _graft_first_page(donor: Path, damaged: Path) -> None:
    """Overwrite the first page of `damaged` with that of the empty database `donor`."""
    with donor.open("rb") as file:
        page = bytearray(file.read(1 << 16))
    page = page[: int.from_bytes(page[_PAGE_SIZE_AT : _PAGE_SIZE_AT + 2], "big")]
    # Not the number of the last change: SQLite then measures the file instead of believing the header's page count.
    page[_VALID_FOR_AT : _VALID_FOR_AT + 4] = b"\0\0\0\0"
    with damaged.open("r+b") as file:
        file.write(page)


def _copy(path: Path, target: Path) -> None:
    for suffix in ("", "-wal"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            shutil.copyfile(part, target.with_name(target.name + suffix))


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
