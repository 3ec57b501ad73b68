"""Requests and what came of them, for the tests of the real engine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from engine.context.segments import Origin, PromptMessage, Role, Segment
from engine.engine import EngineState
from engine.types import (
    TERMINAL,
    Failed,
    Finished,
    FinishReason,
    GenerationRequest,
    PromptProgress,
    SamplingParams,
    Started,
    StreamEvent,
    TextDelta,
    Usage,
)

PATIENCE_S = 120.0
"""For any one thing to happen on a machine with much else to do."""


def said(role: Role, text: str, message_id: str = "") -> PromptMessage:
    origin = {Role.USER: Origin.USER, Role.ASSISTANT: Origin.ASSISTANT}.get(role, Origin.APP)
    return PromptMessage(role, (Segment(text, origin),), message_id)


def ask(
    text: str | Sequence[PromptMessage],
    request_id: str = "r",
    *,
    background: bool = False,
    answer_reserve: int = 64,
    **sampling: Any,
) -> GenerationRequest:
    """Greedy unless told otherwise, and short."""
    messages = (said(Role.USER, text),) if isinstance(text, str) else tuple(text)
    params = SamplingParams(**({"temperature": 0.0, "max_tokens": 16} | sampling))
    return GenerationRequest(request_id, messages, params, answer_reserve=answer_reserve, background=background)


class Answer:
    """A sink that keeps every event and lets a test wait for one."""

    def __init__(self) -> None:
        self.events: list[StreamEvent] = []
        self._changed = threading.Condition()

    def __call__(self, event: StreamEvent) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def wait_for(self, *kinds: type) -> Any:
        """The first event of these kinds."""

        def found() -> StreamEvent | None:
            return next((event for event in self.events if isinstance(event, kinds)), None)

        with self._changed:
            assert self._changed.wait_for(lambda: found() is not None, PATIENCE_S), f"no {kinds} in {self.events}"
            return found()

    def end(self) -> Finished | Failed:
        """The terminal event, and a check of the promises every stream makes."""
        event: Finished | Failed = self.wait_for(*TERMINAL)
        kinds = [type(event) for event in self.events]
        assert sum(kind in TERMINAL for kind in kinds) == 1
        assert kinds[-1] in TERMINAL
        if isinstance(event, Finished) and Started in kinds:
            assert kinds[0] is Started
            # A worker that was ended from here can no longer say what its answer cost.
            assert kinds[-2] is Usage or event.reason is FinishReason.CANCELLED
        return event

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.of(TextDelta))

    @property
    def started(self) -> Started:
        started: Started = self.of(Started)[0]
        return started

    @property
    def usage(self) -> Usage:
        usage: Usage = self.of(Usage)[0]
        return usage

    @property
    def progress(self) -> list[int]:
        return [event.processed for event in self.of(PromptProgress)]


class States:
    """A listener that keeps every state and lets a test wait for one."""

    def __init__(self) -> None:
        self.seen: list[EngineState] = []
        self._changed = threading.Condition()

    def __call__(self, state: EngineState) -> None:
        with self._changed:
            self.seen.append(state)
            self._changed.notify_all()

    def wait_for(self, wanted: Callable[[EngineState], bool], *, since: int = 0) -> EngineState:
        def found() -> EngineState | None:
            return next((state for state in self.seen[since:] if wanted(state)), None)

        with self._changed:
            assert self._changed.wait_for(lambda: found() is not None, PATIENCE_S), f"not in {self.seen}"
            state = found()
            assert state is not None
            return state
