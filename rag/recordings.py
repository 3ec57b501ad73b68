"""Recordings are heard on a thread of their own, one after another, while other documents are read.

An hour of sound takes minutes, and nobody's page may wait for that. What hears is given from outside: this wing knows
no sound and no recogniser. Nothing of this is kept: what was not heard to its end is begun anew after a restart.
"""

from __future__ import annotations

import math
import mimetypes
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from engine.cancel import CancelToken
from engine.display_name import display_name
from engine.errors import DocumentError, sentence
from rag.events import EventSink, ReadingProgress
from rag.loaders.speech import speech_pages
from rag.store.types import FoundFile, StoredFile
from rag.types import DocumentInfo, Page, Unit

_NOTHING_SAID = sentence("Nothing is said in “{name}”.")
_MINUTE_S = 60


class Said(Protocol):
    """A stretch of speech. `start_s` is in seconds from the beginning of the recording."""

    @property
    def start_s(self) -> float: ...
    @property
    def text(self) -> str: ...


class Ears(Protocol):
    """What hears recordings. From one thread at a time."""

    def hear(
        self, path: Path, *, on_progress: Callable[[float, float | None], None], cancel: CancelToken
    ) -> Iterator[Said]:
        """What is said in a file, in order. Raises a `HearthError` with the sentence that says why not, and
        `CancelledError`.

        `on_progress` gets how many seconds have been heard, and of how many, where that is known.
        """
        ...

    def rest(self) -> None:
        """There is nothing to hear for now: give back what hearing takes. May be called again."""
        ...


MakeEars = Callable[[Path], Ears]
"""From the folder of the models that hear. Loads nothing yet."""


@dataclass(slots=True, eq=False)
class _Job:
    file: StoredFile
    found: FoundFile
    cancel: CancelToken = field(default_factory=CancelToken)
    items: tuple[DocumentInfo | Page, ...] = ()
    error: Exception | None = None


class Recordings:
    """`on_heard` is called from the thread here whenever a recording is heard, or left off. Any thread may ask."""

    def __init__(self, ears: Ears | None, publish: EventSink, on_heard: Callable[[], None]) -> None:
        self._ears = ears
        self._publish = publish
        self._on_heard = on_heard
        self._changed = threading.Condition()
        self._queue: deque[_Job] = deque()
        self._running: _Job | None = None
        self._since = 0.0
        self._heard: dict[int, _Job] = {}
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="recordings", daemon=True)

    @property
    def pending(self) -> frozenset[int]:
        """Files that are being heard, or will be."""
        with self._changed:
            jobs = [*self._queue, *([self._running] if self._running is not None else [])]
            return frozenset(job.file.id for job in jobs)

    @property
    def heard(self) -> frozenset[int]:
        """Files that were heard, and not forgotten yet."""
        with self._changed:
            return frozenset(self._heard)

    @property
    def hearing_s(self) -> float:
        """For how long the one under way has been heard."""
        with self._changed:
            return 0.0 if self._running is None else time.monotonic() - self._since

    @property
    def busy(self) -> bool:
        """Whether something is to be heard, or was and is to be stored."""
        with self._changed:
            return bool(self._queue or self._heard) or self._running is not None

    def hear(self, file: StoredFile, found: FoundFile) -> bool:
        """Have a file heard, as it was `found`. False where nothing here hears."""
        if self._ears is None:
            return False
        with self._changed:
            if not self._closed:
                self._heard.pop(file.id, None)
                self._queue.append(_Job(file, found))
                if not self._thread.is_alive():
                    self._thread.start()
                self._changed.notify_all()
        return True

    def heard_in(self, file_id: int, found: FoundFile) -> tuple[DocumentInfo | Page, ...] | None:
        """What was heard in a file, until it is forgotten: None where nothing was, or the file is another one now.

        Raises what kept it from being heard.
        """
        with self._changed:
            job = self._heard.get(file_id)
        if job is None or job.found != found:
            return None
        if job.error is not None:
            raise job.error
        return job.items

    def forget(self, file_ids: frozenset[int]) -> None:
        """What was heard in these is stored, or not wanted any more."""
        with self._changed:
            for file_id in file_ids:
                self._heard.pop(file_id, None)

    def drop(self, file_ids: frozenset[int]) -> None:
        """These were removed, or have changed: leave off hearing them too."""
        self.forget(file_ids)
        with self._changed:
            self._queue = deque(job for job in self._queue if job.file.id not in file_ids)
            if self._running is not None and self._running.file.id in file_ids:
                self._running.cancel.cancel()

    def close(self) -> None:
        """Leave off. Idempotent."""
        with self._changed:
            self._closed = True
            self._queue.clear()
            if self._running is not None:
                self._running.cancel.cancel()
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        assert self._ears is not None, "nothing is queued otherwise"
        while (job := self._next(self._ears)) is not None:
            try:
                job.items = self._items(self._ears, job)
            except CancelledError:
                job.cancel.cancel()
            except Exception as error:  # noqa: BLE001  # a sentence, or a bug: for whoever stores it
                job.error = error
            with self._changed:
                self._running = None
                if not job.cancel.cancelled:
                    self._heard[job.file.id] = job
            self._on_heard()
        self._ears.rest()

    def _next(self, ears: Ears) -> _Job | None:
        while True:
            with self._changed:
                if self._closed:
                    return None
                if self._queue:
                    self._running, self._since = self._queue.popleft(), time.monotonic()
                    return self._running
            ears.rest()
            with self._changed:
                self._changed.wait_for(lambda: bool(self._queue) or self._closed)

    def _items(self, ears: Ears, job: _Job) -> tuple[DocumentInfo | Page, ...]:
        path = job.file.path

        def tell(heard_s: float, all_s: float | None) -> None:
            minutes = max(1, math.ceil(all_s / _MINUTE_S)) if all_s else None
            self._publish(ReadingProgress(job.file.id, int(heard_s / _MINUTE_S), minutes, Unit.TIME))

        tell(0.0, None)
        said = ears.hear(path, on_progress=tell, cancel=job.cancel)
        pages = tuple(speech_pages((each.start_s, each.text) for each in said))
        if not pages:
            raise DocumentError(_NOTHING_SAID, name=display_name(path.name))
        media_type = mimetypes.guess_type(path.name)[0] or "audio/x-unknown"
        return DocumentInfo(display_name(path.stem), Unit.TIME, media_type, len(pages)), *pages
