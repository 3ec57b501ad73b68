"""What waits to be written, and the one background thread that writes it. Knows no format and no folder."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")


class WriteQueue(Generic[T]):
    """First come, first written. Any thread.

    `write(item)` and `undo(item)` are called on the queue's thread and must not raise; `undo` where an item was
    discarded while it was being written. An item is in the queue until it has been written.
    """

    def __init__(self, write: Callable[[T], None], undo: Callable[[T], None]) -> None:
        self._write = write
        self._undo = undo
        self._items: dict[Path, T] = {}
        self._changed = threading.Condition()
        self._busy = False
        self._closed = False
        self._thread: threading.Thread | None = None

    def put(self, path: Path, item: T) -> None:
        """Nothing happens once the queue is closed."""
        with self._changed:
            if self._closed:
                return
            self._items[path] = item
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="snapshots", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def get(self, path: Path) -> T | None:
        with self._changed:
            return self._items.get(path)

    def items(self) -> list[T]:
        """In the order in which they will be written; the first may be under way."""
        with self._changed:
            return list(self._items.values())

    def discard(self, is_unwanted: Callable[[T], bool]) -> None:
        """Do not write these after all."""
        with self._changed:
            self._items = {path: item for path, item in self._items.items() if not is_unwanted(item)}

    def flush(self, timeout_s: float) -> bool:
        """Wait until nothing is written or waits for it; False if that took longer."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._items and not self._busy, timeout_s)

    def close(self) -> None:
        """End the thread after what it is at; what else waits is lost. Idempotent; not from the queue's thread."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._items or self._closed)
                if self._closed:
                    self._items.clear()
                    return
                self._busy = True
                path, item = next(iter(self._items.items()))
            self._write(item)
            with self._changed:
                was_discarded = self._items.pop(path, None) is None
            if was_discarded:
                self._undo(item)
