"""Rich Text Format, without its marks. Hidden text and headings are not told apart: few programs write it any more."""

from __future__ import annotations

from collections.abc import Iterator

from rag.loaders.flow import Block, Item, pages_of
from rag.loaders.limits import MIB
from rag.loaders.loader import DAMAGED, NO_TEXT, OpenDocument, Source
from rag.types import DocumentInfo, Unit

_BYTES = 32 * MIB
"""Pictures stand in the text as digits, and the reader takes a second for two megabytes."""


def open_rtf(source: Source) -> OpenDocument:
    """Raises `DocumentError`."""
    from striprtf.striprtf import rtf_to_text  # noqa: PLC0415  # only for this format

    raw = source.whole(_BYTES).decode("latin-1")
    try:
        text = rtf_to_text(raw, errors="replace")
    except (ValueError, IndexError, KeyError, LookupError, TypeError, AttributeError) as error:
        raise source.error(DAMAGED) from error
    if not text.strip():
        raise source.error(NO_TEXT)
    return OpenDocument(
        DocumentInfo(source.title, Unit.TEXT, "application/rtf"), pages_of(_lines(text.strip()), Unit.TEXT)
    )


def _lines(text: str) -> Iterator[Item]:
    for line in text.split("\n"):
        yield Block(line, close=True)
