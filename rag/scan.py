"""What lies in a folder now: the look at the disk that is the truth about a watched folder. Knows no store, no format.

Regular files only: no links, pipes or devices, nothing hidden, and no folder that programs fill for themselves. A
folder that is not there at all says nothing about the files in it: its drive may have been unplugged.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from concurrent.futures import CancelledError
from pathlib import Path

from engine.cancel import CancelToken
from rag.store.types import ClosedFolder, FoundFile, Source, SourceKind

MOST_FILES = 500_000
"""In one folder; what lies beyond is not read."""
_DEEPEST = 64
_OURS_NOT = frozenset(
    {"node_modules", "__pycache__", "venv", "site-packages", "$RECYCLE.BIN", "System Volume Information"}
)
_ASK_EVERY = 256


def plain_path(path: Path) -> Path:
    """The one name of a file or folder: nothing is found twice through "..". Links are not followed."""
    return Path(os.path.normpath(path.absolute()))


class NotReachableError(Exception):
    """The folder of a source is not there just now, or was gone before the look had ended."""


def look(source: Source, cancel: CancelToken) -> Iterator[FoundFile | ClosedFolder]:
    """The files of a source as they are now, and the folders in it that cannot be looked into.

    Raises `CancelledError`, and `NotReachableError`, then perhaps at the end: what came before says nothing.
    """
    if not is_reachable(source):
        raise NotReachableError
    if source.kind is SourceKind.FOLDER:
        yield from _folder(source.path, cancel)
    elif (found := look_at(source.path)) is not None:
        yield found
    if not is_reachable(source):
        raise NotReachableError


def is_reachable(source: Source) -> bool:
    """Whether the folder that is, or holds, a source can be looked into.

    Where a drive was attached to it and is not now, an empty folder is what the drive has left.
    """
    root = _root(source)
    try:
        with os.scandir(root) as entries:
            return not source.mounted or is_mounted(source) or any(True for _ in entries)
    except OSError:
        return False


def is_mounted(source: Source) -> bool:
    """Whether a drive is attached at that folder."""
    return os.path.ismount(_root(source))


def look_at(path: Path) -> FoundFile | None:
    """One file, None if there is no regular file there."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return FoundFile(path, status.st_size, status.st_mtime_ns) if stat.S_ISREG(status.st_mode) else None


def _root(source: Source) -> Path:
    return source.path if source.kind is SourceKind.FOLDER else source.path.parent


def _folder(root: Path, cancel: CancelToken) -> Iterator[FoundFile | ClosedFolder]:
    waiting: list[tuple[str, int]] = [(str(root), 0)]
    count = 0
    while waiting:
        folder, depth = waiting.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except (FileNotFoundError, NotADirectoryError):
            continue  # gone meanwhile
        except OSError:
            yield ClosedFolder(Path(folder))
            continue
        for entry in entries:
            count += 1
            if count % _ASK_EVERY == 0 and cancel.cancelled:
                raise CancelledError
            if entry.name.startswith((".", "~$")):
                continue
            try:
                if entry.is_dir(follow_symlinks=False):
                    if depth < _DEEPEST and entry.name not in _OURS_NOT:
                        waiting.append((entry.path, depth + 1))
                elif entry.is_file(follow_symlinks=False):
                    status = entry.stat(follow_symlinks=False)
                    yield FoundFile(Path(entry.path), status.st_size, status.st_mtime_ns)
            except OSError:
                continue
        if count > MOST_FILES:
            return
