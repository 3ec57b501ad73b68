"""Watched folders: the system tells that something changed, a look at the disk finds out what.

Folders whose drive comes or goes are found every few seconds: about those the system tells nothing.

The system's hints (`watchdog`: inotify, FSEvents, ReadDirectoryChangesW) may be lost, late or refused (inotify has a
limit); so everything is looked at from time to time as well, more often where there are no hints. Knows no store.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import Any

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

from engine.errors import HearthError
from rag.scan import is_reachable
from rag.store.types import Source, SourceKind
from rag.watch_room import has_room

SEEING_S = 1800.0
BLIND_S = 180.0
"""Between two looks at everything, with and without the system's hints."""
SETTLE_S = 1.0
"""Without a hint: then what was being copied or saved is complete, by and large."""
_PATIENCE_S = 5.0
"""So long at most a stream of hints puts off a look."""
_REST = 20
"""Times as long as a look takes, a folder is left alone: what changes without end must not cost all of a processor."""
_CHECK_S = 10.0
_TELLING: list[type[FileSystemEvent]] = [
    DirCreatedEvent, DirDeletedEvent, DirMovedEvent,
    FileClosedEvent, FileCreatedEvent, FileDeletedEvent, FileModifiedEvent, FileMovedEvent,
]  # fmt: skip
"""Not those of opening and reading, which a look makes itself."""
_log = logging.getLogger(__name__)


class FolderWatch:
    """`sources` says what there is to watch, `look` looks at one of them; both are called on a thread of its own."""

    def __init__(
        self,
        sources: Callable[[], Iterable[Source]],
        look: Callable[[Source], object],
        *,
        make_observer: Callable[[], Any] = Observer,
    ) -> None:
        self._sources = sources
        self._look = look
        self._make_observer = make_observer
        self._observer: Any = None
        self._watches: dict[int, Any] = {}
        self._changed = threading.Condition()
        self._hinted: dict[int, float] = {}
        """Source -> since when there are hints."""
        self._last_hint = 0.0
        self._not_before: dict[int, float] = {}
        self._check_due = 0.0
        self._absent: frozenset[int] = frozenset()
        """Sources that are not reachable."""
        self._crowded = False
        """The system's limit was reached, so that folders may be without hints."""
        self._woken = True
        self._closed = False
        self.is_seeing = False
        """Whether the system's hints come for everything that is watched."""
        self._thread = threading.Thread(target=self._run, name="library-watch", daemon=True)

    def start(self) -> None:
        """Look at everything once, then watch."""
        self._thread.start()

    def follow(self) -> None:
        """Sources came or went."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def hint(self, source_id: int) -> None:
        """Something may have changed there. Any thread."""
        with self._changed:
            self._last_hint = time.monotonic()
            self._hinted.setdefault(source_id, self._last_hint)
            self._changed.notify_all()

    def close(self) -> None:
        """Idempotent; a look under way must have been cancelled."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()
        if self._observer is not None:
            self._observer.stop()
            self._observer.join()
            self._observer = None

    def _run(self) -> None:
        all_due = 0.0
        try:
            while not self._closed:
                known = {source.id: source for source in self._sources()}
                self._attach(known)
                if time.monotonic() >= all_due:
                    self._look_at(known.values())
                    all_due = time.monotonic() + (SEEING_S if self.is_seeing else BLIND_S)
                self._look_at(known[number] for number in self._wait(all_due, known) if number in known)
                if not self.is_seeing:
                    all_due = min(all_due, time.monotonic() + BLIND_S)
        except CancelledError:
            return  # closing

    def _look_at(self, sources: Iterable[Source]) -> None:
        for source in sources:
            if self._closed:
                return
            with self._changed:
                self._hinted.pop(source.id, None)
            began = time.monotonic()
            try:
                self._look(source)
            except HearthError:
                _log.exception("looking at a source failed")  # the next look may do better
            now = time.monotonic()
            self._not_before[source.id] = now + _REST * (now - began)

    def _wait(self, all_due: float, known: dict[int, Source]) -> list[int]:
        """The sources to be looked at; none when everything is due, or sources came or went."""
        while True:
            with self._changed:
                while not self._closed and not self._woken:
                    now = time.monotonic()
                    due = self._due()
                    ready = [number for number, when in due.items() if when <= now]
                    if ready:
                        return ready
                    if now >= all_due or now >= self._check_due:
                        break
                    self._changed.wait(max(0.0, min(all_due, self._check_due, *due.values()) - now))
                else:
                    self._woken = False
                    return []
                self._check_due = now + _CHECK_S
                if now >= all_due or (self.is_seeing and not self._alive()):
                    return []
            moved = [number for number, source in known.items() if is_reachable(source) is not source.reachable]
            if moved:
                return moved

    def _due(self) -> dict[int, float]:
        """When each hinted source is to be looked at."""
        settled = self._last_hint + SETTLE_S
        return {
            number: max(min(settled, since + _PATIENCE_S), self._not_before.get(number, 0.0))
            for number, since in self._hinted.items()
        }

    def _alive(self) -> bool:
        return self._observer is not None and all(emitter.is_alive() for emitter in self._observer.emitters)

    def _attach(self, known: dict[int, Source]) -> None:
        """Have the system tell about these; `is_seeing` says whether it does."""
        self._check_due = time.monotonic() + _CHECK_S
        self._absent = frozenset(number for number, source in known.items() if not source.reachable)
        seeing = True
        try:
            if self._observer is None or not self._alive() or (self._crowded and has_room()):
                self._renew()
        except (OSError, RuntimeError):
            _log.exception("folders cannot be watched")
            self._observer, self.is_seeing = None, False
            return
        there = known.keys() - self._absent
        for number in self._watches.keys() - there:
            self._detach(number)
        for number in there - self._watches.keys():
            source = known[number]
            folder = source.kind is SourceKind.FOLDER
            path = source.path if folder else source.path.parent
            try:
                self._watches[number] = self._observer.schedule(
                    _Hints(self, source), str(path), recursive=folder, event_filter=_TELLING
                )
            except (OSError, RuntimeError):
                # inotify's limit is reached, the folder is gone, or no thread can be started.
                seeing = False
            else:
                self.hint(number)  # it may have changed before the watching began
        self._crowded = bool(self._watches) and not has_room()
        self.is_seeing = seeing and not self._crowded

    def _renew(self) -> None:
        if self._observer is not None:
            self._observer.stop()
        self._watches.clear()
        observer = self._make_observer()
        observer.start()
        self._observer = observer

    def _detach(self, number: int) -> None:
        watch = self._watches.pop(number)
        if watch not in self._watches.values():  # two files of one folder have one
            with suppress(KeyError, OSError):  # it ended with its folder
                self._observer.unschedule(watch)


class _Hints(FileSystemEventHandler):
    """What the system tells of one source; called on the observer's thread."""

    def __init__(self, watch: FolderWatch, source: Source) -> None:
        self._watch = watch
        self._id = source.id
        self._path = None if source.kind is SourceKind.FOLDER else str(source.path)

    def on_any_event(self, event: FileSystemEvent) -> None:
        if self._path is None or self._path in (event.src_path, event.dest_path):
            self._watch.hint(self._id)
