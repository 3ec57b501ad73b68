"""Reads Markdown (CommonMark; GitHub's tables, strikethrough, task lists, footnotes, bare addresses) into blocks.

There is no HTML: its source is shown as text. Addresses are passed on as written; `app.ui.links` judges them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.gfm_autolink import gfm_autolink_plugin

from app.ui.markdown import math_rules
from app.ui.markdown.blocks import (
    Block,
    CodeBlock,
    Level,
    MathBlock,
    Paragraph,
    Place,
    RuleBlock,
    Span,
    SpanKind,
    Style,
    TableBlock,
    Task,
)

_MAX_NESTING = 24


@dataclass(frozen=True, slots=True)
class Unit:
    """A top-level block or top-level list item, and the line it starts on (0-based)."""

    line: int
    ordered: tuple[str, int] | None
    """For an item of a numbered list: its delimiter and number."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a source consists of. `has_definitions`: link or footnote definitions, which act on the whole text."""

    blocks: tuple[Block, ...]
    units: tuple[Unit, ...]
    has_definitions: bool


class MarkdownReader:
    """A configured parser. Cheap to keep, costly to make; one for a whole transcript. One thread."""

    def __init__(self) -> None:
        md = MarkdownIt("commonmark", {"html": False, "maxNesting": _MAX_NESTING})
        md.enable(["table", "strikethrough"])
        md.use(gfm_autolink_plugin)
        md.use(footnote_plugin, inline=False)
        md.use(math_rules.math_plugin)
        md.validateLink = _any_link  # type: ignore[method-assign]  # links.py judges; here no source is mangled
        md.normalizeLink = _as_written  # type: ignore[method-assign]
        self._md = md

    def read(
        self,
        source: str,
        *,
        open_ended: bool = False,
        continues: tuple[str, int] | None = None,
        after_blank: bool = True,
    ) -> Reading:
        """Read `source`.

        `open_ended`: more text may come, so an unclosed formula is shown as one. `continues`: the numbered list
        (delimiter, last number) that the text before ended with. `after_blank`: an empty line stands before.
        """
        env: dict[str, Any] = {math_rules.OPEN_ENDED: open_ended}
        tokens = self._md.parse(source, env)
        walk = _Walk(source.split("\n"), continues, after_blank)
        walk.run(tokens)
        return Reading(
            tuple(walk.blocks), tuple(walk.units), bool(env.get("references")) or "refs" in env.get("footnotes", {})
        )


def is_blank(line: str) -> bool:
    """Whether a line holds nothing but a quote's marks."""
    return not line.strip(" \t>")


def _any_link(url: str) -> bool:
    return True


def _as_written(url: str) -> str:
    return url


@dataclass(slots=True)
class _List:
    ordered: bool
    delimiter: str
    number: int


@dataclass(slots=True)
class _Walk:
    """One pass over the block tokens, keeping the levels around the present one."""

    lines: list[str]
    continues: tuple[str, int] | None
    after_blank: bool
    blocks: list[Block] = field(default_factory=list)
    units: list[Unit] = field(default_factory=list)
    levels: list[Level] = field(default_factory=list)
    lists: list[_List] = field(default_factory=list)
    marker: str = ""
    task: Task | None = None
    spaced: bool = True
    note: bool = False

    def run(self, tokens: Sequence[Token]) -> None:
        index = 0
        while index < len(tokens):
            token = tokens[index]
            if (
                token.level == 0
                and token.map is not None
                and token.nesting >= 0
                and not token.type.endswith("list_open")
            ):
                self.units.append(Unit(token.map[0], None))
            index = self._skip_too_deep(tokens, index) if token.level == 0 else self._step(tokens, index)

    def _skip_too_deep(self, tokens: Sequence[Token], index: int) -> int:
        """The parser drops what is nested too deeply; that block is shown as its source instead."""
        end = index + 1
        if tokens[index].nesting == 1:
            while tokens[end].level > 0:
                end += 1
        deepest = max(token.level for token in tokens[index : end + 1])
        lines = tokens[index].map
        if deepest < _MAX_NESTING - 1 or lines is None or tokens[index].type == "table_open":
            return self._step(tokens, index)
        source = "\n".join(self.lines[lines[0] : lines[1]]).strip("\n")
        self.blocks.append(Paragraph((Span(source),)))
        return end + 1

    def _step(self, tokens: Sequence[Token], index: int) -> int:
        token = tokens[index]
        match token.type:
            case "paragraph_open" | "heading_open":
                heading = int(token.tag[1]) if token.type == "heading_open" else 0
                self._add_paragraph(tokens[index + 1].children or [], heading)
                return index + 3
            case "bullet_list_open" | "ordered_list_open":
                self._open_list(token)
            case "bullet_list_close" | "ordered_list_close":
                self.lists.pop()
            case "list_item_open":
                self._open_item(token)
            case "list_item_close" | "footnote_close" | "blockquote_close":
                self._flush_marker()
                self.levels.pop()
                self.note = self.note and token.type != "footnote_close"
            case "blockquote_open":
                self._flush_marker()
                self.levels.append(Level.QUOTE)
            case "footnote_open":
                self.levels.append(Level.LIST)
                self.marker, self.note, self.spaced = f"{token.meta['id'] + 1}.", True, False
            case "table_open":
                return self._add_table(tokens, index)
            case _:
                self._add_leaf(token)
        return index + 1

    def _add_leaf(self, token: Token) -> None:
        match token.type:
            case "fence":
                language = token.info.strip().split(maxsplit=1)[0] if token.info.strip() else ""
                self.blocks.append(
                    CodeBlock(token.content.removesuffix("\n"), language, self._own_place(), self._is_closed(token))
                )
            case "code_block":
                self.blocks.append(CodeBlock(token.content.removesuffix("\n"), "", self._own_place()))
            case "hr":
                self.blocks.append(RuleBlock(self._own_place()))
            case math_rules.BLOCK:
                self.blocks.append(MathBlock(token.content, self._own_place(), bool(token.meta["closed"])))

    def _is_closed(self, token: Token) -> bool:
        assert token.map is not None
        last = self.lines[token.map[1] - 1] if token.map[1] - 1 < len(self.lines) else ""
        return token.map[1] - token.map[0] > 1 and last.strip(" \t>").startswith(token.markup)

    def _open_list(self, token: Token) -> None:
        ordered = token.type == "ordered_list_open"
        number = int(token.attrGet("start") or 1) if ordered else 1
        if ordered and token.attrGet("start") == 0:
            number = 0
        if ordered and token.level == 0 and not self.units and self.continues and self.continues[0] == token.markup:
            number = self.continues[1] + 1
        self._flush_marker()
        self.lists.append(_List(ordered, token.markup, number))

    def _open_item(self, token: Token) -> None:
        assert token.map is not None
        current = self.lists[-1]
        ordered = (current.delimiter, current.number) if current.ordered else None
        if token.level == 1:
            self.units.append(Unit(token.map[0], ordered))
        self.levels.append(Level.LIST)
        self.marker = f"{current.number}." if current.ordered else "•"
        self.spaced = self._blank_before(token.map[0])
        current.number += 1

    def _blank_before(self, line: int) -> bool:
        return self.after_blank if line == 0 else is_blank(self.lines[line - 1])

    def _place(self) -> Place:
        place = Place(tuple(self.levels), self.marker, self.task, self.spaced or not self.marker)
        self.marker, self.task, self.spaced = "", None, True
        return place

    def _own_place(self) -> Place:
        """For a block that draws no marker itself: an empty paragraph before it does."""
        self._flush_marker()
        return Place(tuple(self.levels))

    def _flush_marker(self) -> None:
        if self.marker:
            self.blocks.append(Paragraph((), self._place(), note=self.note))

    def _add_paragraph(self, children: Sequence[Token], heading: int) -> None:
        spans = tuple(merge_spans(_spans(children)))
        if self.marker and spans and spans[0].kind is SpanKind.TEXT:
            spans = self._take_task(spans)
        self.blocks.append(Paragraph(spans, self._place(), heading, self.note))

    def _take_task(self, spans: tuple[Span, ...]) -> tuple[Span, ...]:
        box = spans[0].text[:4].lower()
        if box not in ("[ ] ", "[x] "):
            return spans
        self.task = Task.OPEN if box == "[ ] " else Task.DONE
        rest = spans[0].text[4:]
        return (Span(rest, spans[0].style), *spans[1:]) if rest else spans[1:]

    def _add_table(self, tokens: Sequence[Token], index: int) -> int:
        rows: list[tuple[tuple[Span, ...], ...]] = []
        cells: list[tuple[Span, ...]] = []
        alignments: list[str] = []
        while tokens[index].type != "table_close":
            token = tokens[index]
            match token.type:
                case "tr_open":
                    cells = []
                case "th_open":
                    alignments.append(str(token.attrGet("style") or "").removeprefix("text-align:"))
                case "inline":
                    cells.append(tuple(merge_spans(_spans(token.children or []))))
                case "tr_close":
                    rows.append(tuple(cells))
            index += 1
        self.blocks.append(TableBlock(tuple(rows), tuple(alignments), self._own_place()))
        return index + 1


_STYLES = {"strong": Style.BOLD, "em": Style.ITALIC, "s": Style.STRIKE}


def _spans(children: Sequence[Token]) -> Iterator[Span]:
    style, hrefs = Style.PLAIN, [""]
    for token in children:
        name, _, side = token.type.rpartition("_")
        if name in _STYLES and side in ("open", "close"):
            style = style | _STYLES[name] if side == "open" else style & ~_STYLES[name]
            continue
        match token.type:
            case "link_open":
                hrefs.append(str(token.attrGet("href") or ""))
            case "link_close":
                hrefs.pop()
            case "softbreak":
                yield Span(" ", style, hrefs[-1])
            case "hardbreak":
                yield Span("\n", style, hrefs[-1])
            case "code_inline":
                yield Span(token.content, style | Style.CODE, hrefs[-1])
            case math_rules.INLINE:
                yield Span(token.content, style, kind=SpanKind.MATH)
            case "image":
                yield Span(token.content, style, str(token.attrGet("src") or ""), SpanKind.IMAGE)
            case "footnote_ref":
                yield Span(str(token.meta["id"] + 1), Style.RAISED)
            case "footnote_anchor":
                continue
            case _:
                yield Span(token.content, style, hrefs[-1])


def merge_spans(spans: Iterator[Span]) -> Iterator[Span]:
    """Join neighbours that are set alike, drop empty ones."""
    last: Span | None = None
    for span in spans:
        if not span.text and span.kind is not SpanKind.IMAGE:
            continue
        if last is None:
            last = span
        elif last.kind is SpanKind.TEXT and (last.kind, last.style, last.href) == (span.kind, span.style, span.href):
            last = Span(last.text + span.text, last.style, last.href)
        else:
            yield last
            last = span
    if last is not None:
        yield last
