"""The message tree: adding, changing, walking and choosing branches. Knows no window and no search query."""

from __future__ import annotations

import sqlite3
import time
import uuid
from collections.abc import Sequence
from itertools import groupby

from app.store import codec
from app.store.database import Database
from app.store.types import Changes, MessageState, MessageUsage, Part, StoredMessage, TextPart
from engine.context.segments import Role
from engine.errors import StoreError, sentence

_PATH = """
WITH RECURSIVE path (id, parent_id, depth) AS (
    SELECT id, parent_id, 0 FROM messages WHERE id = ? AND deleted_at IS NULL
    UNION ALL
    SELECT m.id, m.parent_id, path.depth + 1 FROM messages m JOIN path ON m.id = path.parent_id
)
"""
_SIBLINGS = """
SELECT number, id FROM messages
WHERE conversation_id = ? AND parent_id IS ? AND deleted_at IS NULL ORDER BY number
"""


class Messages:
    """The messages of all conversations. Every changing call is one transaction."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(
        self,
        conversation_id: str,
        *,
        parent_id: str | None,
        role: Role,
        parts: Sequence[Part],
        state: MessageState = MessageState.COMPLETE,
        model: str = "",
        created_at: float | None = None,
        message_id: str | None = None,
    ) -> StoredMessage:
        """Add a message below `parent_id`; it becomes the end of the shown path."""
        message_id = message_id or new_id()
        now = time.time() if created_at is None else created_at
        with self._db.transaction():
            cursor = self._db.execute(
                "INSERT INTO messages (id, conversation_id, parent_id, role, state, created_at, model)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (message_id, conversation_id, parent_id, role, state, now, model),
            )
            number = cursor.lastrowid
            assert number is not None
            self._write_parts(number, parts)
            self._index(message_id, conversation_id, state, parts)
            self._db.execute(
                "UPDATE conversations SET active_leaf = ?, updated_at = max(updated_at, ?) WHERE id = ?",
                (message_id, now, conversation_id),
            )
            self._remember_branch(message_id)
        return self.get(message_id)

    def update(
        self,
        message_id: str,
        *,
        parts: Sequence[Part] | None = None,
        state: MessageState | None = None,
        usage: MessageUsage | None = None,
        error: str | None = None,
        pinned: bool | None = None,
    ) -> StoredMessage:
        """Change what is given; None leaves a field as it is."""
        with self._db.transaction():
            row = self._row(message_id)
            for column, value in (
                ("state", state),
                ("usage", codec.to_json(usage)),
                ("error", error),
                ("pinned", None if pinned is None else int(pinned)),
            ):
                if value is not None:
                    self._db.execute(f"UPDATE messages SET {column} = ? WHERE id = ?", (value, message_id))
            if parts is not None:
                self._db.execute("DELETE FROM parts WHERE message_number = ?", (row["number"],))
                self._write_parts(row["number"], parts)
            if parts is not None or state is not None:
                now = self._row(message_id)
                self._index(message_id, row["conversation_id"], MessageState(now["state"]), self._parts(row["number"]))
        return self.get(message_id)

    def get(self, message_id: str) -> StoredMessage:
        """One message. Raises `StoreError` if it is not (any longer) there."""
        row = self._row(message_id)
        ids = [sibling["id"] for sibling in self._db.rows(_SIBLINGS, (row["conversation_id"], row["parent_id"]))]
        position = ids.index(message_id) + 1 if message_id in ids else 1
        return codec.message_of(row, self._parts(row["number"]), position=position, siblings=max(1, len(ids)))

    def path_to(self, leaf: str | None) -> list[StoredMessage]:
        """From the root to `leaf`, in three statements whatever its length."""
        if leaf is None:
            return []
        rows = self._db.rows(
            _PATH
            + """SELECT m.*,
                (SELECT count(*) FROM messages s WHERE s.conversation_id = m.conversation_id
                  AND s.parent_id IS m.parent_id AND s.deleted_at IS NULL) AS siblings,
                (SELECT count(*) FROM messages s WHERE s.conversation_id = m.conversation_id
                  AND s.parent_id IS m.parent_id AND s.deleted_at IS NULL AND s.number <= m.number) AS position
            FROM path JOIN messages m ON m.id = path.id ORDER BY path.depth DESC""",
            (leaf,),
        )
        part_rows = self._db.rows(
            _PATH
            + """SELECT p.* FROM path JOIN messages m ON m.id = path.id JOIN parts p ON p.message_number = m.number
            ORDER BY p.message_number, p.position""",
            (leaf,),
        )
        parts = {
            number: tuple(codec.part_of(row) for row in group)
            for number, group in groupby(part_rows, key=lambda row: row["message_number"])
        }
        return [
            codec.message_of(row, parts.get(row["number"], ()), position=row["position"], siblings=row["siblings"])
            for row in rows
        ]

    def all_of(self, conversation_id: str) -> list[StoredMessage]:
        """Every message of a conversation, oldest first; parents come before their children."""
        rows = self._db.rows(
            "SELECT id FROM messages WHERE conversation_id = ? AND deleted_at IS NULL ORDER BY number",
            (conversation_id,),
        )
        return [self.get(row["id"]) for row in rows]

    def siblings(self, message_id: str) -> list[str]:
        """The ids of a message and of the others below the same parent, oldest first."""
        row = self._row(message_id)
        return [sibling["id"] for sibling in self._db.rows(_SIBLINGS, (row["conversation_id"], row["parent_id"]))]

    def select(self, message_id: str) -> Changes:
        """Show the branch through `message_id`, down to the leaf that was shown last below it."""
        row = self._row(message_id)
        with self._db.transaction():
            leaf = self._last_leaf(message_id)
            self._db.execute("UPDATE conversations SET active_leaf = ? WHERE id = ?", (leaf, row["conversation_id"]))
            self._remember_branch(leaf)
        return Changes(conversations=frozenset({row["conversation_id"]}))

    def delete(self, message_id: str) -> Changes:
        """Put a message and all below it into the bin; the path shown moves to what is left."""
        row = self._row(message_id)
        conversation_id = row["conversation_id"]
        with self._db.transaction():
            self._mark_subtree(message_id, time.time())
            left = [s["id"] for s in self._db.rows(_SIBLINGS, (conversation_id, row["parent_id"]))]
            leaf = self._last_leaf(left[-1]) if left else row["parent_id"]
            self._db.execute("UPDATE conversations SET active_leaf = ? WHERE id = ?", (leaf, conversation_id))
        return Changes(conversations=frozenset({conversation_id}))

    def restore(self, message_id: str) -> Changes:
        """Undo `delete`, and show the message again."""
        with self._db.transaction():
            self._mark_subtree(message_id, None)
        return self.select(message_id)

    def recover_interrupted(self) -> int:
        """Mark answers that a dead program left STREAMING; return how many."""
        with self._db.transaction():
            rows = self._db.rows("SELECT id FROM messages WHERE state = 'streaming'")
            for row in rows:
                self.update(row["id"], state=MessageState.INTERRUPTED)
        return len(rows)

    def _row(self, message_id: str) -> sqlite3.Row:
        row: sqlite3.Row | None = self._db.execute("SELECT * FROM messages WHERE id = ?", (message_id,)).fetchone()
        if row is None:
            raise StoreError(sentence("This message is not there any more."))
        return row

    def _parts(self, number: int) -> tuple[Part, ...]:
        rows = self._db.rows("SELECT * FROM parts WHERE message_number = ? ORDER BY position", (number,))
        return tuple(codec.part_of(row) for row in rows)

    def _write_parts(self, number: int, parts: Sequence[Part]) -> None:
        for values in codec.part_rows(number, parts):
            self._db.execute("INSERT INTO parts VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)

    def _index(self, message_id: str, conversation_id: str, state: MessageState, parts: Sequence[Part]) -> None:
        """Make a finished message findable; one that still grows is not indexed twice a second."""
        if state is MessageState.STREAMING:
            return
        body = "\n\n".join(part.text for part in parts if isinstance(part, TextPart))
        self._db.execute(
            "INSERT INTO searchable (conversation_id, message_id, body) VALUES (?, ?, ?)"
            " ON CONFLICT (message_id) DO UPDATE SET body = excluded.body WHERE body <> excluded.body",
            (conversation_id, message_id, body),
        )

    def _last_leaf(self, message_id: str) -> str:
        """Follow the branches shown last, else the newest ones, to their end."""
        while True:
            row = self._row(message_id)
            children = self._db.rows(_SIBLINGS, (row["conversation_id"], message_id))
            ids = [child["id"] for child in children]
            if not ids:
                return message_id
            message_id = row["last_child"] if row["last_child"] in ids else ids[-1]

    def _remember_branch(self, leaf: str) -> None:
        self._db.execute(
            _PATH + "UPDATE messages SET last_child = path.id FROM path WHERE messages.id = path.parent_id"
            " AND messages.last_child IS NOT path.id",
            (leaf,),
        )

    def _mark_subtree(self, message_id: str, deleted_at: float | None) -> None:
        self._db.execute(
            """WITH RECURSIVE below (id) AS (
                SELECT ? UNION ALL SELECT m.id FROM messages m JOIN below ON m.parent_id = below.id
            ) UPDATE messages SET deleted_at = ? WHERE id IN below""",
            (message_id, deleted_at),
        )


def new_id() -> str:
    """An opaque id: 32 hex digits."""
    return uuid.uuid4().hex
