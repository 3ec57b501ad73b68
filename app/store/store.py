"""ConversationStore: conversations, folders, drafts, and the message tree under them. Knows no window.

Synchronous, used by one thread at a time. A changing call has been committed to the disk when it returns.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from app.limits import BACKUPS_KEPT, TITLE_CHARACTERS
from app.store import codec
from app.store.database import Database, newest_version
from app.store.foreign import ForeignConversation
from app.store.messages import Messages, new_id
from app.store.search import search
from app.store.types import (
    Changes,
    Conversation,
    Draft,
    Folder,
    MessageState,
    MessageUsage,
    Part,
    SearchHit,
    StoredMessage,
)
from engine.context.segments import Role
from engine.errors import StoreError, sentence
from engine.types import SamplingParams


class ConversationStore:
    """See the module. Open with `open`."""

    def __init__(self, database: Database, *, backups: Path | None = None) -> None:
        self._db = database
        self._backups = backups
        self._messages = Messages(database)

    @classmethod
    def open(cls, path: Path, *, backups: Path | None = None) -> ConversationStore:
        """Open or create the database, bringing it to this version after a backup. Raises `StoreError`."""
        database = Database(path)
        store = cls(database, backups=backups)
        if not database.read_only and database.version() < newest_version():
            if database.version() > 0 and backups is not None:
                store.backup()
            database.migrate()
        return store

    @property
    def read_only(self) -> bool:
        """True for a newer Hearth's file and where the disk refuses; every change then raises a `StoreError`."""
        return self._db.read_only

    @property
    def read_only_reason(self) -> str:
        """Why, as a sentence; "" if the store can be written."""
        return str(self._db.refusal()) if self._db.read_only else ""

    def is_sound(self) -> bool:
        """SQLite's quick check of the file."""
        return self._db.is_sound()

    def close(self) -> None:
        self._db.close()

    # Conversations

    def create_conversation(
        self, *, title: str = "", folder_id: str | None = None, model: str = "", system_prompt: str = ""
    ) -> Conversation:
        conversation_id, now = new_id(), time.time()
        with self._db.transaction():
            self._db.execute(
                "INSERT INTO conversations (id, title, title_is_automatic, created_at, updated_at, folder_id, model,"
                " system_prompt) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (conversation_id, "", int(not title), now, now, folder_id, model, system_prompt),
            )
            self._set_title(conversation_id, title)
        return self.conversation(conversation_id)

    def conversation(self, conversation_id: str) -> Conversation:
        """One conversation, also from the bin. Raises `StoreError` if there is none."""
        row = self._db.execute("SELECT * FROM conversations WHERE id = ?", (conversation_id,)).fetchone()
        if row is None:
            raise StoreError(sentence("This conversation is not there any more."))
        return codec.conversation_of(row)

    def conversations(self, *, archived: bool = False) -> list[Conversation]:
        """Pinned first, then newest first."""
        rows = self._db.rows(
            "SELECT * FROM conversations WHERE deleted_at IS NULL AND archived = ?"
            " ORDER BY pinned DESC, updated_at DESC",
            (int(archived),),
        )
        return [codec.conversation_of(row) for row in rows]

    def rename(self, conversation_id: str, title: str, *, automatic: bool = False) -> Changes:
        """An automatic title never replaces a person's own."""
        with self._db.transaction():
            row = self.conversation(conversation_id)
            if automatic and row.title and not row.title_is_automatic:
                return Changes()
            self._set_title(conversation_id, title)
            return self._set(conversation_id, "title_is_automatic", int(automatic))

    def set_pinned(self, conversation_id: str, pinned: bool) -> Changes:
        return self._set(conversation_id, "pinned", int(pinned))

    def set_archived(self, conversation_id: str, archived: bool) -> Changes:
        return self._set(conversation_id, "archived", int(archived))

    def set_folder(self, conversation_id: str, folder_id: str | None) -> Changes:
        return self._set(conversation_id, "folder_id", folder_id)

    def set_tags(self, conversation_id: str, tags: Sequence[str]) -> Changes:
        return self._set(conversation_id, "tags", codec.to_json(tuple(dict.fromkeys(tags))))

    def set_model(self, conversation_id: str, model: str) -> Changes:
        return self._set(conversation_id, "model", model)

    def set_system_prompt(self, conversation_id: str, system_prompt: str) -> Changes:
        return self._set(conversation_id, "system_prompt", system_prompt)

    def set_sampling(self, conversation_id: str, sampling: SamplingParams | None) -> Changes:
        return self._set(conversation_id, "sampling", codec.to_json(sampling))

    def delete_conversation(self, conversation_id: str) -> Changes:
        """Into the bin; `restore_conversation` takes it out again."""
        return self._set(conversation_id, "deleted_at", time.time())

    def restore_conversation(self, conversation_id: str) -> Changes:
        return self._set(conversation_id, "deleted_at", None)

    def purge_deleted(self, older_than: float) -> int:
        """Remove for good what has been in the bin since before `older_than`; return how many conversations."""
        with self._db.transaction():
            self._db.execute("DELETE FROM messages WHERE deleted_at < ?", (older_than,))
            return self._db.execute("DELETE FROM conversations WHERE deleted_at < ?", (older_than,)).rowcount

    def branch_conversation(self, message_id: str) -> Conversation:
        """A new conversation that begins with a copy of the path down to `message_id`."""
        message = self._messages.get(message_id)
        origin = self.conversation(message.conversation_id)
        with self._db.transaction():
            branch = self.create_conversation(
                title=origin.title, folder_id=origin.folder_id, model=origin.model, system_prompt=origin.system_prompt
            )
            self.set_sampling(branch.id, origin.sampling)
            parent: str | None = None
            for old in self._messages.path_to(message_id):
                new = self._messages.add(
                    branch.id, parent_id=parent, role=old.role, parts=old.parts, state=old.state, model=old.model,
                    created_at=old.created_at,
                )  # fmt: skip
                self._messages.update(new.id, usage=old.usage, error=old.error, pinned=old.pinned)
                parent = new.id
        return self.conversation(branch.id)

    def adopt(self, foreign: ForeignConversation) -> Conversation | None:
        """Take in an imported conversation whole; None if its source has been imported before."""
        known = "SELECT 1 FROM conversations WHERE (source_id = ?1 OR 'hearth:' || id = ?1) AND deleted_at IS NULL"
        with self._db.transaction():
            if self._db.execute(known, (foreign.source_id,)).fetchone():
                return None
            # What was imported once and thrown away may come again.
            self._db.execute("UPDATE conversations SET source_id = NULL WHERE source_id = ?", (foreign.source_id,))
            made = self.create_conversation(title=foreign.title, system_prompt=foreign.system_prompt)
            ids: dict[str, str] = {}
            for message in foreign.messages:
                parent = ids[message.parent_id] if message.parent_id is not None else None
                stored = self._messages.add(
                    made.id,
                    parent_id=parent,
                    role=message.role,
                    parts=message.parts,
                    model=message.model,
                    created_at=message.created_at or foreign.created_at,
                )
                ids[message.id] = stored.id
            if foreign.active_id in ids:
                self._messages.select(ids[foreign.active_id])
            self._db.execute(
                "UPDATE conversations SET source_id = ?, created_at = ?, updated_at = ?, tags = ? WHERE id = ?",
                (foreign.source_id, foreign.created_at, foreign.updated_at, codec.to_json(foreign.tags), made.id),
            )
        return self.conversation(made.id)

    # Folders

    def folders(self) -> list[Folder]:
        return [
            Folder(row["id"], row["name"])
            for row in self._db.rows("SELECT * FROM folders ORDER BY name COLLATE NOCASE")
        ]

    def create_folder(self, name: str) -> Folder:
        folder = Folder(new_id(), name.strip())
        with self._db.transaction():
            self._db.execute("INSERT INTO folders VALUES (?, ?)", (folder.id, folder.name))
        return folder

    def rename_folder(self, folder_id: str, name: str) -> Changes:
        with self._db.transaction():
            self._db.execute("UPDATE folders SET name = ? WHERE id = ?", (name.strip(), folder_id))
        return Changes(folders=True)

    def delete_folder(self, folder_id: str) -> Changes:
        """Its conversations stay, outside of any folder."""
        with self._db.transaction():
            self._db.execute("DELETE FROM folders WHERE id = ?", (folder_id,))
        return Changes(folders=True, conversation_list=True)

    # Messages

    def add_message(
        self,
        conversation_id: str,
        *,
        parent_id: str | None,
        role: Role,
        parts: Sequence[Part],
        state: MessageState = MessageState.COMPLETE,
        model: str = "",
    ) -> StoredMessage:
        """Add below `parent_id`; it becomes the end of the shown path."""
        return self._messages.add(
            conversation_id, parent_id=parent_id, role=role, parts=parts, state=state, model=model
        )

    def update_message(
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
        return self._messages.update(message_id, parts=parts, state=state, usage=usage, error=error, pinned=pinned)

    def message(self, message_id: str) -> StoredMessage:
        return self._messages.get(message_id)

    def path(self, conversation_id: str) -> list[StoredMessage]:
        """The shown path, root first."""
        return self._messages.path_to(self.conversation(conversation_id).active_leaf)

    def tree(self, conversation_id: str) -> list[StoredMessage]:
        """All messages of a conversation with all branches, oldest first."""
        return self._messages.all_of(conversation_id)

    def siblings(self, message_id: str) -> list[str]:
        return self._messages.siblings(message_id)

    def select_sibling(self, message_id: str) -> Changes:
        return self._messages.select(message_id)

    def delete_message(self, message_id: str) -> Changes:
        return self._messages.delete(message_id)

    def restore_message(self, message_id: str) -> Changes:
        return self._messages.restore(message_id)

    def recover_interrupted(self) -> int:
        return self._messages.recover_interrupted()

    # Drafts and search

    def draft(self, conversation_id: str | None) -> Draft:
        key = (conversation_id or "",)
        return codec.draft_of(self._db.execute("SELECT * FROM drafts WHERE conversation_id = ?", key).fetchone())

    def save_draft(self, conversation_id: str | None, draft: Draft) -> None:
        key = conversation_id or ""
        with self._db.transaction():
            if draft == Draft():
                self._db.execute("DELETE FROM drafts WHERE conversation_id = ?", (key,))
            else:
                self._db.execute(
                    "INSERT INTO drafts VALUES (?, ?, ?) ON CONFLICT (conversation_id)"
                    " DO UPDATE SET text = excluded.text, attachments = excluded.attachments",
                    (key, draft.text, codec.to_json(draft.attachments)),
                )

    def search(self, query: str, *, limit: int = 50) -> list[SearchHit]:
        """Titles first, then messages, best first. Any text is a valid query."""
        return search(self._db, query, limit=limit)

    # Backups

    def backup(self) -> Path:
        """Write a checked copy into the backups folder and drop the oldest beyond `BACKUPS_KEPT`."""
        if self._backups is None:
            raise StoreError(sentence("No folder for backups is set."))
        self._backups.mkdir(parents=True, exist_ok=True)
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
        target = self._backups / f"conversations-{stamp}.db"
        part = target.with_suffix(".part")
        part.unlink(missing_ok=True)
        self._db.copy_to(part)
        part.replace(target)
        for old in sorted(self._backups.glob("conversations-*.db"))[:-BACKUPS_KEPT]:
            old.unlink()
        return target

    def _set(self, conversation_id: str, column: str, value: object) -> Changes:
        with self._db.transaction():
            self._db.execute(f"UPDATE conversations SET {column} = ? WHERE id = ?", (value, conversation_id))
        return Changes(conversations=frozenset({conversation_id}), conversation_list=True)

    def _set_title(self, conversation_id: str, title: str) -> None:
        title = " ".join(title.split())[:TITLE_CHARACTERS]
        self._set(conversation_id, "title", title)
        self._db.execute(
            "INSERT INTO searchable (conversation_id, message_id, body) VALUES (?, NULL, ?)"
            " ON CONFLICT (conversation_id) WHERE message_id IS NULL DO UPDATE SET body = excluded.body",
            (conversation_id, title),
        )
