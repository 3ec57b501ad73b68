"""The answers under way: each is a message that grows, is saved meanwhile, and ends in the store whatever happens.

Knows no prompt, no engine and no window: events come from whoever writes an answer.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TYPE_CHECKING

from app.answer import Answer, Ending, ending_of
from app.events import ChatEvent, MessageAdded, MessageFinished, Notice, StoreChanged, Streamed
from app.future_results import log_failure
from app.i18n import error_sentence, ntr, tr
from app.store.types import Changes, MessageState, StoredMessage
from engine.cancel import CancelToken
from engine.errors import ChatError, HearthError, sentence
from engine.types import Failed, Finished, FinishReason, StreamEvent, TextDelta

if TYPE_CHECKING:
    from app.store.store import ConversationStore

AUTOSAVE_S = 0.5
"""A growing answer is saved this often; at least every second is promised."""

_log = logging.getLogger(__name__)


class Answers:
    """One a conversation at most. Any thread, but for `begin`; `store` is touched on `store_pool` only."""

    def __init__(
        self,
        store: ConversationStore,
        publish: Callable[[ChatEvent], None],
        completed: Callable[[str], None],
        *,
        store_pool: Executor,
    ) -> None:
        """`completed` gets the id of a conversation whose answer has ended by itself, on the store's thread."""
        self._store = store
        self._publish = publish
        self._completed = completed
        self._store_pool = store_pool
        self._changed = threading.Condition()
        self._under_way: dict[str, Answer] = {}  # by conversation
        self._told_dropped: set[str] = set()
        self._closed = False
        self._autosaver = threading.Thread(target=self._autosave, name="chat-autosave", daemon=True)
        self._autosaver.start()

    @property
    def closed(self) -> bool:
        """Nothing new is taken."""
        return self._closed

    def refuse_if_busy(self, conversation_id: str) -> None:
        """Raise `ChatError` while an answer of the conversation is under way."""
        with self._changed:
            if conversation_id in self._under_way:
                raise ChatError(sentence("An answer is still being written here. Stop it first, or wait."))

    def begin(self, message: StoredMessage, spared: frozenset[str]) -> Answer:
        """An answer that grows in a stored message, on the store's thread; already cancelled if this is closed."""
        answer = Answer(message, CancelToken(), spared)
        with self._changed:
            self._under_way[message.conversation_id] = answer
            self._changed.notify_all()
        self._publish(MessageAdded(message))
        answer.cancel.on_cancel(lambda: self.end_early(answer, Finished(message.id, FinishReason.CANCELLED)))
        if self._closed:
            answer.cancel.cancel()
        return answer

    def take(self, answer: Answer, event: StreamEvent) -> None:
        """Collect an event, tell it, and leave all that takes time to others: this may be the engine's thread."""
        answer.take(event)
        self._publish(Streamed(answer.conversation_id, answer.message.id, event))
        if isinstance(event, Finished | Failed):
            ending = ending_of(event)
            self._tell_limits(answer, ending)
            self._store_pool.submit(self._finish, answer, ending).add_done_callback(
                log_failure(_log, "finishing an answer")
            )

    def say(self, answer: Answer, words: str) -> None:
        """Answer without the model."""
        if answer.hand_over():
            self.take(answer, TextDelta(answer.message.id, words))
            self.take(answer, Finished(answer.message.id, FinishReason.STOP))

    def end_early(self, answer: Answer, event: Finished | Failed) -> None:
        """End an answer that the engine has not been given."""
        if answer.hand_over():
            self.take(answer, event)

    def stop(self, conversation_id: str) -> None:
        """End the answer under way, keeping what has come. Nothing happens if there is none."""
        with self._changed:
            answer = self._under_way.get(conversation_id)
        if answer is not None:
            answer.cancel.cancel()

    def stop_all(self) -> None:
        """As `stop`, for every conversation."""
        with self._changed:
            answers = list(self._under_way.values())
        for answer in answers:
            answer.cancel.cancel()

    def generating(self, conversation_id: str) -> str | None:
        """The id of the answer under way in a conversation."""
        with self._changed:
            answer = self._under_way.get(conversation_id)
        return None if answer is None else answer.message.id

    def wait_until_idle(self, timeout_s: float | None = None) -> bool:
        """Block until no answer is under way and all are stored; False if that takes longer."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._under_way, timeout_s)

    def take_no_more(self) -> None:
        """From now on answers are cancelled as they begin; those under way go on."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def close(self, timeout_s: float) -> bool:
        """Stop what is under way and wait until it is stored; False if that takes longer."""
        self.take_no_more()
        self.stop_all()
        self._autosaver.join()
        return self.wait_until_idle(timeout_s)

    # On the store's thread

    def _finish(self, answer: Answer, ending: Ending) -> None:
        message = answer.snapshot(ending)
        try:
            message = self._store.update_message(
                message.id, parts=message.parts, state=ending.state, usage=message.usage, error=ending.error
            )
        except HearthError as error:
            self._publish(Notice(error_sentence(error), "error", answer.conversation_id))
        finally:
            with self._changed:
                self._under_way.pop(answer.conversation_id, None)
                self._changed.notify_all()
        self._publish(MessageFinished(message))
        self._publish(StoreChanged(Changes(frozenset({answer.conversation_id}), conversation_list=True)))
        if ending.state is MessageState.COMPLETE and not self._closed:
            self._completed(answer.conversation_id)

    def _save(self, answer: Answer) -> None:
        parts = answer.unsaved_parts()
        if parts is not None:
            self._store.update_message(answer.message.id, parts=parts)

    # On other threads

    def _tell_limits(self, answer: Answer, ending: Ending) -> None:
        conversation_id = answer.conversation_id
        if answer.dropped and conversation_id not in self._told_dropped:
            self._told_dropped.add(conversation_id)
            text = ntr(
                "This chat is longer than the model can read at once. The oldest message was left out.",
                "This chat is longer than the model can read at once. The {count} oldest messages were left out.",
                answer.dropped,
            )
            self._publish(Notice(text, "info", conversation_id))
        if ending.reason is FinishReason.LENGTH:
            self._publish(
                Notice(
                    tr("The answer reached the longest length that is set. It can be continued."),
                    "info",
                    conversation_id,
                )
            )
        elif ending.reason is FinishReason.CONTEXT:
            self._publish(
                Notice(
                    tr("The answer filled all that the model can read at once, and ended there."),
                    "warning",
                    conversation_id,
                )
            )

    def _autosave(self) -> None:
        """A thread of its own: while answers grow, save them every `AUTOSAVE_S`."""
        told = False
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._under_way)
                if self._closed:
                    return
                answers = list(self._under_way.values())
            started = time.monotonic()
            for answer in answers:
                try:
                    self._store_pool.submit(self._save, answer).result()
                except HearthError as error:
                    if not told:
                        self._publish(Notice(error_sentence(error), "error", answer.conversation_id))
                    told = True
            with self._changed:
                left = AUTOSAVE_S - (time.monotonic() - started)
                self._changed.wait_for(lambda: self._closed, max(left, 0.05))
