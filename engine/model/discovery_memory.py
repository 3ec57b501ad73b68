"""What a search for models remembers of files it has read: descriptions, and sha256 digests worth keeping.

A file is known again by path, size and time of change. Digests can be kept in a JSON file of our own.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from pathlib import Path

from engine.cancel import CancelToken
from engine.errors import ModelFileError
from engine.model.description import ModelDescription, describe

SAMPLE_BYTES = 64 * 1024
SAMPLES = 5
_BLOCK = 1024 * 1024
_VERSION = 1

_log = logging.getLogger(__name__)

FileKey = tuple[str, int, int]


class ScanMemory:
    """Used by one search at a time. `file`, if given, is read now and written by `save`."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._descriptions: dict[tuple[FileKey, ...], ModelDescription | ModelFileError] = {}
        self._digests: dict[FileKey, str] = {}
        self._changed = False
        if file is not None:
            self._read(file)

    def describe(self, parts: tuple[Path, ...]) -> ModelDescription:
        """As `description.describe`, reading an unchanged file once. Raises `ModelFileError`, `OSError`."""
        key = tuple(file_key(path) for path in parts)
        if key not in self._descriptions:
            try:
                self._descriptions[key] = describe(parts[0])
            except ModelFileError as error:
                self._descriptions[key] = error
        found = self._descriptions[key]
        if isinstance(found, ModelFileError):
            raise found
        return found

    def remember_digest(self, path: Path, sha256: str) -> None:
        """Take another program's word for a file's digest."""
        self._digests.setdefault(file_key(path), sha256)

    def knows(self, path: Path) -> bool:
        """Whether `digest` would read nothing. Raises `OSError`."""
        return file_key(path) in self._digests

    def digest(self, path: Path, cancel: CancelToken) -> str:
        """The sha256 (hex) of the whole file; seconds for each gigabyte the first time. "" when cancelled."""
        key = file_key(path)
        known = self._digests.get(key)
        if known is not None:
            return known
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                if cancel.cancelled:
                    return ""
                digest.update(block)
        self._digests[key] = digest.hexdigest()
        self._changed = True
        return self._digests[key]

    def save(self) -> None:
        """Write the digests of files that still exist, atomically. Where that is refused, they are computed again."""
        if self._file is None or not self._changed:
            return
        rows = [[*key, digest] for key, digest in sorted(self._digests.items()) if Path(key[0]).exists()]
        temporary = self._file.with_name(self._file.name + ".new")
        try:
            temporary.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps({"version": _VERSION, "digests": rows}), "utf-8")
            temporary.replace(self._file)
        except OSError as error:
            _log.warning("the digests of model files could not be kept: %s", error)
            return
        self._changed = False

    def _read(self, file: Path) -> None:
        try:
            content = json.loads(file.read_text("utf-8"))
            if content["version"] == _VERSION:
                self._digests = {
                    (str(path), int(size), int(time)): str(d) for path, size, time, d in content["digests"]
                }
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, TypeError):  # Only a cache: what cannot be read is computed again.
            self._digests = {}


def file_key(path: Path) -> FileKey:
    """By what a file is known again. Raises `OSError`."""
    status = path.stat()
    return (str(path), status.st_size, status.st_mtime_ns)


def sample(path: Path) -> bytes:
    """A digest of the size and of a few pieces spread over the file. Different files may rarely share it."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        digest.update(size.to_bytes(8, "little"))
        for index in range(SAMPLES):
            file.seek(max(0, size - SAMPLE_BYTES) * index // (SAMPLES - 1))
            digest.update(file.read(SAMPLE_BYTES))
    return digest.digest()
