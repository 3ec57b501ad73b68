"""Paragraphs, headings and breaks, as office and web formats have them, to pages of text. Knows no format.

A loader yields what it meets in reading order; the text is cleaned here, and characters and lines are counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rag.loaders.limits import HIDDEN_CHARACTERS, PAGE_CHARACTERS, PART_CHARACTERS, TITLE_CHARACTERS
from rag.loaders.visible import shown, visible
from rag.types import Heading, Hidden, HiddenReason, Page, Unit


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph; a heading where `level` is at least 1. `close`: on the next line, not after an empty one."""

    text: str
    level: int = 0
    close: bool = False


@dataclass(frozen=True, slots=True)
class Unseen:
    """Words that nobody can see."""

    reason: HiddenReason
    text: str


@dataclass(frozen=True, slots=True)
class NewPage:
    """A new page, slide or chapter begins, and is counted even if it stays empty."""

    label: str = ""
    first_line: int = 1


Item = Block | Unseen | NewPage


def pages_of(items: Iterable[Item], unit: Unit) -> Iterator[Page]:
    """Cut texts without pages at about `PART_CHARACTERS`, other pages only beyond `PAGE_CHARACTERS`.

    A `NewPage` before anything else names the first page.
    """
    most = PART_CHARACTERS if unit in (Unit.TEXT, Unit.SHEET, Unit.TIME) else PAGE_CHARACTERS
    page = _Growing(1, "", 1)
    untouched = True
    for item in items:
        if isinstance(item, NewPage):
            if not untouched:
                yield page.done()
            page = _Growing(page.number if untouched else page.number + 1, item.label, item.first_line)
        elif isinstance(item, Unseen):
            page.hide(item)
        else:
            for piece in _pieces(item, most):
                if page.length and page.length + len(piece.text) > most:
                    yield page.done()
                    page = _Growing(page.number + 1, page.label, page.next_line)
                page.add(piece)
        untouched = False
    if not untouched:
        yield page.done()


def _pieces(block: Block, most: int) -> Iterator[Block]:
    """A block that is no longer than a page: cut at a line's end, else at a word's, else anywhere."""
    text = block.text
    if len(text) <= most:
        yield block
        return
    while len(text) > most:
        cut = max(text.rfind("\n", 0, most), 0) or max(text.rfind(" ", 0, most), 0) or most
        yield Block(text[:cut])
        text = text[cut:].lstrip("\n ") if cut < most else text[cut:]
    if text:
        yield Block(text)


class _Growing:
    """A page while it is put together."""

    def __init__(self, number: int, label: str, first_line: int) -> None:
        self.number = number
        self.label = label
        self.length = 0
        self._first_line = first_line
        self._parts: list[str] = []
        self._headings: list[Heading] = []
        self._hidden: dict[HiddenReason, list[str]] = {}

    @property
    def next_line(self) -> int:
        return self._first_line + sum(part.count("\n") for part in self._parts) + 1

    def add(self, block: Block) -> None:
        text, hidden = visible(block.text)
        for each in hidden:
            self._hidden.setdefault(each.reason, []).append(each.text)
        text = text.rstrip() if block.close else text.strip("\n").rstrip()
        if not text and not block.close:
            return
        if self._parts:
            self._append("\n" if block.close else "\n\n")
        if block.level and text.strip():
            title = " ".join(text.split())[:TITLE_CHARACTERS]
            self._headings.append(Heading(self.length, block.level, title))
        self._append(text)

    def hide(self, unseen: Unseen) -> None:
        if unseen.text.strip():
            self._hidden.setdefault(unseen.reason, []).append(unseen.text[:HIDDEN_CHARACTERS])

    def done(self) -> Page:
        hidden = tuple(Hidden(reason, shown("\n".join(texts))) for reason, texts in self._hidden.items())
        text = "".join(self._parts)
        label = " ".join(visible(self.label[:TITLE_CHARACTERS])[0].split())
        return Page(self.number, text, label, self._first_line, tuple(self._headings), hidden)

    def _append(self, part: str) -> None:
        self._parts.append(part)
        self.length += len(part)
