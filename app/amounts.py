"""Sizes, counts and times in words, without Qt: for the terminal. Counted in 1024s, as the window does."""

from __future__ import annotations

from app.i18n import ntr, tr

_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def bytes_text(size: float) -> str:
    """ "1.0 GB", "12 kB"."""
    power = 0
    while size >= 1024 and power < len(_UNITS) - 1:
        size /= 1024
        power += 1
    digits = 1 if power >= 3 or (power == 2 and size < 10) else 0
    return f"{size:.{digits}f} {_UNITS[power]}"


def context_text(n_ctx: int) -> str:
    """ "8k", "32k", "" if unknown."""
    if n_ctx <= 0:
        return ""
    return f"{round(n_ctx / 1024)}k" if n_ctx >= 1024 else str(n_ctx)


def params_text(count: int) -> str:
    """ "135M", "1.5B", "" if unknown."""
    if count <= 0:
        return ""
    if count < 1_000_000_000:
        return f"{round(count / 1_000_000)}M"
    billions = count / 1_000_000_000
    return f"{billions:.{0 if billions >= 20 else 1}f}B"


def time_left_text(seconds: float) -> str:
    """ "about 2 minutes left"; rounded so that it does not flicker."""
    if seconds < 10:
        return tr("a few seconds left")
    if seconds < 55:
        return tr("{seconds} seconds left", seconds=round(seconds / 5) * 5)
    if seconds < 5400:
        return ntr("about {count} minute left", "about {count} minutes left", max(1, round(seconds / 60)))
    return ntr("about {count} hour left", "about {count} hours left", max(1, round(seconds / 3600)))
