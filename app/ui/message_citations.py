"""Citations in an answer as chips: which stand where, and what each says. Knows blocks and sources, no widget.

Marks of private characters, which are taken out of the answer first, go through the Markdown reader as text; the blocks
that come back have spans of kind CITATION in their place. `Span.href` is the chip's number in the list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from app.answer_citations import citations_of, cited_passage, complaint, doubt, replaced
from app.i18n import tr
from app.source_names import file_name, page_name
from app.store.types import SourcePassage, SourcesPart
from app.ui.markdown.blocks import Block, Paragraph, Span, SpanKind, Style, TableBlock
from app.ui.markdown.reader import MarkdownReader
from rag.citations import Citation, Verdict

SCHEME = "cite:"
"""Of a chip's address; no address of a model's own is ever let through with it (`links.checked_address`)."""
NUMBER = "#"
"""Before a source's number, in the address of a chip that was not checked yet."""
_NAME_CHARACTERS = 28
_NEXT = 2
"""Characters between two sentences."""
_TIP_CHARACTERS = 700
_OPEN, _CLOSE = "\ue000", "\ue001"
_PRIVATE = re.compile("[\ue000-\uf8ff]")
_MARK = re.compile(f"{_OPEN}(\\d+){_CLOSE}")


@dataclass(frozen=True, slots=True)
class Chip:
    """`label` stands in the answer, `tip` (plain text) over it. `number` is the source's; `holds` False is struck.

    `passage` is what a click shows, None where there is no such source.
    """

    number: int
    label: str
    tip: str
    holds: bool
    passage: SourcePassage | None = None


def chips_of(text: str, sources: SourcesPart | None) -> tuple[Chip, ...]:
    """The chips of an answer, in their order."""
    if sources is None:
        return ()
    text = _without_private(text)
    return tuple(_chip(text, citation, sources) for citation in _shown(citations_of(text, sources), text))


def cited_blocks(reader: MarkdownReader, text: str, sources: SourcesPart) -> Sequence[Block]:
    """An answer's blocks, with its chips; before them what makes the whole of it doubtful."""
    text = _without_private(text)
    warning = doubt(text, sources)
    before = (Paragraph((Span(warning, Style.ITALIC),)),) if warning else ()
    citations = _shown(citations_of(text, sources), text)
    if not citations:
        return (*before, *reader.read(text).blocks)
    marks = [f"{_OPEN}{place}{_CLOSE}" for place in range(len(citations))]
    chips = [_chip(text, citation, sources) for citation in citations]
    return (*before, *(_chipped(block, chips) for block in reader.read(replaced(text, citations, marks)).blocks))


def _shown(citations: Sequence[Citation], text: str) -> list[Citation]:
    """Of sentences that follow each other in one paragraph and rest on one source, the last has the chip.

    What the model itself has written is always replaced.
    """
    shown: list[Citation] = []
    for citation, following in zip_longest(citations, citations[1:]):
        if (
            following is not None
            and citation.start == citation.end
            and citation.verdict is Verdict.HOLDS
            and following.verdict is Verdict.HOLDS
            and citation.number == following.number
            and following.claim_start - citation.claim_end <= _NEXT
            and "\n" not in text[citation.claim_end : following.claim_start]
        ):
            continue
        shown.append(citation)
    return shown


def _without_private(text: str) -> str:
    return _PRIVATE.sub("", text)


def _chip(text: str, citation: Citation, sources: SourcesPart) -> Chip:
    holds = citation.verdict is Verdict.HOLDS
    if citation.verdict is Verdict.NO_SOURCE:
        return Chip(citation.number, f"[{citation.number}]", complaint(citation, sources), holds)
    passage = cited_passage(text, citation, sources)
    tip = passage_words(passage)
    if not holds:
        tip = f"{complaint(citation, sources)}\n\n{tip}"
    elif citation.by_program:
        tip = f"{tip}\n\n{tr('Found by Hearth: the model named no source here.')}"
    return Chip(citation.number, passage_label(passage), tip, holds, passage)


def passage_words(passage: SourcePassage) -> str:
    """As a tip shows them."""
    words = " ".join(passage.text.split())
    return words if len(words) <= _TIP_CHARACTERS else words[:_TIP_CHARACTERS].rsplit(" ", 1)[0] + " …"


def passage_label(passage: SourcePassage) -> str:
    """File and page, as short as fits into a line."""
    name = file_name(passage.path)
    if len(name) > _NAME_CHARACTERS:
        name = f"{name[: _NAME_CHARACTERS - 9]}…{name[-8:]}"
    page = page_name(passage.unit, passage.page, passage.page_label, passage.first_line)
    return f"{name}, {page}" if page else name


def _chipped(block: Block, chips: Sequence[Chip]) -> Block:
    if isinstance(block, Paragraph):
        return replace(block, spans=tuple(_split(block.spans, chips)))
    if isinstance(block, TableBlock):
        rows = tuple(tuple(tuple(_split(cell, chips)) for cell in row) for row in block.rows)
        return replace(block, rows=rows)
    return block


def _split(spans: Sequence[Span], chips: Sequence[Chip]) -> Iterator[Span]:
    for span in spans:
        if span.kind is not SpanKind.TEXT or _OPEN not in span.text:
            yield span
            continue
        at = 0
        for mark in _MARK.finditer(span.text):
            if mark.start() > at:
                yield replace(span, text=span.text[at : mark.start()])
            place = int(mark[1])
            style = Style.PLAIN if chips[place].holds else Style.STRIKE
            yield Span(chips[place].label, style, f"{SCHEME}{place}", SpanKind.CITATION, chips[place].tip)
            at = mark.end()
        if at < len(span.text):
            yield replace(span, text=span.text[at:])
