"""Is the worker still alive, and does it get on? Counts beats, so that a sleeping computer is no hang.

Knows no process and no clock: the client calls `tick` about once a second while there is work.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from engine.types import LoadedModel

_SLOWEST_FLOPS = 20e9
"""A processor slower than this would not be asked to run a model."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in ticks: for any sign of life, for progress while generating, while loading."""

    tick_s: float = 1.0
    silent_ticks: int = 20
    stalled_ticks: int = 60
    loading_ticks: int = 300

    def for_model(self, model: LoadedModel, n_batch: int) -> int:
        """Ticks that one block of prefill may take: longer, the larger the model is."""
        slowest_s = 2.0 * model.n_params * n_batch / _SLOWEST_FLOPS
        return self.stalled_ticks + int(slowest_s / self.tick_s)


class Pulse(Enum):
    """What the heartbeat says."""

    FINE = "fine"
    SILENT = "silent"
    """No answer to pings: the whole process stands still."""
    STALLED = "stalled"
    """Pings are answered, but the work does not get on."""


class Heartbeat:
    """One worker's."""

    def __init__(self, patience: Patience) -> None:
        self._silent_after = patience.silent_ticks
        self._stalled_after = patience.loading_ticks
        self._unanswered = 0
        self._unmoved = 0
        self._beats = -1
        self._spoke = False
        self.number = 0
        """Of the ping to send next."""

    def loaded(self, stalled_after: int) -> None:
        """From now on a block of work may take `stalled_after` ticks."""
        self._stalled_after = stalled_after
        self._unmoved = 0

    def begin(self) -> None:
        """Work comes after a rest, in which nobody asked for a sign of life."""
        self._unanswered = 0
        self._unmoved = 0

    def heard(self) -> None:
        """Any message came."""
        self._spoke = True
        self._unanswered = 0

    def pong(self, beats: int, *, busy: bool) -> None:
        """The answer to a ping."""
        if beats != self._beats or not busy:
            self._unmoved = 0
        self._beats = beats

    def tick(self) -> Pulse:
        """A ping goes out now; judge by the answers so far."""
        self.number += 1
        self._unanswered += 1
        self._unmoved += 1
        # A process that is only starting cannot answer yet; that is judged as loading.
        if self._spoke and self._unanswered > self._silent_after:
            return Pulse.SILENT
        return Pulse.STALLED if self._unmoved > self._stalled_after else Pulse.FINE
