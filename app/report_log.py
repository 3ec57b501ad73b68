"""The log that may be shown to somebody else: what happened, in the program's own words only. Knows no window.

Nothing is searched for and blotted out. A record gives the literal it was logged with, numbers, and of errors their
kinds and the lines of code; every other value becomes "…" before anything is written. So a file's name, a user's
name or a word of a chat cannot get in, whatever a log call or an error holds.
"""

from __future__ import annotations

import logging
import logging.handlers
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from app.limits import KIB

REPORT_NAME = "report.log"
MAX_BYTES = 64 * KIB
HIDDEN = "…"
_ROOT = Path(__file__).resolve().parent.parent
_MAX_CAUSES = 4
_MAX_FRAMES = 12


class ReportFormatter(logging.Formatter):
    """One line a record, then a line for each error and each place in the code."""

    def format(self, record: logging.LogRecord) -> str:
        spoken = f"{self.formatTime(record)} {record.levelname} {record.name}: {_message(record)}"
        if record.exc_info and record.exc_info[1] is not None:
            return "\n".join([spoken, *error_lines(record.exc_info[1])])
        return spoken


def report_handler(folder: Path) -> logging.Handler:
    """Writes `REPORT_NAME` in `folder`, kept small. Opens the file with the first record."""
    handler = logging.handlers.RotatingFileHandler(
        folder / REPORT_NAME, maxBytes=MAX_BYTES, backupCount=1, encoding="utf-8", delay=True
    )
    handler.setFormatter(ReportFormatter())
    return handler


def read_report(folder: Path, limit: int = MAX_BYTES) -> str:
    """The newest `limit` characters of it, in whole lines; "" if there is none."""
    texts = []
    for name in (f"{REPORT_NAME}.1", REPORT_NAME):
        try:
            texts.append((folder / name).read_text(encoding="utf-8", errors="replace"))
        except OSError:
            continue  # nothing was written yet, or it cannot be read: the report says less
    text = "".join(texts)
    return text if len(text) <= limit else text[-limit:].partition("\n")[2]


def error_lines(error: BaseException) -> list[str]:
    """An error and what caused it: kinds and places, never what it says."""
    lines: list[str] = []
    seen: BaseException | None = error
    for _ in range(_MAX_CAUSES):
        if seen is None:
            break
        lines.append(f"  {_kind(seen)}")
        lines.extend(_places(seen.__traceback__))
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return lines


def _kind(error: BaseException) -> str:
    number = getattr(error, "errno", None)
    name = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    return f"{name} (errno {number})" if isinstance(number, int) else name


def _places(trace: TracebackType | None) -> list[str]:
    lines = []
    while trace is not None:
        code = trace.tb_frame.f_code
        lines.append(f"    {_module(Path(code.co_filename))}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return lines[-_MAX_FRAMES:]


def _module(path: Path) -> str:
    """Where code lies, without where it is installed."""
    if path.is_relative_to(_ROOT) and "site-packages" not in path.parts:
        return path.relative_to(_ROOT).as_posix()
    if "site-packages" in path.parts:
        return "/".join(path.parts[path.parts.index("site-packages") + 1 :])
    return path.name


def _message(record: logging.LogRecord) -> str:
    if not isinstance(record.msg, str):
        return HIDDEN
    arguments = record.args
    if not arguments:
        return record.msg
    try:
        if isinstance(arguments, Mapping):
            return record.msg % {name: _shown(value) for name, value in arguments.items()}
        return record.msg % tuple(_shown(value) for value in arguments)
    except (TypeError, ValueError):
        return record.msg  # a format that wants another kind of value


class _Hidden(str):
    """Stands for a value in "%s" and in "%r"."""

    __slots__ = ()

    def __repr__(self) -> str:
        return HIDDEN


def _shown(value: object) -> object:
    if isinstance(value, bool | int | float) and type(value) in (bool, int, float):
        return value
    if isinstance(value, BaseException):
        return _kind(value)
    return _Hidden(HIDDEN)
