"""What the model reads while somebody speaks: all that comes before the next question, then the question itself.

Knows what is wanted of that still, and what no more. Qt-free; any thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from app.read_ahead import ReadAhead
from engine.cancel import CancelToken


class SpokenReading:
    """`on_end_weighed` is told a question and how likely it is whole; see `ReadAhead.read`."""

    def __init__(self, ahead: ReadAhead, on_end_weighed: Callable[[int, float | None], None]) -> None:
        self._ahead = ahead
        self._on_end_weighed = on_end_weighed
        self._lock = threading.RLock()
        self._early: CancelToken | None = None
        """What comes before the next question is read, or has been."""
        self._questions: dict[int, CancelToken] = {}
        self._settled: list[CancelToken] = []
        """What an answer that comes needs as well: it is read to its end, unless the answer begins without it."""

    def listen(self, conversation_id: str | None) -> None:
        """Nobody has asked yet: read all that comes before, unless that was done."""
        with self._lock:
            if self._early is None:
                self._early = self._ahead.read(conversation_id, "")

    def ask(self, conversation_id: str | None, question: int, text: str) -> None:
        """Read the question, which may still change."""
        with self._lock:
            self._settle_early()
            self._questions[question] = self._ahead.read(
                conversation_id, text, lambda probability: self._on_end_weighed(question, probability)
            )

    def withdraw(self, question: int) -> None:
        """It was not the whole of it."""
        with self._lock:
            reading = self._questions.pop(question, None)
        if reading is not None:
            reading.cancel()

    def commit(self, question: int) -> None:
        """It stands, and its answer will be asked for."""
        with self._lock:
            self._settle_early()
            reading = self._questions.pop(question, None)
            if reading is not None:
                self._settled.append(reading)

    def answer_begins(self) -> None:
        """What has not been begun by now would be read behind the answer, and in its place."""
        with self._lock:
            settled, self._settled = self._settled, []
        for reading in settled:
            reading.cancel()

    def forget_early(self) -> None:
        """What comes before the next question is not what it was."""
        with self._lock:
            early, self._early = self._early, None
        if early is not None:
            early.cancel()

    def end(self) -> None:
        """Nobody listens, and no answer is waited for."""
        self.forget_early()
        self.answer_begins()

    def _settle_early(self) -> None:
        if self._early is not None:
            self._settled.append(self._early)
            self._early = None
