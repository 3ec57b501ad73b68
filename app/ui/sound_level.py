"""How loud a sound looks: from its root mean square to a share of a ring or a bar. Draws nothing."""

from __future__ import annotations

import math

_QUIET_DB, _LOUD_DB = -50.0, -15.0


def loudness(level: float) -> float:
    """0 for a quiet room, 1 for a loud voice; `level` is a root mean square, 0..1."""
    heard_db = 20 * math.log10(max(level, 1e-6))
    return min(1.0, max(0.0, (heard_db - _QUIET_DB) / (_LOUD_DB - _QUIET_DB)))
