"""Headings of a PDF that has no table of contents: lines that are printed larger than the text, or bold by themselves.

The size of the text, and how sizes rank, is learnt from a sample of pages first. Knows no outline and no hidden text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from rag.loaders.limits import TITLE_CHARACTERS
from rag.loaders.pdf_page import PdfPage

_SAMPLE = 16
"""Pages that are looked at before the first is read."""
_LARGER = 1.12
"""Times the text's size."""
_SAME = 1.04
"""Sizes that are as good as equal."""
_RARE = 0.2
"""Of the text, set in bold: then a bold line means something."""
_CHARACTERS = 100
"""Longer lines are no headings, however they are printed."""
_A_PAGE = 12
"""More on one page are a slide, a form or a poster."""
_LINES = 3
"""Of one heading."""
_LEVELS = 4
_RUNNING = 3
"""Pages of the sample that a line stands on: then it is a page's head or foot."""


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    size: float
    """Points, of the font's full height."""
    is_bold: bool


@dataclass(frozen=True, slots=True)
class Print:
    """How a document is printed: the size of its text in points, and the sizes of its headings, the largest first."""

    body: float
    sizes: tuple[float, ...]
    bold_stands_out: bool
    running: frozenset[str]
    """Lines that stand on many pages, and head none."""

    def headings(self, page: PdfPage) -> list[tuple[int, str]]:
        """(level, title) of the page's headings, in the order of its text."""
        lines = list(_lines(page))
        if sum(map(self._is_heading, lines)) > _A_PAGE:
            return []
        joined = _joined(lines, self._is_heading)
        return [(self._level(line), line.text[:TITLE_CHARACTERS]) for line in joined if self._is_heading(line)]

    def _is_heading(self, line: _Line) -> bool:
        if not self.body or not _is_title(line.text) or line.text in self.running:
            return False
        if line.size >= _LARGER * self.body:
            return True
        return self.bold_stands_out and line.is_bold and _SAME * line.size >= self.body and line.text[-1] not in ".,;:"

    def _level(self, line: _Line) -> int:
        larger = sum(size > _SAME * line.size for size in self.sizes)
        return 1 + min(larger if line.size >= _LARGER * self.body else len(self.sizes), _LEVELS - 1)


def printed(document: Any, n_pages: int) -> Print:
    """Learnt from pages that lie evenly over PDFium's document."""
    lines: list[_Line] = []
    pages: Counter[str] = Counter()
    for number in range(min(_SAMPLE, n_pages)):
        try:
            page = PdfPage(document, number * n_pages // min(_SAMPLE, n_pages))
        except ValueError:
            continue
        with page:
            found = list(_lines(page))
        lines.extend(found)
        pages.update({line.text for line in found})
    letters: Counter[float] = Counter()
    for line in lines:
        letters[_rounded(line.size)] += len(line.text)
    if not letters:
        return Print(0.0, (), False, frozenset())
    body = letters.most_common(1)[0][0]
    text = [line for line in lines if body < _LARGER * line.size and line.size < _LARGER * body]
    all_of_it = sum(len(line.text) for line in text)
    bold = sum(len(line.text) for line in text if line.is_bold)
    ranked: list[float] = []
    for size in sorted({line.size for line in lines if line.size >= _LARGER * body and _is_title(line.text)})[::-1]:
        if not ranked or ranked[-1] > _SAME * size:
            ranked.append(size)
    running = frozenset(text for text, count in pages.items() if count >= _RUNNING)
    return Print(body, tuple(ranked[: _LEVELS - 1]), 0 < bold < _RARE * all_of_it, running)


def _lines(page: PdfPage) -> Iterator[_Line]:
    for first, text in page.lines():
        words = text.strip()
        if not words:
            continue
        start = first + len(text) - len(text.lstrip())
        box = page.box(start, loose=True)
        if box is not None and box[3] > box[1]:
            end = first + len(text.rstrip()) - 1
            is_bold = len(words) <= _CHARACTERS and page.is_bold(start) and page.is_bold(end)
            yield _Line(" ".join(words.split()), box[3] - box[1], is_bold)


def _joined(lines: list[_Line], is_heading: Callable[[_Line], bool]) -> Iterator[_Line]:
    """Headings that go over several lines as one."""
    held: _Line | None = None
    n_held = 0
    for line in lines:
        alike = (
            held is not None
            and held.is_bold == line.is_bold
            and _SAME * min(held.size, line.size) >= max(held.size, line.size)
        )
        if held is not None and alike and n_held < _LINES and is_heading(held) and is_heading(line):
            held, n_held = _Line(f"{held.text} {line.text}", held.size, held.is_bold), n_held + 1
            continue
        if held is not None:
            yield held
        held, n_held = line, 1
    if held is not None:
        yield held


def _is_title(text: str) -> bool:
    letters = sum(character.isalpha() for character in text)
    return letters >= 2 and 2 * letters >= len(text) and len(text) <= _CHARACTERS


def _rounded(size: float) -> float:
    return round(2 * size) / 2
