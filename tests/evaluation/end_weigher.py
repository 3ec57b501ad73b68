"""How likely words are whole, by a real model, as the app asks it while somebody speaks; see `app.read_ahead`."""

from __future__ import annotations

import threading
from pathlib import Path

from engine.cancel import CancelToken
from engine.context.segments import Origin, PromptMessage, Role, Segment
from engine.types import TERMINAL, EndWeighed, GenerationRequest, ModelSpec, StreamEvent
from engine.worker.client import EngineClient

PATIENCE_S = 120.0
_SYSTEM = "You are a helpful assistant. You are spoken with: answer in a few short sentences."


class EndWeigher:
    """One question at a time. Close it."""

    def __init__(self, model: Path) -> None:
        self._engine = EngineClient()
        self._engine.load(ModelSpec(model, n_ctx=2048)).result(PATIENCE_S)

    def probability(self, text: str) -> float | None:
        """See `EndWeighed`; None where there is no word."""
        messages = (
            PromptMessage(Role.SYSTEM, (Segment(_SYSTEM, Origin.APP),)),
            PromptMessage(Role.USER, (Segment(text, Origin.USER),)),
        )
        request = GenerationRequest("weigh", messages, prefill_only=True, weighs_end=True, cache_key="weigh")
        found: list[float] = []
        ended = threading.Event()

        def take(event: StreamEvent) -> None:
            if isinstance(event, EndWeighed):
                found.append(event.probability)
            elif isinstance(event, TERMINAL):
                ended.set()

        self._engine.submit(request, CancelToken(), take)
        if not ended.wait(PATIENCE_S):
            raise TimeoutError(text)
        return found[0] if found else None

    def close(self) -> None:
        self._engine.close()
