"""The way from any thread to one control thread: calls go through in order, until the door is closed.

Knows neither the calls nor the thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from engine.worker.exits import no_model

T = TypeVar("T")
Call = Callable[[], None]


class Door:
    """Any thread. `put` hands a call to the control thread."""

    def __init__(self, put: Callable[[Call], None]) -> None:
        self._put = put
        self._lock = threading.Lock()
        self._closed = False

    def post(self, call: Call) -> bool:
        """Have the control thread make a call; False once the door is closed."""
        with self._lock:
            if not self._closed:
                self._put(call)
            return not self._closed

    def tell(self, call: Call) -> None:
        """As `post`, where a closed door does not matter."""
        self.post(call)

    def promise(self, begin: Callable[[Future[T]], None]) -> Future[T]:
        """A future that `begin` is to end; it cannot be cancelled. Behind a closed door there is no model."""
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()
        if not self.post(lambda: begin(future)):
            future.set_exception(no_model())
        return future

    def close(self, last: Call) -> None:
        """Let `last` through as the last call. Nothing happens the second time."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._put(last)
