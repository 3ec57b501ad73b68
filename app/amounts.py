"""Sizes, counts and times in words, without Qt. Bytes are counted in 1000s, as on a box."""

from __future__ import annotations

from collections.abc import Callable

from app.downloader.order import Progress, Stage
from app.i18n import ntr, tr

_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def bytes_text(size: float) -> str:
    """ "1.0 GB", "12 kB"."""
    power = 0
    while size >= 1000 and power < len(_UNITS) - 1:
        size /= 1000
        power += 1
    digits = 1 if power >= 3 or (power == 2 and size < 10) else 0
    return f"{size:.{digits}f} {_UNITS[power]}"


def context_text(n_ctx: int) -> str:
    """A context length as people know it: "8k", "32k" (counted in 1024s), "" if unknown."""
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


def progress_text(progress: Progress, size_text: Callable[[float], str] = bytes_text) -> str:
    """ "312 MB of 1.1 GB · 8.2 MB/s · about 2 minutes left"; `size_text` writes a size in bytes."""
    if progress.stage is Stage.CONNECTING:
        return tr("Connecting to {source}…", source=progress.source)
    if progress.stage is Stage.CHECKING:
        return tr("Checking that every byte is right…")
    pieces = [tr("{done} of {total}", done=size_text(progress.received_bytes), total=size_text(progress.total_bytes))]
    if progress.bytes_per_s > 0:
        pieces.append(tr("{amount}/s", amount=size_text(progress.bytes_per_s)))
    if progress.seconds_left is not None:
        pieces.append(time_left_text(progress.seconds_left))
    return " · ".join(pieces)


def clock_text(seconds: float) -> str:
    """Of a recording: "3:07", "1:02:45"."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"
