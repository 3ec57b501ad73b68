"""Follows one answer's stream events and knows what they cost: tokens, speed, how full the context window is.

Pure counting; knows no widget. Numbers are exact once `Usage` has come; before that an answer's tokens are those
that its deltas tell.
"""

from __future__ import annotations

import copy
import time
from collections import deque
from collections.abc import Callable
from enum import StrEnum

from app.store.types import MessageUsage
from engine.types import (
    Failed,
    Finished,
    PromptProgress,
    ReasoningDelta,
    Started,
    StreamEvent,
    TextDelta,
    Usage,
)

_WINDOW_S = 3.0
_FIRST_RATE_S = 0.3


class Phase(StrEnum):
    """What the engine does for this conversation now."""

    IDLE = "idle"
    READING = "reading"
    """Prefill: the prompt goes into the KV cache."""
    WRITING = "writing"
    """Decode."""


class AnswerMeter:
    """The newest answer of one conversation. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ticks: deque[tuple[float, int]] = deque()
        """Seconds, and tokens until then."""
        self.show(None)

    def show(self, usage: MessageUsage | None) -> None:
        """Start anew from what the store knows of a conversation's last answer."""
        known = usage or MessageUsage()
        self.phase = Phase.IDLE
        self.n_ctx = known.n_ctx
        self.prompt_tokens = known.prompt_tokens
        self.cached_tokens = known.cached_tokens
        self.completion_tokens = known.completion_tokens
        self.prefill_s = known.prefill_s
        self.decode_s = known.decode_s
        self.dropped_count = known.dropped
        self.dropped: tuple[str, ...] = ()
        self.by_origin: tuple[tuple[str, int], ...] = ()
        self.started: Started | None = None
        """What the answer was given; None for one that only the store knows."""
        self.restored_tokens = self.drafted_tokens = self.accepted_tokens = 0
        self.processed = known.prompt_tokens
        self._ticks.clear()

    def has_followed(self, usage: MessageUsage | None) -> bool:
        """Whether `usage` is of the answer that was counted here."""
        if usage is None or self.started is None or self.phase is not Phase.IDLE:
            return False
        counted = (self.prompt_tokens, self.completion_tokens, self.prefill_s, self.decode_s)
        return counted == (usage.prompt_tokens, usage.completion_tokens, usage.prefill_s, usage.decode_s)

    def copied(self) -> AnswerMeter:
        """One that counts on from here by itself."""
        twin = copy.copy(self)
        twin._ticks = self._ticks.copy()
        return twin

    def observe(self, event: StreamEvent) -> None:
        """Count one event."""
        match event:
            case Started():
                self.show(None)
                self.phase = Phase.READING
                self.started = event
                self.n_ctx = event.n_ctx
                self.restored_tokens = event.restored_tokens
                self.prompt_tokens = event.prompt_tokens
                self.cached_tokens = self.processed = event.cached_tokens
                self.dropped, self.dropped_count = event.dropped, len(event.dropped)
                self.by_origin = event.tokens_by_origin
            case PromptProgress():
                self.processed = event.processed
            case TextDelta() | ReasoningDelta():
                self.phase = Phase.WRITING
                self.processed = self.prompt_tokens
                self.completion_tokens += event.tokens
                now = self._clock()
                self._ticks.append((now, self.completion_tokens))
                while now - self._ticks[0][0] > _WINDOW_S:
                    self._ticks.popleft()
            case Usage():
                self.n_ctx = event.n_ctx
                self.prompt_tokens = event.prompt_tokens
                self.cached_tokens = event.cached_tokens
                self.completion_tokens = event.completion_tokens
                self.prefill_s, self.decode_s = event.prefill_s, event.decode_s
                self.restored_tokens = event.restored_tokens
                self.drafted_tokens, self.accepted_tokens = event.drafted_tokens, event.accepted_tokens
            case Finished() | Failed():
                self.phase = Phase.IDLE

    @property
    def used(self) -> int:
        """Tokens of the window that are taken; the last one written may stand behind its end."""
        used = self.prompt_tokens + self.completion_tokens
        return min(used, self.n_ctx) if self.n_ctx else used

    @property
    def parts(self) -> tuple[tuple[str, int], ...]:
        """(origin, tokens) of what is taken, the answer under "assistant"; empty origins left out."""
        counts: dict[str, int] = {}
        for origin, count in (
            *(self.by_origin or (("user", self.prompt_tokens),)),
            ("assistant", self.completion_tokens),
        ):
            counts[origin] = counts.get(origin, 0) + count
        return tuple((origin, count) for origin, count in counts.items() if count > 0)

    @property
    def decode_rate(self) -> float:
        """Tokens a second: of the last seconds while writing, of the whole answer afterwards, 0 if unknown."""
        if self.decode_s > 0:
            return self.completion_tokens / self.decode_s
        if len(self._ticks) < 2:
            return 0.0
        (began, before), (now, after) = self._ticks[0], self._ticks[-1]
        return (after - before) / (now - began) if now - began >= _FIRST_RATE_S else 0.0

    @property
    def prefill_rate(self) -> float:
        """Prompt tokens a second that were really processed; 0 if unknown."""
        return (self.prompt_tokens - self.cached_tokens) / self.prefill_s if self.prefill_s > 0 else 0.0
