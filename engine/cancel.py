"""The one cancellation type of the project. Knows nothing of what is being cancelled."""

from __future__ import annotations

import threading
from collections.abc import Callable


class CancelToken:
    """A one-way switch handed along with a piece of work.

    Any thread may call any method. Once cancelled, a token stays cancelled.
    """

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []

    @property
    def cancelled(self) -> bool:
        """True from the first `cancel()` on."""
        return self._event.is_set()

    def cancel(self) -> None:
        """Cancel, and run each callback once, in this thread, in the order they were added."""
        with self._lock:
            if self._event.is_set():
                return
            self._event.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def on_cancel(self, callback: Callable[[], None]) -> None:
        """Run `callback` at cancellation; at once, in this thread, if that has already happened."""
        with self._lock:
            if not self._event.is_set():
                self._callbacks.append(callback)
                return
        callback()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Block until cancelled or until `timeout_s` has passed; return `cancelled`."""
        return self._event.wait(timeout_s)
