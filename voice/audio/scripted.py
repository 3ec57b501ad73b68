"""A microphone that plays recorded sound and a loudspeaker that keeps what it is given, both in real time.

For tests and for trying things without a sound card; deterministic but for the clock. `SimulatedRoom` carries what the
loudspeaker plays back to the microphone, softer and later, as a room does.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from voice.audio.ring import falling
from voice.audio.streams import FADE_S, DeviceError
from voice.types import Samples

_TICK_S = 0.032
FLOOR = 1e-4
"""-80 dB, of a quiet microphone: nothing but zeros is no microphone at all."""


@dataclass(frozen=True, slots=True)
class Played:
    """A block that left the loudspeaker, at `at_s` of the clock."""

    at_s: float
    samples: Samples


class SimulatedRoom:
    """The way from the loudspeaker to the microphone: `impulse`, shape (n,), at `rate`, that of both. Any thread.

    Each sample comes back at its own time, however late either side asks for it, as in air. Times are the clock's.
    """

    def __init__(self, impulse: Samples, rate: int = 16_000) -> None:
        self.loudspeaker: Callable[[], None] = lambda: None
        """Brings the loudspeaker up to now, before the microphone listens."""
        self._impulse = impulse
        self._rate = rate
        self._lock = threading.Lock()
        self._coming = np.zeros(0, np.float32)
        self._from = 0
        """The position in time of the first one."""

    def hear(self, samples: Samples, at_s: float | None = None) -> None:
        """The loudspeaker plays these, from `at_s` on; None: from where the microphone listens next."""
        echo = np.convolve(samples, self._impulse).astype(np.float32)
        with self._lock:
            start = 0 if at_s is None else round(at_s * self._rate) - self._from
            if at_s is not None and not self._from:
                start, self._from = 0, round(at_s * self._rate)
            echo, start = echo[max(0, -start) :], max(0, start)
            if len(self._coming) < start + len(echo):
                self._coming = np.pad(self._coming, (0, start + len(echo) - len(self._coming)))
            self._coming[start : start + len(echo)] += echo

    def take(self, n: int, at_s: float | None = None) -> Samples:
        """The next `n` samples of echo, or those from `at_s` on."""
        self.loudspeaker()
        with self._lock:
            skipped = 0 if at_s is None or not self._from else max(0, round(at_s * self._rate) - self._from)
            out, self._coming = self._coming[skipped : skipped + n], self._coming[skipped + n :]
            self._from = round(at_s * self._rate) + n if at_s is not None else self._from
        return np.pad(out, (0, n - len(out)))


def room_impulse(rate: int, *, gain_db: float, delay_s: float, tail_s: float, seed: int = 0) -> Samples:
    """A direct way and a tail that fades by 60 dB over `tail_s`; of energy `gain_db` in all."""
    n = int(tail_s * rate)
    tail = np.random.default_rng(seed).normal(0, 1, n) * 10 ** (-3 * np.arange(n) / n)
    tail[0] = 3 * np.sqrt(np.square(tail[1 : rate // 100]).sum())
    tail *= 10 ** (gain_db / 20) / np.sqrt(np.square(tail).sum())
    return np.concatenate([np.zeros(int(delay_s * rate)), tail]).astype(np.float32)


class ScriptedSource:
    """See `AudioSource`: what `say` was given over a faint noise, 32 ms at a time as time passes."""

    def __init__(
        self,
        rate: int = 16_000,
        *,
        clock: Callable[[], float] = time.monotonic,
        room: SimulatedRoom | None = None,
        floor: float = FLOOR,
    ) -> None:
        self.rate = rate
        self._clock = clock
        self._room = room
        self._floor = floor
        self._random = np.random.default_rng(0)
        self._changed = threading.Condition()
        self._script = np.zeros(0, np.float32)
        self._started_s: float | None = None
        self._given = 0
        self._fault: DeviceError | None = None
        self._start_fault: DeviceError | None = None

    def start(self) -> None:
        """See `AudioSource`."""
        with self._changed:
            if self._start_fault is not None:
                raise self._start_fault
            self._fault = None
            self._started_s, self._given = self._clock(), 0

    def say(self, samples: Samples) -> float:
        """Speak behind what is being spoken; the clock's time at which its last sample will be heard."""
        with self._changed:
            self._script = np.concatenate([self._script, samples])
            assert self._started_s is not None
            return self._started_s + (self._given + len(self._script)) / self.rate

    def fail(self, fault: DeviceError) -> None:
        """From now on `read` raises this, until it is started again; what was still to be said is not heard."""
        with self._changed:
            self._fault = fault
            self._script = np.zeros(0, np.float32)
            self._changed.notify_all()

    def refuse(self, fault: DeviceError | None) -> None:
        """From now on `start` raises this; None: no more."""
        with self._changed:
            self._start_fault = fault

    def mute(self) -> None:
        """From now on zeros, where nothing is said."""
        self._floor = 0.0

    def read(self, timeout_s: float) -> Samples | None:
        """See `AudioSource`."""
        deadline = time.monotonic() + timeout_s
        step = int(self.rate * _TICK_S)
        with self._changed:
            while True:
                if self._fault is not None:
                    raise self._fault
                if self._started_s is None:
                    return None
                due = int((self._clock() - self._started_s) * self.rate) - self._given
                if due >= step:
                    return self._next(due // step * step)
                left = deadline - time.monotonic()
                if left <= 0:
                    return None
                self._changed.wait(min(left, (step - due) / self.rate))

    def stop(self) -> None:
        """See `AudioSource`."""
        with self._changed:
            self._started_s = None
            self._changed.notify_all()

    def _next(self, n: int) -> Samples:
        assert self._started_s is not None
        from_s = self._started_s + self._given / self.rate
        self._given += n
        out, self._script = self._script[:n], self._script[n:]
        out = np.pad(out, (0, n - len(out)))
        if self._floor:
            out += self._random.normal(0, self._floor, n).astype(np.float32)
        return out + self._room.take(n, from_s) if self._room is not None else out


class RecordingSink:
    """See `AudioSink`: takes a block every 20 ms, like a device, and keeps what it took with the time."""

    def __init__(
        self, rate: int = 16_000, *, clock: Callable[[], float] = time.monotonic, room: SimulatedRoom | None = None
    ) -> None:
        self.rate = rate
        self.block = rate // 50
        self.latency_s = 0.0
        self._clock = clock
        self._room = room
        self._changed = threading.Condition()
        self._waiting: list[Samples] = []
        self._due_s: float | None = None
        self._fault: DeviceError | None = None
        self._start_fault: DeviceError | None = None
        self._played: list[Played] = []
        if room is not None:
            room.loudspeaker = self._catch_up

    @property
    def played(self) -> tuple[Played, ...]:
        """Blocks that were not silent, in order."""
        with self._changed:
            return tuple(self._played)

    def wait_played(self, timeout_s: float) -> bool:
        """Until a block that is not silent has left."""
        with self._changed:
            return self._changed.wait_for(lambda: bool(self._played), timeout_s)

    def start(self) -> None:
        """See `AudioSink`."""
        with self._changed:
            if self._start_fault is not None:
                raise self._start_fault
            self._fault = None
            self._due_s = self._clock()

    def fail(self, fault: DeviceError) -> None:
        """From now on `write` raises this, until it is started again."""
        with self._changed:
            self._fault = fault
            self._changed.notify_all()

    def refuse(self, fault: DeviceError | None) -> None:
        """From now on `start` raises this; None: no more."""
        with self._changed:
            self._start_fault = fault

    def write(self, samples: Samples, timeout_s: float) -> bool:
        """See `AudioSink`."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while True:
                if self._fault is not None:
                    raise self._fault
                if self._due_s is None:
                    return False
                self._play(self._clock())
                if len(self._waiting) < 2:
                    self._waiting.append(samples.copy())
                    return True
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(min(left, max(0.0005, self._due_s - self._clock())))

    def hush(self) -> int:
        """See `AudioSink`."""
        with self._changed:
            if self._waiting:
                whole = np.concatenate(self._waiting)
                whole *= falling(len(whole), int(FADE_S * self.rate))
                self._waiting = np.split(whole, len(self._waiting))
            return sum(len(block) for block in self._waiting)

    def flush(self) -> int:
        """See `AudioSink`."""
        with self._changed:
            n = sum(len(block) for block in self._waiting)
            self._waiting.clear()
            return n

    def stop(self) -> None:
        """See `AudioSink`."""
        with self._changed:
            self._due_s = None
            self._waiting.clear()
            self._changed.notify_all()

    def _catch_up(self) -> None:
        with self._changed:
            if self._due_s is not None:
                self._play(self._clock())

    def _play(self, now_s: float) -> None:
        assert self._due_s is not None
        while self._due_s <= now_s:
            if self._waiting:
                block = self._waiting.pop(0)
                if block.any():
                    self._played.append(Played(self._due_s, block))
                    self._changed.notify_all()
            else:
                block = np.zeros(self.block, np.float32)
            if self._room is not None and block.any():
                self._room.hear(block, self._due_s)
            self._due_s += self.block / self.rate
