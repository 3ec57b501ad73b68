"""`Engine.generate` and `generate_many` on top of `Engine.submit`: events from another thread become an iterator.

Knows no engine.
"""

from __future__ import annotations

import queue
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from engine.cancel import CancelToken
from engine.engine import StreamSink
from engine.types import TERMINAL, GenerationRequest, StreamEvent


class Streaming(ABC):
    """What every engine does alike; a base for them."""

    @abstractmethod
    def submit(self, request: GenerationRequest, cancel: CancelToken, sink: StreamSink) -> None:
        """As `Engine.submit`."""

    def generate(self, request: GenerationRequest, cancel: CancelToken | None = None) -> Iterator[StreamEvent]:
        """Submit now, yield the events up to the terminal one. Closing the iterator early cancels the request."""
        token = cancel or CancelToken()
        events: queue.SimpleQueue[StreamEvent] = queue.SimpleQueue()
        self.submit(request, token, events.put)
        return _until_terminal(events, token)

    def generate_many(
        self, request: GenerationRequest, n: int, cancel: CancelToken | None = None
    ) -> Iterator[tuple[int, StreamEvent]]:
        """Submit `n` variants of a request that differ in id and seed; yield their events as they come.

        Without a seed each draws its own. Closing the iterator early cancels all.
        """
        token = cancel or CancelToken()
        events: queue.SimpleQueue[tuple[int, StreamEvent]] = queue.SimpleQueue()
        for index, variant in enumerate(variants(request, n)):
            self.submit(variant, token, partial(_put, events, index))
        return _until_all_terminal(events, n, token)


def variants(request: GenerationRequest, n: int) -> list[GenerationRequest]:
    """`n` requests for one prompt, with ids of their own, and seeds from the request's on (without: each draws one)."""
    seed = request.sampling.seed
    return [
        replace(
            request,
            request_id=f"{request.request_id}#{index}",
            sampling=replace(request.sampling, seed=None if seed is None else seed + index),
        )
        for index in range(n)
    ]


def _put(events: queue.SimpleQueue[tuple[int, StreamEvent]], index: int, event: StreamEvent) -> None:
    events.put((index, event))


def _until_all_terminal(
    events: queue.SimpleQueue[tuple[int, StreamEvent]], n: int, token: CancelToken
) -> Iterator[tuple[int, StreamEvent]]:
    try:
        while n:
            index, event = events.get()
            n -= isinstance(event, TERMINAL)
            yield index, event
    except GeneratorExit:
        token.cancel()
        raise


def _until_terminal(events: queue.SimpleQueue[StreamEvent], token: CancelToken) -> Iterator[StreamEvent]:
    try:
        while True:
            event = events.get()
            yield event
            if isinstance(event, TERMINAL):
                return
    except GeneratorExit:
        token.cancel()
        raise
