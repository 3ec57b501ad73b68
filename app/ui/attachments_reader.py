"""Has dropped files read off the main thread and brings their text home. Opens no file itself."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Protocol, TypeVar

from app.attachments import read_attachment
from app.i18n import error_sentence
from app.store.types import AttachmentPart
from app.ui.bridge import EventBridge
from engine.errors import HearthError

T = TypeVar("T")


class Runner(Protocol):
    """Runs a function on a pool, as `Executor.submit` does with no arguments."""

    def __call__(self, fn: Callable[[], T], /) -> Future[T]: ...


class AttachmentReader:
    """Reads files one by one on `run`'s threads; answers on the main thread."""

    def __init__(self, run: Runner, bridge: EventBridge) -> None:
        self._run = run
        self._bridge = bridge

    def read(self, path: Path, done: Callable[[AttachmentPart], None], refused: Callable[[str], None]) -> None:
        """`done` with the text, or `refused` with the sentence that says why not."""

        def failed(error: BaseException) -> None:
            if not isinstance(error, HearthError):
                raise error
            refused(error_sentence(error))

        self._bridge.then(self._run(lambda: read_attachment(path)), done, failed)
