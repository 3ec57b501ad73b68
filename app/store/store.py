"""ConversationStore: conversations, folders, drafts, and the message tree under them. Knows no window.

Synchronous, used by one thread at a time. A changing call has been committed to the disk when it returns.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from app.limits import TITLE_CHARACTERS
from app.store import codec
from app.store.backups import images_of_copies, load_backup, write_backup
from app.store.database import Database
from app.store.foreign import ForeignConversation
from app.store.images import ImageFolder
from app.store.messages import Messages, new_id
from app.store.search import search
from app.store.summaries import Summaries
from app.store.types import (
    Changes,
    Conversation,
    Draft,
    Folder,
    ImagePart,
    MessageState,
    MessageUsage,
    Part,
    SearchHit,
    StoredMessage,
    Summary,
)
from engine.context.segments import Role
from engine.errors import ConversationGoneError, StoreError, sentence
from engine.types import SamplingParams


class ConversationStore:
    """See the module. Open with `open`."""

    def __init__(self, database: Database, *, backups: Path | None = None) -> None:
        self._db = database
        self._backups = backups
        self.images = ImageFolder(database.path.parent / "images")
        """Where the bytes of images are; any thread may use it."""
        self._messages = Messages(database)
        self._summaries = Summaries(database)

    @classmethod
    def open(cls, path: Path, *, backups: Path | None = None) -> ConversationStore:
        """Open or create the database, bringing it to this version after a backup. Raises `StoreError`."""
        database = Database(path)
        try:
            if not database.read_only and not database.is_current:
                if database.version() > 0:
                    write_backup(database, backups or path.parent / "backups")
                database.migrate()
        except BaseException:
            database.close()
            raise
        return cls(database, backups=backups)

    @property
    def read_only(self) -> bool:
        """True for a newer Hearth's file and where the disk refuses; every change then raises a `StoreError`."""
        return self._db.read_only

    @property
    def read_only_error(self) -> StoreError | None:
        """What a change would raise; None if the store can be written."""
        return self._db.refusal() if self._db.read_only else None

    @property
    def read_only_reason(self) -> str:
        """Why, as an English sentence; "" if the store can be written."""
        return str(self.read_only_error or "")

    @property
    def was_left_open(self) -> bool:
        """True if the last program that used the file did not close it, or still uses it."""
        return self._db.was_left_open

    def is_sound(self) -> bool:
        """SQLite's quick check of the file: up to 2 seconds for 200 MB."""
        return self._db.is_sound()

    def close(self) -> None:
        self._db.close()

    # Conversations

    def create_conversation(
        self,
        *,
        title: str = "",
        folder_id: str | None = None,
        model: str = "",
        system_prompt: str = "",
        persona: str = "",
        persona_version: int = 0,
    ) -> Conversation:
        conversation_id, now = new_id(), time.time()
        with self._db.transaction():
            self._db.write(
                "INSERT INTO conversations (id, title, title_is_automatic, created_at, updated_at, folder_id, model,"
                " system_prompt, persona, persona_version) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    conversation_id,
                    "",
                    int(not title),
                    now,
                    now,
                    folder_id,
                    codec.storable(model),
                    codec.storable(system_prompt),
                    persona,
                    persona_version,
                ),
            )
            self._set_title(conversation_id, title)
        return self.conversation(conversation_id)

    def conversation(self, conversation_id: str) -> Conversation:
        """One conversation, also from the bin. Raises `ConversationGoneError` if there is none."""
        row = self._db.row(f"SELECT {codec.CONVERSATION_COLUMNS} FROM conversations WHERE id = ?", (conversation_id,))
        if row is None:
            raise ConversationGoneError(sentence("This conversation is not there any more."))
        return codec.conversation_of(row)

    def conversations(self, *, archived: bool = False) -> list[Conversation]:
        """Pinned first, then newest first."""
        rows = self._db.rows(
            f"SELECT {codec.CONVERSATION_COLUMNS} FROM conversations WHERE deleted_at IS NULL AND archived = ?"
            " ORDER BY pinned DESC, updated_at DESC",
            (int(archived),),
        )
        return [codec.conversation_of(row) for row in rows]

    def listed(self, conversation_ids: Iterable[str]) -> list[Conversation]:
        """Those of the given conversations that a list shows, archived ones too, in no order."""
        found = []
        for conversation_id in conversation_ids:
            row = self._db.row(
                f"SELECT {codec.CONVERSATION_COLUMNS} FROM conversations WHERE id = ? AND deleted_at IS NULL",
                (conversation_id,),
            )
            if row is not None:
                found.append(codec.conversation_of(row))
        return found

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

    def set_collections(self, conversation_id: str, collections: Sequence[int]) -> Changes:
        """Which collections of the document library its questions are looked up in."""
        return self._set(conversation_id, "collections", codec.to_json(tuple(dict.fromkeys(collections))))

    def set_persona(self, conversation_id: str, short_name: str, number: int) -> Changes:
        """Which persona answers from now on, and which saved version of it; "" and 0 for none."""
        with self._db.transaction():
            self._set(conversation_id, "persona", short_name)
            return self._set(conversation_id, "persona_version", number)

    def used_collections(self) -> frozenset[int]:
        """The document library's collections that any conversation asks, those in the bin too."""
        rows = self._db.rows("SELECT collections FROM conversations WHERE collections <> '[]'")
        return frozenset(number for row in rows for number in json.loads(row["collections"]))

    def delete_conversation(self, conversation_id: str) -> Changes:
        """Into the bin; `restore_conversation` takes it out again."""
        return self._set(conversation_id, "deleted_at", time.time())

    def restore_conversation(self, conversation_id: str) -> Changes:
        return self._set(conversation_id, "deleted_at", None)

    def purge_deleted(self, older_than: float) -> int:
        """Remove for good what has been in the bin since before `older_than`; return how many conversations.

        Image files that no message, draft or backup names any more go too.
        """
        with self._db.transaction():
            self._db.write("DELETE FROM messages WHERE deleted_at < ?", (older_than,))
            self._summaries.purge()
            purged = self._db.write("DELETE FROM conversations WHERE deleted_at < ?", (older_than,)).rowcount
            if purged:
                self._db.write(
                    "DELETE FROM drafts WHERE conversation_id <> '' AND conversation_id NOT IN"
                    " (SELECT id FROM conversations)"
                )
        self.images.sweep(self._named_images(), lambda: images_of_copies(self._db.path, self._backups))
        return purged

    def forget_conversation(self, conversation_id: str) -> Changes:
        """Remove one for good at once, past the bin, with its draft and its images; nothing where there is none."""
        with self._db.transaction():
            self._db.write("DELETE FROM conversations WHERE id = ?", (conversation_id,))
            self._db.write("DELETE FROM drafts WHERE conversation_id = ?", (conversation_id,))
            self._summaries.purge()
        self.images.sweep(self._named_images(), lambda: images_of_copies(self._db.path, self._backups))
        return Changes(conversations=frozenset({conversation_id}), conversation_list=True)

    def branch_conversation(self, message_id: str) -> Conversation:
        """A new conversation that begins with a copy of the path down to `message_id`."""
        with self._db.transaction():
            origin = self.conversation(self._messages.row(message_id)["conversation_id"])
            branch = self.create_conversation(
                title=origin.title,
                folder_id=origin.folder_id,
                model=origin.model,
                system_prompt=origin.system_prompt,
                persona=origin.persona,
                persona_version=origin.persona_version,
            )
            self.set_sampling(branch.id, origin.sampling)
            ids = self._messages.add_tree(branch.id, self._messages.path(origin.id, message_id))
            self._messages.select(ids[message_id])
            self._summaries.copy(origin.id, branch.id, ids)
            return self.conversation(branch.id)

    def adopt(self, foreign: ForeignConversation) -> Conversation | None:
        """Take in an imported conversation whole; None if its source has been imported before."""
        known = "SELECT 1 FROM conversations WHERE (source_id = ?1 OR 'hearth:' || id = ?1) AND deleted_at IS NULL"
        with self._db.transaction():
            if self._db.row(known, (foreign.source_id,)) is not None:
                return None
            # What was imported once and thrown away may come again.
            self._db.write("UPDATE conversations SET source_id = NULL WHERE source_id = ?", (foreign.source_id,))
            made = self.create_conversation(
                title=foreign.title, model=foreign.model, system_prompt=foreign.system_prompt
            )
            ids = self._messages.add_tree(made.id, foreign.messages)
            if ids:
                self._messages.select(ids.get(foreign.active_id or "", list(ids.values())[-1]))
            self._db.write(
                "UPDATE conversations SET source_id = ?, created_at = ?, updated_at = ?, tags = ?, sampling = ?,"
                " pinned = ?, archived = ?, title_is_automatic = ? WHERE id = ?",
                (
                    foreign.source_id,
                    foreign.created_at or made.created_at,
                    foreign.updated_at or foreign.created_at or made.updated_at,
                    codec.to_json(foreign.tags),
                    codec.to_json(foreign.sampling),
                    int(foreign.pinned),
                    int(foreign.archived),
                    int(foreign.title_is_automatic),
                    made.id,
                ),
            )
            return self.conversation(made.id)

    # Folders

    def folders(self) -> list[Folder]:
        return [
            Folder(row["id"], row["name"])
            for row in self._db.rows("SELECT * FROM folders ORDER BY name COLLATE NOCASE")
        ]

    def create_folder(self, name: str) -> Folder:
        folder = Folder(new_id(), codec.storable(name.strip()))
        with self._db.transaction():
            self._db.write("INSERT INTO folders VALUES (?, ?)", (folder.id, folder.name))
        return folder

    def rename_folder(self, folder_id: str, name: str) -> Changes:
        with self._db.transaction():
            self._db.write("UPDATE folders SET name = ? WHERE id = ?", (codec.storable(name.strip()), folder_id))
        return Changes(folders=True)

    def delete_folder(self, folder_id: str) -> Changes:
        """Its conversations stay, outside of any folder."""
        with self._db.transaction():
            self._db.write("DELETE FROM folders WHERE id = ?", (folder_id,))
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
        excluded: bool | None = None,
    ) -> StoredMessage:
        """Change what is given; None leaves a field as it is."""
        return self._messages.update(
            message_id, parts=parts, state=state, usage=usage, error=error, pinned=pinned, excluded=excluded
        )

    def message(self, message_id: str) -> StoredMessage:
        return self._messages.get(message_id)

    def path(self, conversation_id: str) -> list[StoredMessage]:
        """The shown path, root first."""
        return self._messages.path(conversation_id, self.conversation(conversation_id).active_leaf)

    def tree(self, conversation_id: str) -> list[StoredMessage]:
        """All messages of a conversation with all branches, oldest first."""
        return self._messages.tree(conversation_id)

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

    # Summaries

    def add_summary(self, conversation_id: str, first_message_id: str, last_message_id: str, text: str) -> Summary:
        """Let the model read `text` instead of these messages and all between them."""
        return self._summaries.add(conversation_id, first_message_id, last_message_id, text)

    def summary(self, summary_id: str) -> Summary:
        return self._summaries.get(summary_id)

    def summaries(self, conversation_id: str) -> list[Summary]:
        """All of a conversation, also undone ones and those of other branches, oldest first."""
        return self._summaries.of(conversation_id)

    def edit_summary(self, summary_id: str, text: str) -> Summary:
        return self._summaries.edit(summary_id, text)

    def set_summary_undone(self, summary_id: str, undone: bool) -> Summary:
        return self._summaries.set_undone(summary_id, undone)

    # Drafts and search

    def draft(self, conversation_id: str | None) -> Draft:
        return codec.draft_of(self._db.row("SELECT * FROM drafts WHERE conversation_id = ?", (conversation_id or "",)))

    def save_draft(self, conversation_id: str | None, draft: Draft) -> None:
        key = conversation_id or ""
        with self._db.transaction():
            if draft == Draft():
                self._db.write("DELETE FROM drafts WHERE conversation_id = ?", (key,))
            else:
                images = [each for each in draft.attachments if isinstance(each, ImagePart)]
                files = [each for each in draft.attachments if not isinstance(each, ImagePart)]
                self._db.write(
                    "INSERT INTO drafts (conversation_id, text, attachments, images) VALUES (?, ?, ?, ?)"
                    " ON CONFLICT (conversation_id) DO UPDATE"
                    " SET text = excluded.text, attachments = excluded.attachments, images = excluded.images",
                    (key, codec.storable(draft.text), codec.to_json(files), codec.to_json(images)),
                )

    def search(self, query: str, *, limit: int = 50) -> list[SearchHit]:
        """Titles first, then messages, best first. Any text is a valid query."""
        return search(self._db, query, limit=limit)

    # Backups

    def backup(self) -> Path:
        """Write a checked copy into the backups folder and drop the oldest beyond `BACKUPS_KEPT`."""
        if self._backups is None:
            raise StoreError(sentence("No folder for backups is set."))
        return write_backup(self._db, self._backups)

    def restore_backup(self, backup: Path) -> Path:
        """Hold what `backup` holds from now on; return the copy that is kept of the present. Raises `StoreError`."""
        return load_backup(self._db, backup)

    def _named_images(self) -> set[str]:
        named = {row["sha256"] for row in self._db.rows("SELECT DISTINCT sha256 FROM parts WHERE sha256 <> ''")}
        for row in self._db.rows("SELECT images FROM drafts WHERE images <> '[]'"):
            named.update(part.sha256 for part in codec.images_of(row["images"]))
        return named

    def _set(self, conversation_id: str, column: str, value: object) -> Changes:
        value = codec.storable(value) if isinstance(value, str) else value
        with self._db.transaction():
            self._db.write(f"UPDATE conversations SET {column} = ? WHERE id = ?", (value, conversation_id))
        return Changes(conversations=frozenset({conversation_id}), conversation_list=True)

    def _set_title(self, conversation_id: str, title: str) -> None:
        title = codec.storable(" ".join(title.split())[:TITLE_CHARACTERS])
        self._set(conversation_id, "title", title)
        self._db.write(
            "INSERT INTO searchable (conversation_id, title) VALUES (?, ?)"
            " ON CONFLICT (conversation_id) WHERE message_id IS NULL DO UPDATE SET title = excluded.title",
            (conversation_id, title),
        )
