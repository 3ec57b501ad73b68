"""The images of messages as files, each named by the sha256 of its bytes. Knows no message, and decodes nothing.

A file is written once and never changed, so backups share it with the database they were made of. It is on the disk
before `put` returns, so before any row names it; what no row names is swept away later.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from pathlib import Path

from app.store.types import ImagePart
from engine.atomic_write import atomic_write
from engine.context.segments import ImageRef
from engine.errors import StoreError, sentence

SUFFIXES = {"image/png": ".png", "image/jpeg": ".jpg"}
"""Of the media types that are kept."""
KEPT_UNUSED_S = 24 * 3600.0
"""How long a file stays that no row names: it may stand in a message that is being written."""
_SHA256 = re.compile("[0-9a-f]{64}")


class ImageFolder:
    """Any thread, several programs at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, data: bytes, media_type: str) -> str:
        """Keep the bytes of an image; return their sha256. Blocks until they are on the disk. Raises `StoreError`."""
        sha256 = hashlib.sha256(data).hexdigest()
        path = self._path(sha256, media_type)
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            try:
                os.utime(path)  # In use again, so not to be swept now.
            except FileNotFoundError:
                atomic_write(path, data)
        except OSError as error:
            raise StoreError(
                sentence("The image could not be kept in {folder}: {reason}."),
                folder=self.folder,
                reason=error.strerror or str(error),
            ) from error
        return sha256

    def path(self, part: ImagePart) -> Path | None:
        """Where an image's file is, None if it is not there (any more)."""
        if part.media_type not in SUFFIXES or not _SHA256.fullmatch(part.sha256):
            return None
        path = self._path(part.sha256, part.media_type)
        return path if path.is_file() else None

    def ref(self, part: ImagePart) -> ImageRef | None:
        """The image as a prompt names it, None if its file is not there."""
        path = self.path(part)
        return None if path is None else ImageRef(path, part.sha256)

    def read(self, part: ImagePart) -> bytes | None:
        """An image's bytes, None if they are not there or not those that were kept. Blocks."""
        path = self.path(part)
        try:
            data = path.read_bytes() if path is not None else b""
        except OSError:
            return None
        return data if hashlib.sha256(data).hexdigest() == part.sha256 else None

    def sweep(self, named: AbstractSet[str], also_named: Callable[[], AbstractSet[str]]) -> int:
        """Remove the files whose sha256 is not in `named`, nor in `also_named`, which is asked only where it matters.

        Files that are younger than `KEPT_UNUSED_S` stay. Returns how many went.
        """
        before = time.time() - KEPT_UNUSED_S
        left = [path for path in self._files() if path.stem not in named and _changed_at(path) < before]
        kept = also_named() if left else frozenset()
        gone = [path for path in left if path.stem not in kept]
        for path in gone:
            path.unlink(missing_ok=True)
        return len(gone)

    def _path(self, sha256: str, media_type: str) -> Path:
        return self.folder / (sha256 + SUFFIXES[media_type])

    def _files(self) -> list[Path]:
        """Images, and what was left of writing one when a program died."""
        try:
            return [path for path in self.folder.iterdir() if path.is_file()]
        except FileNotFoundError:
            return []


def _changed_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return time.time()
