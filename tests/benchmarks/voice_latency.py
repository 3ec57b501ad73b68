"""Voice to voice: from the end of what is said to the first sample of the answer, beside a naive loop in the same run.

Real recordings, paced in real time, through the real process with the real detectors, recogniser and voice. First with
a model that answers at once, so that what voice itself costs is seen; then with a real one, through the chat service.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from app.conversing import SpokenConversation
from app.events import ChatEvent, Streamed
from app.read_ahead import ReadAhead
from app.services import Services
from app.settings import Settings
from engine.types import Failed, Finished, SamplingParams, TextDelta
from engine.worker.client import EngineClient
from tests.benchmarks.asking import wished_threads
from tests.benchmarks.voice_booth import PATIENCE_S, Booth, load
from tests.evaluation.end_weigher import EndWeigher
from tests.evaluation.voice_pauses import spoken
from tests.process.conversation import Companion
from tests.unit.chat_bench import disposable_paths, nowhere
from tests.voice_audio_weights import voice_audio_folder
from tests.voice_weights import recordings, voice_folder
from voice.speech.choice import SpeechChoice
from voice.speech.client import SpeechClient
from voice.turn_state import Phase
from voice.types import RATE, Samples
from voice.vad import FRAME, SileroVoiceActivity
from voice.weights import WHISPER_BASE_EN

ANSWER = (
    "Sure, the library opens at nine in the morning. On Sundays it stays closed. Bring your card, please, because the "
    "door only opens with one. The reading room is on the second floor, beside the stairs."
)
NAIVE_SILENCE_S = 0.7
MOST_TOKENS = 60
_QUIET_S = 0.4
_TOLD_S = 0.05
"""A message may come later than the sound that it is about."""
Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Heard:
    """One question's way, in milliseconds after the end of what was said; `first_words` None: they came at once."""

    asked: float
    committed: float
    first_words: float | None
    first_sound: float


class Ear(Companion):
    """Keeps when the first words of each answer came."""

    def __init__(self, *, answers: bool) -> None:
        super().__init__(lambda _text: [word + " " for word in ANSWER.split()])
        self._answers = answers
        self.first_words_s: dict[int, float] = {}

    def last(self, what: str) -> float:
        """When that was told last."""
        with self._changed:
            return next(at for at, kind, _ in reversed(self.told) if kind == what)

    def ask(self, question: int, turn_id: int, text: str) -> None:
        if self._answers:
            super().ask(question, turn_id, text)
        else:
            self._tell("ask", question, text)


def _settings(folder: Path) -> Settings:
    settings = Settings.load(disposable_paths(folder).settings_file)
    for key, value in (("chat.automatic_titles", False), ("model.n_threads", wished_threads()), ("model.n_ctx", 4096)):
        settings.override(key, value)
    return settings


class Office:
    """Services with a real model, whose answers are spoken in the booth."""

    def __init__(
        self, folder: Path, model: Path, *, echo: bool = False, sampling: SamplingParams | None = None
    ) -> None:
        takers: list[Callable[[ChatEvent], None]] = []

        def publish(event: ChatEvent) -> None:
            for take in takers:
                take(event)

        self.services = services = Services.open(
            disposable_paths(folder),
            publish=publish,
            engine=EngineClient(),
            settings=_settings(folder),
            places=nowhere(folder),
        )
        services.models.load(model).result(PATIENCE_S)
        self.ear = Ear(answers=False)
        self.ends_s: list[float] = []
        """When the model had stopped."""
        self.conversation = SpokenConversation(
            services.chat,
            ReadAhead(services.store_call, services.engine, services.settings, pool=services.pool),
            self.ear,
            publish,
            sampling=sampling or SamplingParams(temperature=0.0, max_tokens=MOST_TOKENS),
        )
        takers += [self.conversation.take, self._note_ends]
        self.booth = Booth(folder, self.ear, self.conversation, echo=echo)
        self.conversation.line = _Line(self.booth.voice, self.ear)

    def _note_ends(self, event: ChatEvent) -> None:
        if isinstance(event, Streamed) and isinstance(event.event, Finished | Failed):
            self.ends_s.append(time.monotonic())

    def close(self) -> None:
        self.booth.close()
        self.services.close()


class _Line:
    """See `app.conversing.Line`: passes on, and notes the first words."""

    def __init__(self, line: object, ear: Ear) -> None:
        self._line = line
        self._ear = ear

    def say(self, question: int, delta: str) -> None:
        self._ear.first_words_s.setdefault(question, time.monotonic())
        self._line.say(question, delta)  # type: ignore[attr-defined]

    def progressed(self, question: int) -> None:
        self._line.progressed(question)  # type: ignore[attr-defined]

    def end_weighed(self, question: int, probability: float | None) -> None:
        self._line.end_weighed(question, probability)  # type: ignore[attr-defined]

    def answer_ended(self, question: int) -> None:
        self._line.answer_ended(question)  # type: ignore[attr-defined]


def questions() -> tuple[Samples, ...]:
    """What is said, ending with its last sound."""
    return tuple(spoken(recording) for recording in recordings())


def put(booth: Booth, ear: Ear, samples: Samples) -> Heard | None:
    """One question, and its answer cut off once it has begun; None where the turn was ended too early."""
    n = len(ear.all("commit"))
    n_listening = ear.all("phase").count((Phase.LISTENING,))
    end_s = booth.say(samples)
    question, _ = ear.wait("commit", count=n + 1, timeout_s=PATIENCE_S)
    committed_s = ear.last("commit")
    first = booth.first_sound(committed_s - _TOLD_S)
    result = None
    if committed_s > end_s:
        assert isinstance(question, int)
        words_s = ear.first_words_s.get(question)
        result = Heard(
            1000 * (ear.time_of("ask", question) - end_s),
            1000 * (committed_s - end_s),
            1000 * (words_s - end_s) if words_s is not None else None,
            1000 * (first.at_s - end_s),
        )
    else:
        threading.Event().wait(max(0.0, end_s - time.monotonic()) + 2.0)
    booth.voice.stop()
    with suppress(AssertionError):  # who was cut off in the middle is listened to anew by itself
        ear.wait("phase", Phase.LISTENING, count=n_listening + 1, timeout_s=5.0)
    threading.Event().wait(_QUIET_S)
    return result


def summary(name: str, found: Sequence[Heard | None]) -> Row:
    """Medians, and the 90th percentile of what counts."""
    whole = [heard for heard in found if heard is not None]
    sounds = sorted(heard.first_sound for heard in whole)
    words = [heard.first_words for heard in whole if heard.first_words is not None]
    return {
        "what": name,
        "median ms": statistics.median(sounds),
        "p90 ms": quantile(sounds, 0.9),
        "asked": statistics.median(heard.asked for heard in whole),
        "committed": statistics.median(heard.committed for heard in whole),
        "first words": statistics.median(words) if words else 0.0,
        "n": len(whole),
        "ended early": len(found) - len(whole),
        "load": load(),
    }


def instant(rounds: int, weigher: EndWeigher | None = None) -> Row:
    """With a model that answers at once; `weigher` is a real one that only says whether what was said is whole."""
    ear = Ear(answers=True)
    if weigher is not None:
        ear.whole = weigher.probability
    with tempfile.TemporaryDirectory() as folder:
        booth = Booth(Path(folder), ear)
        with closing(booth):
            booth.listen()
            put(booth, ear, questions()[0])
            found = [put(booth, ear, samples) for _ in range(rounds) for samples in questions()]
    return summary("instant model" if weigher is None else "instant model, weighed by a real one", found)


def weighed(model: Path, rounds: int) -> Row:
    """See `instant`."""
    with closing(EndWeigher(model)) as weigher:
        return instant(rounds, weigher)


def real(model: Path, rounds: int) -> Row:
    """With a real model, in the same conversation from question to question."""
    with tempfile.TemporaryDirectory() as folder:
        office = Office(Path(folder), model)
        with closing(office):
            office.booth.listen()
            put(office.booth, office.ear, questions()[0])
            found = [put(office.booth, office.ear, samples) for _ in range(rounds) for samples in questions()]
    return summary(model.stem, found)


def naive(model: Path | None) -> Row:
    """A fixed silence, then the whole recording written down, the whole answer awaited, and all of it synthesised.

    The silence is the detector's own; everything after it is done and timed.
    """
    speech = SpeechClient(SpeechChoice(voice_folder() / WHISPER_BASE_EN.file_name))
    activity = SileroVoiceActivity(voice_audio_folder())
    found = []
    with tempfile.TemporaryDirectory() as folder, closing(speech):
        engine = _Asked(Path(folder), model) if model is not None else None
        speech.prepare()
        speech.transcribe(questions()[0], language="en")
        for samples in questions():
            waited_s = _silence_s(activity, samples)
            began_s = time.monotonic()
            text = speech.transcribe(samples, language="en").text
            heard_s = time.monotonic()
            answer = engine.answer(text or "Hello") if engine is not None else ANSWER
            answered_s = time.monotonic()
            speech.synthesize(answer)
            done_s = time.monotonic()
            asked = waited_s + heard_s - began_s
            words = asked + answered_s - heard_s
            found.append(Heard(*(1000 * s for s in (asked, asked, words, words + done_s - answered_s))))
        if engine is not None:
            engine.close()
    return summary(f"naive loop, {'instant model' if model is None else model.stem}", found)


class _Asked:
    """The same model, asked through the same chat service, and waited for."""

    def __init__(self, folder: Path, model: Path) -> None:
        self._texts: list[str] = []
        self._ended = threading.Event()
        self._services = Services.open(
            disposable_paths(folder), publish=self._take, engine=EngineClient(), settings=_settings(folder),
            places=nowhere(folder),
        )  # fmt: skip
        self._services.models.load(model).result(PATIENCE_S)
        self._conversation: str | None = None

    def answer(self, text: str) -> str:
        self._texts.clear()
        self._ended.clear()
        sampling = SamplingParams(temperature=0.0, max_tokens=MOST_TOKENS)
        self._conversation = self._services.chat.send(self._conversation, text, sampling=sampling).result(PATIENCE_S)
        if not self._ended.wait(PATIENCE_S) or not self._services.chat.wait_until_idle(PATIENCE_S):
            raise TimeoutError
        return "".join(self._texts)

    def close(self) -> None:
        self._services.close()

    def _take(self, event: ChatEvent) -> None:
        if isinstance(event, Streamed) and isinstance(event.event, TextDelta):
            self._texts.append(event.event.text)
        elif isinstance(event, Streamed) and isinstance(event.event, Finished | Failed):
            self._ended.set()


def _silence_s(activity: SileroVoiceActivity, samples: Samples) -> float:
    """How long after the speech the detector has heard `NAIVE_SILENCE_S` of silence."""
    import numpy as np

    whole = np.concatenate([samples, np.random.default_rng(0).normal(0, 1e-4, 2 * RATE).astype(np.float32)])
    activity.reset()
    silent = 0
    for at in range(0, len(whole) - FRAME, FRAME):
        silent = 0 if activity.probability(whole[at : at + FRAME]) >= 0.5 else silent + FRAME
        if at > len(samples) - FRAME and silent >= NAIVE_SILENCE_S * RATE:
            return (at + FRAME - len(samples)) / RATE
    raise ValueError("the recording does not end")


def quantile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def measure(model: Path, *, rounds: int) -> list[Row]:
    return [instant(rounds), weighed(model, rounds), naive(None), real(model, rounds), naive(model)]


if __name__ == "__main__":
    from tests.conftest import QWEN_SMALL, weights_path

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--only", choices=("instant", "weighed", "real"))
    options = parser.parse_args()
    small = weights_path(QWEN_SMALL)
    if options.only in (None, "instant"):
        print(json.dumps([instant(options.rounds), naive(None)], indent=1), flush=True)
    if options.only in (None, "weighed"):
        print(json.dumps(weighed(small, options.rounds), indent=1), flush=True)
    if options.only in (None, "real"):
        print(json.dumps([real(small, options.rounds), naive(small)], indent=1))
