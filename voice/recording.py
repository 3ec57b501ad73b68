"""The last two minutes that the microphone heard, by position. Knows no words; never written to disk."""

from __future__ import annotations

import threading

import numpy as np

from voice.types import RATE, Samples

SECONDS = 120
"""The longest turn, and what comes before it."""


class Recording:
    """Any thread. Positions count samples of `RATE` hertz from the first one put in."""

    def __init__(self, seconds: int = SECONDS) -> None:
        self._samples = np.zeros(seconds * RATE, np.float32)
        self._lock = threading.Lock()
        self._end = 0

    @property
    def end(self) -> int:
        """Position behind the last sample."""
        return self._end

    def put(self, samples: Samples) -> int:
        """Behind what is there; the new end."""
        capacity = len(self._samples)
        samples = samples[-capacity:]
        with self._lock:
            at = self._end % capacity
            head = min(len(samples), capacity - at)
            self._samples[at : at + head] = samples[:head]
            self._samples[: len(samples) - head] = samples[head:]
            self._end += len(samples)
            return self._end

    def between(self, start: int, end: int) -> Samples:
        """A copy from `start` up to `end`, as far as it is still known."""
        capacity = len(self._samples)
        with self._lock:
            start = max(start, self._end - capacity, 0)
            end = min(end, self._end)
            places = np.arange(start, max(start, end)) % capacity
            return self._samples[places]
