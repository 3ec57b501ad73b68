"""Turns with a pause in them, made of real recordings: where the speech begins, pauses, goes on and ends.

`in_dips`: pauses of set lengths put in where the voice dips, which is within a word as often as not. `between_words`:
put in between two words (`word_gaps.txt`, in samples: the softest points near the borders that Whisper gave).
`natural`: those that the speakers made themselves, as long as they made them. Knows no detector: what is 18 dB below
the loud parts is silent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.voice_weights import Recording, recordings
from voice.types import RATE, Samples

GAPS = Path(__file__).with_name("word_gaps.txt")
PAUSES_S = (0.35, 0.5, 0.65, 0.8, 0.95, 1.1, 1.3)
NATURAL_S = 0.25
"""A shorter silence is a stop within a word as often as not, and no detector takes it for an end."""
_DIP_S = 0.06
_BLOCK = 160
_SOFT = 0.12
_TAIL_S = 2.0


@dataclass(frozen=True, slots=True)
class Turn:
    """What is said in one turn, and silence behind it; positions of samples."""

    name: str
    samples: Samples
    pauses: tuple[tuple[int, int], ...]
    end: int
    """Of the speech."""


def speech_of(samples: Samples) -> tuple[int, int]:
    """Where the speech in it begins and ends."""
    loud = np.flatnonzero(~_soft(samples)[0]) * _BLOCK
    return int(loud[0]), int(loud[-1]) + _BLOCK


def spoken(recording: Recording) -> Samples:
    """From its first word to its last, with a little in front: nothing is silent behind the end."""
    begin, end = speech_of(recording.samples)
    return recording.samples[max(0, begin - RATE // 10) : end]


def in_dips() -> Iterator[Turn]:
    """Every dip of every recording, each with the next of `PAUSES_S`, filled with the recording's own faint noise."""
    number = 0
    for recording in recordings():
        samples = recording.samples
        soft, _ = _soft(samples)
        begin, end = speech_of(samples)
        for start, stop in _runs(soft, begin, end):
            if stop - start < _DIP_S * RATE or start < begin + 0.4 * RATE or stop > end - 0.3 * RATE:
                continue
            yield _paused(recording, (start + stop) // 2, number)
            number += 1


def between_words() -> Iterator[Turn]:
    """Every gap between two words, each with the next of `PAUSES_S`."""
    number = 0
    found = {recording.name: recording for recording in recordings()}
    for line in GAPS.read_text("utf-8").splitlines():
        name, *gaps = line.split()
        for gap in gaps:
            yield _paused(found[name], int(gap), number)
            number += 1


def _paused(recording: Recording, at: int, number: int) -> Turn:
    """With its own faint noise at a place."""
    samples = recording.samples
    _, floor = _soft(samples)
    _, end = speech_of(samples)
    n = int(PAUSES_S[number % len(PAUSES_S)] * RATE)
    random = np.random.default_rng(number)
    pause = random.normal(0, floor, n).astype(np.float32)
    whole = np.concatenate([samples[:at], pause, samples[at:end], _tail(floor, random)])
    return Turn(recording.name, whole, ((at, at + n),), end + n)


def natural(found: tuple[Recording, ...]) -> Iterator[Turn]:
    """Each recording as it is, with the pauses its speaker made; those without any, too: their ends count."""
    for number, recording in enumerate(found):
        samples = recording.samples
        soft, floor = _soft(samples)
        begin, end = speech_of(samples)
        pauses = tuple(run for run in _runs(soft, begin, end) if run[1] - run[0] >= NATURAL_S * RATE)
        whole = np.concatenate([samples[:end], _tail(floor, np.random.default_rng(number))])
        yield Turn(recording.name, whole, pauses, end)


def _soft(samples: Samples) -> tuple[np.ndarray, float]:
    """Which blocks of 10 ms are silent, and how loud silence is."""
    whole = samples[: len(samples) // _BLOCK * _BLOCK].reshape(-1, _BLOCK)
    levels = np.sqrt(np.mean(np.square(whole), axis=1))
    return levels < _SOFT * np.quantile(levels, 0.95), float(np.quantile(levels, 0.02)) + 1e-4


def _runs(soft: np.ndarray, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Silences between `begin` and `end`."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], soft.astype(int), [0]]))) * _BLOCK
    for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if begin < start and stop < end:
            yield start, stop


def _tail(floor: float, random: np.random.Generator) -> Samples:
    return random.normal(0, floor, int(_TAIL_S * RATE)).astype(np.float32)
