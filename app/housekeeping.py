"""What is done for the conversations while nobody waits: broken answers marked, backups, the bin emptied, and what
the model had read of what was in it forgotten. Personas that were deleted long ago go too.

Runs on the store's thread, by a timer. Knows no window.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

from app.events import ChatEvent, StoreChanged
from app.remembered import RememberedChats
from app.store.types import Changes
from engine.errors import StoreError

if TYPE_CHECKING:
    from app.store.store import ConversationStore

FIRST_AFTER_S = 30.0
"""After the start, which has better things to do."""
EVERY_S = 3600.0
BACKUP_AGE_S = 24 * 3600.0
KEPT_DELETED_S = 30 * 24 * 3600.0

StoreCall = Callable[["Callable[[ConversationStore], object]"], "Future[object]"]

_log = logging.getLogger(__name__)


class Housekeeping:
    """`start` marks at once what a dead program left behind; the rest comes by and by."""

    def __init__(
        self,
        store_call: StoreCall,
        backups: Path,
        publish: Callable[[ChatEvent], None],
        remembered: RememberedChats | None = None,
        *,
        sweep_personas: Callable[[], None] = lambda: None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._call = store_call
        self._backups = backups
        self._publish = publish
        self._remembered = remembered
        self._sweep_personas = sweep_personas
        self._now = now
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._closed = False

    def start(self) -> None:
        """Mark broken answers now (before any other use of the store) and plan the rest."""
        self._call(self._mark_interrupted).add_done_callback(_log_failure)
        self._plan(FIRST_AFTER_S)

    def run(self) -> Future[object]:
        """Do what is due."""
        future = self._call(self._do_due)
        future.add_done_callback(_log_failure)
        return future

    def close(self) -> None:
        """Plan nothing more; what runs on the store's thread ends there."""
        with self._lock:
            self._closed = True
            timer = self._timer
        if timer is not None:
            timer.cancel()
            timer.join()

    def _plan(self, seconds: float) -> None:
        with self._lock:
            if self._closed:
                return
            self._timer = threading.Timer(seconds, self._on_time)
            self._timer.daemon = True
            self._timer.start()

    def _on_time(self) -> None:
        with self._lock:
            if self._closed:
                return
        self.run()
        self._plan(EVERY_S)

    def _mark_interrupted(self, store: ConversationStore) -> object:
        marked = store.recover_interrupted()
        if marked:
            self._publish(StoreChanged(Changes(conversation_list=True)))
        return marked

    def _do_due(self, store: ConversationStore) -> object:
        store.purge_deleted(self._now() - KEPT_DELETED_S)
        if self._remembered is not None:
            self._remembered.forget_deleted(store)
        made = store.backup() if self._newest_backup() < self._now() - BACKUP_AGE_S else None
        self._sweep_personas()
        return made

    def _newest_backup(self) -> float:
        try:
            return max((path.stat().st_mtime for path in self._backups.iterdir()), default=0.0)
        except FileNotFoundError:
            return 0.0


def _log_failure(future: Future[object]) -> None:
    error = None if future.cancelled() else future.exception()
    if isinstance(error, StoreError | OSError):
        _log.warning("housekeeping failed: %s", error)
    elif error is not None:
        _log.error("housekeeping failed", exc_info=error)
