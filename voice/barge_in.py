"""Does this interrupt? Judged by the words: neither "mhm" nor an echo of what Hearth itself just said does.

Knows no sound and no state.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

MIN_WORDS = 2
_ALIKE = 0.75
"""Of two words, as `difflib` measures: an echo comes back with its ends worn off."""
_LONG = 5
"""Letters. Shorter words are in everybody's sentences ("he was not")."""
_NEAR = 2
"""Words apart: one between them may be heard wrongly."""
_HYPHENS = re.compile(r"[-‐‑–—/]")
BACKCHANNELS = frozenset(
    word
    for line in (
        "ah aha alright cool good great hm hmm huh mhm mm mmm mmhm nice oh ok okay really right see",
        "sure uh uhhuh um wow yeah yep yes yup",
        "ach also doch genau gut ja klar mhmm na schön so stimmt",
        "accord bien bon d'accord oui ouais voilà",
        "bueno claro sí si vale ya",
        "bene certo va",
    )
    for word in line.split()
)
STOPS = frozenset(
    word
    for line in (
        "stop wait cancel quiet silence enough pause",
        "stopp halt warte moment ruhe genug",
        "arrête attends silence assez",
        "para espera basta cállate",
        "ferma aspetta",
    )
    for word in line.split()
)
"""Enough by themselves."""


def interrupts(text: str, own: Iterable[str]) -> bool:
    """Whether `text`, heard while Hearth spoke, is the user's wish to speak; `own`: what Hearth said lately."""
    foreign = [word for word in _foreign(text, own) if word not in BACKCHANNELS]
    return sum(map(_spoken_as, foreign)) >= MIN_WORDS or any(word in STOPS for word in foreign)


def echoes(text: str, own: Iterable[str]) -> bool:
    """Whether `text` is nothing but words that Hearth said lately."""
    return not _foreign(text, own)


def words(text: str) -> list[str]:
    """In lower case, without punctuation; both parts of a word with a hyphen."""
    apart = _HYPHENS.sub(" ", text.casefold()).split()
    bare = ("".join(c for c in word if c.isalnum() or c == "'").strip("'") for word in apart)
    return [word for word in bare if word]


def _spoken_as(word: str) -> int:
    """How many words: "two nine three" is written as "293"."""
    return max(1, sum(letter.isdigit() for letter in word))


def _foreign(text: str, own: Iterable[str]) -> list[str]:
    """The words that are no echo: a long one comes back by itself, a short one beside words that it was said beside."""
    heard, said = words(text), [word for line in own for word in words(line)]
    places = [_places(word, said) for word in heard]
    return [
        word
        for number, word in enumerate(heard)
        if not places[number] or not (len(heard) == 1 or len(word) >= _LONG or _in_line(number, places))
    ]


def _places(word: str, said: list[str]) -> list[int]:
    """Where it was said, or something like it."""
    alike = {word, *difflib.get_close_matches(word, set(said), 3, _ALIKE)}
    return [place for place, other in enumerate(said) if other in alike]


def _in_line(number: int, places: list[list[int]]) -> bool:
    """Whether a neighbour in what was heard was a neighbour in what was said, on the same side."""
    near = (other for other in range(number - _NEAR, number + _NEAR + 1) if 0 <= other < len(places))
    return any(
        0 < (place - here) * (1 if other > number else -1) <= _NEAR
        for other in near
        if other != number
        for here in places[number]
        for place in places[other]
    )
