"""How the name of a file, and whatever else somebody chose, stands in a line: as that line's text and nothing else.

Knows no file and no window.
"""

from __future__ import annotations

import unicodedata

_HARMLESS = frozenset("\u200c\u200d")
"""Joiners, which several scripts and most emoji need."""


def shown_name(name: object) -> str:
    """A name or path on one line: "\N{REPLACEMENT CHARACTER}" for what would end the line, steer a terminal, hide, or
    turn the order of letters round, and for what no output can be sent. Not shortened.
    """
    return "".join(character if _is_shown(character) else "\ufffd" for character in str(name))


def _is_shown(character: str) -> bool:
    return character.isprintable() or character in _HARMLESS or unicodedata.category(character) == "Zs"
