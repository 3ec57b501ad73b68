"""Which source each sentence of an answer rests on, checked by the program and not by the model. Pure.

The model is given numbered sources and asked to write their numbers; here each number is looked up, and the sentence's
quotations and numbers are looked for in the source. A sentence without a number gets that of the source that holds
nearly all of its words, if one does. Nothing that is cited was not found. Knows no store and no window.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rag.language import needs_fragments

LEAST_COVERAGE = 0.7
"""Of a sentence's informative words: what a source must hold to be named by the program itself."""
DOUBTFUL_COVERAGE = 0.34
"""Of a sentence that the model has put a number to: below it the source speaks of something else."""
CLEARLY_MORE = 0.2
"""Of a sentence's words: by so much more a source must hold for its number to take the place of the model's."""
LEAST_WORDS = 3
"""Informative words; shorter sentences say too little to be matched."""
_QUOTED = re.compile(r"[\"“„«]([^\"“”„«»\n]{3,400})[\"”“»]")
_QUOTE_WORDS = 3
"""Words; shorter quotations are names or emphasis."""
_NUMBER = re.compile(r"(?<![\w.,])\d+(?:[.,:]\d+)*(?![\w])")
_MARKER = re.compile(r"\s?(?:\[|【)\s*(?:sources?\s*)?(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\s*(?:\]|】)(?!\()", re.IGNORECASE)
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_SENTENCE_END = re.compile(r"[.!?…](?=[\s\"”»)\]]|$)|[。！？؟]|\n+")
_WORD = re.compile(r"[^\W\d_]{3,}", re.UNICODE)
_LIST_NUMBER = re.compile(r"(?m)^\s*(?:[-*•]\s+)?\d{1,3}[.)]\s+")
_HYPHENATED = re.compile(r"(\w)[-\u00ad]\s*\n\s*(\w)")
_SAME = str.maketrans({"’": "'", "‘": "'", "–": "-", "—": "-", "‑": "-", "−": "-", "\u00a0": " ", "\u202f": " "})


class Verdict(StrEnum):
    """What looking into the source gave."""

    HOLDS = "holds"
    NO_SOURCE = "no source"
    """There is no source of that number."""
    QUOTATION = "quotation"
    """Words are quoted that the source does not have."""
    NUMBERS = "numbers"
    """A number is given that the source does not have."""
    OTHER = "other"
    """The source speaks of something else."""


@dataclass(frozen=True, slots=True)
class Citation:
    """A source's `number` at [start, end) of the answer: what the model wrote, or nothing (start == end) where the
    program itself puts it. [claim_start, claim_end) is the sentence. `missing` is what the source does not have.
    """

    number: int
    start: int
    end: int
    claim_start: int
    claim_end: int
    verdict: Verdict
    missing: tuple[str, ...] = ()
    by_program: bool = False


@dataclass(frozen=True, slots=True)
class _Sentence:
    start: int
    end: int
    text: str
    """Without its markers."""
    markers: tuple[tuple[int, int, tuple[int, ...]], ...]


def cited(answer: str, sources: Sequence[str]) -> list[Citation]:
    """The citations of an answer in their order; `sources[0]` is number 1. O(length of answer x sources)."""
    known = [_Source(text) for text in sources]
    found: list[Citation] = []
    for sentence in _sentences(answer):
        if sentence.markers:
            found += _checked(sentence, known)
        elif (number := _best_source(sentence.text, known)) is not None:
            place = sentence.end
            found.append(Citation(number, place, place, sentence.start, sentence.end, Verdict.HOLDS, by_program=True))
    return found


def numbers_in(text: str) -> list[str]:
    """The numbers of a text as they are compared: "1,234.5" and "1234.5" are one."""
    return [_plain_number(each) for each in _NUMBER.findall(_LIST_NUMBER.sub("", text))]


class _Source:
    """A source's text in the forms that are looked into."""

    def __init__(self, text: str) -> None:
        self.flat = _flat(text)
        self.words = frozenset(_stems(self.flat))
        self.numbers = frozenset(_plain_number(each) for each in _NUMBER.findall(text))

    def lacks(self, sentence: str) -> tuple[Verdict, tuple[str, ...]]:
        quotations = [quoted for quoted in _QUOTED.findall(sentence) if len(quoted.split()) >= _QUOTE_WORDS]
        wrong = tuple(quoted for quoted in quotations if _flat(quoted).strip(" .,;:!?…") not in self.flat)
        if wrong:
            return Verdict.QUOTATION, wrong
        wrong = tuple(number for number in numbers_in(sentence) if number not in self.numbers)
        if wrong:
            return Verdict.NUMBERS, wrong
        return Verdict.HOLDS, ()

    def coverage(self, stems: Sequence[str]) -> float:
        """Of the words, which share is here."""
        return sum(stem in self.words for stem in stems) / len(stems) if stems else 1.0


def _checked(sentence: _Sentence, known: Sequence[_Source]) -> Iterator[Citation]:
    stems = list(_stems(_flat(sentence.text)))
    several = [number for _s, _e, numbers in sentence.markers for number in numbers if 0 < number <= len(known)]
    best = _best_source(sentence.text, known)
    for start, end, numbers in sentence.markers:
        for number in numbers:
            verdict, missing = _verdict(sentence, stems, number, known, several)
            right = best
            if right is not None and verdict is Verdict.HOLDS:
                # The model has put the number of another source to it, or one that says less of it.
                better = known[right - 1].coverage(stems) - known[number - 1].coverage(stems)
                right = right if better > CLEARLY_MORE and len(several) == 1 else None
            if right is not None and right not in several:
                yield Citation(right, start, end, sentence.start, sentence.end, Verdict.HOLDS, by_program=True)
            else:
                yield Citation(number, start, end, sentence.start, sentence.end, verdict, missing)


def _verdict(
    sentence: _Sentence, stems: Sequence[str], number: int, known: Sequence[_Source], several: Sequence[int]
) -> tuple[Verdict, tuple[str, ...]]:
    if not 0 < number <= len(known):
        return Verdict.NO_SOURCE, ()
    verdict, missing = known[number - 1].lacks(sentence.text)
    if verdict is not Verdict.HOLDS and len(several) > 1:
        # A sentence on several sources: each number must be in one of them.
        verdict, missing = _lacks_in_all(sentence.text, [known[each - 1] for each in several])
    covered = known[number - 1].coverage(stems)
    if verdict is Verdict.HOLDS and len(stems) >= LEAST_WORDS and covered < DOUBTFUL_COVERAGE:
        return Verdict.OTHER, ()
    return verdict, missing


def _lacks_in_all(sentence: str, sources: Sequence[_Source]) -> tuple[Verdict, tuple[str, ...]]:
    for verdict in (Verdict.QUOTATION, Verdict.NUMBERS):
        each = [set(missing) for found, missing in (source.lacks(sentence) for source in sources) if found is verdict]
        if len(each) == len(sources) and (common := set.intersection(*each)):
            return verdict, tuple(sorted(common))
    return Verdict.HOLDS, ()


def _best_source(sentence: str, known: Sequence[_Source]) -> int | None:
    stems = list(_stems(_flat(sentence)))
    if len(stems) < LEAST_WORDS:
        return None
    best, most = None, LEAST_COVERAGE
    for number, source in enumerate(known, 1):
        coverage = source.coverage(stems)
        if coverage > most and source.lacks(sentence)[0] is Verdict.HOLDS:
            best, most = number, coverage
    return best


def _sentences(answer: str) -> Iterator[_Sentence]:
    """Markers behind a sentence's full stop belong to it. Code is passed over."""
    hidden = _CODE.sub(lambda match: " " * len(match[0]), answer)
    markers = [
        (match.start(), match.end(), tuple(int(each) for each in re.findall(r"\d+", match[1])))
        for match in _MARKER.finditer(hidden)
    ]
    ends = [_behind_markers(hidden, match.end(), markers) for match in _SENTENCE_END.finditer(hidden)]
    start = 0
    for end in [*ends, len(hidden)]:
        if end <= start:
            continue
        own = tuple(marker for marker in markers if start <= marker[0] and marker[1] <= end)
        text = hidden[start:end]
        for marker_start, marker_end, _numbers in reversed(own):
            text = text[: marker_start - start] + text[marker_end - start :]
        if text.strip():
            begin = end - len(hidden[start:end].lstrip())
            yield _Sentence(begin, start + len(hidden[start:end].rstrip()), text.strip(), own)
        start = end


def _behind_markers(text: str, end: int, markers: Sequence[tuple[int, int, tuple[int, ...]]]) -> int:
    """ "...in 1998. [2]": a marker goes with what stands before it in the line."""
    for start, stop, _numbers in markers:
        between = text[end:start]
        if start <= end < stop or (end <= start and not between.strip() and "\n" not in between):
            end = stop
    return end


def _flat(text: str) -> str:
    """In one spelling: case, spaces, quotation marks, hyphens at line ends."""
    text = _HYPHENATED.sub(r"\1\2", unicodedata.normalize("NFKC", text.translate(_SAME)))
    return " ".join(text.casefold().replace("*", "").split())


def _stems(flat: str) -> Iterator[str]:
    """Informative words, cut to their first six letters, which most endings leave alone; pairs of letters where no
    space stands between words."""
    for word in _WORD.findall(flat):
        if needs_fragments(word):
            yield from (word[at : at + 2] for at in range(len(word) - 1))
        elif word not in _COMMON:
            yield word[:6]


def _plain_number(number: str) -> str:
    """Without marks between thousands, and with a point before decimals."""
    return re.sub(r"[,.](?=\d{3}(?:\D|$))", "", number).strip(".,:").replace(",", ".")


_COMMON = frozenset(
    """
    the and for are was were that this with from have has had not but you your they their there which what when where
    who will would can could should may might must does did been being into than then them these those its also such
    about over under between within per each any all some more most other one two according source sources document
    documents says states stated der die das und ist sind war von mit für auf den dem des ein eine einer nicht auch
    les des est sont dans pour par une que qui sur pas los las del que con por para una como
    """.split()  # noqa: SIM905  # words are easier to read than a list of them
)
"""Of English, German, French and Spanish: words that say nothing about what a sentence speaks of."""
