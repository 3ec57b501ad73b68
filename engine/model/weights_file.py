"""A file of weights that some part of the program needs: where it can be had, its size and hash. Fetches nothing."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from engine.model.catalogue import Source


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """One file, under its name in the folder of its bundle; `sources` first choice first.

    A download that differs from `sha256` is thrown away, so that a source need not be trusted.
    """

    file_name: str
    size_bytes: int
    sha256: str
    licence: str
    sources: tuple[Source, ...]

    def is_whole(self, folder: Path) -> bool:
        """It lies in `folder`, as long as it should be. Quick: does not read it."""
        try:
            return (folder / self.file_name).stat().st_size == self.size_bytes
        except OSError:
            return False

    def is_as_published(self, folder: Path) -> bool:
        """What lies in `folder` has the right hash. Reads it. Raises `OSError` where it cannot be read."""
        with (folder / self.file_name).open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest() == self.sha256
