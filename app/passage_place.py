"""Where a passage stands in a document, and what is worth showing of it. Qt-free; knows no store and no library."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.amounts import clock_text
from app.i18n import tr
from app.source_names import page_name
from rag.passages import Passage
from rag.types import Heading, Unit

SNIPPET_CHARACTERS = 320
"""Of a passage, in a list."""
_WORD = re.compile(r"\w+", re.UNICODE)
_LONG_WORD = 4
"""Letters; shorter words of a question are marked only where it has no longer ones."""
_ENDINGS = 4
"""Letters that the words of a text may have more than a question's, or less, at their end."""
_FRAGMENT = 3
"""Letters that are compared in scripts that put no space between words, as the search does."""
_NO_SPACES = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")

Mark = tuple[int, int]
"""Characters [start, end) of a text."""


@dataclass(frozen=True, slots=True)
class PassagePlace:
    """Characters [start, end) of the `page`th page of a blob of the library, lines [first_line, last_line],
    of a transcript seconds.

    `path` is a file that held these words when it was read.
    """

    path: Path
    blob_id: int
    title: str
    unit: Unit
    page: int
    page_label: str
    start: int
    end: int
    first_line: int
    last_line: int


def place_of(passage: Passage) -> PassagePlace:
    """The place of what a search found."""
    return PassagePlace(
        passage.path, passage.blob_id, passage.title, passage.unit, passage.page, passage.page_label, passage.start,
        passage.end, passage.first_line, passage.last_line,
    )  # fmt: skip


def where_text(place: PassagePlace | Passage) -> str:
    """ "page 12", "lines 3 to 9", "12:34 to 13:10": what a citation names."""
    if place.unit is Unit.TIME and place.last_line > place.first_line:
        return tr("{first} to {last}", first=clock_text(place.first_line), last=clock_text(place.last_line))
    if place.unit is Unit.TEXT and place.last_line > place.first_line:
        return tr("lines {first} to {last}", first=place.first_line, last=place.last_line)
    return page_name(place.unit, place.page, place.page_label, place.first_line)


def section_at(headings: Sequence[Heading], start: int) -> str:
    """The path of a page's own headings above character `start`, "" for none."""
    path: list[Heading] = []
    for heading in headings:
        if heading.start > start:
            break
        while path and path[-1].level >= heading.level:
            path.pop()
        path.append(heading)
    return " › ".join(heading.title for heading in path)


def marks(text: str, question: str) -> tuple[Mark, ...]:
    """The words of `text` that a question names, by and large as the search takes them: endings do not count."""
    words = {word.casefold() for word in _WORD.findall(question)}
    fragments = {each for word in words if _NO_SPACES.search(word) for each in _fragments(word)}
    words = {word for word in words if not _NO_SPACES.search(word)}
    long_words = {word for word in words if len(word) >= _LONG_WORD or word.isdigit()}
    found: set[int] = set()
    for match in _WORD.finditer(text):
        word = match.group().casefold()
        if any(_same_word(word, each) for each in long_words or words):
            found.update(range(*match.span()))
        elif len(word) == len(match.group()):
            for each in fragments:
                for at in _places(word, each):
                    found.update(range(match.start() + at, match.start() + at + len(each)))
    return _runs(sorted(found))


def snippet(text: str, question: str = "", most: int = SNIPPET_CHARACTERS) -> tuple[str, tuple[Mark, ...]]:
    """The part of a passage that shows most of the question's words, on one line, and where they are in it."""
    line = " ".join(text.split())
    found = marks(line, question) if question else ()
    if len(line) > most:
        first = _best_start(found, most)
        before = "…" if first else ""
        after = "…" if first + most < len(line) else ""
        line = before + line[first : first + most].strip() + after
        found = marks(line, question) if question else ()
    return line, found


def _best_start(found: Sequence[Mark], most: int) -> int:
    """Where to begin so that the most marks are seen."""
    lead = most // 6
    starts = [max(0, start - lead) for start, _end in found] or [0]
    return max(starts, key=lambda first: (sum(first <= start < first + most - lead for start, _ in found), -first))


def _fragments(word: str) -> set[str]:
    return {word[at : at + _FRAGMENT] for at in range(max(1, len(word) - _FRAGMENT + 1))}


def _runs(positions: Sequence[int]) -> tuple[Mark, ...]:
    """Neighbouring positions joined."""
    runs: list[Mark] = []
    for at in positions:
        if runs and runs[-1][1] == at:
            runs[-1] = (runs[-1][0], at + 1)
        else:
            runs.append((at, at + 1))
    return tuple(runs)


def _places(word: str, part: str) -> list[int]:
    return [at for at in range(len(word)) if word.startswith(part, at)]


def _same_word(word: str, wanted: str) -> bool:
    if word == wanted:
        return True
    stem = max(_LONG_WORD, len(wanted) - 2)
    return (
        len(wanted) >= _LONG_WORD
        and not wanted.isdigit()
        and word[:stem] == wanted[:stem]
        and abs(len(word) - len(wanted)) <= _ENDINGS
    )
