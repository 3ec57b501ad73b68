"""One speech process as its client has it: jobs out, answers home. Any thread may ask; knows no model.

Where an answer takes longer than it may, the process is killed: nothing else ends a library that hangs.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.connection import Connection

from engine.cancel import CancelToken
from engine.errors import VoiceError, sentence
from engine.worker.child import ChildProcess, EntryPoint
from engine.worker.envelope import error_of
from voice.speech.choice import SpeechChoice
from voice.speech.messages import MESSAGE_BYTES, Begin, Cancel, Job, Refused, Report, decode_report, encode
from voice.types import Samples

Answer = tuple[Report, Samples]
_CRASHED = sentence("Speech stopped unexpectedly. Try again: it starts anew.")
_TOO_SLOW = sentence(
    "Speech took too long and was stopped. Try again, or choose another model or voice in the settings."
)
_WONT_START = sentence("Speech cannot be started: no process can be started.")


def run_speech(connection: Connection) -> None:
    """The process's entry point. What it needs is imported there, and not where the client runs."""
    from voice.speech import process  # noqa: PLC0415  # see above

    process.main(connection)


class SpeechChild:
    """Started with the first job, and again with the next one after it has ended. `close` ends it for good."""

    def __init__(self, choice: SpeechChoice, entry_point: EntryPoint = run_speech) -> None:
        self._choice = choice
        self._entry_point = entry_point
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._running: _Running | None = None
        # Linux ends a child with the thread that started it, and whoever asks may be a short-lived one.
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="speech-starter")

    @property
    def pid(self) -> int | None:
        """The process's number, None while there is none."""
        running = self._running
        return running.pid if running is not None else None

    def ask(
        self, job: Callable[[int], Job], samples: Samples, *, limit_s: float, cancel: CancelToken | None = None
    ) -> Answer:
        """The answer to the job, which is made with its number. Blocks. Raises `VoiceError`, `CancelledError`."""
        number = next(self._numbers)
        with self._lock:
            running = self._alive()
            answer = running.post(job(number), samples)
        if cancel is not None:
            cancel.on_cancel(lambda: running.forget(number))
        try:
            report, sound = answer.result(limit_s)
        except TimeoutError as error:
            self._drop(running)
            running.kill(_TOO_SLOW)
            raise VoiceError(_TOO_SLOW) from error
        if isinstance(report, Refused):
            raise error_of(report.fault)
        return report, sound

    def close(self) -> None:
        """End the process, and what waits for it with a sentence."""
        with self._lock:
            running, self._running = self._running, None
        if running is not None:
            running.kill(_CRASHED)
        self._starter.shutdown()

    def _alive(self) -> _Running:
        if self._running is None or self._running.ended:
            try:
                self._running = self._starter.submit(_Running, self._choice, self._entry_point).result()
            except (OSError, RuntimeError) as error:
                raise VoiceError(_WONT_START) from error
        return self._running

    def _drop(self, running: _Running) -> None:
        """The next job starts another."""
        with self._lock:
            if self._running is running:
                self._running = None


class _Running:
    """A process from its start to its end, and who waits for it."""

    def __init__(self, choice: SpeechChoice, entry_point: EntryPoint) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[int, Future[Answer]] = {}
        self._last_words = _CRASHED
        self.ended = False
        self._child = ChildProcess(
            entry_point, self._on_message, self._on_end, name="speech", report_bytes=MESSAGE_BYTES
        )
        self._child.post(encode(Begin(choice)))

    @property
    def pid(self) -> int:
        return self._child.pid

    def post(self, job: Job, samples: Samples) -> Future[Answer]:
        """Fails with a `VoiceError` when the process ends before it answers."""
        answer: Future[Answer] = Future()
        with self._lock:
            if not self.ended:
                self._waiting[job.job] = answer
                self._child.post(encode(job, samples))
                return answer
        answer.set_exception(VoiceError(self._last_words))
        return answer

    def forget(self, number: int) -> None:
        """Nobody waits for that answer any more."""
        with self._lock:
            answer = self._waiting.pop(number, None)
        if answer is not None:
            self._child.post(encode(Cancel(number)))
            answer.cancel()

    def kill(self, why: str) -> None:
        """End it; who still waits is told why."""
        self._last_words = why
        self._child.kill()

    def _on_message(self, raw: bytes) -> None:
        report, samples = decode_report(raw)
        with self._lock:
            answer = self._waiting.pop(report.job, None)
        if answer is not None:
            answer.set_result((report, samples))

    def _on_end(self) -> None:
        with self._lock:
            self.ended = True
            waiting, self._waiting = list(self._waiting.values()), {}
        for answer in waiting:
            answer.set_exception(VoiceError(self._last_words))
