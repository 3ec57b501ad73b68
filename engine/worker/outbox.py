"""What a worker sends: one message at a time, and text gathered so that the window is woken rarely.

Knows the protocol, no model.
"""

from __future__ import annotations

import threading
import time
from multiprocessing.connection import Connection

from engine.types import ReasoningDelta, StreamEvent, TextDelta, TokenLogprob
from engine.worker.protocol import REPORT_BYTES, Report, ReportMessage, encode

GATHER_S = 0.04
"""Text is sent at most this often. The first of an answer goes at once."""


class Outbox:
    """Any thread may post."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    def post(self, message: ReportMessage) -> None:
        """Send now. Raises `OSError` when the other side is gone."""
        raw = encode(message, REPORT_BYTES)
        with self._lock:
            self._connection.send_bytes(raw)


class Stream:
    """The events of one request, in order, with neighbouring text joined. One thread."""

    def __init__(self, outbox: Outbox, request_id: str) -> None:
        self._outbox = outbox
        self._request_id = request_id
        self._parts: list[str] = []
        self._logprobs: list[TokenLogprob] = []
        self._reasons = False
        self._due = 0.0

    def text(self, text: str, logprobs: tuple[TokenLogprob, ...]) -> None:
        if self._reasons:
            self.flush()
            self._reasons = False
        self._parts.append(text)
        if logprobs:
            self._logprobs.extend(logprobs)
        if time.perf_counter() >= self._due:
            self.flush()

    def reasoning(self, text: str) -> None:
        if not self._reasons:
            self.flush()
            self._reasons = True
        self._parts.append(text)
        if time.perf_counter() >= self._due:
            self.flush()

    def event(self, event: StreamEvent) -> None:
        self.flush()
        self._outbox.post(Report(event))

    def flush(self) -> None:
        """Send what was gathered."""
        if not self._parts:
            return
        text, tokens = "".join(self._parts), len(self._parts)
        self._parts.clear()
        if self._reasons:
            self._outbox.post(Report(ReasoningDelta(self._request_id, text, tokens)))
        else:
            self._outbox.post(Report(TextDelta(self._request_id, text, tuple(self._logprobs), tokens)))
            self._logprobs.clear()
        self._due = time.perf_counter() + GATHER_S
