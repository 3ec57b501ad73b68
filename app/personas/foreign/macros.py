"""The names and other macros in a card's texts, replaced when a text is shown or used; it is kept with them. Pure.

Follows "Curly Braced Syntaxes" of Character Card V3 (SPEC_V3.md), <BOT>, <CHAR> and <USER> of V1, and <START> of its
examples. What should be random is the same each time for the same text, so that a prompt stays the one in memory.
"""

from __future__ import annotations

import re
import zlib

_MACRO = re.compile(
    r"\{\{\s*(?P<name>char|user|original)\s*\}\}"
    r"|\{\{\s*(?P<call>//|comment:|hidden_key:|random:{1,2}|pick:{1,2}|roll:{1,2}|reverse:{1,2})(?P<value>[^{}]{0,2000})\}\}"
    r"|<(?P<tag>bot|char|user)>"
    r"|^[ \t]*(?P<start><start>)[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
_COMMA = re.compile(r"(?<!\\),")
_MOST_SIDES = 10**9


def with_names(text: str, char: str, user: str) -> str:
    """The text with the names put in; macros that V3 does not know stay as they are. Names are not looked into."""

    def one(match: re.Match[str]) -> str:
        if match["start"]:
            return "Example:"
        name = (match["name"] or match["tag"] or "").lower()
        if name:
            return {"char": char, "bot": char, "user": user}.get(name, "")
        return _called(match["call"].rstrip(":").lower(), match["value"])

    return _MACRO.sub(one, text)


def _called(macro: str, value: str) -> str:
    match macro:
        case "random" | "pick":
            options = [option.replace("\\,", ",") for option in _COMMA.split(value)]
            return options[zlib.crc32(value.encode("utf-8", "replace")) % len(options)]
        case "roll":
            sides = value.strip().lower().removeprefix("d")
            if not (sides.isascii() and sides.isdigit() and len(sides) < 10 and 0 < int(sides) < _MOST_SIDES):
                return ""
            return str(1 + zlib.crc32(value.encode("utf-8", "replace")) % int(sides))
        case "reverse":
            return value[::-1]
        case _:
            return ""
