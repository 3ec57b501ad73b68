"""What a window remembers: size, splitter, what was open. A QSettings ini that may be lost at any time.

Knows no widget beyond the bytes that Qt gives for a geometry.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings


class WindowState:
    """The ini file of one data folder. Bad or missing values read as the given default."""

    def __init__(self, path: Path) -> None:
        self._ini = QSettings(str(path), QSettings.Format.IniFormat)

    def bytes_of(self, key: str) -> QByteArray:
        value = self._ini.value(key)
        return value if isinstance(value, QByteArray) else QByteArray()

    def text(self, key: str, default: str = "") -> str:
        value = self._ini.value(key)
        return value if isinstance(value, str) else default

    def flag(self, key: str, default: bool) -> bool:
        return self.text(key, "true" if default else "false") == "true"

    def texts(self, key: str) -> list[str]:
        return [part for part in self.text(key).split(",") if part]

    def keep(self, key: str, value: QByteArray | str | bool | list[str]) -> None:
        if isinstance(value, bool):
            value = "true" if value else "false"
        elif isinstance(value, list):
            # One string: an ini cannot tell a list of one from a text.
            value = ",".join(value)
        self._ini.setValue(key, value)

    def forget(self, key: str) -> None:
        self._ini.remove(key)

    def sync(self) -> None:
        """Write now."""
        self._ini.sync()
