"""A child process with its two ends of the pipe: one thread reads, one writes, nobody else waits for it.

Knows no protocol: messages are bytes.
"""

from __future__ import annotations

import multiprocessing
import queue
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from types import ModuleType

from engine.worker.envelope import ProtocolError, receive

EntryPoint = Callable[[Connection], None]
_LINGER_S = 5.0
"""How long a process may live on after it closed its end of the pipe."""
_start_lock = threading.Lock()


@contextmanager
def spawning() -> Iterator[None]:
    """Around the start of a child: it does not import the parent's main module, and may be a child's child.

    `multiprocessing` runs the main module again in each child, for functions that are defined there; ours never are.
    And it lets no daemon have children, because they would outlive it; ours end with their parent.
    """
    with _start_lock:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        this = multiprocessing.current_process()
        was_daemon, this.daemon = this.daemon, False
        try:
            yield
        finally:
            this.daemon = was_daemon
            sys.modules["__main__"] = main


class ChildProcess:
    """Starts the process. `on_message` and `on_end` are called from the reader thread.

    `on_message` gets messages of at most `report_bytes`; a `ProtocolError` of its ends the process.
    `on_end` is called once, when the process has ended and been waited for.
    Start it from a thread that outlives it: Linux ends a child with the thread that started it.
    """

    def __init__(
        self,
        entry_point: EntryPoint,
        on_message: Callable[[bytes], None],
        on_end: Callable[[], None],
        *,
        name: str,
        report_bytes: int,
    ) -> None:
        self._on_message = on_message
        self._on_end = on_end
        self._report_bytes = report_bytes
        self._outgoing: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe(duplex=True)
        self._process = context.Process(target=entry_point, args=(theirs,), name=f"hearth-{name}", daemon=True)
        try:
            with spawning():
                self._process.start()
        finally:
            theirs.close()
        self._writer = threading.Thread(target=self._write, name=f"{name}-writer", daemon=True)
        self._reader = threading.Thread(target=self._read, name=f"{name}-reader", daemon=True)
        self._writer.start()
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    @property
    def exit_code(self) -> int | None:
        """As `multiprocessing.Process.exitcode`: None while it lives, negative for a signal."""
        return self._process.exitcode

    def post(self, message: bytes) -> None:
        """Queue a message; never blocks. Nothing happens if the process is gone."""
        self._outgoing.put(message)

    def end_within(self, seconds: float) -> None:
        """Wait for a process that was told to end, and kill it when the time is over. Not from the reader thread."""
        self._reader.join(seconds)
        self.kill()

    def kill(self) -> None:
        """End the process at once and wait for its memory to be free. Not from the reader thread."""
        self._process.kill()
        self._reader.join()

    def _write(self) -> None:
        try:
            while (raw := self._outgoing.get()) is not None:
                self._connection.send_bytes(raw)
        except OSError:
            return  # the process is gone; the reader sees that too and tells

    def _read(self) -> None:
        try:
            while True:
                self._on_message(receive(self._connection, self._report_bytes))
        except EOFError:
            pass  # the process has ended, or is about to
        except ProtocolError:
            self._process.kill()
        self._process.join(_LINGER_S)
        if self._process.exitcode is None:
            self._process.kill()
            self._process.join()
        self._outgoing.put(None)
        self._writer.join()
        self._connection.close()
        self._on_end()
