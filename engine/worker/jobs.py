"""The requests of a worker: in which order they run, and which of them are cancelled.

Two threads meet here: one takes commands, one runs llama.cpp. Knows neither pipes nor models.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from engine.types import GenerationRequest


class Job:
    """A request and whether it is still wanted."""

    __slots__ = ("cancelled", "request")

    def __init__(self, request: GenerationRequest) -> None:
        self.request = request
        self.cancelled = False


class Jobs:
    """First come, first served; background jobs only while no other waits.

    `abort` is called, with the lock held, when the job under way should look up from its work: it was
    cancelled, or it is in the background and another job came.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._foreground: deque[Job] = deque()
        self._background: deque[Job] = deque()
        self._running: list[Job] = []
        self._abort: Callable[[], None] = lambda: None
        self._clear_abort: Callable[[], None] = lambda: None

    def connect(self, *, abort: Callable[[], None], clear_abort: Callable[[], None]) -> None:
        """Say how to interrupt the work under way."""
        with self._condition:
            self._abort, self._clear_abort = abort, clear_abort

    @property
    def busy(self) -> bool:
        return bool(self._running)

    def put(self, request: GenerationRequest) -> None:
        with self._condition:
            (self._background if request.background else self._foreground).append(Job(request))
            if self._running and self._running[-1].request.background and not request.background:
                self._abort()
            self._condition.notify()

    def cancel(self, request_id: str) -> None:
        """Mark a job as cancelled; a waiting one will end as soon as it is taken."""
        with self._condition:
            for job in (*self._foreground, *self._background, *self._running):
                if job.request.request_id == request_id:
                    job.cancelled = True
                    if self._running and job is self._running[-1]:
                        self._abort()

    def next(self) -> Job:
        """Wait for the next job and begin it."""
        with self._condition:
            while not (self._foreground or self._background):
                self._condition.wait()
            return self._begin(self._foreground or self._background)

    def next_foreground(self) -> Job | None:
        """Begin the next job that a background job must give way to, if there is one."""
        with self._condition:
            return self._begin(self._foreground) if self._foreground else None

    def _begin(self, waiting: deque[Job]) -> Job:
        job = waiting.popleft()
        self._running.append(job)
        self._clear_abort()
        return job

    def done(self, job: Job) -> None:
        """The job has ended; the one it interrupted goes on."""
        with self._condition:
            self._running.remove(job)
            self._clear_abort()
            if self._running and self._running[-1].cancelled:
                self._abort()
