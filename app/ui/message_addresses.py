"""Where a click in an answer leads; and addresses of documents, which are text, with a chip that shows their source.

Knows blocks and addresses, no widget. See `app.document_addresses` for which are a document's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from app.document_addresses import DocumentAddresses, Origin
from app.i18n import tr
from app.store.types import SourcePassage, SourcesPart
from app.ui.markdown.blocks import Block, Paragraph, Span, SpanKind, Style, TableBlock
from app.ui.message_citations import NUMBER, SCHEME, chips_of, passage_label, passage_words

ORIGIN = "@"
"""Before the place of an `Origin`, in the address of its chip."""


def inert_blocks(blocks: Sequence[Block], addresses: DocumentAddresses) -> Sequence[Block]:
    """The blocks, in which no address of a document's is a link; those without one are the same objects."""
    if not addresses.documents:
        return blocks
    return [_inert(block, addresses) for block in blocks]


def target_of(
    url: str, text: str, sources: SourcesPart | None, addresses: DocumentAddresses
) -> SourcePassage | str | None:
    """A passage that is to be shown, an address that is to be asked about, or None: for a link in the answer `text`.

    An address of a document's leads to the document, also from where it looks like any other (in reasoning).
    """
    if not url.startswith(SCHEME):
        place = addresses.origin_of(url)
        return url if place is None else addresses.documents[place].passage
    chip = url.removeprefix(SCHEME)
    number = int(digits) if (digits := chip.lstrip(NUMBER + ORIGIN)).isdecimal() else -1
    if chip.startswith(ORIGIN):
        return addresses.documents[number].passage if 0 <= number < len(addresses.documents) else None
    if chip.startswith(NUMBER):
        return sources.passages[number - 1] if sources is not None and 0 < number <= len(sources.passages) else None
    chips = chips_of(text, sources)
    return chips[number].passage if 0 <= number < len(chips) else None


def _inert(block: Block, addresses: DocumentAddresses) -> Block:
    if isinstance(block, Paragraph) and _has_origin(block.spans, addresses):
        return replace(block, spans=tuple(_spans(block.spans, addresses)))
    if isinstance(block, TableBlock) and any(_has_origin(cell, addresses) for row in block.rows for cell in row):
        return replace(block, rows=tuple(tuple(tuple(_spans(cell, addresses)) for cell in row) for row in block.rows))
    return block


def _has_origin(spans: Sequence[Span], addresses: DocumentAddresses) -> bool:
    return any(_origin(span.href, span.kind, addresses) is not None for span in spans)


def _origin(href: str, kind: SpanKind, addresses: DocumentAddresses) -> int | None:
    return addresses.origin_of(href) if href and kind is not SpanKind.CITATION else None


def _spans(spans: Sequence[Span], addresses: DocumentAddresses) -> Iterator[Span]:
    for (href, kind), group in groupby(spans, lambda span: (span.href, span.kind)):
        run = list(group)
        place = _origin(href, kind, addresses)
        if place is None:
            yield from run
            continue
        words = "".join(span.text for span in run)
        yield from (replace(span, href="", kind=SpanKind.TEXT) for span in run if span.text)
        if href not in words:
            yield Span(" " if words else "")
            yield Span(href, Style.CODE)
        yield _chip(place, addresses.documents[place])


def _chip(place: int, origin: Origin) -> Span:
    tip = tr("This address stands in {name}. Hearth does not open it from here.", name=origin.name)
    if origin.passage is None:
        return Span(origin.name, Style.QUIET, "", SpanKind.CITATION, tip)
    tip = f"{tip}\n\n{passage_words(origin.passage)}"
    return Span(passage_label(origin.passage), Style.QUIET, f"{SCHEME}{ORIGIN}{place}", SpanKind.CITATION, tip)
