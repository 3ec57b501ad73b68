"""Headings in texts that are read line by line: Markdown, reStructuredText, source code. Knows no file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from rag.loaders.limits import TITLE_CHARACTERS
from rag.types import Heading

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_HASHES = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_NO_PARAGRAPH = re.compile(r" {0,3}(?:[-*+>|#]|\d+[.)] |$)|\t| {4}")
_ADORNMENT = re.compile(r"([!-/:-@\[-`{-~])\1{2,}[ \t]*$")
_DEFINITION = re.compile(
    r"(?P<indent>[ \t]*)(?:(?:export|default|public|private|protected|internal|static|final|abstract|async"
    r"|pub(?:\(\w+\))?|unsafe|inline|sealed|data|open|override|local) )*"
    r"(?:class|def|func|function|fn|interface|struct|enum|trait|impl|module|namespace|object|protocol|type|sub"
    r"|macro)[ \t]+"
    r"(?P<name>[\w.:<>$*&()\[\] ]{1,100}?)[ \t]*(?:[({:=;]|extends\b|implements\b|where\b|$)"
)
_MARKDOWN_BODY = re.compile(r"[*_`]+")


def markdown_headings(text: str) -> tuple[Heading, ...]:
    """ATX and setext headings outside of code (CommonMark 0.31, sections 4.2 and 4.3)."""
    return tuple(_markdown(text))


def _markdown(text: str) -> Iterator[Heading]:
    fence = ""
    before, before_at = "", 0
    for at, line in _lines(text):
        if fence:
            if line.strip().startswith(fence) and not line.strip().strip(fence[0]):
                fence = ""
            before = ""
            continue
        if opened := _FENCE.match(line):
            fence, before = opened[1], ""
        elif hashes := _HASHES.match(line):
            yield from _heading(at, len(hashes[1]), _MARKDOWN_BODY.sub("", hashes[2] or ""))
            before = ""
        elif (under := _UNDERLINE.match(line)) and before and not _NO_PARAGRAPH.match(before):
            yield from _heading(before_at, 1 if under[1][0] == "=" else 2, _MARKDOWN_BODY.sub("", before))
            before = ""
        else:
            before, before_at = line, at


def restructured_headings(text: str) -> tuple[Heading, ...]:
    """Titles with a line of punctuation below, perhaps above too; levels in the order in which the styles appear."""
    styles: list[str] = []
    found: list[Heading] = []
    lines = [(0, ""), *_lines(text)]
    for index, ((title_at, title), (_at, line)) in enumerate(pairwise(lines)):
        adornment = _ADORNMENT.match(line)
        if not adornment or not title.strip() or _ADORNMENT.match(title) or len(line.rstrip()) < len(title.rstrip()):
            continue
        above = lines[index - 1][1] if index else ""
        over = bool(_ADORNMENT.match(above)) and above.rstrip() == line.rstrip()
        if title[0] in " \t" and not over:
            continue
        style = adornment[1] * (1 + over)
        if style not in styles:
            styles.append(style)
        found.extend(_heading(title_at, styles.index(style) + 1, title))
    return tuple(found)


def code_headings(text: str) -> tuple[Heading, ...]:
    """Where classes and functions begin, in the languages that begin them with a word; nested ones are level 2."""
    found: list[Heading] = []
    for at, line in _lines(text):
        if len(line) < 300 and (match := _DEFINITION.match(line)):
            found.extend(_heading(at, 2 if match["indent"] else 1, match["name"]))
    return tuple(found)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    at = 0
    for line in text.split("\n"):
        yield at, line
        at += len(line) + 1


def _heading(at: int, level: int, title: str) -> Iterator[Heading]:
    shown = " ".join(title.split())[:TITLE_CHARACTERS]
    if shown:
        yield Heading(at, level, shown)
