"""The program's own log: a small rotating file of what went wrong. Prompts, answers and documents never go there.

Knows no window. Records are cut to a line's length, so that an error that quotes its input cannot carry much.
"""

from __future__ import annotations

import logging
import logging.handlers
import platform
from pathlib import Path

from app.limits import KIB, MIB
from app.report_log import report_handler

LOG_NAME = "hearth.log"
LEVELS = ("debug", "info", "warning", "error")
MAX_BYTES = MIB
BACKUPS = 3
MAX_RECORD = 4 * KIB
"""Characters of one record, stack trace included."""

_ROOMS = ("app", "engine", "rag", "voice")


class _Short(logging.Formatter):
    """Cuts a record, keeping the end of a stack trace, which names the error."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        if len(text) <= MAX_RECORD:
            return text
        return f"{text[: MAX_RECORD // 2]}\n[…]\n{text[-MAX_RECORD // 2 :]}"


def start_log(folder: Path, level: str = "info") -> Path:
    """Log the program's own records into `folder`, and beside it what may be shown to others. Returns the file.

    Raises `OSError` where that is refused.
    """
    path = folder / LOG_NAME
    handler = logging.handlers.RotatingFileHandler(
        path, maxBytes=MAX_BYTES, backupCount=BACKUPS, encoding="utf-8", delay=True
    )
    handler.setFormatter(_Short("%(asctime)s %(levelname)s %(process)d %(name)s: %(message)s"))
    report = report_handler(folder)
    for room in _ROOMS:
        logger = logging.getLogger(room)
        logger.setLevel(level.upper())
        logger.addHandler(handler)
        logger.addHandler(report)
        logger.propagate = False
    for each in (handler, report):
        logging.getLogger("concurrent.futures").addHandler(each)
    logging.getLogger(__name__).info("started on %s, Python %s", platform.platform(), platform.python_version())
    return path


def stop_log() -> None:
    """Close the files (tests start and stop the program in one process)."""
    for name in (*_ROOMS, "concurrent.futures"):
        logger = logging.getLogger(name)
        for handler in list(logger.handlers):
            if isinstance(handler, logging.handlers.RotatingFileHandler):
                logger.removeHandler(handler)
                handler.close()
        if name in _ROOMS:
            logger.propagate = True
