"""Personas in use: which one a conversation has, and what is done with the shelf, off the window's thread.

Says what changed by events. Knows no window and builds no prompt; what a turn needs is `app.persona_turns`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from app.events import ChatEvent, PersonasChanged, StoreChanged
from app.persona_documents import PersonaDocuments
from app.persona_models import PersonaModels
from app.settings import Settings
from app.store.types import Changes, Conversation
from engine.errors import HearthError
from rag.client import LibraryClient

if TYPE_CHECKING:
    from app.personas.folder import Shelved
    from app.personas.memory import PersonaMemory
    from app.personas.shelf import Deleted, Listing, Shelf
    from app.store.store import ConversationStore

DEFAULT = "persona.default"
"""The setting with the persona of new chats."""
T = TypeVar("T")
_log = logging.getLogger(__name__)


class StoreCall(Protocol):
    """`Services.store_call`: an operation on the store's thread."""

    def __call__(self, operation: Callable[[ConversationStore], T]) -> Future[T]: ...


class PersonaService:
    """Any thread; every method that gives a future returns at once, and it fails with `PersonaError` or `StoreError`.

    `store_call` runs something on the store's thread; the shelf, which blocks, is used on `pool` only. `library` is
    the folder of `documents`.
    """

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        publish: Callable[[ChatEvent], None],
        *,
        store_call: StoreCall,
        pool: Executor,
        models: PersonaModels,
        documents: LibraryClient,
        library: Path,
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._publish = publish
        self._store_call = store_call
        self._pool = pool
        self.models = models
        self.documents = PersonaDocuments(lambda: self.shelf, documents, library)

    @cached_property
    def shelf(self) -> Shelf:
        """Blocks: off the window's thread only, as in `call`."""
        from app.personas.shelf import Shelf  # noqa: PLC0415  # a start has no time for it

        return Shelf(self._folder)

    @property
    def default(self) -> str:
        """The short name of the persona of new chats, "" for none. It may be gone by now."""
        return self._settings.text(DEFAULT)

    def listing(self) -> Future[Listing]:
        """The shelf as it is."""
        return self.call(lambda shelf: shelf.listing(), changes=False)

    def call(self, operation: Callable[[Shelf], T], *, changes: bool = True) -> Future[T]:
        """Do something with the shelf; `PersonasChanged` follows, unless it `changes` nothing."""

        def work() -> T:
            try:
                return operation(self.shelf)
            finally:
                if changes:
                    self._publish(PersonasChanged())

        return self._pool.submit(work)

    def memory(self, short_name: str) -> PersonaMemory:
        """What a persona was asked to remember. Blocks, as `shelf`; there is no event of its changes."""
        from app.personas.memory import PersonaMemory  # noqa: PLC0415  # as the shelf

        return PersonaMemory(self.shelf.place(short_name).path)

    def delete(self, short_name: str) -> Future[Deleted]:
        """Move a persona aside for 30 days, and take its documents out of the library. Its conversations stay."""

        def work(shelf: Shelf) -> Deleted:
            deleted = shelf.delete(short_name)
            try:
                self.documents.forget(short_name)
            except HearthError:
                _log.warning("the documents of a deleted persona go when the program starts again", exc_info=True)
            return deleted

        return self.call(work)

    def bring_back(self, deleted: Deleted) -> Future[Shelved]:
        """Undo a deletion. Its documents are read again with the next question."""
        return self.call(lambda shelf: shelf.bring_back(deleted))

    def begin(self, short_name: str) -> Future[str]:
        """A new conversation with this persona, by its id."""

        def work() -> str:
            shelved = self.shelf.get(short_name).checked()
            self.models.prefer(shelved.persona)
            made = self._store_call(
                lambda store: store.create_conversation(persona=short_name, persona_version=shelved.number)
            ).result()
            self._publish(StoreChanged(Changes(frozenset({made.id}), conversation_list=True)))
            return made.id

        return self._pool.submit(work)

    def choose(self, conversation_id: str, short_name: str) -> Future[Changes]:
        """Give a conversation this persona at its present version; "" takes it away. It answers from now on."""
        return self._pool.submit(self._give, conversation_id, lambda: short_name)

    def update(self, conversation_id: str) -> Future[Changes]:
        """Give a conversation the present version of the persona it has."""

        def present() -> str:
            return self._store_call(lambda store: store.conversation(conversation_id)).result().persona

        return self._pool.submit(self._give, conversation_id, present)

    def of(self, conversation: Conversation) -> Future[Shelved | None]:
        """The persona at the version that the conversation remembers; None where it has none, or it is gone."""
        return self._pool.submit(self.find, conversation)

    def find(self, conversation: Conversation) -> Shelved | None:
        """`of`, at once: blocks on the disk."""
        if not conversation.persona or not self.shelf.has(conversation.persona):
            return None
        return self.shelf.get(conversation.persona, conversation.persona_version)

    def sweep(self) -> None:
        """Let go of what was deleted long ago. Blocks."""
        self.shelf.sweep()

    def _give(self, conversation_id: str, choose: Callable[[], str]) -> Changes:
        short_name, number = choose(), 0
        if short_name:
            shelved = self.shelf.get(short_name).checked()
            number = shelved.number
            self.models.prefer(shelved.persona)
        changes = self._store_call(lambda store: store.set_persona(conversation_id, short_name, number)).result()
        self._publish(StoreChanged(changes))
        return changes
