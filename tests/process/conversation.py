"""A conversation for tests: who listens to the pipeline, keeps what it is told, and answers by a script."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import numpy as np

from engine.cancel import CancelToken
from engine.errors import VoiceError
from voice.client import VoiceClient
from voice.pipeline import VoicePipeline
from voice.stt.partials import Partial
from voice.turn_events import TextStatus
from voice.turn_state import Phase
from voice.types import Samples, Sound, Transcript, VoiceName

WAIT_S = 30.0


class Companion:
    """See `voice.listener.Listener`. Answers each question by `answer`, at once, in the pipeline's thread."""

    def __init__(self, answer: Callable[[str], Sequence[str]] = lambda text: (f"You said {text}.",)) -> None:
        self.answer = answer
        self.whole: Callable[[str], float | None] = lambda _text: None
        """How likely a question is whole."""
        self.pipeline: VoicePipeline | VoiceClient | None = None
        self.told: list[tuple[float, str, tuple[object, ...]]] = []
        self._changed = threading.Condition()

    def all(self, what: str) -> list[tuple[object, ...]]:
        with self._changed:
            return [values for _, kind, values in self.told if kind == what]

    def time_of(self, what: str, *values: object) -> float:
        """When that was told first."""
        with self._changed:
            return next(at for at, kind, told in self.told if kind == what and told[: len(values)] == values)

    def wait(self, what: str, *values: object, count: int = 1, timeout_s: float = WAIT_S) -> tuple[object, ...]:
        """Until that was told `count` times; the last one's values."""

        def found() -> list[tuple[object, ...]]:
            return [told for _, kind, told in self.told if kind == what and told[: len(values)] == values]

        with self._changed:
            assert self._changed.wait_for(lambda: len(found()) >= count, timeout_s), (what, values, self.told[-12:])
            return found()[-1]

    def _tell(self, what: str, *values: object) -> None:
        with self._changed:
            self.told.append((time.monotonic(), what, values))
            self._changed.notify_all()

    def phase_changed(self, phase: Phase) -> None:
        self._tell("phase", phase)

    def level(self, heard: float, spoken: float) -> None:
        pass

    def partial(self, turn_id: int, partial: Partial) -> None:
        self._tell("partial", partial.text)

    def text(self, turn_id: int, text: str, status: TextStatus) -> None:
        self._tell("text", status, text)

    def ask(self, question: int, turn_id: int, text: str) -> None:
        self._tell("ask", question, text)
        assert self.pipeline is not None
        for delta in self.answer(text):
            self.pipeline.say(question, delta)
        self.pipeline.answer_ended(question)
        self.pipeline.end_weighed(question, self.whole(text))

    def commit(self, question: int, turn_id: int, text: str) -> None:
        self._tell("commit", question, text)

    def withdraw(self, question: int) -> None:
        self._tell("withdraw", question)

    def interrupted(self, question: int, characters: int) -> None:
        self._tell("interrupted", question, characters)

    def spoken(self, question: int, characters: int) -> None:
        self._tell("spoken", question, characters)

    def done(self, question: int) -> None:
        self._tell("done", question)

    def notice(self, error: VoiceError) -> None:
        self._tell("notice", error)


class ScriptedTranscriber:
    """See `voice.types.Transcriber`: says what it is told to, whatever it hears."""

    name = "scripted"

    def __init__(self, text: str = "What time is it?") -> None:
        self.text = text
        self.heard: list[Samples] = []

    def transcribe(self, samples: Samples, *, language: str = "", cancel: CancelToken | None = None) -> Transcript:
        self.heard.append(samples)
        return Transcript(self.text)

    def close(self) -> None:
        pass


class ToneSynthesizer:
    """See `voice.types.Synthesizer`: a tone of 50 ms a character, so that what was heard can be counted."""

    name = "tone"
    rate = 24_000

    def __init__(self) -> None:
        self.said: list[str] = []
        self.fault: VoiceError | None = None

    def voices(self) -> Sequence[VoiceName]:
        return (VoiceName("tone", "Tone"),)

    def synthesize(self, text: str, *, voice: str = "", speed: float = 1.0, cancel: CancelToken | None = None) -> Sound:
        if self.fault is not None:
            raise self.fault
        self.said.append(text)
        time_s = np.arange(int(0.05 * len(text) * self.rate)) / self.rate
        return Sound((0.3 * np.sin(2 * np.pi * 440 * time_s)).astype(np.float32), self.rate)

    def close(self) -> None:
        pass


class LoudnessActivity:
    """See `voice.vad.VoiceActivity`: whatever is loud is speech."""

    def probability(self, frame: Samples) -> float:
        return float(np.sqrt(np.mean(np.square(frame))) > 0.02)

    def reset(self) -> None:
        pass


class Certain:
    """See `voice.endpoint.EndOfTurn`: always that sure."""

    def __init__(self, probability: float = 0.99) -> None:
        self._probability = probability

    def probability(self, samples: Samples) -> float:
        return self._probability


def noise(seconds: float, rate: int = 16_000) -> Samples:
    """Loud."""
    return np.random.default_rng(3).normal(0, 0.1, int(seconds * rate)).astype(np.float32)
