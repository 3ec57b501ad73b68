"""What was measured of this machine, kept as one JSON object in a file: an entry under each key.

A damaged file knows nothing and is replaced. Knows not what the entries mean.
"""

from __future__ import annotations

import json
from pathlib import Path

from engine.atomic_write import atomic_write


class NotesFile:
    """`path` None keeps nothing."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def read(self, key: str) -> object:
        """The entry, None if there is none."""
        return self._entries().get(key)

    def write(self, key: str, entry: object) -> None:
        """Keep it, atomically. Where the disk refuses, it is measured again next time."""
        if self._path is None:
            return
        entries = self._entries() | {key: entry}
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(self._path, json.dumps(entries))
        except OSError:
            return

    def _entries(self) -> dict[str, object]:
        if self._path is None:
            return {}
        try:
            entries = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return entries if isinstance(entries, dict) else {}
