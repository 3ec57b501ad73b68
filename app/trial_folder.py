"""The folder of a trial chat: one of the system's, which goes with the trial, or after a crash at the next start.

While a trial uses its folder it holds a lock in it, which the system takes away with the process. Knows no persona.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

PREFIX = "hearth-trial-"
LOCK = "in-use"
_UNLOCKED_S = 60.0
"""A folder without a lock that is older was left so: it takes a moment to make both."""


class TrialFolder:
    """Made with the object, gone with `close`; each on any thread."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True)
        self.path = Path(self._folder.name)
        self._lock = FileLock(self.path / LOCK, thread_local=False)
        self._lock.acquire(timeout=0)

    def close(self) -> None:
        self._lock.release()
        self._folder.cleanup()


def sweep_trials(place: Path | None = None) -> int:
    """Let go of folders of this user's that no trial uses; how many there were. `place` None: where the system's are.

    Blocks on the disk.
    """
    swept = 0
    for folder in sorted((place or Path(tempfile.gettempdir())).glob(f"{PREFIX}*")):
        with suppress(OSError):
            if _is_ours(folder) and not _is_used(folder):
                shutil.rmtree(folder, ignore_errors=True)
                swept += 1
    return swept


def _is_ours(folder: Path) -> bool:
    """A folder, and none that somebody else has put into the place that all share. Raises `OSError`."""
    if folder.is_symlink() or not folder.is_dir():
        return False
    return os.name != "posix" or folder.stat().st_uid == os.getuid()


def _is_used(folder: Path) -> bool:
    """Raises `OSError`."""
    path = folder / LOCK
    if not path.exists():
        return time.time() - folder.stat().st_mtime < _UNLOCKED_S
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False
