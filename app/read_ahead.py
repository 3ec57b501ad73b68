"""Lets the model read a question that is not sure yet, so that its answer begins sooner. Stores and shows nothing.

What was read stays in the KV cache; whatever the question turns out to be, the common beginning need not be read again.
On the way the model says how likely the question is whole.
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
from engine.types import TERMINAL, EndWeighed, GenerationRequest, StreamEvent

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

    def read(
        self, conversation_id: str | None, text: str, on_end_weighed: Callable[[float | None], None] | None = None
    ) -> CancelToken:
        """Begin; returns what ends it. Nothing happens without a loaded model. None is a conversation not begun yet.

        Questions to documents are another prompt once their passages are found, and are not worth it. `on_end_weighed`
        is told of `EndWeighed.probability` once, unless it is ended: None where the model does not say. Any thread.
        """
        reading = _Reading(text, on_end_weighed)
        if self._engine.state.model is None:
            reading.tell(None)
        elif conversation_id is None:
            self._pool.submit(self._submit, (self._new(), (), None), reading)
        else:
            before = self._store_call(lambda store: _before(store, conversation_id))
            before.add_done_callback(lambda read: self._go_on(read, reading))
        return reading.cancel

    def _new(self) -> Conversation:
        return Conversation("", "", True, 0.0, 0.0, persona=self._settings.text(DEFAULT))

    def _go_on(self, read: Future[_Before], reading: _Reading) -> None:
        if read.cancelled() or read.exception() is not None:
            reading.tell(None)
        elif not reading.cancel.cancelled:
            self._pool.submit(self._submit, read.result(), reading)

    def _submit(self, before: _Before, reading: _Reading) -> None:
        request = self._request(before, reading)
        if request is None:
            reading.tell(None)
        elif not reading.cancel.cancelled:
            self._engine.submit(request, reading.cancel, reading.take)

    def _request(self, before: _Before, reading: _Reading) -> GenerationRequest | None:
        conversation, path, summary = before
        persona = self._dress(conversation)
        if conversation.collections or (persona is not None and persona.persona.knowledge):
            return None
        question = StoredMessage(
            _QUESTION,
            conversation.id,
            None,
            Role.USER,
            (TextPart(reading.text), SpokenPart()),
            MessageState.COMPLETE,
            0.0,
        )
        name = f"ahead-{next(self._numbers)}"
        try:
            request = build_request(
                name, conversation, (*path, question), self._settings, summary=summary, persona=persona
            )
        except HearthError:
            return None  # the question itself will say why
        weighs_end = reading.on_end_weighed is not None
        return replace(request, background=True, prefill_only=True, weighs_end=weighs_end)


class _Reading:
    """Something that is read ahead, and who is told."""

    def __init__(self, text: str, on_end_weighed: Callable[[float | None], None] | None) -> None:
        self.text = text
        self.on_end_weighed = on_end_weighed
        self.cancel = CancelToken()
        self._is_told = False

    def take(self, event: StreamEvent) -> None:
        """The engine's thread."""
        if isinstance(event, EndWeighed):
            self.tell(event.probability)
        elif isinstance(event, TERMINAL):
            self.tell(None)

    def tell(self, probability: float | None) -> None:
        """The first time only."""
        if self.on_end_weighed is not None and not self._is_told and not self.cancel.cancelled:
            self._is_told = True
            self.on_end_weighed(probability)


_Before = tuple[Conversation, tuple[StoredMessage, ...], Summary | None]


def _before(store: ConversationStore, conversation_id: str) -> _Before:
    path = tuple(store.path(conversation_id))
    return store.conversation(conversation_id), path, newest_on(path, store.summaries(conversation_id))
