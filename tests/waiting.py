"""Waiting for what another thread or process does, where it tells nobody."""

from __future__ import annotations

import time
from collections.abc import Callable

_LOOK_S = 0.01


def until(holds: Callable[[], bool], patience_s: float) -> None:
    """Look again and again. Raises `TimeoutError` when patience ends."""
    deadline_s = time.monotonic() + patience_s
    while not holds():
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"waited {patience_s:.0f} s in vain")
        time.sleep(_LOOK_S)
