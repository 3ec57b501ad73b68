"""Dictated words where they meet what is written already: spaces, capitals and full stops at the seam. Pure.

A recogniser takes whatever it hears for whole sentences, so in the middle of one its capital and its full stop are
wrong. What cannot be told is left as it was heard.
"""

from __future__ import annotations

import re

from rag.language import UNSPACED

_ENDED = re.compile(r"""(?:[.!?…:。！？][\"'”’»)\]]*|^[-–*•>#\s]*|^\s*\d+[.)])\s*$""")
"""Of the line before: a sentence has ended there, or nothing but the mark of a list stands there."""
_NO_SPACE_BEHIND = re.compile(r"""(?:[(\[{<“‘«„¿¡/@#]|(?:^|\s)[\"'])$""")
_NO_SPACE_BEFORE = re.compile(r"[,.;:!?…)\]}”’»%]")
_UNSPACED = re.compile(f"[{UNSPACED}]")
_WORD = re.compile(r"[^\W_]+")
_KEEPS_CAPITAL = re.compile(r"I\b|\w*[^\W\d_]\w*[A-Z]")
""" "I", "I'm", "NASA", "McDonald"."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NAMES = _words(
    "monday tuesday wednesday thursday friday saturday sunday january february march april june july august "
    "september october november december english german french spanish italian"
)
_GERMAN = _words("der das den dem und ist nicht ich ein eine einen mit auf für wir sie zu von")
"""Two of them: the text is German, whose nouns begin with capitals; only small words lose theirs there."""
_GERMAN_SMALL = _GERMAN | _words(
    "die des einem einer oder aber weil dass wenn als ob du er es ihr zum zur in im an am aus bei nach über unter vor "
    "auch noch nur schon so sehr sind war hat haben wird werden kann muss soll"
)


def seamed(before: str, said: str, after: str = "", *, language: str = "") -> str:
    """`said` as it is to stand between `before` and `after`, with the spaces it needs; "" where nothing was said.

    `language` is what is spoken (ISO 639-1), "" unknown.
    """
    said = said.strip()
    if not said:
        return ""
    if _begins_sentence(before):
        said = said[0].upper() + said[1:]
    elif _loses_capital(said, german=language == "de" or (not language and _is_german(f"{before} {said}"))):
        said = said[0].lower() + said[1:]
    rest = after.lstrip(" \t")
    goes_on = bool(rest) and (rest[0].islower() or rest[0] in ",;:.!?)")
    if goes_on and said.endswith(".") and not said.endswith(".."):
        said = said[:-1]
    return _space(before, said) + said + _space_behind(said, after)


def _begins_sentence(before: str) -> bool:
    return _ENDED.search(before.rpartition("\n")[2]) is not None


def _loses_capital(said: str, *, german: bool) -> bool:
    word = _WORD.match(said)
    if word is None or _KEEPS_CAPITAL.match(said):
        return False
    small = word[0].casefold()
    return small in _GERMAN_SMALL if german else small not in _NAMES


def _is_german(text: str) -> bool:
    return len(_GERMAN & {word.casefold() for word in _WORD.findall(text)}) >= 2


def _space(before: str, said: str) -> str:
    if not before or before[-1].isspace() or _NO_SPACE_BEHIND.search(before) or _NO_SPACE_BEFORE.match(said):
        return ""
    return "" if _UNSPACED.match(before[-1]) or _UNSPACED.match(said) else " "


def _space_behind(said: str, after: str) -> str:
    if not after or not (after[0].isalnum() or after[0] in "([{“‘«„"):
        return ""
    return "" if _UNSPACED.match(said[-1]) or _UNSPACED.match(after) else " "
