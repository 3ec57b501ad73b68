"""The engine's worker process: its messages, and how it is asked to leave. Knows not what the messages mean."""

from __future__ import annotations

from collections.abc import Callable

from engine.worker.child import ChildProcess, EntryPoint
from engine.worker.protocol import (
    COMMAND_BYTES,
    REPORT_BYTES,
    CommandMessage,
    Quit,
    ReportMessage,
    decode_report,
    encode,
)

_OF_WHICH_TO_WRITE = 0.8
"""Of the time to leave; the rest is for the last file and for the memory to be freed."""


class WorkerProcess(ChildProcess):
    """Starts the process. `on_message` and `on_end` are called from the reader thread, as `ChildProcess` says."""

    def __init__(
        self,
        entry_point: EntryPoint,
        on_message: Callable[[WorkerProcess, ReportMessage], None],
        on_end: Callable[[WorkerProcess], None],
    ) -> None:
        super().__init__(
            entry_point,
            lambda raw: on_message(self, decode_report(raw)),
            lambda: on_end(self),
            name="engine",
            report_bytes=REPORT_BYTES,
        )

    def send(self, message: CommandMessage) -> None:
        """Queue a message; never blocks. Raises `MessageTooLongError`. Nothing happens if the process is gone."""
        self.post(encode(message, COMMAND_BYTES))

    def leave(self, within_s: float) -> None:
        """Have the process write its snapshots and end by itself; end it after `within_s` seconds. Not from the
        reader thread."""
        self.send(Quit(within_s * _OF_WHICH_TO_WRITE))
        self.end_within(within_s)
