"""A stranger's text as a person must see it: what has no shape, and letters that look like others, made visible.

What is hidden is what the border filter takes away (`engine.context.clean`); what tag characters say is read by
`rag.loaders.visible`. Look-alikes follow the idea of Unicode Technical Standard 39, section 5 (mixed scripts), with
a table of our own for whole words. Knows no persona.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from itertools import groupby

from engine.context.clean import clean
from rag.loaders.visible import visible


class Mark(Enum):
    """What is the matter with a piece of text."""

    PLAIN = auto()
    HIDDEN = auto()
    """Nobody sees it, or it changes the order in which the rest is seen."""
    LOOKALIKE = auto()
    """A word that looks like one of another alphabet."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text with one mark. `shown` is what to show of it: the text itself, or a name of what has no shape."""

    text: str
    mark: Mark
    shown: str


_ALPHABETS = frozenset({"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "LISU"})
_DISGUISES = frozenset({"FULLWIDTH", "MATHEMATICAL"})
_LIKE_LATIN = frozenset("аеорсухіјѕԁԛԝһӏьвкмнтгАВЕКМНОРСТУХІЈЅΑΒΕΖΗΙΚΜΝΟΡΤΥΧοιαρτυνκ")
"""Letters of other alphabets that are drawn as Latin ones, or nearly so."""
_WORD = re.compile(r"[^\W\d_]{2,}")
_BREAKS = re.compile("\r\n?|[\u2028\u2029\x85\x0b\x0c]")


def reveal(text: str) -> tuple[Piece, ...]:
    """The text in pieces; joined, they are the text with its line breaks and accents in their plain form."""
    source = unicodedata.normalize("NFC", _BREAKS.sub("\n", text))
    if source.isascii() and not clean(source, max_characters=len(source)).removed:
        return (Piece(source, Mark.PLAIN, source),) if source else ()
    latin = _mostly_latin(source)
    pieces: list[Piece] = []
    for is_hidden, run in groupby(_seen(source), key=lambda each: each[1]):
        part = "".join(character for character, _hidden in run)
        if is_hidden:
            pieces.append(Piece(part, Mark.HIDDEN, _named(part)))
        else:
            pieces += _lookalikes(part, latin)
    return tuple(pieces)


def _seen(source: str) -> Iterator[tuple[str, bool]]:
    """Each character, and whether the border filter takes it away: what it leaves is found again in order."""
    left = clean(source, max_characters=len(source)).text
    at = 0
    marked: list[tuple[str, bool]] = []
    for character in source:
        stays = at < len(left) and left[at] == character
        marked.append((character, not stays))
        at += stays
    if at < len(left):  # an accent met its letter when what stood between them went
        marked = [(character, not clean(character, max_characters=1).text) for character in source]
    yield from marked


def _named(hidden: str) -> str:
    """What hidden characters say, where they say something, else which ones they are."""
    _text, said = visible(hidden)
    if said:
        return f"⟦{said[0].text}⟧"
    codes = [f"U+{ord(character):04X}" for character in hidden[:8]]
    return f"⟦{' '.join(codes)}{' …' if len(hidden) > 8 else ''}⟧"


def _lookalikes(part: str, latin: bool) -> Iterator[Piece]:
    at = 0
    for word in _WORD.finditer(part):
        if not _is_lookalike(word[0], latin):
            continue
        if word.start() > at:
            yield Piece(part[at : word.start()], Mark.PLAIN, part[at : word.start()])
        yield Piece(word[0], Mark.LOOKALIKE, f"{word[0]}⟦{_alphabets(word[0])}⟧")
        at = word.end()
    if at < len(part):
        yield Piece(part[at:], Mark.PLAIN, part[at:])


def _is_lookalike(word: str, latin: bool) -> bool:
    if word.isascii():
        return False
    scripts = {_script(character) for character in word}
    if scripts & _DISGUISES or len(scripts & _ALPHABETS) > 1:
        return True
    return latin and "LATIN" not in scripts and all(character in _LIKE_LATIN for character in word)


def _alphabets(word: str) -> str:
    return ", ".join(sorted({script.capitalize() for script in map(_script, word) if script}))


def _script(character: str) -> str:
    """The first word of a letter's name, which is its alphabet's."""
    return unicodedata.name(character, "").partition(" ")[0]


def _mostly_latin(text: str) -> bool:
    letters = [character for character in text if character.isalpha()]
    return 2 * sum(character < "\u0250" for character in letters) > len(letters)
