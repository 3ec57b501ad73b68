"""The engine as the rest of the program sees it. Implemented by `EngineClient` and `FakeEngine`.

Knows no process, no pipe and no llama.cpp.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from engine.cancel import CancelToken
from engine.pages import CacheReport, PromptPlan
from engine.types import GenerationRequest, LoadedModel, ModelSpec, StreamEvent


class EngineStatus(StrEnum):
    """Where the engine stands."""

    EMPTY = "empty"
    LOADING = "loading"
    READY = "ready"
    CRASHED = "crashed"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class EngineState:
    """A snapshot for display. `progress` 0..1 while loading; `message` explains CRASHED."""

    status: EngineStatus
    model: LoadedModel | None = None
    progress: float = 0.0
    message: str = ""


StreamSink = Callable[[StreamEvent], None]
"""Called from the engine's reader thread; must not block and must not raise."""
StateListener = Callable[[EngineState], None]
"""As `StreamSink`."""


class Engine(Protocol):
    """One model at a time, any number of queued requests. Every method may be called from any thread."""

    @property
    def state(self) -> EngineState:
        """The newest snapshot."""
        ...

    def subscribe(self, listener: StateListener) -> None:
        """Tell `listener` of each change of state."""
        ...

    def load(self, spec: ModelSpec, cancel: CancelToken | None = None) -> Future[LoadedModel]:
        """Load a model in place of the present one; the future fails with a `HearthError`."""
        ...

    def unload(self) -> Future[None]:
        """Free the model's memory (the worker process ends)."""
        ...

    def submit(self, request: GenerationRequest, cancel: CancelToken, sink: StreamSink) -> None:
        """Queue a request; its events go to `sink`, ending with exactly one terminal event."""
        ...

    def generate(self, request: GenerationRequest, cancel: CancelToken | None = None) -> Iterator[StreamEvent]:
        """Like `submit`, as a blocking iterator that ends after the terminal event."""
        ...

    def generate_many(
        self, request: GenerationRequest, n: int, cancel: CancelToken | None = None
    ) -> Iterator[tuple[int, StreamEvent]]:
        """`n` answers to one prompt, which is read once; each event with its answer's index. Seeds: seed, seed + 1 ...

        Ends after the last terminal event. Closing the iterator early cancels all.
        """
        ...

    def plan(self, request: GenerationRequest) -> Future[PromptPlan]:
        """What the request's prompt would be, without answering it; the future fails with a `HearthError`."""
        ...

    def cache(self) -> Future[CacheReport]:
        """What the KV cache and the snapshots hold now."""
        ...

    def forget(self, cache_key: str) -> None:
        """Let go of all that is cached under this key, in memory and on disk; "" is everything."""
        ...

    def embed(self, texts: Sequence[str]) -> Future[list[tuple[float, ...]]]:
        """A vector of length 1 for each text, by an embedding model; the future fails with a `HearthError`."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> Future[list[int]]:
        """Count each text's tokens as content (never as control tokens)."""
        ...

    def force_stop(self) -> None:
        """Kill the worker; open requests end as CANCELLED, and the model is loaded again."""
        ...

    def close(self) -> None:
        """Cancel everything, end the worker, join the reader. Idempotent."""
        ...
