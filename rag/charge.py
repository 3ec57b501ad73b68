"""Which of several programs on one library reads its files: the one that holds a lock. The others search.

The system frees the lock when its program ends, however it ends; within `LOOK_S` another one takes over. Knows no
document and no SQL.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock, Timeout

LOOK_S = 1.0
"""How often a program looks what the others did, and whether it is its turn."""


class Charge:
    """`on_taken` is called once, when this program is in charge; `on_look` every `LOOK_S`, from a thread of its own."""

    def __init__(self, path: Path, *, on_taken: Callable[[], None], on_look: Callable[[], None]) -> None:
        self._lock = FileLock(path, timeout=0, thread_local=False)
        self._on_taken = on_taken
        self._on_look = on_look
        self._changed = threading.Condition()
        self._n_looks = 0
        self._closed = False
        self.is_ours = False
        self._thread = threading.Thread(target=self._run, name="library-charge", daemon=True)

    def start(self) -> None:
        """Take charge if nobody has it, before this returns."""
        self._try()
        self._thread.start()

    def wait(self, until: Callable[[], bool], timeout_s: float) -> bool:
        """Wait for something that another program does: asked after each look. Whether it came before time was over."""
        deadline = time.monotonic() + timeout_s
        while not until():
            with self._changed:
                before = self._n_looks
                left_s = deadline - time.monotonic()
                if self._closed or left_s <= 0:
                    return False
                self._changed.wait_for(lambda before=before: self._n_looks != before or self._closed, left_s)  # type: ignore[misc]
        return True

    def close(self) -> None:
        """Let another program have it. Idempotent."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()
        if self._lock.is_locked:
            self._lock.release()

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._changed.wait_for(lambda: self._closed, LOOK_S):
                    return
            if not self.is_ours:
                self._try()
            self._on_look()
            with self._changed:
                self._n_looks += 1
                self._changed.notify_all()

    def _try(self) -> None:
        try:
            self._lock.acquire()
        except Timeout:
            return
        except OSError:
            pass  # a file system without locks: better read twice than never
        self.is_ours = True
        self._on_taken()
