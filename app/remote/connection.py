"""Starts the remote process and carries messages to and from it. Holds no network code that runs in this process."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from concurrent.futures import Future

from app.remote import process
from app.remote.messages import (
    MESSAGE_BYTES,
    Command,
    Found,
    ListModels,
    Refusal,
    RemoteOrder,
    RemoteReport,
    encoded,
    report_of,
)
from engine.errors import RemoteError, sentence
from engine.worker.envelope import ProtocolError, error_of, receive


class RemoteConnection:
    """One process, bound to one address. `on_report` and `on_end` (once) are called from a thread of this object."""

    def __init__(
        self,
        order: RemoteOrder,
        on_report: Callable[[RemoteReport], None],
        on_end: Callable[[RemoteConnection], None],
    ) -> None:
        """Raises `OSError` where no process can be started."""
        self._on_report, self._on_end = on_report, on_end
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe(duplex=True)
        self._child = context.Process(
            target=process.main, args=(theirs, encoded(order)), name="hearth-remote", daemon=True
        )
        try:
            self._child.start()
        finally:
            theirs.close()
        self._sending = threading.Lock()
        self._reader = threading.Thread(target=self._read, name="remote-reader", daemon=True)
        self._reader.start()

    def send(self, command: Command) -> None:
        """Nothing happens if the process is gone; `on_end` tells that."""
        with self._sending:
            try:
                self._pipe.send_bytes(encoded(command))
            except OSError:
                return

    def close(self) -> None:
        """End the process, and with it its connections, and wait for it (but not from `on_report`)."""
        self._child.kill()
        if threading.current_thread() is not self._reader:
            self._reader.join()

    def _read(self) -> None:
        try:
            while True:
                self._on_report(report_of(receive(self._pipe, MESSAGE_BYTES)))
        except (EOFError, ProtocolError, ValueError):
            self._child.kill()
        self._child.join()
        with self._sending:
            self._pipe.close()
        self._on_end(self)


def list_models(order: RemoteOrder) -> Future[Found]:
    """Ask a server once which models it has. Fails with `HearthError`; the process ends with the answer."""
    future: Future[Found] = Future()
    future.set_running_or_notify_cancel()

    def ask() -> None:
        answered = threading.Event()
        reports: list[RemoteReport] = []

        def take(report: RemoteReport) -> None:
            reports.append(report)
            answered.set()

        try:
            connection = RemoteConnection(order, take, lambda _ended: answered.set())
        except OSError:
            future.set_exception(process_gone())
            return
        connection.send(ListModels(0))
        answered.wait()
        connection.close()
        match reports:
            case [Found() as found, *_]:
                future.set_result(found)
            case [Refusal(_, fault), *_]:
                future.set_exception(error_of(fault))
            case _:
                future.set_exception(process_gone())

    threading.Thread(target=ask, name="remote-list", daemon=True).start()
    return future


def process_gone() -> RemoteError:
    return RemoteError(sentence("The connection to the other computer ended unexpectedly. Try again."))
