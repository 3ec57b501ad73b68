"""Which of the files that a person gives are personas. The first look is at names only; the second one reads."""

from __future__ import annotations

from pathlib import Path

from app.personas.bundle import SUFFIX
from app.personas.foreign.formats import read_all
from engine.errors import HearthError

_SURELY = frozenset({SUFFIX, ".charx"})
_PERHAPS = frozenset({".png", ".json", ".zip"})
_SKILL = "skill.md"
_INSIDE = ("SKILL.md", "assistant.json")


def may_be_persona(path: Path) -> bool:
    """Whether it is worth a second look. Looks at its name, and at the names in a folder."""
    if path.suffix.lower() in _SURELY | _PERHAPS or path.name.lower() == _SKILL:
        return True
    return any((path / name).is_file() for name in _INSIDE)


def is_persona(path: Path) -> bool:
    """Whether it can only be meant as a persona: by its ending, or because it reads as one. Blocks on the disk."""
    suffix = path.suffix.lower()
    try:
        if path.is_dir():
            return any((path / name).is_file() for name in _INSIDE)
        if suffix in _SURELY:
            return path.is_file()
        if suffix not in _PERHAPS and path.name.lower() != _SKILL:
            return False
        return bool(read_all(path))
    except (HearthError, OSError):
        return False
