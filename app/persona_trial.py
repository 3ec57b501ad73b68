"""A persona tried out while it is written: a chat with it as it stands, of which nothing is kept.

Conversations, the persona and its files lie in a folder of the system's that goes with the trial; the model and the
document library are the program's own. Qt-free; every method may be called from any thread and returns at once.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from app.chat import ChatService
from app.documents_care import PERSONA
from app.events import ChatEvent
from app.i18n import tr
from app.persona_models import PersonaModels
from app.persona_service import PersonaService
from app.persona_turns import PersonaTurns
from app.personas.drafts import Draft
from app.personas.folder import Given
from app.personas.shelf import Shelf
from app.said_once import SaidOnce
from app.store.store import ConversationStore
from app.trial_folder import TrialFolder
from engine.errors import HearthError
from rag.store.types import StoredFile

if TYPE_CHECKING:
    from app.services import Services

_log = logging.getLogger(__name__)
T = TypeVar("T")


class PersonaTrial:
    """One trial chat. `publish` gets its events; they are of no conversation that any list knows.

    `whole` completes a draft with the files that only the shelf has. `ask` and `prepare` fail with `HearthError`.
    """

    def __init__(
        self, services: Services, publish: Callable[[ChatEvent], None], whole: Callable[[Draft], Given]
    ) -> None:
        self._services, self._publish, self._whole = services, publish, whole
        self._folder = TrialFolder()
        self._short_name = f"trial-{uuid.uuid4().hex[:12]}"
        self._work = ThreadPoolExecutor(max_workers=1, thread_name_prefix="trial")
        self._store_pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="trial-store")
        self._store: ConversationStore | None = None
        self._chat: ChatService | None = None
        self._shown: Draft | None = None
        self._conversation_id = ""

    def prepare(self, draft: Draft) -> Future[None]:
        """Take the draft as it stands now; its documents begin to be read."""

        def take() -> None:
            self._take(draft)
            personas = self._opened()[1]
            personas.documents.collection(personas.shelf.get(self._short_name))

        return self._submit(take)

    def ask(self, draft: Draft, words: str) -> Future[str]:
        """Ask the persona as it stands in `draft`; gives the trial conversation's id."""

        def begin() -> str:
            self._take(draft)
            chat, personas = self._opened()
            if not self._conversation_id:
                conversation_id = self._conversation_id = personas.begin(self._short_name).result()
                # A name of its own: the model is not asked for one.
                self._in_store(lambda store: store.rename(conversation_id, tr("Trial"))).result()
            else:
                personas.update(self._conversation_id).result()
            return chat.send(self._conversation_id, words).result()

        return self._submit(begin)

    def regenerate(self, message_id: str) -> Future[str]:
        """Answer again."""
        return self._submit(lambda: self._opened()[0].regenerate(message_id).result())

    def store_call(self, operation: Callable[[ConversationStore], T]) -> Future[T]:
        """Ask the trial's own store something."""
        return self._submit(lambda: self._in_store(operation).result())

    def restart(self) -> None:
        """Forget what was said; the next question begins anew."""
        self.stop()
        self._submit(self._forget)

    def stop(self) -> None:
        """End the answer under way."""
        if self._chat is not None:
            self._chat.stop_all()

    def documents(self) -> Future[tuple[StoredFile, ...]]:
        """The draft's documents as the library has them now."""

        def look() -> tuple[StoredFile, ...]:
            library, owner = self._services.documents, PERSONA + self._short_name
            own = tuple(each.id for each in library.collections().result() if each.owner == owner)
            return library.files(own).result() if own else ()

        return self._submit(look)

    def close(self) -> None:
        """Stop, and let go of everything. The rest happens on a thread of its own."""
        self.stop()
        self._work.submit(self._clear_away)
        self._work.shutdown(wait=False)

    def wait_closed(self) -> None:
        """Block until `close` is done."""
        self._work.shutdown(wait=True)

    def _submit(self, operation: Callable[[], T]) -> Future[T]:
        return self._work.submit(operation)

    # On the trial's thread

    def _opened(self) -> tuple[ChatService, PersonaService]:
        services, folder = self._services, self._folder.path
        if self._chat is None:
            path = folder / "trial.db"
            self._store = self._store_pool.submit(ConversationStore.open, path).result()
            said = SaidOnce(self._publish)
            self._personas = PersonaService(
                folder / "personas",
                services.settings,
                self._publish,
                store_call=self._in_store,
                pool=services.pool,
                models=PersonaModels(services.models, services.engine, services.settings, said),
                documents=services.documents,
                library=services.paths.library,
            )
            self._chat = ChatService(
                self._store,
                services.engine,
                services.settings,
                self._publish,
                store_pool=self._store_pool,
                pool=services.pool,
                models=services.models,
                documents=services.documents,
                personas=PersonaTurns(self._personas, said, self._publish),
            )
        return self._chat, self._personas

    def _in_store(self, operation: Callable[[ConversationStore], T]) -> Future[T]:
        assert self._store is not None
        return self._store_pool.submit(operation, self._store)

    def _take(self, draft: Draft) -> None:
        if draft == self._shown:
            return
        name = draft.persona.name or tr("New persona")
        persona = replace(draft.persona, short_name=self._short_name, name=name)
        given = self._whole(draft)
        shelf: Shelf = self._opened()[1].shelf
        if shelf.has(self._short_name):
            shelf.save(persona, shelf.get(self._short_name).number, given)
        else:
            shelf.create(persona, given)
        self._shown = draft

    def _forget(self) -> None:
        if self._chat is not None:
            self._chat.wait_until_idle(5.0)
        if self._conversation_id:
            self._services.engine.forget(self._conversation_id)
        self._conversation_id = ""

    def _clear_away(self) -> None:
        try:
            if self._chat is not None:
                self._chat.close()
                self._forget()
                if self._shown is not None and self._shown.persona.knowledge:
                    self._personas.documents.forget(self._short_name)
        except HearthError as error:
            _log.warning("a trial was not cleared away whole: %s", error)
        finally:
            if self._store is not None:
                self._store_pool.submit(self._store.close).result()
            self._store_pool.shutdown()
            self._folder.close()
