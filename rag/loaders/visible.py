"""Foreign text through the border filter, with what was hidden in characters without a shape. Knows no format."""

from __future__ import annotations

import re

from engine.context.clean import clean
from rag.loaders.limits import HIDDEN_CHARACTERS, PAGE_CHARACTERS, TITLE_CHARACTERS
from rag.types import Hidden, HiddenReason

_FLAG = re.compile("\U0001f3f4[\U000e0020-\U000e007e]{1,8}\U000e007f")
"""Flags of England, Texas and the like are a black flag with tags (Unicode Technical Standard 51, annex C)."""
_TAGS = re.compile("[\U000e0000-\U000e007f]+|[\U000e0100-\U000e01ef]{2,}")
"""Tags, and runs of the variation selectors that stand for bytes; one alone chooses the shape of an ideograph."""
_BEYOND_BYTE = 0xE0100 - 16


def visible(text: str, most: int = PAGE_CHARACTERS) -> tuple[str, tuple[Hidden, ...]]:
    """The text as it is stored, and the words that were written in invisible characters."""
    if text.isascii() and len(text) <= most and not _UNPRINTABLE.search(text):
        return text, ()
    hidden = "".join(map(_spoken, _TAGS.findall(_FLAG.sub("", text)))) if _maybe_tagged(text) else ""
    kept = clean(text, max_characters=most).text
    return kept, (Hidden(HiddenReason.CHARACTERS, shown(hidden)),) if hidden else ()


_UNPRINTABLE = re.compile("[^\n\t -~]")


def shown(hidden: str) -> str:
    """Hidden text as it may be shown to a person: clean itself, and not endless."""
    return clean(hidden, max_characters=HIDDEN_CHARACTERS).text


def title_of(text: object, otherwise: str) -> str:
    """A document's own title on one line; `otherwise` where it has none."""
    if not isinstance(text, str):
        return otherwise
    line = " ".join(clean(text[: 10 * TITLE_CHARACTERS], max_characters=TITLE_CHARACTERS).text.split())
    return line or otherwise


def _maybe_tagged(text: str) -> bool:
    return not text.isascii() and _TAGS.search(text) is not None


def _spoken(tags: str) -> str:
    """What a run of invisible characters says: tags mirror ASCII, selectors stand for bytes."""
    if tags[0] <= "\U000e007f":
        return "".join(chr(ord(tag) - 0xE0000) for tag in tags if "\U000e0020" <= tag <= "\U000e007e")
    return bytes(min(ord(tag) - _BEYOND_BYTE, 255) for tag in tags).decode("utf-8", "replace")
