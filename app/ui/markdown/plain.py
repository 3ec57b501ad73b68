"""Blocks as plain text, for the clipboard, for screen readers and for titles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from app.ui.markdown.blocks import Block, CodeBlock, MathBlock, Paragraph, Span, SpanKind, TableBlock, Task

_BOXES = {Task.OPEN: "☐", Task.DONE: "☑"}


def plain_blocks(blocks: Iterable[Block]) -> str:
    """The words, with list markers and without Markdown's signs."""
    lines: list[str] = []
    for block in blocks:
        text = _plain(block)
        if lines and block.place.spaced:
            lines.append("")
        lines.append(text)
    return "\n".join(lines)


def _plain(block: Block) -> str:
    match block:
        case Paragraph():
            marker = _BOXES[block.place.task] if block.place.task else block.place.marker
            step = "  " * max(0, len(block.place.levels) - 1)
            return step + (f"{marker} " if marker else "") + plain_spans(block.spans)
        case CodeBlock():
            return block.text
        case MathBlock():
            return block.latex
        case TableBlock():
            return "\n".join("\t".join(plain_spans(cell) for cell in row) for row in block.rows)
    return ""


def plain_spans(spans: Sequence[Span]) -> str:
    return "".join(f" ({span.text})" if span.kind is SpanKind.CITATION else span.text for span in spans)
