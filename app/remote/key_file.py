"""The key for another computer's server, in a file for this user's eyes only, never in the settings.

A file rather than the system's key ring: that is absent on many Linux desktops, asks for a password when the program
starts, and would bring four packages for one word. The key belongs to the address it was given for and is sent to no
other. Knows no server.
"""

from __future__ import annotations

import json
from pathlib import Path

from engine.atomic_write import atomic_write
from engine.errors import SettingsError, sentence

_LONGEST = 4096


class KeyFile:
    """Reads and writes one key. Any thread."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def key_for(self, address: str) -> str:
        """The key that was given for this very address, "" for none."""
        try:
            value = json.loads(self._path.read_text("utf-8"))
        except (OSError, ValueError):
            return ""
        if not isinstance(value, dict) or value.get("address") != address:
            return ""
        key = value.get("key")
        return key if isinstance(key, str) and is_key(key) else ""

    def keep(self, address: str, key: str) -> None:
        """Write the key, mode 0600; "" removes the file. Raises `SettingsError`, `OSError`."""
        key = key.strip()
        if not key:
            self._path.unlink(missing_ok=True)
            return
        if not is_key(key):
            raise SettingsError(sentence("A key has letters, digits and signs only, without spaces."))
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        atomic_write(self._path, json.dumps({"address": address, "key": key}), mode=0o600)


def is_key(text: str) -> bool:
    """Whether a text can stand in an HTTP header as a bearer token (RFC 6750)."""
    return len(text) <= _LONGEST and text.isascii() and text.isprintable() and " " not in text
