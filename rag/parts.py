"""A whole document in parts that a model reads one after another. Pure; knows no model and no store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from rag.passages import DocumentPart, DocumentParts
from rag.transcript import line_at
from rag.types import Page, Unit

_LEAST_SHARE = 2
"""A page is cut at a line's or a word's end in the second half of the room, or else wherever the room ends."""
_BETWEEN = "\n\n"


def parts_of(pages: Iterable[Page], most_characters: int, unit: Unit = Unit.TEXT) -> Iterator[DocumentPart]:
    """Whole pages together where they fit, longer ones cut; pages without text are passed over. In their order."""
    open_part: DocumentPart | None = None
    for page in pages:
        for piece in _pieces(page, most_characters, unit):
            if open_part is None:
                open_part = piece
            elif len(open_part.text) + len(_BETWEEN) + len(piece.text) <= most_characters:
                open_part = _joined(open_part, piece)
            else:
                yield open_part
                open_part = piece
    if open_part is not None:
        yield open_part


def sampled(parts: Iterable[DocumentPart], most: int) -> DocumentParts:
    """All parts, or `most` (at least 1) of them, evenly spread."""
    every = list(parts)
    return DocumentParts(tuple(every[place] for place in spread(len(every), most)), len(every))


def spread(count: int, most: int) -> list[int]:
    """`most` places (at least 1) of `count`, evenly spread, the first and the last among them; all where they are
    fewer.
    """
    if count <= most:
        return list(range(count))
    if most == 1:
        return [0]
    return [round(number * (count - 1) / (most - 1)) for number in range(most)]


def _pieces(page: Page, most_characters: int, unit: Unit) -> Iterator[DocumentPart]:
    text, start = page.text, 0
    while start < len(text):
        end = min(len(text), start + most_characters)
        if end < len(text):
            end = _good_end(text, start, end)
        if text[start:end].strip():
            first_line, last_line = (line_at(unit, text, at, page.first_line) for at in (start, end))
            yield DocumentPart(
                page.number, page.number, page.label, page.label, first_line, last_line, start, end, text[start:end]
            )
        start = end


def _good_end(text: str, start: int, end: int) -> int:
    least = start + (end - start) // _LEAST_SHARE
    for mark in ("\n\n", "\n", ". ", " "):
        at = text.rfind(mark, least, end)
        if at >= 0:
            return at + len(mark)
    return end


def _joined(first: DocumentPart, second: DocumentPart) -> DocumentPart:
    same_page = first.first_page == second.last_page
    return replace(
        first,
        last_page=second.last_page,
        last_label=second.last_label,
        last_line=second.last_line,
        end=second.end if same_page else first.end,
        text=first.text + (("" if same_page else _BETWEEN) + second.text),
    )
