"""Does this interrupt? Judged by the words: neither "mhm" nor an echo of what Hearth itself just said does.

Knows no sound and no state.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

MIN_WORDS = 2
_ALIKE = 0.75
"""Of two words, as `difflib` measures: an echo comes back with its ends worn off."""
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
    said = {word for line in own for word in words(line)}
    foreign = [word for word in words(text) if word not in BACKCHANNELS and not _echoes(word, said)]
    return len(foreign) >= MIN_WORDS or any(word in STOPS for word in foreign)


def echoes(text: str, own: Iterable[str]) -> bool:
    """Whether every word of `text` is one that Hearth said lately."""
    said = {word for line in own for word in words(line)}
    return all(_echoes(word, said) for word in words(text))


def words(text: str) -> list[str]:
    """In lower case, without punctuation."""
    bare = ("".join(c for c in word if c.isalnum() or c == "'").strip("'") for word in text.casefold().split())
    return [word for word in bare if word]


def _echoes(word: str, said: set[str]) -> bool:
    return word in said or bool(difflib.get_close_matches(word, said, 1, _ALIKE))
