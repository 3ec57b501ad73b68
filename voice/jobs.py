"""What is to be found out about a turn's sound, on threads of its own: its words, and whether it is over.

Knows no turns: who asks for something that cannot wait cancels what it does not need first.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from typing import TypeAlias

from engine.cancel import CancelToken
from engine.errors import VoiceError
from voice.endpoint import EndOfTurn
from voice.types import Samples, Transcriber

_log = logging.getLogger(__name__)

Answer: TypeAlias = str | float | VoiceError


class Jobs:
    """Any thread but those of the jobs. `on_done` is called on a job's thread, and not for what was cancelled."""

    def __init__(
        self, transcriber: Transcriber, end_of_turn: EndOfTurn | None, on_done: Callable[[int, Answer], None]
    ) -> None:
        self._transcriber = transcriber
        self._end_of_turn = end_of_turn
        self._on_done = on_done
        self._writing = ThreadPoolExecutor(1, "transcribe")
        self._judging = ThreadPoolExecutor(1, "end-of-turn")
        self._lock = threading.Lock()
        self._running: dict[int, tuple[CancelToken, Future[None]]] = {}
        self.language = ""
        """ISO 639-1 of what is spoken; "" lets the model find out."""

    def transcribe(self, job: int, samples: Samples, language: str | None = None) -> None:
        """What is said in `samples`? One after the other. `language` None: the one that is spoken."""
        cancel = CancelToken()
        language = self.language if language is None else language

        def work() -> Answer:
            return self._transcriber.transcribe(samples, language=language, cancel=cancel).text

        self._start(self._writing, job, cancel, work)

    def judge(self, job: int, samples: Samples) -> None:
        """Is the speaker done? Without an end-of-turn model nobody knows: no answer comes."""
        judge = self._end_of_turn
        if judge is not None:
            self._start(self._judging, job, CancelToken(), lambda: judge.probability(samples))

    def cancel(self, job: int) -> None:
        """Its answer is not waited for."""
        with self._lock:
            found = self._running.pop(job, None)
        if found is not None:
            token, future = found
            token.cancel()
            future.cancel()

    def close(self) -> None:
        """Cancel everything, and wait for the threads."""
        with self._lock:
            jobs = tuple(self._running)
        for job in jobs:
            self.cancel(job)
        self._writing.shutdown()
        self._judging.shutdown()

    def _start(self, pool: ThreadPoolExecutor, job: int, cancel: CancelToken, work: Callable[[], Answer]) -> None:
        def run() -> None:
            answer: Answer
            try:
                answer = work()
            except VoiceError as error:
                answer = error
            except CancelledError:
                return
            with self._lock:
                is_wanted = self._running.pop(job, None) is not None
            if is_wanted:
                self._on_done(job, answer)

        with self._lock:
            future = pool.submit(run)
            self._running[job] = (cancel, future)
        future.add_done_callback(_told_of_bugs)


def _told_of_bugs(future: Future[None]) -> None:
    if not future.cancelled() and (bug := future.exception()) is not None:
        _log.error("a job of the voice failed by a bug", exc_info=bug)
