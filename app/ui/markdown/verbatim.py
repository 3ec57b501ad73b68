"""A person's own words as blocks: exactly as typed, but for fenced code, which gets its frame."""

from __future__ import annotations

import re

from app.ui.markdown.blocks import Block, CodeBlock, Paragraph, Span

_FENCE = re.compile(
    r"^ {0,3}(`{3,}|~{3,})[ \t]*([^\s`]*)[^\n`]*\n(.*?)(?:^ {0,3}\1[`~]*[ \t]*$|\Z)", re.MULTILINE | re.DOTALL
)
_GAP = re.compile(r"\n[ \t]*\n\s*?(?=[^\n])")


def verbatim_blocks(text: str) -> list[Block]:
    """Paragraphs are parted at empty lines; spaces and line breaks stay."""
    blocks: list[Block] = []
    end = 0
    for match in _FENCE.finditer(text):
        blocks.extend(_paragraphs(text[end : match.start()]))
        blocks.append(CodeBlock(match[3].removesuffix("\n"), match[2]))
        end = match.end()
    blocks.extend(_paragraphs(text[end:]))
    return blocks


def _paragraphs(text: str) -> list[Block]:
    return [Paragraph((Span(part.strip("\n")),)) for part in _GAP.split(text) if part.strip()]
