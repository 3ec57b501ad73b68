"""Summaries that stand for older messages of a conversation. Knows no model and no prompt.

A summary never takes the place of a stored message: it says from which to which message it goes, and can be undone.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping, Sequence

from app.store import codec
from app.store.database import Database
from app.store.messages import new_id
from app.store.types import StoredMessage, Summary
from engine.errors import StoreError, sentence

_COLUMNS = "id, conversation_id, first_message_id, last_message_id, text, created_at, edited, undone_at"


class Summaries:
    """The summaries of all conversations. Every changing call is one transaction."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, conversation_id: str, first_message_id: str, last_message_id: str, text: str) -> Summary:
        """Keep what a model wrote about these and all messages between them."""
        summary_id = new_id()
        with self._db.transaction():
            self._db.write(
                f"INSERT INTO summaries ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, 0, NULL)",
                (summary_id, conversation_id, first_message_id, last_message_id, codec.storable(text), time.time()),
            )
        return self.get(summary_id)

    def get(self, summary_id: str) -> Summary:
        """One summary. Raises `StoreError` if there is none."""
        row = self._db.row(f"SELECT {_COLUMNS} FROM summaries WHERE id = ?", (summary_id,))
        if row is None:
            raise StoreError(sentence("This summary is not there any more."))
        return _summary_of(row)

    def of(self, conversation_id: str) -> list[Summary]:
        """All summaries of a conversation, also undone ones and those of other branches, oldest first."""
        rows = self._db.rows(
            f"SELECT {_COLUMNS} FROM summaries WHERE conversation_id = ? ORDER BY created_at, rowid",
            (conversation_id,),
        )
        return [_summary_of(row) for row in rows]

    def edit(self, summary_id: str, text: str) -> Summary:
        """The person's own words instead of the model's."""
        with self._db.transaction():
            self._db.write("UPDATE summaries SET text = ?, edited = 1 WHERE id = ?", (codec.storable(text), summary_id))
        return self.get(summary_id)

    def set_undone(self, summary_id: str, undone: bool) -> Summary:
        """Use the messages themselves again, or the summary after all."""
        with self._db.transaction():
            self._db.write(
                "UPDATE summaries SET undone_at = ? WHERE id = ?", (time.time() if undone else None, summary_id)
            )
        return self.get(summary_id)

    def copy(self, origin_id: str, branch_id: str, ids: Mapping[str, str]) -> None:
        """Give a branch the summaries of messages that were copied into it; `ids` are the copies' by the given ones."""
        with self._db.transaction():
            for summary in self.of(origin_id):
                if summary.first_message_id in ids and summary.last_message_id in ids:
                    made = self.add(
                        branch_id, ids[summary.first_message_id], ids[summary.last_message_id], summary.text
                    )
                    self._db.write(
                        "UPDATE summaries SET edited = ?, undone_at = ? WHERE id = ?",
                        (int(summary.edited), time.time() if summary.undone else None, made.id),
                    )

    def purge(self) -> None:
        """Remove those whose messages are gone for good."""
        self._db.write("DELETE FROM summaries WHERE last_message_id NOT IN (SELECT id FROM messages)")


def newest_on(path: Sequence[StoredMessage], summaries: Sequence[Summary]) -> Summary | None:
    """The summary that counts on a path: the newest that is not undone and ends on one of its messages."""
    shown = {message.id for message in path}
    counting = (each for each in reversed(summaries) if not each.undone and each.last_message_id in shown)
    return next((each for each in counting if each.text.strip()), None)


def covered_by(summary: Summary | None, path: Sequence[StoredMessage]) -> tuple[StoredMessage, ...]:
    """The messages of the path that the summary stands for: all from its first, or the path's, to its last."""
    ids = [message.id for message in path]
    if summary is None or summary.last_message_id not in ids:
        return ()
    first = ids.index(summary.first_message_id) if summary.first_message_id in ids else 0
    return tuple(path[first : ids.index(summary.last_message_id) + 1])


def _summary_of(row: sqlite3.Row) -> Summary:
    summary_id, conversation_id, first, last, text, created_at, edited, undone_at = row
    return Summary(summary_id, conversation_id, first, last, text, created_at, bool(edited), undone_at is not None)
