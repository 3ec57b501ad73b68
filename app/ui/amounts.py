"""Numbers as the person's locale writes them; the plain words are in `app.amounts`. Knows no widget."""

from __future__ import annotations

from PySide6.QtCore import QDateTime, QLocale

from app import amounts
from app.downloader.order import Progress
from app.i18n import tr


def reader_locale() -> QLocale:
    """The person's; the C locale, which nobody reads in, becomes English."""
    locale = QLocale()
    return QLocale(QLocale.Language.English) if locale.language() is QLocale.Language.C else locale


def moment_text(seconds: float) -> str:
    """A point in time in seconds since 1970, in short."""
    return reader_locale().toString(QDateTime.fromSecsSinceEpoch(int(seconds)), QLocale.FormatType.ShortFormat)


def bytes_text(size: float) -> str:
    """ "1.1 GB", "12 kB"; counted in 1000s, as on a box and as the engine's sentences do."""
    precision = 1 if 1e6 <= size < 1e7 or size >= 1e9 else 0
    return reader_locale().formattedDataSize(max(0, round(size)), precision, QLocale.DataSizeFormat.DataSizeSIFormat)


def count_text(count: int) -> str:
    """ "4,096": the digits grouped."""
    return reader_locale().toString(count)


def short_count_text(count: int) -> str:
    """ "980", "4.1k", "128k": for places where every pixel counts."""
    if count < 1000:
        return str(count)
    if count < 10_000:
        return f"{reader_locale().toString(count / 1000, 'f', 1)}k"
    if count < 1_000_000:
        return f"{round(count / 1000)}k"
    return f"{reader_locale().toString(count / 1_000_000, 'f', 1)}M"


def params_text(count: int) -> str:
    """A model's parameters: "135M", "1.5B", "" if unknown."""
    if count <= 0:
        return ""
    if count < 1_000_000_000:
        return f"{round(count / 1_000_000)}M"
    billions = count / 1_000_000_000
    return f"{reader_locale().toString(billions, 'f', 0 if billions >= 20 else 1)}B"


def rate_text(tokens_per_s: float) -> str:
    """ "42 tokens/s", "3.4 tokens/s"."""
    number = reader_locale().toString(tokens_per_s, "f", 0 if tokens_per_s >= 10 else 1)
    return tr("{number} tokens/s", number=number)


def progress_text(progress: Progress) -> str:
    """ "312 MB of 1.1 GB · 8.2 MB/s · about 2 minutes left"."""
    return amounts.progress_text(progress, bytes_text)
