"""One answer under way: collects the engine's events into the parts that the store keeps.

Knows no store, no engine and no window.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace

from app.i18n import tr
from app.store.types import MessageState, MessageUsage, Part, ReasoningPart, StoredMessage, TextPart
from engine.cancel import CancelToken
from engine.errors import HearthError
from engine.types import Failed, Finished, FinishReason, ReasoningDelta, Started, StreamEvent, TextDelta, Usage

_DIED = frozenset({"worker", "worker_crashed", "worker_hung", "worker_quarantined"})
"""Codes of failures where the model's process died under the answer."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How an answer ended, for the store. `reason` is None for a failure."""

    state: MessageState
    error: str = ""
    reason: FinishReason | None = None


class Answer:
    """Collects from the engine's thread, is read from the store's."""

    def __init__(self, message: StoredMessage, cancel: CancelToken, spared: frozenset[str] = frozenset()) -> None:
        """`spared` messages are out of the prompt on purpose: summarised, or taken out by the person."""
        self.message = message
        self._spared = spared
        self.cancel = cancel
        self._lock = threading.Lock()
        self._reasoning = [part.text for part in message.parts if isinstance(part, ReasoningPart)]
        self._text = [message.text]
        self._other = tuple(part for part in message.parts if not isinstance(part, TextPart | ReasoningPart))
        self._thought_s = sum(part.seconds for part in message.parts if isinstance(part, ReasoningPart))
        self._thinking_since: float | None = None
        self._dropped = 0
        self._usage: MessageUsage | None = None
        self._unsaved = False
        self._handed_over = False
        self._ended = False

    @property
    def conversation_id(self) -> str:
        return self.message.conversation_id

    @property
    def usage(self) -> MessageUsage | None:
        with self._lock:
            return self._usage

    @property
    def dropped(self) -> int:
        """Messages that did not fit into the prompt."""
        return self._dropped

    def hand_over(self) -> bool:
        """True for the one caller who may give the answer to the engine (or end it instead)."""
        with self._lock:
            first, self._handed_over = not self._handed_over, True
            return first

    def take(self, event: StreamEvent) -> None:
        """Collect one event."""
        with self._lock:
            if isinstance(event, Started):
                self._dropped = sum(name not in self._spared for name in event.dropped)
            elif isinstance(event, TextDelta):
                self._stop_clock()
                self._text.append(event.text)
                self._unsaved = True
            elif isinstance(event, ReasoningDelta):
                self._thinking_since = self._thinking_since or time.monotonic()
                self._reasoning.append(event.text)
                self._unsaved = True
            elif isinstance(event, Usage):
                self._usage = MessageUsage(
                    event.prompt_tokens,
                    event.cached_tokens,
                    event.completion_tokens,
                    event.n_ctx,
                    event.prefill_s,
                    event.decode_s,
                    self._dropped,
                )
            elif isinstance(event, Finished | Failed):
                self._stop_clock()
                self._ended = True

    def unsaved_parts(self) -> tuple[Part, ...] | None:
        """What came since the last call, if anything did and the answer goes on: all parts as they are now."""
        with self._lock:
            if not self._unsaved or self._ended:
                return None
            self._unsaved = False
            return self._parts()

    def parts(self) -> tuple[Part, ...]:
        """All parts as they are now."""
        with self._lock:
            return self._parts()

    def snapshot(self, ending: Ending) -> StoredMessage:
        """The message as it should be in the store after `ending`."""
        return replace(
            self.message, parts=self.parts(), state=ending.state, usage=self.usage or self.message.usage,
            error=ending.error,
        )  # fmt: skip

    def _parts(self) -> tuple[Part, ...]:
        reasoning, text = "".join(self._reasoning), "".join(self._text)
        seconds = self._thought_s
        if self._thinking_since is not None:
            seconds += time.monotonic() - self._thinking_since
        thought = (ReasoningPart(reasoning, round(seconds, 2)),) if reasoning else ()
        said = (TextPart(text),) if text else ()
        return (*thought, *said, *self._other)

    def _stop_clock(self) -> None:
        if self._thinking_since is not None:
            self._thought_s += time.monotonic() - self._thinking_since
            self._thinking_since = None


def ending_of(event: Finished | Failed) -> Ending:
    """What a terminal event means for the stored message."""
    if isinstance(event, Finished):
        stopped = event.reason is FinishReason.CANCELLED
        return Ending(MessageState.STOPPED if stopped else MessageState.COMPLETE, reason=event.reason)
    state = MessageState.INTERRUPTED if event.code in _DIED else MessageState.FAILED
    return Ending(state, failure_sentence(event))


def failure_of(request_id: str, error: HearthError) -> Failed:
    """The terminal event for an error that came before the engine was asked."""
    fields = tuple((name, str(value)) for name, value in error.fields.items())
    return Failed(request_id, error.code, error.template, fields)


def failure_sentence(event: Failed) -> str:
    """The translated sentence of a failure."""
    try:
        return tr(event.template, **dict(event.fields))
    except (KeyError, IndexError, ValueError):
        # The fields travel as text; a template that formats numbers cannot be filled again.
        return tr("The model could not answer.")
