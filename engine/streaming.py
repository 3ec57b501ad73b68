"""`Engine.generate` on top of `Engine.submit`: events pushed from another thread become an iterator.

Knows no engine.
"""

from __future__ import annotations

import queue
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Protocol

from engine.cancel import CancelToken
from engine.engine import StreamSink
from engine.types import TERMINAL, GenerationRequest, StreamEvent


class Submits(Protocol):
    """The half of an engine that this module needs."""

    def submit(self, request: GenerationRequest, cancel: CancelToken, sink: StreamSink) -> None: ...


def iterate(engine: Submits, request: GenerationRequest, cancel: CancelToken | None) -> Iterator[StreamEvent]:
    """Submit now, yield the events up to the terminal one. Closing the iterator early cancels the request."""
    token = cancel or CancelToken()
    events: queue.SimpleQueue[StreamEvent] = queue.SimpleQueue()
    engine.submit(request, token, events.put)
    return _until_terminal(events, token)


def iterate_many(
    engine: Submits, request: GenerationRequest, n: int, cancel: CancelToken | None
) -> Iterator[tuple[int, StreamEvent]]:
    """Submit `n` variants of a request that differ in id and seed; yield their events as they come.

    Without a seed each draws its own. Closing the iterator early cancels all.
    """
    token = cancel or CancelToken()
    events: queue.SimpleQueue[tuple[int, StreamEvent]] = queue.SimpleQueue()
    for index in range(n):
        seed = request.sampling.seed
        variant = replace(
            request,
            request_id=f"{request.request_id}#{index}",
            sampling=replace(request.sampling, seed=None if seed is None else seed + index),
        )
        engine.submit(variant, token, partial(_put, events, index))
    return _until_all_terminal(events, n, token)


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
