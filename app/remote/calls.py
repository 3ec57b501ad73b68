"""The open calls to one server: numbers them, keeps the one connection they share, and brings each report home.

Starts the connection's process with the first call, and another one after it has ended. Knows neither what is asked
nor what becomes of the answers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any, Protocol, TypeVar

from app.remote.connection import RemoteConnection, process_gone
from app.remote.messages import Begun, Command, HangUp, Refusal, RemoteOrder, RemoteReport, Spent, Words
from engine.errors import HearthError
from engine.worker.envelope import error_of
from engine.worker.exits import no_model

T = TypeVar("T")


class OpenCall(Protocol):
    """Whoever waits for reports. Exactly one of its last `take`, `fail` and `stop` ends it."""

    def take(self, report: RemoteReport) -> None:
        """What the server said; the last report is neither `Begun` nor `Words` nor `Spent`."""
        ...

    def fail(self, error: HearthError) -> None:
        """Nothing more will come."""
        ...

    def stop(self) -> None:
        """Nobody wants it any more."""
        ...


class RemoteCalls:
    """Any thread. Calls hear from the connection's reader thread, or from the thread that stops them."""

    def __init__(self, order: Callable[[], RemoteOrder]) -> None:
        """`order` says whom to connect to when that is needed; it may raise `HearthError`."""
        self._order = order
        self._lock = threading.RLock()
        self._connection: RemoteConnection | None = None
        self._calls: dict[int, OpenCall] = {}
        self._ids = count()

    def begin(self, make: Callable[[int], Command], call: OpenCall) -> int:
        """Send what `make` makes of the call's number, which is returned. Raises `HearthError`."""
        with self._lock:
            call_id = next(self._ids)
            if self._connection is None:
                try:
                    self._connection = RemoteConnection(self._order(), self._on_report, self._on_end)
                except OSError:
                    raise process_gone() from None
            connection = self._connection
            self._calls[call_id] = call
        connection.send(make(call_id))
        return call_id

    def ask(
        self,
        make: Callable[[int], Command],
        kind: type[T],
        done: Callable[[T], None],
        failed: Callable[[HearthError], None],
    ) -> None:
        """A call with one report, of this kind or a refusal."""

        def take(answer: Any) -> None:
            assert isinstance(answer, kind)
            done(answer)

        try:
            self.begin(make, _Question(take, failed))
        except HearthError as error:
            failed(error)

    def cancel(self, call_id: int) -> None:
        """Nothing happens if the call has ended."""
        with self._lock:
            call = self._calls.pop(call_id, None)
            connection = self._connection
        if call is not None:
            if connection is not None:
                connection.send(HangUp(call_id))
            call.stop()

    def cancel_all(self) -> None:
        with self._lock:
            call_ids = list(self._calls)
        for call_id in call_ids:
            self.cancel(call_id)

    def disconnect(self) -> None:
        """End the process; the next call starts another."""
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _on_report(self, report: RemoteReport) -> None:
        last = not isinstance(report, Begun | Words | Spent)
        with self._lock:
            call = self._calls.pop(report.call_id, None) if last else self._calls.get(report.call_id)
        if call is not None:
            call.take(report)

    def _on_end(self, connection: RemoteConnection) -> None:
        """The process ended. If nobody wanted that, its open calls fail."""
        with self._lock:
            if self._connection is not connection:
                return
            self._connection = None
            calls, self._calls = self._calls, {}
        for call in calls.values():
            call.fail(process_gone())


@dataclass(slots=True)
class _Question:
    """An `OpenCall` with one report: what that becomes, and who is told that it failed."""

    done: Callable[[Any], None]
    fail: Callable[[HearthError], None]

    def take(self, report: RemoteReport) -> None:
        if isinstance(report, Refusal):
            self.fail(error_of(report.fault))
        else:
            self.done(report)

    def stop(self) -> None:
        self.fail(no_model())
