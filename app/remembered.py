"""What the model has read of the chats and keeps on the disk: how much that is, and how it is forgotten.

The files are the engine's (`engine.model.snapshot_file`); whoever holds them in memory is told as well, and where no
model is loaded the files go all the same. Everything here reads or writes files: not for the window's main thread.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from engine.engine import Engine
from engine.model import snapshot_file

if TYPE_CHECKING:
    from app.store.store import ConversationStore

EVERYTHING = ""
"""As a key to forget."""

_log = logging.getLogger(__name__)


class RememberedChats:
    """The snapshots of one run. Keys are conversations' ids. `engine` may be missing, where nothing is open yet."""

    def __init__(self, folder: Path, engine: Engine | None = None) -> None:
        self._folder = folder
        self._engine = engine

    def size(self) -> int:
        """In bytes. Raises `OSError`."""
        return snapshot_file.bytes_in(self._folder)

    def forget(self, conversation_id: str) -> None:
        """Of one conversation, by every model. A file that stays is logged; housekeeping tries again."""
        if self._engine is not None:
            self._engine.forget(conversation_id)
        try:
            snapshot_file.remove_key(self._folder, conversation_id)
        except OSError as error:
            _log.warning("a snapshot could not be removed: %s", error.strerror)

    def forget_deleted(self, store: ConversationStore) -> None:
        """Of all conversations that are in the bin or gone. On the store's thread."""
        try:
            kept = snapshot_file.keys_in(self._folder)
        except OSError:
            return
        kept.discard(EVERYTHING)
        for key in kept - {conversation.id for conversation in store.listed(kept)}:
            self.forget(key)

    def clear(self) -> None:
        """Of all conversations. Raises `OSError`."""
        if self._engine is not None:
            self._engine.forget(EVERYTHING)
        snapshot_file.remove_all(self._folder)
