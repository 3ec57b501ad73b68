"""Hearth's own typefaces, from `app/ui/fonts`. Other scripts fall back to the system's fonts by themselves."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtGui import QFontDatabase

FOLDER = Path(__file__).parent / "fonts"


def load_fonts() -> list[str]:
    """Make Inter and JetBrains Mono known to Qt; return the files that it refused (the system's fonts serve then)."""
    return [path.name for path in sorted(FOLDER.glob("*.ttf")) if QFontDatabase.addApplicationFont(str(path)) == -1]
