"""A piece of an answer in Markdown as what is said of it. Knows no synthesizer and no streaming.

Code, tables and formulas are announced, not read. Markers of a piece that was cut out of a longer text (half a bold
phrase, the number of a list item) are as good as whole ones.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from voice.tts.spoken_words import in_words

_INDENT = re.compile(r"(?m)^[ \t]+")
_STRAY = re.compile(r"(?<!\w)[*_`]+|[*_`]+(?!\w)|\*{2,}|~{2,}|`+")
_MATH = re.compile(r"\$\$.+?\$\$|\\\[.+?\\\]|\$(?=\S)[^$\n]{0,200}?\\[^$\n]*?\$|\\\(.+?\\\)", re.DOTALL)
_CODE_SIGNS = re.compile(r"[(){}\[\];<>\"'`|\\]+|(?<=\w)[./:](?=\s|$)")
_END = re.compile(r"[.!?:;,…。！？][\"'”’»)\]]*$")
_TASK = re.compile(r"^\[[ xX]\]\s+")


@dataclass(frozen=True, slots=True)
class Phrases:
    """What is said instead of what cannot be read aloud; in the language of the answer."""

    code: str = "The code is on screen."
    table: str = "The table is on screen."
    formula: str = "the formula on screen"
    link: str = "a link to {site}"


ENGLISH = Phrases()


def speakable(piece: str, *, language: str = "en", phrases: Phrases = ENGLISH) -> str:
    """What is said of a piece of Markdown: one line, "" where there is nothing to say."""
    plain = _MATH.sub(f" {phrases.formula} ", _INDENT.sub("", piece))
    said: list[str] = []
    for line in _lines(_parser().parse(plain), phrases):
        words = in_words(_STRAY.sub("", line), language=language, link=phrases.link)
        if any(character.isalnum() for character in words):
            said.append(words)
    closed = [line if _END.search(line) else f"{line}." for line in said[:-1]]
    return " ".join([*closed, *said[-1:]])


def _lines(tokens: list[Token], phrases: Phrases) -> list[str]:
    """One for each block."""
    lines: list[str] = []
    number = ""
    rows = 0
    for token in tokens:
        if token.type == "list_item_open" and token.info:
            number = f"{token.info}. "
        elif token.type in ("fence", "code_block"):
            lines.append(phrases.code)
        elif token.type == "table_open":
            rows += 1
            lines.append(phrases.table)
        elif token.type == "table_close":
            rows -= 1
        elif token.type == "inline" and not rows:
            lines.append(number + _TASK.sub("", _inline(token.children or [])))
            number = ""
    return lines


def _inline(tokens: list[Token]) -> str:
    said = []
    for token in tokens:
        if token.type in ("text", "text_special"):
            said.append(token.content)
        elif token.type == "code_inline":
            said.append(_CODE_SIGNS.sub(" ", token.content))
        elif token.type in ("softbreak", "hardbreak"):
            said.append(" ")
        elif token.type == "image":
            said.append(token.content)
    return "".join(said)


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark").enable(["table", "strikethrough"])
