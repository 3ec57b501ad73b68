"""What is said, and when, as pages of text: a line each, behind its time. Knows no format; for recordings too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from rag.loaders.flow import Block, pages_of
from rag.transcript import second_at, stamped
from rag.types import Page, Unit


def speech_pages(said: Iterable[tuple[float, str]]) -> Iterator[Page]:
    """Pages of what is said, in order; times are seconds from the beginning. None where nothing is said."""
    blocks = (Block(stamped(seconds, words), close=True) for seconds, text in said if (words := " ".join(text.split())))
    for page in pages_of(blocks, Unit.TIME):
        yield replace(page, first_line=second_at(page.text, 0, 0))
