"""What a future gave, where its failure changes nothing for whoever asked."""

from __future__ import annotations

import logging
from concurrent.futures import Future
from typing import TypeVar

from engine.errors import HearthError

T = TypeVar("T")


def result_or_none(future: Future[T], log: logging.Logger, what_failed: str) -> T | None:
    """The result of a future that has ended, None where it failed; a bug is logged as `what_failed`."""
    if future.cancelled():
        return None
    error = future.exception()
    if error is None:
        return future.result()
    if not isinstance(error, HearthError):
        log.error("%s failed", what_failed, exc_info=error)
    return None
