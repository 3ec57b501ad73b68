"""File names that are safe to show. Knows no file."""

from __future__ import annotations

_CHARACTERS = 120


def display_name(name: str) -> str:
    """A file name that is safe to show: no control or direction characters, and not endless."""
    shown = "".join(character if character.isprintable() else "\ufffd" for character in name)
    return shown if len(shown) <= _CHARACTERS else f"{shown[: _CHARACTERS - 12]}…{shown[-11:]}"
