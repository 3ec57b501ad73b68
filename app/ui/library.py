"""The conversations and folders as the windows last saw them, and the one way to change them. Main thread only.

All windows share one `Library`: a change made in one shows in the others. Knows no widget.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QObject, Signal

from app.events import ChatEvent, StoreChanged
from app.i18n import BUG, error_sentence, tr
from app.store.types import Changes, Conversation, Folder
from app.ui.bridge import EventBridge
from engine.errors import HearthError

if TYPE_CHECKING:
    from app.store.store import ConversationStore

T = TypeVar("T")
StoreCall = Callable[[Callable[["ConversationStore"], object]], "Future[object]"]


def sentence_of(error: BaseException) -> str:
    """What to tell a person about a failure; for a bug of ours, that it is one."""
    if isinstance(error, HearthError):
        return error_sentence(error)
    if isinstance(error, OSError):
        return tr("The file could not be used: {reason}", reason=error.strerror or str(error))
    return tr(BUG)


class Library(QObject):
    """A snapshot of the lists, renewed after each change."""

    changed = Signal()
    replaced = Signal()
    """Any conversation may be another one than it was (a backup was restored); the lists are read again already."""
    failed = Signal(str)
    """A sentence: an operation could not be done."""
    crashed = Signal(object)
    """The error of an operation, when it is a bug of ours."""

    def __init__(self, bridge: EventBridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._call: StoreCall | None = None
        self._stale = False
        self._reading = False
        self._all_new = False
        self.conversations: list[Conversation] = []
        self.archived: list[Conversation] = []
        self.folders: list[Folder] = []
        self.loaded = False
        self._by_id: dict[str, Conversation] = {}
        bridge.chat_event.connect(self._on_chat_event)

    def attach(self, store_call: StoreCall) -> None:
        """The store is open: read the lists."""
        self._call = store_call
        self.refresh()

    def conversation(self, conversation_id: str) -> Conversation | None:
        return self._by_id.get(conversation_id)

    def asking(self, collection_id: int) -> Conversation | None:
        """A conversation that asks this collection of the document library."""
        return next((each for each in self._by_id.values() if collection_id in each.collections), None)

    def folder(self, folder_id: str | None) -> Folder | None:
        return next((folder for folder in self.folders if folder.id == folder_id), None)

    def tags(self) -> list[str]:
        """Every tag in use, the commonest first."""
        counts: dict[str, int] = {}
        for conversation in self.conversations:
            for tag in conversation.tags:
                counts[tag] = counts.get(tag, 0) + 1
        return sorted(counts, key=lambda tag: (-counts[tag], tag.casefold()))

    def run(
        self,
        operation: Callable[[ConversationStore], T],
        done: Callable[[T], None] | None = None,
        *,
        failed: Callable[[BaseException], None] | None = None,
    ) -> None:
        """Do something with the store, then `done(result)` on the main thread. `Changes` refresh the lists."""
        if self._call is None:
            return

        def finished(result: object) -> None:
            if isinstance(result, Changes):
                self.refresh_after(result)
            elif isinstance(result, Conversation):
                self.refresh_after(Changes(frozenset({result.id})))
            elif isinstance(result, Folder):
                self.refresh()
            if done is not None:
                done(result)  # type: ignore[arg-type]  # store_call hands back what the operation returned

        self._bridge.then(self._call(operation), finished, failed or self.report)

    def refresh_after(self, changes: Changes) -> None:
        """Read again what `changes` name: some rows, or all lists."""
        if changes.folders or (changes.conversation_list and not changes.conversations):
            self.refresh()
        elif changes.conversations and self._call is not None:
            ids = changes.conversations
            self._bridge.then(
                self._call(lambda store: store.listed(ids)), lambda rows: self._on_rows(ids, rows), self.report
            )

    def report(self, error: BaseException, *, say: bool = True) -> None:
        """An operation went wrong: `failed` says so, and `crashed` what is a bug of ours."""
        if not isinstance(error, HearthError | OSError):
            self.crashed.emit(error)
        if say:
            self.failed.emit(sentence_of(error))

    def refresh(self) -> None:
        """Read the lists again; several wishes during one reading become one more reading."""
        if self._call is None:
            return
        if self._reading:
            self._stale = True
            return
        self._reading = True
        self._bridge.then(self._call(_read_lists), self._on_lists, self._on_lists_failed)

    def _on_lists(self, lists: object) -> None:
        self._reading = False
        assert isinstance(lists, tuple)
        conversations, archived, folders = lists
        if not self.loaded or (conversations, archived, folders) != (self.conversations, self.archived, self.folders):
            self.conversations, self.archived, self.folders = conversations, archived, folders
            self._by_id = {each.id: each for each in (*archived, *conversations)}
            self.loaded = True
            self.changed.emit()
        if self._stale:
            self._stale = False
            self.refresh()
        elif self._all_new:
            self._all_new = False
            self.replaced.emit()

    def _on_rows(self, ids: frozenset[str], rows: object) -> None:
        assert isinstance(rows, list)
        found: dict[str, Conversation] = {each.id: each for each in rows}
        if not self.loaded or all(self._by_id.get(each) == found.get(each) for each in ids):
            return
        for each in ids:
            self._by_id.pop(each, None)
        self._by_id.update(found)
        ordered = sorted(self._by_id.values(), key=lambda each: (not each.pinned, -each.updated_at))
        self.conversations = [each for each in ordered if not each.archived]
        self.archived = [each for each in ordered if each.archived]
        self.changed.emit()

    def _on_lists_failed(self, error: BaseException) -> None:
        self._reading = False
        self.report(error)

    def _on_chat_event(self, event: ChatEvent) -> None:
        if isinstance(event, StoreChanged):
            changes = event.changes
            self._all_new |= changes.conversation_list and changes.folders and not changes.conversations
            self.refresh_after(changes)


def _read_lists(store: ConversationStore) -> tuple[list[Conversation], list[Conversation], list[Folder]]:
    return store.conversations(), store.conversations(archived=True), store.folders()
