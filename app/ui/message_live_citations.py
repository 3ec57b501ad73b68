"""Citations of an answer under way: chips in a quiet colour, not looked into yet. Knows blocks and sources, no widget.

What the answer cites is checked when it is whole; see `app.ui.message_citations`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from app.i18n import tr
from app.store.types import SourcesPart
from app.ui.markdown.blocks import Block, Paragraph, Span, SpanKind, Style, TableBlock
from app.ui.message_citations import NUMBER, SCHEME, passage_label, passage_words
from rag.citations import begun_marker, markers
from rag.passages import Way


class LiveCitations:
    """Of one answer. Blocks that have not changed since the last time are not looked at again."""

    def __init__(self, sources: SourcesPart) -> None:
        self.sources = sources
        self._known: list[tuple[Block, Block]] = []

    def blocks(self, blocks: Sequence[Block]) -> Sequence[Block]:
        """The blocks with chips for numbers; a number that is still being written is left out."""
        if not self.sources.passages or self.sources.way == Way.NOTHING:
            return blocks
        known = self._known
        same = next(
            (place for place, block in enumerate(blocks) if place >= len(known) or known[place][0] is not block),
            len(blocks),
        )
        del known[same:]
        known += [(block, self._chipped(block, is_last=block is blocks[-1])) for block in blocks[same:]]
        return [shown for _block, shown in known]

    def _chipped(self, block: Block, *, is_last: bool) -> Block:
        if isinstance(block, Paragraph):
            return replace(block, spans=tuple(self._split(block.spans, is_last)))
        if isinstance(block, TableBlock):
            rows = tuple(tuple(tuple(self._split(cell, is_last)) for cell in row) for row in block.rows)
            return replace(block, rows=rows)
        return block

    def _split(self, spans: Sequence[Span], is_last: bool) -> Iterator[Span]:
        for span in spans:
            if span.kind is not SpanKind.TEXT or span.href or Style.CODE in span.style:
                yield span
                continue
            text = span.text[: begun_marker(span.text)] if is_last and span is spans[-1] else span.text
            at = 0
            for start, end, numbers in markers(text):
                if start > at:
                    yield replace(span, text=text[at:start])
                yield from (self._chip(number) for number in numbers)
                at = end
            if at < len(text):
                yield replace(span, text=text[at:])

    def _chip(self, number: int) -> Span:
        if not 0 < number <= len(self.sources.passages):
            return Span(f"[{number}]", Style.QUIET, "", SpanKind.CITATION)
        passage = self.sources.passages[number - 1]
        tip = f"{tr('Not checked yet.')}\n\n{passage_words(passage)}"
        return Span(passage_label(passage), Style.QUIET, f"{SCHEME}{NUMBER}{number}", SpanKind.CITATION, tip)
