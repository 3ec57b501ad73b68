"""How fast Hearth speaks a sentence, and how fast it hears what it has spoken. No microphone, no loudspeaker."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TypeVar

from app.bench.answers import Progress
from app.bench.report import Kind, Measured, Part
from app.bench.texts import SPOKEN
from app.paths import Paths
from app.voice_setup import require_weights, speech_choice
from voice.audio.resampling import resample
from voice.speech.client import SpeechClient
from voice.types import RATE

ROUNDS = 3
T = TypeVar("T")


def measure_speech(paths: Paths, begins: Progress) -> Iterator[Measured]:
    """Seconds of speech that are spoken, and heard, in a second. Blocks. Raises `VoiceError`."""
    require_weights(paths)
    begins(Part.SPEECH)
    with closing(SpeechClient(speech_choice(paths))) as speech:
        speech.prepare()
        sound = speech.synthesize(SPOKEN)
        samples = resample(sound.samples, sound.rate, RATE)
        speech.transcribe(samples, language="en")
        spoken = [_timed(lambda: speech.synthesize(SPOKEN)) for _ in range(ROUNDS)]
        heard = [_timed(lambda: speech.transcribe(samples, language="en")) for _ in range(ROUNDS)]
    yield Measured(Kind.SPEAKING, tuple(made.seconds / seconds for made, seconds in spoken))
    yield Measured(Kind.HEARING, tuple(sound.seconds / seconds for _heard, seconds in heard))


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    began = time.perf_counter()
    made = work()
    return made, time.perf_counter() - began
