"""What is played next, block by block: sentences in order, standing still while somebody interrupts. Opens no device.

Knows at every moment how many samples of which sentence were handed to the device, so that what was heard of an
answer can be kept and the rest be marked.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from voice.audio.streams import FADE_S
from voice.types import Samples

_RAMP_S = 0.02
"""Of a change of volume: short, yet without a click."""


@dataclass(frozen=True, slots=True)
class SentenceSound:
    """A sentence ready to be played at the mixer's rate. `key` is whose it is, `number` which of theirs, from 0."""

    key: int
    number: int
    samples: Samples


@dataclass(frozen=True, slots=True)
class Heard:
    """How much of a sentence the device has been given, in samples of `length`."""

    key: int
    number: int
    played: int
    length: int

    @property
    def whole(self) -> bool:
        return self.played >= self.length


class Mixer:
    """Any thread. `rate` in hertz, of the sentences and of what comes out."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._lock = threading.Lock()
        self._waiting: deque[SentenceSound] = deque()
        self._at = 0
        """Samples of the first one that are gone."""
        self._history: deque[Heard] = deque(maxlen=64)
        """Played wholly, the latest last."""
        self._gain = self._target = 1.0
        self._held = False
        self._open_key: int | None = None

    def add(self, sound: SentenceSound) -> None:
        """Play it behind the others."""
        with self._lock:
            self._waiting.append(sound)

    def queued(self, key: int) -> int:
        """Sentences of `key` that are not wholly played."""
        with self._lock:
            return sum(sound.key == key for sound in self._waiting)

    def open(self, key: int) -> None:
        """Only sentences of `key` are played from now on; others wait."""
        with self._lock:
            self._open_key = key

    def still(self, unplayed: int = 0) -> None:
        """Stand still: no word is played that nobody can hear. `unplayed` samples were rendered, and did not sound."""
        with self._lock:
            self._gain = self._target = 0.0
            self._at = max(0, self._at - unplayed)

    def go_on(self) -> None:
        """From there, over a short ramp."""
        with self._lock:
            self._target = 1.0

    def hold(self, held: bool) -> None:
        """Stand still, or go on."""
        with self._lock:
            self._held = held

    def render(self, n: int) -> tuple[Samples, tuple[Heard, ...]]:
        """The next `n` samples, silence where there is nothing, and the sentences that they are of, as played then."""
        out = np.zeros(n, np.float32)
        touched: list[Heard] = []
        with self._lock:
            if self._gain == self._target == 0.0:
                return out, ()
            filled = 0
            while filled < n and self._waiting and not self._held and self._waiting[0].key == self._open_key:
                sound = self._waiting[0]
                take = min(n - filled, len(sound.samples) - self._at)
                out[filled : filled + take] = sound.samples[self._at : self._at + take]
                filled += take
                self._at += take
                heard = Heard(sound.key, sound.number, self._at, len(sound.samples))
                touched.append(heard)
                if heard.whole:
                    self._history.append(heard)
                    self._waiting.popleft()
                    self._at = 0
            self._apply_gain(out)
        return out, tuple(touched)

    def flush(self, key: int, unplayed: int = 0) -> Heard | None:
        """Throw away what is left of `key`; the last sentence of it that was heard, None where nothing was.

        `unplayed` samples were rendered, but never left the device's buffer; silence counts as nothing.
        """
        with self._lock:
            spans = [heard for heard in self._history if heard.key == key]
            if self._waiting and self._waiting[0].key == key:
                if self._at:
                    first = self._waiting[0]
                    spans.append(Heard(key, first.number, self._at, len(first.samples)))
                self._at = 0
            if self._gain == 0.0:  # since it stood still only silence was rendered: what did not sound is taken back
                unplayed = 0
            self._waiting = deque(sound for sound in self._waiting if sound.key != key)
            if not self._waiting:
                self._gain = self._target = 1.0
        return _taken_back(spans, unplayed)

    def _apply_gain(self, out: Samples) -> None:
        step = 1.0 / (_RAMP_S * self.rate)
        if self._gain == self._target:
            return
        way = self._target - self._gain
        ramp = self._gain + np.sign(way) * np.minimum(np.arange(1, len(out) + 1) * step, abs(way))
        out *= ramp.astype(np.float32)
        self._gain = float(ramp[-1]) if abs(ramp[-1] - self._target) > 1e-6 else self._target


def faded(samples: Samples, rate: int) -> Samples:
    """With its last 5 ms faded out, so that no sentence ends in a click."""
    n = min(len(samples), int(FADE_S * rate))
    if not n:
        return samples
    out = samples.copy()
    out[-n:] *= np.linspace(1.0, 0.0, n, dtype=np.float32)
    return out


def _taken_back(spans: Sequence[Heard], unplayed: int) -> Heard | None:
    for heard in reversed(spans):
        if heard.played > unplayed:
            return Heard(heard.key, heard.number, heard.played - unplayed, heard.length)
        unplayed -= heard.played
    return None
