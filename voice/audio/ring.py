"""A ring of samples between an audio callback and a thread. Allocates nothing after its making."""

from __future__ import annotations

import threading

import numpy as np

from voice.types import Samples


class SampleRing:
    """Fixed capacity. One thread puts in, one takes out; the lock is held for a copy only."""

    def __init__(self, capacity: int) -> None:
        self._samples = np.zeros(capacity, np.float32)
        self._changed = threading.Condition()
        self._first = 0
        self._count = 0
        self._closed = False
        self.lost = 0
        """Samples that were overwritten, because nobody took them."""

    def __len__(self) -> int:
        return self._count

    @property
    def room(self) -> int:
        return len(self._samples) - self._count

    def put(self, samples: Samples) -> None:
        """Put in; the oldest give way where there is no room."""
        with self._changed:
            capacity = len(self._samples)
            samples = samples[-capacity:]
            surplus = max(0, self._count + len(samples) - capacity)
            self._first = (self._first + surplus) % capacity
            self._count -= surplus
            self.lost += surplus
            at = (self._first + self._count) % capacity
            head = min(len(samples), capacity - at)
            self._samples[at : at + head] = samples[:head]
            self._samples[: len(samples) - head] = samples[head:]
            self._count += len(samples)
            self._changed.notify_all()

    def put_when_room(self, samples: Samples, timeout_s: float) -> bool:
        """Put in once there is room for all of it; False after `timeout_s`, or when closed."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._closed or self.room >= len(samples), timeout_s):
                return False
            if self._closed:
                return False
            self.put(samples)
            return True

    def take_into(self, out: Samples) -> int:
        """Fill `out` from the front as far as there is something, never waiting; how many."""
        with self._changed:
            n = min(len(out), self._count)
            self._copy(out, n)
            self._changed.notify_all()
            return n

    def take_all(self, timeout_s: float, *, at_least: int = 1) -> Samples | None:
        """Everything, once there is so much; None after `timeout_s`, or when closed."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._closed or self._count >= at_least, timeout_s) or self._closed:
                return None
            out = np.empty(self._count, np.float32)
            self._copy(out, len(out))
            return out

    def fade_out(self, n: int) -> int:
        """What is in it fades out over `n` samples, and stays as long; how many samples it is."""
        with self._changed:
            places = (self._first + np.arange(self._count)) % len(self._samples)
            self._samples[places] *= falling(self._count, n)
            return self._count

    def clear(self) -> int:
        """Throw everything away; how many samples that was."""
        with self._changed:
            n, self._count = self._count, 0
            self._changed.notify_all()
            return n

    def close(self) -> None:
        """Wake whoever waits; nobody waits any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _copy(self, out: Samples, n: int) -> None:
        capacity = len(self._samples)
        head = min(n, capacity - self._first)
        out[:head] = self._samples[self._first : self._first + head]
        out[head:n] = self._samples[: n - head]
        self._first = (self._first + n) % capacity
        self._count -= n


def falling(length: int, over: int) -> Samples:
    """What `length` samples are multiplied by to fade out over the first `over`, and to be silent from there on."""
    fade: Samples = np.clip(1 - np.arange(length) / over, 0, 1).astype(np.float32)
    return fade
