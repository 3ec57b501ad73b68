"""What a sentence claims that can be looked up, quotations, numbers and words, and whether a source has it. Pure.

Everything is compared in one spelling: "1,234.5", "1.234,5" and "1 234.5" are one number, “well-\\nknown” and
"wellknown" one quotation. Knows no citation.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from rag.language import UNSPACED, needs_fragments

_QUOTED = re.compile(
    r"\"([^\"\n]{1,400})\"|[“„]([^“”„\n]{1,400})[“”]|«([^«»\n]{1,400})»|»([^«»\n]{1,400})«"
    r"|「([^「」\n]{1,400})」|『([^『』\n]{1,400})』"
)
_QUOTE_WORDS = 3
"""Words; shorter quotations are names or emphasis."""
_QUOTE_LETTERS = 6
"""The same, where no space stands between words."""
_LEFT_OUT = re.compile(r"\[?(?:\.\.\.|…)\]?")
_SPACED = r"[1-9]\d{0,2}(?:[ \u00a0\u2009\u202f]\d{3})+(?!\d)(?:[.,]\d+)?"
_ALONE = rf"(?<![^\W_{UNSPACED}\uac00-\ud7af])(?<![.,:])"
"""Not the end of a name ("utf8"); in Chinese, Japanese, Thai and Korean numbers stand right behind letters."""
_NUMBER = re.compile(rf"{_ALONE}{_SPACED}|{_ALONE}\d+(?:[.,:'’]\d+)*")
_ANY_NUMBER = re.compile(rf"(?=({_SPACED}))|(?<!\d)(?<!\d[.,:'’])(\d+(?:[.,:'’]\d+)*)")
"""In a source also behind letters."""
_THOUSANDS = re.compile(
    r"(?P<whole>[1-9]\d{0,2}(?P<separator>[.,'’ ])\d{3}(?:(?P=separator)\d{3})*)(?P<decimals>[.,]\d+)?"
    r"|(?P<lakhs>[1-9]\d?(?:,\d\d)+,\d{3})"
)
_LIST_NUMBER = re.compile(r"(?m)^\s*(?:[-*•]\s+)?(?:\*\*)?\d{1,3}[.)](?:\*\*)?\s+")
_SOURCE_NUMBER = re.compile(
    r"\b(?:sources?|passages?|quellen?|textstellen?|fuentes?)\s+\d{1,3}(?:\s*(?:,|&|and|und|et|y)\s*\d{1,3})*\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]{3,}", re.UNICODE)
_SMALL_WORD = re.compile(r"(?<![^\W_])[^\W\d_]{1,4}(?![^\W_])", re.UNICODE)
_HYPHENATED = re.compile(r"([^\W\d_])[-\u00ad]\s*\n\s*([^\W\d_])")
_SAME = str.maketrans({"’": "'", "‘": "'", "–": "-", "—": "-", "‑": "-", "−": "-", "\u00a0": " ", "\u202f": " "})
_UNREAD = re.compile(r"[\s\-\u00ad\"'“”„«»‹›*_`]+")
_OTHER_LANGUAGE = 0.25
"""Of a sentence's small words: a source with fewer is in another language, or says too little to tell."""


class SourceText:
    """A source in the forms that are looked into. `given` is what may be said besides: the question, its place."""

    def __init__(self, text: str, given: str = "") -> None:
        both = f"{given}\n{text}"
        flat = flattened(text)
        self._squeezed = _squeezed(both)
        self._words = frozenset(stems(flat))
        self._small = frozenset(_SMALL_WORD.findall(flat))
        self._numbers = frozenset(_numbers_of(both))

    def missing_quotations(self, sentence: str) -> tuple[str, ...]:
        """Of what a sentence quotes."""
        return tuple(quoted for quoted in quotations(sentence) if not self._has_quotation(quoted))

    def missing_numbers(self, sentence: str) -> tuple[str, ...]:
        """Of the numbers of a sentence, as it writes them."""
        return tuple(number for number in stated_numbers(sentence) if not self._has_number(number))

    def holds(self, pieces: Sequence[str]) -> bool:
        """Whether all these pieces of code are here."""
        return all(_squeezed(piece) in self._squeezed for piece in pieces)

    def coverage(self, of: Sequence[str]) -> float:
        """Of a sentence's `stems`, which share is here."""
        return sum(stem in self._words for stem in of) / len(of) if of else 1.0

    def is_in_the_language_of(self, sentence: str) -> bool:
        """By its small words, which nearly every text of a language has. True where there is nothing to tell by."""
        flat = flattened(sentence)
        if needs_fragments(flat) != any(needs_fragments(word) for word in self._words):
            return False
        small = _SMALL_WORD.findall(flat)
        return len(small) < 2 or sum(word in self._small for word in small) >= _OTHER_LANGUAGE * len(small)

    def is_in_the_language_of_source(self, other: SourceText) -> bool:
        """The same, of two sources; a source of few sentences tells little by a short one's small words."""
        return bool(self._small) and len(self._small & other._small) >= _OTHER_LANGUAGE * len(self._small)

    def _has_quotation(self, quoted: str) -> bool:
        pieces = (_squeezed(piece).strip(" .,;:!?…。、") for piece in _LEFT_OUT.split(quoted))
        return all(piece in self._squeezed for piece in pieces)

    def _has_number(self, number: str) -> bool:
        if plain_number(number) in self._numbers:
            return True
        parts = number.split(" ")  # not one number of several groups, but several
        return len(parts) > 1 and all(plain_number(part) in self._numbers for part in parts)


def stated_numbers(sentence: str) -> tuple[str, ...]:
    """The numbers of a sentence, as it writes them; those of list items and sources are none of what it says."""
    text = _SOURCE_NUMBER.sub(" ", _LIST_NUMBER.sub("", sentence))
    return tuple(match[0] for match in _NUMBER.finditer(text))


def says_more_than(words: Sequence[str], place: str) -> bool:
    """Whether of a line's `stems` any is not in the name of a place: "[2] lease.pdf, page 3" claims nothing."""
    named = frozenset(stems(flattened(place)))
    return any(stem not in named for stem in words)


def quotations(sentence: str) -> list[str]:
    """What is quoted at some length; names and emphasis are not."""
    found = (next(group for group in match.groups() if group is not None) for match in _QUOTED.finditer(sentence))
    return [
        each for each in found
        if len(each.split()) >= _QUOTE_WORDS or (needs_fragments(each) and len(each) >= _QUOTE_LETTERS)
    ]  # fmt: skip


def quoted_spans(text: str) -> list[tuple[int, int]]:
    """Where quotations stand, marks included."""
    return [match.span() for match in _QUOTED.finditer(text)]


def stems(flat: str) -> Iterator[str]:
    """Informative words, cut to their first six letters, which most endings leave alone, and without a plural's s;
    pairs of letters where no space stands between words."""
    for word in _WORD.findall(flat):
        if needs_fragments(word):
            yield from (word[at : at + 2] for at in range(len(word) - 1))
        elif word not in _COMMON:
            yield word[:6].rstrip("s")


def flattened(text: str) -> str:
    """In one spelling: case, spaces, apostrophes, hyphens at line ends."""
    text = _HYPHENATED.sub(r"\1\2", unicodedata.normalize("NFKC", text.translate(_SAME)))
    return " ".join(text.casefold().replace("*", "").split())


def plain_number(number: str) -> str:
    """Without marks between thousands and zeros in front, and with a point before decimals."""
    number = re.sub(r"[\u00a0\u2009\u202f]", " ", number)
    if (groups := _THOUSANDS.fullmatch(number)) is not None:
        if groups["lakhs"]:
            return number.replace(",", "")
        whole, separator, decimals = groups["whole"], groups["separator"], groups["decimals"] or ""
        return whole.replace(separator, "") + decimals.replace(",", ".")
    number = re.sub(r"[ '’]", "", number).replace(",", ".")
    return re.sub(r"^0+(?=\d)", "", number)


def _numbers_of(text: str) -> Iterator[str]:
    """All that a source's numbers may be called."""
    for match in _ANY_NUMBER.finditer(text):
        number = match[1] or match[2]
        yield plain_number(number)
        parts = re.split(r"[.,:]", number)
        if len(parts) > 2 or ":" in number:  # a date, a time, a list
            yield from (plain_number(part) for part in parts)
    for word in _WORD.findall(text.casefold()):
        if word in _NUMBER_WORDS:
            yield _NUMBER_WORDS[word]


def _squeezed(text: str) -> str:
    """Without all that line breaks, hyphens and quotation marks may change."""
    return _UNREAD.sub("", unicodedata.normalize("NFKC", text.translate(_SAME)).casefold())


_COMMON = frozenset(
    """
    the and for are was were be that this with from have has had not but you your they their there which what when where
    who will would can could should may might must does did been being into than then them these those its also such
    about over under between within per each any all some more most other one two according source sources document
    documents says states stated der die das und ist sind war von mit für auf den dem des ein eine einer nicht auch
    les des est sont dans pour par une que qui sur pas las los del con una como
    """.split()  # noqa: SIM905  # words are easier to read than a list of them
)
"""Of English, German, French and Spanish: words that say nothing about what a sentence speaks of."""
_NUMBER_WORDS = {
    word: str(value)
    for words in (
        "zero one two three four five six seven eight nine ten eleven twelve",
        "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
        "zéro une deux trois quatre cinq six sept huit neuf dix onze douze",
        "cero una dos tres cuatro cinco seis siete ocho nueve diez once doce",
        "none once twice thrice",
        "none first second third fourth fifth",
        "none einmal zweimal dreimal",
        "none erste zweite dritte vierte fünfte",
    )
    for value, word in enumerate(words.split())
    if word != "none"
} | {"ein": "1", "eine": "1", "einen": "1", "einem": "1", "einer": "1", "both": "2", "dozen": "12", "hundred": "100"}
"""A source that says "two years" has the number 2."""
