"""What a future gave, where its failure changes nothing for whoever asked, and the failure that nobody waits for."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

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


def log_failure(log: logging.Logger, what_failed: str) -> Callable[[Future[Any]], None]:
    """For `add_done_callback`, where nobody waits: a failure is logged as `what_failed`."""

    def ended(future: Future[Any]) -> None:
        error = None if future.cancelled() else future.exception()
        if error is not None:
            log.error("%s failed", what_failed, exc_info=error)

    return ended
