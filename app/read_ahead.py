"""Lets the model read a question that is not sure yet, so that its answer begins sooner. Stores and shows nothing.

What was read stays in the KV cache; whatever the question turns out to be, the common beginning need not be read again.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import replace
from typing import TypeVar

from app.persona_service import DEFAULT
from app.prompt_source import Dress, nobody
from app.prompting import build_request
from app.settings import Settings
from app.store.store import ConversationStore
from app.store.summaries import newest_on
from app.store.types import Conversation, MessageState, SpokenPart, StoredMessage, Summary, TextPart
from engine.cancel import CancelToken
from engine.context.segments import Role
from engine.engine import Engine
from engine.errors import HearthError

T = TypeVar("T")
StoreCall = Callable[[Callable[[ConversationStore], T]], Future[T]]
_QUESTION = "question"


class ReadAhead:
    """Any thread. `store_call` runs something on the store's thread; requests are built on `pool`."""

    def __init__(
        self,
        store_call: StoreCall[_Before],
        engine: Engine,
        settings: Settings,
        *,
        pool: Executor,
        dress: Dress = nobody,
    ) -> None:
        self._store_call = store_call
        self._engine = engine
        self._settings = settings
        self._pool = pool
        self._dress = dress
        self._numbers = itertools.count(1)

    def read(self, conversation_id: str | None, text: str) -> CancelToken:
        """Begin; returns what ends it. Nothing happens without a loaded model. None is a conversation not begun yet.

        Questions to documents are another prompt once their passages are found, and are not worth it.
        """
        cancel = CancelToken()
        if self._engine.state.model is None:
            return cancel
        if conversation_id is None:
            self._pool.submit(self._submit, (self._new(), (), None), text, cancel)
        else:
            before = self._store_call(lambda store: _before(store, conversation_id))
            before.add_done_callback(lambda read: self._go_on(read, text, cancel))
        return cancel

    def _new(self) -> Conversation:
        return Conversation("", "", True, 0.0, 0.0, persona=self._settings.text(DEFAULT))

    def _go_on(self, read: Future[_Before], text: str, cancel: CancelToken) -> None:
        if not read.cancelled() and read.exception() is None and not cancel.cancelled:
            self._pool.submit(self._submit, read.result(), text, cancel)

    def _submit(self, before: _Before, text: str, cancel: CancelToken) -> None:
        conversation, path, summary = before
        persona = self._dress(conversation)
        if conversation.collections or (persona is not None and persona.persona.knowledge):
            return
        question = StoredMessage(
            _QUESTION, conversation.id, None, Role.USER, (TextPart(text), SpokenPart()), MessageState.COMPLETE, 0.0
        )
        name = f"ahead-{next(self._numbers)}"
        try:
            request = build_request(
                name, conversation, (*path, question), self._settings, summary=summary, persona=persona
            )
        except HearthError:
            return  # the question itself will say why
        if not cancel.cancelled:
            self._engine.submit(replace(request, background=True, prefill_only=True), cancel, lambda _event: None)


_Before = tuple[Conversation, tuple[StoredMessage, ...], Summary | None]


def _before(store: ConversationStore, conversation_id: str) -> _Before:
    path = tuple(store.path(conversation_id))
    return store.conversation(conversation_id), path, newest_on(path, store.summaries(conversation_id))
