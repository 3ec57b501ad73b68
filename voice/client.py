"""A conversation by speech as the app has it: the methods of `VoicePipeline`, by way of the voice process.

The process starts when it is needed, and again with the next `turn_on` after it has died. Knows no sound and no model.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import TypeVar

from engine.errors import VoiceError, sentence
from engine.worker.calls import unpacked
from engine.worker.child import ChildProcess, EntryPoint
from engine.worker.envelope import MessageTooLongError
from voice import protocol
from voice.audio.devices import AudioDevice
from voice.listener import Listener
from voice.protocol import Answer, Command, VoiceSetup
from voice.stt.partials import Partial
from voice.turn_events import Mode
from voice.turn_state import Phase
from voice.types import VoiceChoice, VoiceName

A = TypeVar("A")
T = TypeVar("T")
_LEAVE_S = 3.0
_CRASHED = sentence("Voice stopped unexpectedly. Turn it on again: it starts anew.")
_CLOSED = sentence("Voice is closed.")
_NOT_STARTED = sentence("Voice could not be started: the computer has no process to spare.")


def run_voice(connection: Connection) -> None:
    """The process's entry point. What it needs is imported there, and not where the client runs."""
    from voice import process  # noqa: PLC0415  # see above

    process.main(connection)


class VoiceClient:
    """Any thread; all methods return at once, except `set_up` and `close`, which wait for the process to end.

    The listener is called on the reader thread, and may call everything but those two. What it was told of is brought
    to an end whatever happens: after a crash every question is withdrawn or done, and the phase is off.
    """

    def __init__(self, setup: VoiceSetup, listener: Listener, *, entry_point: EntryPoint = run_voice) -> None:
        self._setup = setup
        self._listener = listener
        self._entry_point = entry_point
        self._lock = threading.Lock()
        self._process: ChildProcess | None = None
        # Linux ends a child with the thread that started it, and who asks may be a thread that ends.
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="voice-start")
        self._waiting: dict[int, Future[Answer]] = {}
        self._calls = itertools.count(1)
        self._choice = protocol.Choose("", 1.0, "")
        self._muted = False
        self._phase = Phase.OFF
        self._open: dict[int, bool] = {}
        """Questions that the listener was told of and that have not ended; True: committed. Of the reader thread."""
        self._before = self._told = (0, 0)
        """Questions and turns that earlier processes numbered, and all up to now: each begins at 1 again."""
        self._is_on = self._leaving = self._closed = False

    @property
    def pid(self) -> int | None:
        """The voice process's, None while there is none."""
        process = self._process
        return None if process is None else process.pid

    @property
    def phase(self) -> Phase:
        return self._phase

    def turn_on(self, mode: Mode, *, half_duplex: bool | None = None, waits_for_name: bool = False) -> None:
        """See `VoicePipeline`. What goes wrong is told to the listener; raises `VoiceError` where no process starts."""
        message = protocol.encode(protocol.Listen(mode, half_duplex, waits_for_name))
        with self._lock:
            self._started().post(message)
            self._is_on = True

    def turn_off(self) -> None:
        """See `VoicePipeline`."""
        self._is_on = False
        self._post(protocol.Leave())

    def key(self, down: bool) -> None:
        """See `VoicePipeline`."""
        self._post(protocol.Key(down))

    def mute(self, muted: bool) -> None:
        """See `VoicePipeline`; outlives the process."""
        self._muted = muted
        self._post(protocol.Mute(muted))

    def stop(self) -> None:
        """See `VoicePipeline`."""
        self._post(protocol.StopAnswer())

    def choose(self, *, voice: VoiceChoice | None = None, language: str | None = None) -> None:
        """See `VoicePipeline`; outlives the process."""
        now = self._choice
        chosen = voice or VoiceChoice(now.voice, now.speed)
        self._choice = protocol.Choose(chosen.voice, chosen.speed, now.language if language is None else language)
        self._post(self._choice)

    def say(self, question: int, delta: str) -> None:
        """See `VoicePipeline`."""
        try:
            self._post_of(question, lambda number: protocol.Say(number, delta))
        except MessageTooLongError:
            for part in (delta[: len(delta) // 2], delta[len(delta) // 2 :]):
                self.say(question, part)

    def progressed(self, question: int) -> None:
        """See `VoicePipeline`."""
        self._post_of(question, protocol.Progressed)

    def end_weighed(self, question: int, probability: float | None) -> None:
        """See `VoicePipeline`."""
        self._post_of(question, lambda number: protocol.EndWeighed(number, probability))

    def answer_ended(self, question: int) -> None:
        """See `VoicePipeline`."""
        self._post_of(question, protocol.AnswerEnded)

    def devices(self) -> Future[tuple[AudioDevice, ...]]:
        """Microphones and loudspeakers; fails with `VoiceError` where there is no sound system."""
        return unpacked(self._ask(protocol.ListDevices), protocol.Devices, lambda answer: answer.devices)

    def voices(self) -> Future[tuple[VoiceName, ...]]:
        """The synthesizer's, its default first; fails with `VoiceError`."""
        return unpacked(self._ask(protocol.ListVoices), protocol.Voices, lambda answer: answer.voices)

    def read(self, text: str) -> Future[None]:
        """Read a text aloud instead of what is being read; ends when that is over. Fails with `VoiceError`."""
        asked = self._ask(lambda number: protocol.ReadAloud(number, text))
        return unpacked(asked, protocol.ReadToEnd, lambda _end: None)

    def stop_reading(self) -> None:
        """Silence; the reading's future ends."""
        self._post(protocol.StopReading())

    def set_up(self, setup: VoiceSetup) -> None:
        """Other devices or models, from the next `turn_on` on; what is under way ends. Not from the listener."""
        if setup != self._setup:
            self._setup = setup
            self._end()

    def close(self) -> None:
        """End the process, at the latest after some seconds by force. Idempotent. Not from the listener."""
        with self._lock:
            self._closed = True
        self._end()
        self._starter.shutdown()

    def _end(self) -> None:
        with self._lock:
            process = self._process
            self._leaving = process is not None
        if process is not None:
            process.post(protocol.encode(protocol.Quit()))
            process.end_within(_LEAVE_S)

    def _post(self, command: Command) -> None:
        """Nothing happens without a process: there is nothing to end, and nobody to hear it."""
        message = protocol.encode(command)
        process = self._process
        if process is not None:
            process.post(message)

    def _post_of(self, question: int, command: Callable[[int], Command]) -> None:
        """About a question, unless an earlier process asked it."""
        number = question - self._before[0]
        if number > 0:
            self._post(command(number))

    def _ask(self, question: Callable[[int], protocol.Question]) -> Future[Answer]:
        future: Future[Answer] = Future()
        future.set_running_or_notify_cancel()
        number = next(self._calls)
        try:
            with self._lock:
                process = self._started()
                self._waiting[number] = future
                process.post(protocol.encode(question(number)))
        except VoiceError as error:
            future.set_exception(error)
        return future

    def _started(self) -> ChildProcess:
        """Under the lock. Raises `VoiceError`."""
        if self._closed:
            raise VoiceError(_CLOSED)
        if self._process is None:
            try:
                self._process = self._starter.submit(
                    ChildProcess,
                    self._entry_point,
                    self._on_message,
                    self._on_end,
                    name="voice",
                    report_bytes=protocol.MESSAGE_BYTES,
                ).result()
            except (OSError, RuntimeError) as error:
                raise VoiceError(_NOT_STARTED) from error
            for first in (protocol.Begin(self._setup), self._choice, protocol.Mute(self._muted)):
                self._process.post(protocol.encode(first))
        return self._process

    def _on_message(self, raw: bytes) -> None:
        report = protocol.decode_report(raw)
        if isinstance(report, protocol.Answer | protocol.Refused):
            with self._lock:
                future = self._waiting.pop(report.call_id, None)
            if future is None:
                return
            if isinstance(report, protocol.Refused):
                future.set_exception(protocol.error_from(report.why))
            else:
                future.set_result(report)
        else:
            self._tell(report)

    def _tell(self, report: protocol.Told) -> None:
        listener = self._listener
        match report:
            case protocol.PhaseChanged(phase):
                self._phase = phase  # the same again answers whoever turned it on in another mode
                listener.phase_changed(phase)
            case protocol.Level(heard, spoken):
                listener.level(heard, spoken)
            case protocol.PartialHeard(turn_id, stable, tail):
                listener.partial(self._turn(turn_id), Partial(stable, tail))
            case protocol.TextHeard(turn_id, text, status):
                listener.text(self._turn(turn_id), text, status)
            case protocol.Noticed():
                if not self._leaving:  # what is ended complains
                    listener.notice(protocol.error_from(report))
            case _:
                self._tell_of_question(report)

    def _tell_of_question(self, report: protocol.Told) -> None:
        listener = self._listener
        match report:
            case protocol.Asked(number, turn_id, text):
                question = self._question(number)
                self._open[question] = False
                listener.ask(question, self._turn(turn_id), text)
            case protocol.Committed(number, turn_id, text):
                question = self._question(number)
                self._open[question] = True
                listener.commit(question, self._turn(turn_id), text)
            case protocol.Withdrawn(number):
                listener.withdraw(self._ended(number))
            case protocol.Interrupted(number, characters):
                listener.interrupted(self._ended(number), characters)
            case protocol.SpokenSoFar(number, characters):
                listener.spoken(self._question(number), characters)
            case protocol.Done(number):
                listener.done(self._ended(number))

    def _question(self, number: int) -> int:
        question = self._before[0] + number
        self._told = (max(self._told[0], question), self._told[1])
        return question

    def _ended(self, number: int) -> int:
        question = self._question(number)
        self._open.pop(question, None)
        return question

    def _turn(self, number: int) -> int:
        turn_id = self._before[1] + number
        self._told = (self._told[0], max(self._told[1], turn_id))
        return turn_id

    def _on_end(self) -> None:
        with self._lock:
            self._process = None
            self._before = self._told
            waiting, self._waiting = list(self._waiting.values()), {}
            crashed, self._leaving = not self._leaving, False
            was_on, self._is_on = self._is_on, False
            reason = VoiceError(_CRASHED if crashed else _CLOSED)
        for future in waiting:
            future.set_exception(reason)
        unended, self._open = self._open, {}
        for question, committed in unended.items():
            if committed:
                self._listener.done(question)
            else:
                self._listener.withdraw(question)
        if crashed and (was_on or self._phase is not Phase.OFF or not waiting):
            self._listener.notice(reason)
        if was_on or self._phase is not Phase.OFF:  # it may have died before it opened
            self._phase = Phase.OFF
            self._listener.phase_changed(Phase.OFF)
