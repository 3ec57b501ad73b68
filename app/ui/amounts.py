"""Sizes, counts and times as a person reads them. Knows no widget."""

from __future__ import annotations

from PySide6.QtCore import QLocale

from app.i18n import ntr, tr


def _locale() -> QLocale:
    """The person's; the C locale, which nobody reads in, becomes English."""
    locale = QLocale()
    return QLocale(QLocale.Language.English) if locale.language() is QLocale.Language.C else locale


def bytes_text(size: int) -> str:
    """ "1.1 GB", "12 kB"; counted in 1000s, as on a box and as the engine's sentences do."""
    precision = 1 if 1e6 <= size < 1e7 or size >= 1e9 else 0
    return _locale().formattedDataSize(max(0, size), precision, QLocale.DataSizeFormat.DataSizeSIFormat)


def count_text(count: int) -> str:
    """ "4,096": the digits grouped."""
    return _locale().toString(count)


def short_count_text(count: int) -> str:
    """ "980", "4.1k", "128k": for places where every pixel counts."""
    if count < 1000:
        return str(count)
    if count < 10_000:
        return f"{_locale().toString(count / 1000, 'f', 1)}k"
    if count < 1_000_000:
        return f"{round(count / 1000)}k"
    return f"{_locale().toString(count / 1_000_000, 'f', 1)}M"


def context_text(n_ctx: int) -> str:
    """A context length as people know it: "8k", "32k", "128k"; they are counted in 1024s."""
    return f"{round(n_ctx / 1024)}k" if n_ctx >= 1024 else str(n_ctx)


def params_text(count: int) -> str:
    """A model's parameters: "135M", "1.5B", "" if unknown."""
    if count <= 0:
        return ""
    if count < 1_000_000_000:
        return f"{round(count / 1_000_000)}M"
    billions = count / 1_000_000_000
    return f"{_locale().toString(billions, 'f', 0 if billions >= 20 else 1)}B"


def rate_text(tokens_per_s: float) -> str:
    """ "42 tokens/s", "3.4 tokens/s"."""
    number = _locale().toString(tokens_per_s, "f", 0 if tokens_per_s >= 10 else 1)
    return tr("{number} tokens/s", number=number)


def time_left_text(seconds: float) -> str:
    """ "about 2 minutes left"; rounded so that it does not flicker."""
    if seconds < 10:
        return tr("a few seconds left")
    if seconds < 55:
        return tr("{seconds} seconds left", seconds=round(seconds / 5) * 5)
    if seconds < 5400:
        return ntr("about {count} minute left", "about {count} minutes left", max(1, round(seconds / 60)))
    return ntr("about {count} hour left", "about {count} hours left", max(1, round(seconds / 3600)))
