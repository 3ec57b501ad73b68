"""The requests that have had no terminal event yet, in the order in which they came.

The control thread's alone. Knows no worker: whoever sends a request notes here that it was `sent`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from engine.cancel import CancelToken
from engine.engine import StreamSink
from engine.errors import HearthError
from engine.types import TERMINAL, Failed, Finished, FinishReason, GenerationRequest, StreamEvent
from engine.worker.envelope import fault_of

_logger = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(slots=True, eq=False)
class OpenRequest:
    """`sent` to the present worker; `taken` up by it."""

    request: GenerationRequest
    cancel: CancelToken
    sink: StreamSink
    sent: bool = False
    taken: bool = False

    @property
    def request_id(self) -> str:
        return self.request.request_id


class OpenRequests:
    """Sees to it that each request gets exactly one terminal event."""

    def __init__(self) -> None:
        self._open: dict[str, OpenRequest] = {}

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[OpenRequest]:
        return iter(list(self._open.values()))

    def __contains__(self, job: OpenRequest) -> bool:
        return self._open.get(job.request_id) is job

    def get(self, request_id: str) -> OpenRequest | None:
        return self._open.get(request_id)

    def add(self, job: OpenRequest) -> None:
        self._open[job.request_id] = job

    def pass_on(self, event: StreamEvent) -> None:
        """An event from the worker; nothing happens if the request was ended from this side meanwhile."""
        job = self._open.get(event.request_id)
        if job is None:
            return
        if isinstance(event, TERMINAL):
            del self._open[event.request_id]
        call_out(job.sink, event)

    def end(self, job: OpenRequest, event: Finished | Failed) -> None:
        """Give an open request its terminal event."""
        del self._open[job.request_id]
        call_out(job.sink, event)

    def cancel_all(self) -> None:
        for job in self:
            self.end(job, Finished(job.request_id, FinishReason.CANCELLED))

    def fail_all(self, error: HearthError, *, only_taken: bool = False) -> None:
        for job in self:
            if job.taken or not only_taken:
                self.end(job, failed(job.request_id, error))


def failed(request_id: str, error: HearthError) -> Failed:
    """The terminal event for an error."""
    fault = fault_of(error)
    return Failed(request_id, fault.code, fault.template, fault.fields)


def call_out(listener: Callable[[T], None], value: T) -> None:
    """Call a listener or sink; one that raises is a bug of its own and must not end the control thread."""
    try:
        listener(value)
    except Exception:
        _logger.exception("a listener of the engine raised")
