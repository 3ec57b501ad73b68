"""Real recorded speech with its words: Debian's `pocketsphinx-testdata`, 16 kHz, from the cache folder."""

from __future__ import annotations

import wave
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from tests.evaluation.retrieval_sets import unpacked
from voice.types import RATE, Samples


@dataclass(frozen=True, slots=True)
class Recording:
    name: str
    samples: Samples
    words: str


def read_wav(path: Path) -> Samples:
    """A mono file of 16 bits and `RATE` hertz."""
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
        return _floats(file.readframes(file.getnframes()))


def _floats(data: bytes) -> Samples:
    return (np.frombuffer(data, "<i2") / 32768).astype(np.float32)


@cache
def recordings() -> tuple[Recording, ...]:
    """Five read sentences of a novel, five hands of cards, one order to a robot."""
    data = unpacked("pocketsphinx-testdata") / "usr/share/pocketsphinx/test/data"
    found = []
    for folder, transcript in (("librivox", "transcription"), ("cards", "cards.transcription")):
        for line in (data / folder / transcript).read_text("utf-8").splitlines():
            words, _, name = line.rpartition("(")
            name = name.strip(") ")
            words = words.replace("<s>", "").replace("</s>", "").strip().lower()
            found.append(Recording(name, read_wav(data / folder / f"{name}.wav"), words))
    found.append(Recording("goforward", _floats((data / "goforward.raw").read_bytes()), "go forward ten meters"))
    return tuple(found)
