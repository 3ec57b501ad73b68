"""Passages that are a table of contents: they share words with every question, and answer none. Pure.

"1.2 Networks . . . . . 41": titles, leaders, and numbers of pages that rise. Price lists and forms have leaders too, so
that alone is not enough: the numbers must be those of pages, and a heading or the numbering of chapters must say so.
Knows one passage, and whether the one before it was such a one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

_PAGE = re.compile(r"(?:\d{1,4}|[ivxlc]{1,7}|[IVXLC]{1,7})\Z")
_LEADERS = {".": 4, "·": 4, "•": 4, "‥": 4, "…": 2, "_": 5, "-": 5}
"""What stands between a title and its page, and how many of it at least."""
_LONGEST_LINE = 1000
_TITLE_LINES = 3
_TAIL = 10
"""Characters at a line's end that are leaders by and large."""
_CHAPTER = re.compile(
    r"\s*(?:(?:[A-Z]|\d{1,3})(?:\.\d{1,3}){1,5}\.?\s|"
    r"(?:chapter|part|section|appendix|annex|figure|table|kapitel|teil|abschnitt|anhang|abbildung|tabelle|chapitre|partie"
    r"|annexe|capítulo|parte|anexo|capitolo|hoofdstuk|глава|часть)\b)",
    re.IGNORECASE,
)
_HEADING = re.compile(
    r"\s*(?:table of )?contents\s*|\s*(?:list of|index of) (?:figures|tables|examples|illustrations|listings)\s*"
    r"|\s*inhalt(?:sverzeichnis|sübersicht)?\s*|\s*(?:abbildungs|tabellen)verzeichnis\s*"
    r"|\s*(?:table des matières|sommaire|índice|tabla de contenidos?|contenido|sumário|indice|inhoud(?:sopgave)?)\s*"
    r"|\s*(?:содержание|оглавление|spis treści|obsah|innehåll|indhold|目录|目次|차례)\s*",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"\s*(?:[A-Z]|\d{1,3})(?:\.\d{1,3}){0,5}\.?\s+\S.*\s(?:\d{1,4})\s*")
"""A chapter's line, which many books set without leaders."""
_ROMAN = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}
_LEAST_ENTRIES, _LEAST_UNNAMED = 2, 4
_SHARE = 0.75
_FALLING = 0.1
"""Of the neighbouring numbers: a list of figures may follow that begins anew."""


def is_contents(text: str, *, section: str = "", after: bool = False, n_pages: int | None = None) -> bool:
    """Whether a passage is of a table of contents. Takes time in proportion to its length.

    `section`: the headings above it; `after`: it follows such a passage; `n_pages`: how many pages the document has,
    None where it has none that could be counted.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    found = [_entry(line) for line in lines]
    entries = [each for each in found if each is not None]
    if len(entries) < (1 if after else _LEAST_ENTRIES) or _n_of_contents(lines, found) < _SHARE * len(lines):
        return False
    numbers = [number for _title, number in entries]
    falls = sum(later < earlier for earlier, later in pairwise(numbers))
    if falls > _FALLING * len(numbers) or (n_pages is not None and max(numbers) > n_pages):
        return False
    headings = [*lines[:3], section.rsplit(">", 1)[-1]]
    if after or any(_HEADING.fullmatch(line) for line in headings):
        return True
    chapters = sum(_CHAPTER.match(line[:_LONGEST_LINE]) is not None for line in lines)
    return 2 * chapters >= sum(bool(title) for title, _number in entries) and (
        n_pages is not None or len(entries) >= _LEAST_UNNAMED
    )


def _entry(line: str) -> tuple[str, int] | None:
    """Title and number of a line with leaders between them. Read from its end, as leaders can be very long."""
    line = line.strip()
    page = _PAGE.search(line[-7:]) if len(line) <= _LONGEST_LINE else None
    if page is None:
        return None
    rest = line[: len(line) - len(page[0])].rstrip()
    leader = rest[-1:]
    if leader not in _LEADERS:
        return None
    title = rest.rstrip(f"{leader} \t\u00a0")
    if rest.count(leader, len(title)) < _LEADERS[leader]:
        return None
    return title, _number(page[0])


def _n_of_contents(lines: Sequence[str], entries: Sequence[tuple[str, int] | None]) -> int:
    """Lines that are entries, chapters' lines, headings, or the beginning of a title that goes on below."""
    count = follows = 0
    for line, entry in zip(reversed(lines), reversed(entries), strict=True):
        is_own = entry is not None or any(kind.fullmatch(line[:_LONGEST_LINE]) for kind in (_PLAIN, _HEADING))
        if is_own or _is_torn(line) or (follows and not line.rstrip().endswith((".", "!", ":", ";"))):
            count += 1
        follows = _TITLE_LINES - 1 if entry is not None else max(0, follows - 1)
    return count


def _is_torn(line: str) -> bool:
    """A part of an entry that another passage has the rest of: leaders at its end, or nothing but them and a number."""
    line = line.strip()
    if line[-1:] in _LEADERS and line.count(line[-1], max(0, len(line) - _TAIL)) >= 4:
        return True
    page = _PAGE.search(line[-7:])
    return page is not None and not line[: len(line) - len(page[0])].strip("".join(_LEADERS) + " \t\u00a0")


def _number(page: str) -> int:
    """Pages with Roman numbers come before all others."""
    if page.isdecimal():
        return int(page)
    values = [_ROMAN[letter] for letter in page.lower()]
    return (
        sum(-value if value < following else value for value, following in zip(values, [*values[1:], 0], strict=True))
        - 1000
    )
