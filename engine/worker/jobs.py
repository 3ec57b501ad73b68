"""The requests and errands of a worker: in which order they begin, and which are cancelled.

Two threads meet here: one takes commands, one runs llama.cpp. Knows neither pipes nor models.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from engine.types import GenerationRequest

Errand = Callable[[], None]
"""Something small that only the main thread may do."""


class Job:
    """A request and whether it is still wanted."""

    __slots__ = ("cancelled", "request")

    def __init__(self, request: GenerationRequest) -> None:
        self.request = request
        self.cancelled = False


class Jobs:
    """First come, first served; background jobs only while no other waits or runs.

    `abort` is called, with the lock held, when the work under way should be looked at again: a job of it was
    cancelled, or only background jobs run and another one came, unless they read what that needs as well.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._foreground: deque[Job] = deque()
        self._background: deque[Job] = deque()
        self._errands: deque[Errand] = deque()
        self._running: list[Job] = []
        self._abort: Callable[[], None] = lambda: None
        self._clear_abort: Callable[[], None] = lambda: None
        self.news = False
        """Something waits that could begin now. Looked at once a token, so a plain attribute."""

    def connect(self, *, abort: Callable[[], None], clear_abort: Callable[[], None]) -> None:
        """Say how to interrupt the work under way."""
        with self._condition:
            self._abort, self._clear_abort = abort, clear_abort

    @property
    def busy(self) -> bool:
        return bool(self._running)

    def put(self, request: GenerationRequest) -> None:
        with self._condition:
            if request.background:
                self._background.append(Job(request))
            else:
                self._foreground.append(Job(request))
                if self._is_in_the_way(request):
                    self._abort()
            self._tell()

    def run(self, errand: Errand) -> None:
        """Have the main thread do something between two batches."""
        with self._condition:
            self._errands.append(errand)
            self._tell()

    def cancel(self, request_id: str) -> None:
        """Mark a job as cancelled; a waiting one will end as soon as it is taken."""
        with self._condition:
            for job in (*self._foreground, *self._background, *self._running):
                if job.request.request_id == request_id:
                    job.cancelled = True
                    if job in self._running:
                        self._abort()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Sleep until something could begin; False if that took longer than `timeout_s`."""
        with self._condition:
            return self._condition.wait_for(
                lambda: bool(self._errands or self._foreground or self._background), timeout_s
            )

    def errands(self) -> list[Errand]:
        """What the main thread has to do before anything else."""
        with self._condition:
            errands = list(self._errands)
            self._errands.clear()
            return errands

    def take(self) -> list[Job]:
        """Begin what may begin now; from here on an abort is meant for what runs then."""
        with self._condition:
            self._clear_abort()
            taken = list(self._foreground)
            self._foreground.clear()
            if not taken and not self._running and self._background:
                taken.append(self._background.popleft())
            self._running += taken
            self._tell()
            return taken

    def done(self, job: Job) -> None:
        """The job has ended."""
        with self._condition:
            self._running.remove(job)
            self._tell()

    def _is_in_the_way(self, request: GenerationRequest) -> bool:
        """Only background jobs run, and none of them reads ahead for the conversation (or the one that begins)."""
        shared = ("", request.cache_key)
        running = [job.request for job in self._running]
        reads_ahead = any(each.prefill_only and each.cache_key in shared for each in running)
        return all(each.background for each in running) and not reads_ahead

    def _tell(self) -> None:
        self.news = bool(self._errands or self._foreground or (self._background and not self._running))
        self._condition.notify_all()
