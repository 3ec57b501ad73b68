"""A conversation by speech: devices, detectors, transcription and speech, wired to the reducer of `voice.turns`.

capture -> recording -> voice activity -> turns -> transcription -> `Listener.ask`; then `say` -> sentences ->
synthesis -> mixer -> playback. One thread carries out what the reducer decides, and calls the listener; capture,
playback, synthesis, transcription, judgement and the opening of devices have one each. Knows no model, no store and
no window.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from engine.errors import VoiceError
from voice.audio.echo import EchoCanceller, NoCanceller
from voice.audio.streams import AudioSink, AudioSource
from voice.capture import Capture
from voice.endpoint import EndOfTurn
from voice.jobs import Answer, Jobs
from voice.listener import Listener
from voice.recording import Recording
from voice.speaker import Speaker
from voice.stt.partials import LocalAgreement
from voice.tts.other_voices import OtherVoices
from voice.tts.sentences import SentenceSplitter
from voice.turn_events import (
    AnswerDone,
    AnswerGrew,
    Ask,
    CancelAnswer,
    CancelJob,
    CloseDevices,
    Command,
    Commit,
    DeviceFailed,
    Duck,
    EndWeighed,
    Event,
    Frame,
    Hold,
    JobFailed,
    Judge,
    Judged,
    KeyDown,
    KeyUp,
    LetGo,
    Mode,
    Muted,
    Notify,
    OpenDevices,
    Opened,
    PlaybackStarted,
    Purpose,
    SentencePlaying,
    ShowPartial,
    ShowText,
    Stop,
    Tick,
    Transcribe,
    Transcribed,
    TurnOff,
    TurnOn,
    Withdraw,
)
from voice.turn_state import Phase, TurnState
from voice.turns import step
from voice.types import Synthesizer, Transcriber, VoiceChoice
from voice.vad import VoiceActivity
from voice.wake_word import NAME_LANGUAGE

_LEVEL_EVERY = 2
"""Frames: the picture moves 16 times a second."""
_LEVEL_STEP = 0.002
"""A smaller change cannot be seen, and is not told: most of the time nobody speaks."""
_GREW_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Parts:
    """What a pipeline is made of. Who made them closes transcriber and synthesizer."""

    source: AudioSource
    sink: AudioSink
    canceller: EchoCanceller
    activity: VoiceActivity
    end_of_turn: EndOfTurn | None
    transcriber: Transcriber
    synthesizer: Synthesizer
    make_splitter: Callable[[], SentenceSplitter]
    others: OtherVoices | None = None
    """See `voice.speaker.Speaker`."""


@dataclass(frozen=True, slots=True)
class _Level:
    heard: float


@dataclass(frozen=True, slots=True)
class _Spoken:
    question: int
    characters: int


@dataclass(frozen=True, slots=True)
class _Notice:
    error: VoiceError


@dataclass(frozen=True, slots=True)
class _Quit:
    pass


_Item = Event | _Level | _Spoken | _Notice | _Quit


class VoicePipeline:
    """Any thread but the listener's waits: all methods return at once, except `close`, which joins its threads."""

    def __init__(self, parts: Parts, listener: Listener, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._parts = parts
        self._listener = listener
        self._clock = clock
        self._items: queue.SimpleQueue[tuple[int, _Item]] = queue.SimpleQueue()
        self._opening = 0
        """Counts openings of the devices: what belongs to an earlier one is dropped. Of the turns' thread."""
        self._state = TurnState()
        self._partials: tuple[int, LocalAgreement] = (0, LocalAgreement())
        self._level = (0.0, 0.0)
        """As last told: heard, spoken."""
        self._grew_s: dict[int, float] = {}
        self._mute = threading.Event()
        self._recording = Recording()
        self._jobs = Jobs(parts.transcriber, parts.end_of_turn, self._job_done)
        self._speaker = Speaker(
            parts.synthesizer,
            parts.sink,
            parts.canceller,
            parts.make_splitter,
            _SpeakerEvents(self),
            others=parts.others,
        )
        self._devices = ThreadPoolExecutor(1, "audio-devices")
        self._capture: Capture | None = None
        """Of the devices' thread."""
        self._thread = threading.Thread(target=self._run, name="turns", daemon=True)
        self._thread.start()

    @property
    def phase(self) -> Phase:
        return self._state.phase

    def turn_on(self, mode: Mode, *, half_duplex: bool | None = None, waits_for_name: bool = False) -> None:
        """Open the devices and listen. `half_duplex` None: where there is no echo canceller; see `TurnOn`."""
        if half_duplex is None:
            half_duplex = isinstance(self._parts.canceller, NoCanceller)
        self.post(TurnOn(self._clock(), mode, half_duplex, waits_for_name))

    def turn_off(self) -> None:
        """Close the devices; whatever is under way is given up."""
        self.post(TurnOff(self._clock()))

    def key(self, down: bool) -> None:
        """Push-to-talk's key; let go, it ends dictation."""
        self.post(KeyDown(self._clock()) if down else KeyUp(self._clock()))

    def mute(self, muted: bool) -> None:
        """Hear nothing, and keep nothing of it; an answer goes on."""
        self._mute.set() if muted else self._mute.clear()
        self.post(Muted(self._clock(), muted))

    def stop(self) -> None:
        """The answer is not wanted any more."""
        self.post(Stop(self._clock()))

    def choose(self, *, voice: VoiceChoice | None = None, language: str | None = None) -> None:
        """From the next sentence on."""
        if voice is not None:
            self._speaker.choice = voice
        if language is not None:
            self._jobs.language = language

    def say(self, question: int, delta: str) -> None:
        """More of the answer. What nobody wants to hear any more is dropped."""
        if self._speaker.say(question, delta):
            self.progressed(question)

    def progressed(self, question: int) -> None:
        """The model works on it, though there is no word yet."""
        now_s = self._clock()
        if now_s - self._grew_s.get(question, 0.0) >= _GREW_EVERY_S:
            self._grew_s = {question: now_s}
            self.post(AnswerGrew(now_s, question))

    def end_weighed(self, question: int, probability: float | None) -> None:
        """How likely the question is whole, by the model that reads it; None: it does not say. Answers `ask`."""
        self.post(EndWeighed(self._clock(), question, probability))

    def answer_ended(self, question: int) -> None:
        """All of the answer was given, or there is none: it failed, or was stopped."""
        self._speaker.ended(question)

    def close(self) -> None:
        """Turn off, and end the threads. For good; not from the listener."""
        self._items.put((-1, _Quit()))
        self._thread.join()
        self._devices.shutdown()
        self._speaker.close()
        self._jobs.close()

    def post(self, item: _Item, opening: int = -1) -> None:
        """Put an event before the reducer; one that belongs to an opening of the devices, only while that lasts."""
        self._items.put((opening, item))

    def _run(self) -> None:
        while True:
            try:
                opening, item = self._items.get(timeout=self._patience_s())
            except queue.Empty:
                self._step(Tick(self._clock()))
                continue
            if isinstance(item, _Quit):
                self._step(TurnOff(self._clock()))
                return
            if opening in (-1, self._opening):
                self._take(item)
            deadline_s = self._state.next_deadline_s()
            if deadline_s is not None and self._clock() >= deadline_s and self._items.empty():
                self._step(Tick(self._clock()))

    def _take(self, item: _Item) -> None:
        match item:
            case _Level(heard):
                self._show_level(heard, self._speaker.level)
            case _Spoken(question, characters):
                self._listener.spoken(question, characters)
            case _Notice(error):
                self._listener.notice(error)
            case _Quit():
                pass
            case _:
                self._step(item)

    def _show_level(self, heard: float, spoken: float) -> None:
        was_heard, was_spoken = self._level
        if max(abs(heard - was_heard), abs(spoken - was_spoken)) >= _LEVEL_STEP:
            self._level = (heard, spoken)
            self._listener.level(heard, spoken)

    def _patience_s(self) -> float | None:
        deadline_s = self._state.next_deadline_s()
        # A little later than due, so that one wake is enough.
        return max(0.0, deadline_s - self._clock()) + 0.005 if deadline_s is not None else None

    def _step(self, event: Event) -> None:
        before = self._state
        self._state, commands = step(before, event)
        if isinstance(event, AnswerDone) and event.question == before.answer:
            self._listener.done(event.question)
        for command in commands:
            self._carry_out(command)
        if self._state.phase is not before.phase or isinstance(event, TurnOn):
            self._listener.phase_changed(self._state.phase)

    def _carry_out(self, command: Command) -> None:
        match command:
            case Transcribe(job, _, purpose, start, end):
                language = NAME_LANGUAGE if purpose is Purpose.NAME else None
                self._jobs.transcribe(job, self._recording.between(start, end), language)
            case Judge(job, _, start, end):
                self._jobs.judge(job, self._recording.between(start, end))
            case CancelJob(job):
                self._jobs.cancel(job)
            case ShowPartial(turn_id, text):
                if self._partials[0] != turn_id:
                    self._partials = (turn_id, LocalAgreement())
                self._listener.partial(turn_id, self._partials[1].heard(text))
            case ShowText(turn_id, text, status):
                self._listener.text(turn_id, text, status)
            case Notify(error):
                self._listener.notice(error)
            case OpenDevices():
                self._opening += 1
                self._recording = Recording()
                self._devices.submit(self._open, self._opening, self._recording)
            case CloseDevices():
                self._opening += 1
                self._devices.submit(self._close)
            case _:
                self._answer(command)

    def _answer(self, command: Command) -> None:
        """What is about questions and answers."""
        match command:
            case Ask(question, turn_id, text):
                self._speaker.begin(question, text)
                self._listener.ask(question, turn_id, text)
            case Commit(question, turn_id, text):
                self._listener.commit(question, turn_id, text)
                if not self._speaker.is_open:
                    self._devices.submit(self._open_output)
                self._speaker.commit(question)
            case Withdraw(question, _):
                self._speaker.drop(question)
                self._listener.withdraw(question)
            case CancelAnswer(question):
                self._listener.interrupted(question, self._speaker.drop(question))
            case LetGo(question):
                self._listener.spoken(question, self._speaker.drop(question))
                self._listener.done(question)
            case Duck(on):
                self._speaker.duck(on)
            case Hold(on):
                self._speaker.hold(on)

    def _open(self, opening: int, recording: Recording) -> None:
        """On the devices' thread, where a second of waiting harms nobody."""
        parts = self._parts
        error: VoiceError | None = None
        try:
            self._speaker.open()
        except VoiceError as fault:
            error = fault
        try:
            parts.source.start()
        except VoiceError as fault:
            self._speaker.stop()
            self.post(DeviceFailed(self._clock(), fault), opening)
            return
        self._capture = Capture(
            parts.source,
            parts.canceller,
            parts.activity,
            recording,
            _CaptureEvents(self, self._clock, opening),
            mute=self._mute,
            far_level=lambda: self._speaker.recent_level,
        )
        self._capture.start()
        self.post(Opened(self._clock(), error is None), opening)
        if error is not None:
            self.post(DeviceFailed(self._clock(), error, microphone=False), opening)

    def _open_output(self) -> None:
        """A loudspeaker was gone: is there one now? Not in time for this answer, but for the next."""
        if self._capture is None:
            return
        try:
            self._speaker.stop()
            self._speaker.open()
        except VoiceError:
            pass  # told when it failed

    def _close(self) -> None:
        if self._capture is not None:
            self._capture.stop()
            self._capture = None
        self._speaker.stop()

    def _job_done(self, job: int, answer: Answer) -> None:
        now_s = self._clock()
        if isinstance(answer, VoiceError):
            self.post(JobFailed(now_s, job, answer))
        elif isinstance(answer, float):
            self.post(Judged(now_s, job, answer))
        else:
            self.post(Transcribed(now_s, job, answer))


class _CaptureEvents:
    """See `voice.capture.Ears`: what the capture thread tells, of one opening of the devices."""

    def __init__(self, pipeline: VoicePipeline, clock: Callable[[], float], opening: int) -> None:
        self._pipeline = pipeline
        self._clock = clock
        self._opening = opening
        self._n = 0

    def frame(self, position: int, probability: float, level: float) -> None:
        self._pipeline.post(Frame(self._clock(), position, probability), self._opening)
        self._n += 1
        if self._n % _LEVEL_EVERY == 0:
            self._pipeline.post(_Level(level), self._opening)

    def silent(self, error: VoiceError) -> None:
        self._pipeline.post(_Notice(error), self._opening)

    def failed(self, error: VoiceError) -> None:
        self._pipeline.post(DeviceFailed(self._clock(), error), self._opening)


class _SpeakerEvents:
    """See `voice.speaker.Mouth`."""

    def __init__(self, pipeline: VoicePipeline) -> None:
        self._pipeline = pipeline
        self._clock = pipeline._clock

    def started(self, question: int) -> None:
        self._pipeline.post(PlaybackStarted(self._clock(), question))

    def playing(self, question: int, text: str) -> None:
        self._pipeline.post(SentencePlaying(self._clock(), question, text))

    def spoken(self, question: int, characters: int) -> None:
        self._pipeline.post(_Spoken(question, characters))

    def done(self, question: int, error: VoiceError | None) -> None:
        self._pipeline.post(AnswerDone(self._clock(), question, error))

    def output_failed(self, error: VoiceError) -> None:
        self._pipeline.post(DeviceFailed(self._clock(), error, microphone=False))
