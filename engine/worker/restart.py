"""How often a model may crash before it is left alone.

Knows no process; time comes from outside.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from engine.types import ModelSpec

CRASHES_ALLOWED = 3
WINDOW_S = 600.0


class CrashBudget:
    """Three crashes in ten minutes quarantine a model file.

    A model on the processor alone has its own budget, so that it can be tried there after the GPU failed.
    """

    def __init__(
        self,
        *,
        allowed: int = CRASHES_ALLOWED,
        window_s: float = WINDOW_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._allowed = allowed
        self._window_s = window_s
        self._clock = clock
        self._crashes: dict[tuple[Path, bool], deque[float]] = {}

    def record(self, spec: ModelSpec) -> None:
        """Note a crash or hang with this model."""
        self._crashes.setdefault(_key(spec), deque(maxlen=self._allowed)).append(self._clock())

    def quarantined(self, spec: ModelSpec) -> bool:
        """True if the last crashes of this model lie within the window."""
        crashes = self._crashes.get(_key(spec))
        if crashes is None or len(crashes) < self._allowed:
            return False
        return self._clock() - crashes[0] < self._window_s


def _key(spec: ModelSpec) -> tuple[Path, bool]:
    return spec.path, spec.n_gpu_layers == 0
