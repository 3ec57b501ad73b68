"""A recording made of real speech, with a sentence whose second is known."""

from __future__ import annotations

import numpy as np

from tests.voice_weights import recordings
from voice.types import RATE, Samples


def talk() -> tuple[Samples, float]:
    """Some sentences of a novel, then "go forward ten meters", then the first again; and the second of the command."""
    pause = np.zeros(RATE // 2, np.float32)
    read = [part for clip in recordings() if clip.name.startswith("sense") for part in (clip.samples, pause)]
    return np.concatenate([*read, command(), pause, read[0]]), sum(map(len, read)) / RATE


def command() -> Samples:
    """ "Go forward ten meters." """
    (found,) = (clip.samples for clip in recordings() if clip.name.startswith("goforward"))
    return found


def long_talk(minutes: int) -> Samples:
    """The same again and again."""
    sound, _second = talk()
    return np.tile(sound, -(-minutes * 60 * RATE // len(sound)))
