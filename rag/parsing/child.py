"""The parser's process as its client has it: start, send, wait for an answer under watch, end. Knows no message."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from multiprocessing.connection import Connection

import psutil

from engine.cancel import CancelToken
from engine.worker.child import spawning
from engine.worker.envelope import receive
from rag.parsing.messages import REPORT_BYTES

MEMORY_BYTES = 1000 * 1024 * 1024
"""Resident. The process has limits of its own where the system knows them, which are a little lower."""
_SLICE_S = 0.05
_LEAVE_S = 2.0

EntryPoint = Callable[[Connection], None]


class SilentError(Exception):
    """Nothing came in the time allowed."""


class GreedyError(Exception):
    """It took more memory than it may."""


def run_parser(connection: Connection) -> None:
    """The process's entry point. Loaders are imported there, and not where the client runs."""
    from rag.parsing import process  # noqa: PLC0415  # see above

    process.main(connection)


class Child:
    """Start it from a thread that outlives it: Linux ends a child with the thread that started it. Raises `OSError`."""

    def __init__(self, entry_point: EntryPoint) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe(duplex=True)
        self._process = context.Process(target=entry_point, args=(theirs,), name="hearth-parser", daemon=True)
        self.is_new = True
        """Until it has said something."""
        try:
            with spawning():
                self._process.start()
        except OSError:
            self.connection.close()
            raise
        finally:
            theirs.close()

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    def send(self, message: bytes) -> bool:
        """False where nobody is there to hear it."""
        try:
            self.connection.send_bytes(message)
        except OSError:
            return False
        return True

    def hear(self, within_s: float, cancel: CancelToken | None) -> bytes:
        """The next message. Raises `SilentError`, `GreedyError`, `EOFError`, `ProtocolError`, `CancelledError`."""
        until = time.monotonic() + within_s
        while not self._poll():
            if cancel is not None and cancel.cancelled:
                raise CancelledError
            if time.monotonic() > until:
                raise SilentError
            if self.memory() > MEMORY_BYTES:
                raise GreedyError
        if cancel is not None and cancel.cancelled:
            raise CancelledError
        return receive(self.connection, REPORT_BYTES)

    def memory(self) -> int:
        """Resident bytes, 0 where it has ended."""
        try:
            return int(psutil.Process(self.pid).memory_info().rss)
        except psutil.Error:
            return 0

    def kill(self) -> int | None:
        """End it, if it has not ended by itself. Returns its exit code, negative for a signal."""
        self.connection.close()
        # One that has closed its end is about to be gone, and how it went is worth knowing.
        self._process.join(_SLICE_S)
        self._process.kill()
        self._process.join()
        code = self._process.exitcode
        self._process.close()
        return code

    def leave(self) -> None:
        """Let it end by itself, which it does once the pipe is closed."""
        self.connection.close()
        self._process.join(_LEAVE_S)
        self._process.kill()
        self._process.join()
        self._process.close()

    def _poll(self) -> bool:
        try:
            return self.connection.poll(_SLICE_S)
        except OSError as error:
            raise EOFError from error
