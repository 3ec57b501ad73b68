"""`Engine.generate` on top of `Engine.submit`: events pushed from another thread become an iterator.

Knows no engine.
"""

from __future__ import annotations

import queue
from collections.abc import Iterator
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
