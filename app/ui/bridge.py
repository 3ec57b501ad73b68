"""The single crossing point from other threads into Qt.

Services publish events and finish futures on threads of their own; everything reaches the main thread here.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from PySide6.QtCore import QObject, Qt, Signal
from shiboken6 import isValid

from app.events import ChatEvent
from engine.engine import EngineState

T = TypeVar("T")


class EventBridge(QObject):
    """Signals that are always received on the thread the bridge lives on (the main thread)."""

    chat_event = Signal(object)
    """A `ChatEvent`."""
    engine_state = Signal(object)
    """An `EngineState`."""
    _call = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._closed = False
        self._call.connect(self._on_call, Qt.ConnectionType.QueuedConnection)

    def publish(self, event: ChatEvent) -> None:
        """Hand an event home. Any thread."""
        if not self._closed:
            self.chat_event.emit(event)

    def publish_state(self, state: EngineState) -> None:
        """Hand an engine state home. Any thread."""
        if not self._closed:
            self.engine_state.emit(state)

    def then(
        self,
        future: Future[T],
        done: Callable[[T], None],
        failed: Callable[[BaseException], None],
        *,
        owner: QObject | None = None,
    ) -> None:
        """Run `done(result)` or `failed(error)` on the main thread once `future` ends.

        Nothing if it is cancelled, or if `owner`, whose the two are, is gone by then.
        """

        def finished(ended: Future[T]) -> None:
            if self._closed or ended.cancelled():
                return
            error = ended.exception()
            self._call.emit((failed, error, owner) if error is not None else (done, ended.result(), owner))

        future.add_done_callback(finished)

    def close(self) -> None:
        """Drop whatever arrives from now on (first step of shutting down)."""
        self._closed = True

    def _on_call(self, call: tuple[Callable[[object], None], object, QObject | None]) -> None:
        function, argument, owner = call
        if not self._closed and (owner is None or isValid(owner)):
            function(argument)
