"""Texts in which each line begins with the time at which it is said: "00:12:34 Good evening." Pure.

In such a text a second takes the place of a line's number (`Unit.TIME`). Knows no sound and no film.
"""

from __future__ import annotations

import re

from rag.types import Unit

_STAMP = re.compile(r"(\d{2,}):([0-5]\d):([0-5]\d) ")
_LINE = re.compile(r"^\d{2,}:[0-5]\d:[0-5]\d .*$", re.MULTILINE)


def stamped(seconds: float, words: str) -> str:
    """A line; `seconds` from the beginning, of which the whole ones count."""
    whole = int(max(seconds, 0.0))
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02} {words}"


def second_at(text: str, at: int, first: int) -> int:
    """The time of the line that character `at` is in; `first` is that of the text, for what has none of its own."""
    while True:
        start = text.rfind("\n", 0, at) + 1
        if (stamp := _STAMP.match(text, start)) is not None:
            hours, minutes, seconds = (int(number) for number in stamp.groups())
            return 3600 * hours + 60 * minutes + seconds
        if not start:
            return first
        at = start - 1


def line_at(unit: Unit, text: str, at: int, first: int) -> int:
    """What a citation names of character `at` of a text that begins with line `first`: its line, or its second."""
    return second_at(text, at, first) if unit is Unit.TIME else first + text.count("\n", 0, at)


def timed_lines(text: str, start: int = 0, end: int | None = None) -> list[tuple[int, int]]:
    """Where the lines that have a time begin and end."""
    return [match.span() for match in _LINE.finditer(text, start, len(text) if end is None else end)]
