"""Which source each sentence of an answer rests on, checked by the program and not by the model. Pure.

The model is given numbered sources and asked to write their numbers; here each number is looked up, and the sentence's
quotations and numbers are looked for in the source. A sentence without a number gets that of the source that holds
nearly all of its words, if one does. Nothing that is cited was not found. Knows no store and no window.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rag.claims import SourceText, flattened, quoted_spans, says_more_than, stated_numbers, stems

LEAST_COVERAGE = 0.7
"""Of a sentence's informative words: what a source must hold to be named by the program itself."""
DOUBTFUL_COVERAGE = 0.34
"""Of a sentence that the model has put a number to: below it the source speaks of something else."""
LEAST_NEW = 0.5
"""Of those of its words that the question does not say already, where these are `LEAST_WORDS` or more."""
CLEARLY_MORE = 0.2
"""Of a sentence's words: by so much more a source must hold for its number to take the place of the model's."""
LEAST_WORDS = 3
"""Informative words, or numbers beside them; shorter sentences say too little to be matched."""
_RANGE = 10
"""Sources, that "[2-5]" names at most; more is no citation."""
_COMES_FROM = (
    r"(?:(?<=[.!?\])]\s)|(?<=\n)|\A)(?:the|this) (?:number of the passage(?: (?:it|this) comes from)? is"
    r"|passage (?:(?:it )?comes|is) from(?: is)?):?\s"
)
"""How a model begins a sentence that only cites: what it was asked to name, in the words it was asked in."""
_MARKER = re.compile(
    rf"[^\S\n]?(?P<sentence>{_COMES_FROM})?"
    r"(?:[\[【]\s*\^?(?:(?:sources?|quellen?|passages?)\s*:?\s*)?|\((?:sources?|quellen?|passages?)\s*:?\s*)"
    r"(?P<numbers>\d{1,3}(?:\s*(?:[,;&–-]|and|und)\s*\d{1,3})*)"
    r"(?:\s*,?\s*(?:pages?|pp?\.|seiten?|s\.|lines?|zeilen?)\s*[\d–-]+)?\s*(?:†[^\]】\n]{0,40})?[\]】)](?!\()"
    r"(?(sentence)\.(?=\s|\Z))",
    re.IGNORECASE,
)
_BEGUN = re.compile(r"[^\S\n]?[\[【]\s*\^?(?:[a-z]{1,9}\s*:?\s*)?[\d\s,;&–-]*\Z", re.IGNORECASE)
_CODE = re.compile(r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)|(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
_CODE_SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_LINK = re.compile(r"\[(?:[^\[\]\n]|\[[^\[\]\n]*\])*\](\([^()\n]*\))")
_ADDRESS = re.compile(r"<?\b(?:https?|file)://[^\s>\])]+>?|\bwww\.[^\s>\])]+")
_SENTENCE_END = re.compile(r"[.!?…](?=[\s\"”»)\]*_]|$)|[。！？؟]|\n+")
_NO_END = re.compile(
    r"(?:\b(?:e\.g|i\.e|z\.\s?b|d\.\s?h|u\.\s?a|bzw|ca|approx|vs|no|nr|fig|abb|dr|mr|mrs|ms|prof|st|pp?|cf|vgl|kap)"
    r"|(?:^|\n)\s*(?:[-*•]\s+)?(?:\*\*)?\d{1,3})\.$",
    re.IGNORECASE,
)
_NO_WORDS = re.compile(r"[\W_]*")
_NO_PROSE = re.compile(r"\s*(?:#{1,6}\s|\|)")
"""Headings and rows of tables: the program puts no numbers there by itself."""


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
    """Without its markers and what it says in code; "" where there is nothing else."""
    code: tuple[str, ...]
    markers: tuple[tuple[int, int, tuple[int, ...]], ...]


def cited(answer: str, sources: Sequence[str], *, given: Sequence[str] = (), asked: str = "") -> list[Citation]:
    """The citations of an answer in their order; `sources[0]` is number 1. O(length of answer x sources).

    What the question `asked` says may be repeated, and of each source what was `given` with it (its place, its title).
    """
    places = given or [""] * len(sources)
    known = [SourceText(text, f"{asked}\n{place}") for text, place in zip(sources, places, strict=True)]
    repeated = frozenset(stems(flattened(asked)))
    found: list[Citation] = []
    for sentence in _sentences(answer):
        if sentence.markers:
            found += _checked(sentence, known, places, repeated)
        elif not _NO_PROSE.match(sentence.text):
            number = _best_source(sentence, *_words_of(sentence, repeated), known)
            if number is not None:
                place = sentence.end
                claim = sentence.start, sentence.end
                found.append(Citation(number, place, place, *claim, Verdict.HOLDS, by_program=True))
    return found


def markers(text: str) -> list[tuple[int, int, tuple[int, ...]]]:
    """What is written to cite, unchecked, in a text without code and links: [start, end) and the numbers."""
    return [
        (match.start(), match.end(), numbers)
        for match in _MARKER.finditer(text)
        if (numbers := _numbers_of(match["numbers"]))
    ]


def begun_marker(text: str) -> int:
    """Where a marker begins that is still being written at the end of a text; its length if there is none."""
    match = _BEGUN.search(text)
    return match.start() if match is not None else len(text)


def marked(answer: str, n_sources: int) -> list[Citation]:
    """The numbers in an answer that the program itself has written: they hold."""
    return [
        Citation(number, start, end, sentence.start, sentence.end, Verdict.HOLDS)
        for sentence in _sentences(answer)
        for start, end, numbers in sentence.markers
        for number in numbers
        if 0 < number <= n_sources
    ]


def _checked(
    sentence: _Sentence, known: Sequence[SourceText], places: Sequence[str], repeated: Collection[str]
) -> Iterator[Citation]:
    words, new = _words_of(sentence, repeated)
    several = [number for _s, _e, numbers in sentence.markers for number in numbers if 0 < number <= len(known)]
    # What the question says tells no source from another.
    telling = new if len(several) > 1 and len(new) >= LEAST_WORDS else words
    best = _best_source(sentence, words, new, known)
    for start, end, numbers in sentence.markers:
        for number in numbers:
            told = telling if 0 < number <= len(known) and says_more_than(words, places[number - 1]) else []
            verdict, missing = _verdict(sentence.text, told, number, known, several)
            right = best
            if right is not None and verdict is Verdict.HOLDS:
                # The model has put the number of another source to it, or one that says less of it.
                better = known[right - 1].coverage(words) - known[number - 1].coverage(words)
                right = right if better > CLEARLY_MORE and len(several) == 1 else None
            if right is not None and right not in several:
                yield Citation(right, start, end, sentence.start, sentence.end, Verdict.HOLDS, by_program=True)
            else:
                yield Citation(number, start, end, sentence.start, sentence.end, verdict, missing)


def _verdict(
    sentence: str, words: Sequence[str], number: int, known: Sequence[SourceText], several: Sequence[int]
) -> tuple[Verdict, tuple[str, ...]]:
    if not 0 < number <= len(known):
        return Verdict.NO_SOURCE, ()
    source, together = known[number - 1], [known[each - 1] for each in sorted(set(several))]
    # A sentence on several sources: what it quotes, and each number, must be in one of them.
    if wrong := _in_none([each.missing_quotations(sentence) for each in together]):
        return Verdict.QUOTATION, wrong
    if wrong := _in_none([each.missing_numbers(sentence) for each in together]):
        return Verdict.NUMBERS, wrong
    shared = max(each.coverage(words) for each in together) < LEAST_COVERAGE
    least = DOUBTFUL_COVERAGE / len(together) if shared else DOUBTFUL_COVERAGE
    enough = source.coverage(words) >= least and _adds(source, together, words)
    if len(words) >= LEAST_WORDS and not enough and _is_alike(source, together, sentence):
        return Verdict.OTHER, ()
    return Verdict.HOLDS, ()


def _is_alike(source: SourceText, together: Sequence[SourceText], sentence: str) -> bool:
    """Whether a source is in the sentence's language, or in that of another one that is."""
    return source.is_in_the_language_of(sentence) or any(
        each.is_in_the_language_of(sentence) and source.is_in_the_language_of_source(each)
        for each in together
        if each is not source
    )


def _adds(source: SourceText, together: Sequence[SourceText], words: Sequence[str]) -> bool:
    """Of several sources each must hold most of a sentence's words, or one that those lack that hold more of them.

    Models that have read five passages like to name all five.
    """
    by_coverage = sorted(together, key=lambda each: -each.coverage(words))
    more = by_coverage[: by_coverage.index(source)]
    if not more or source.coverage(words) >= LEAST_COVERAGE:
        return True
    return any(source.coverage([word]) and not any(each.coverage([word]) for each in more) for word in words)


def _in_none(missing: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """What all of them miss, in the order of the sentence."""
    return tuple(dict.fromkeys(each for each in missing[0] if all(each in others for others in missing)))


def _words_of(sentence: _Sentence, repeated: Collection[str]) -> tuple[list[str], list[str]]:
    """Its informative words, and those of them that the question does not say."""
    words = list(stems(flattened(sentence.text)))
    return words, [word for word in words if word not in repeated]


def _best_source(
    sentence: _Sentence, words: Sequence[str], new: Sequence[str], known: Sequence[SourceText]
) -> int | None:
    text = sentence.text
    # A number tells as much as a word, and whoever is named must hold it.
    if len(words) < LEAST_WORDS and (not words or len(words) + len(stated_numbers(text)) < LEAST_WORDS):
        return None
    best, most = None, LEAST_COVERAGE
    for number, source in enumerate(known, 1):
        coverage = source.coverage(words)
        if coverage <= most or not source.holds(sentence.code):
            continue
        repeats = len(new) >= LEAST_WORDS and source.coverage(new) < LEAST_NEW
        if not (repeats or source.missing_quotations(text) or source.missing_numbers(text)):
            best, most = number, coverage
    return best


def _sentences(answer: str) -> Iterator[_Sentence]:
    """Every marker is in one: behind a full stop, or alone on the next line, it goes with what stands before it, and at
    the beginning of a line with what follows. Code and addresses are passed over.
    """
    uncoded = _blanked(_CODE, answer)
    plain = _blanked(_ADDRESS, _LINK.sub(lambda match: match[0][: -len(match[1])] + " " * len(match[1]), uncoded))
    found = markers(_blanked(_ADDRESS, _blanked(_LINK, uncoded)))
    worded = plain
    for marker_start, marker_end, _numbers in found:
        worded = worded[:marker_start] + " " * (marker_end - marker_start) + worded[marker_end:]
    quoted = quoted_spans(plain)
    ends = [
        _behind_markers(plain, worded, _behind_quotation(match.end(), quoted), found)
        for match in _SENTENCE_END.finditer(plain)
        if not _NO_END.search(plain, max(0, match.end() - 16), match.end()) and not _within(match.end(), quoted)
    ]
    start = 0
    for end in [*ends, len(plain)]:
        if end <= start:
            continue
        own = tuple(marker for marker in found if start <= marker[0] and marker[1] <= end)
        text = plain[start:end]
        for marker_start, marker_end, _numbers in reversed(own):
            text = text[: marker_start - start] + text[marker_end - start :]
        if text.strip() or own:
            begin = end - len(plain[start:end].lstrip())
            code = tuple(match[1] for match in _CODE_SPAN.finditer(answer, start, end))
            yield _Sentence(begin, start + len(plain[start:end].rstrip()), text.strip(), code, own)
        start = end


def _numbers_of(marker: str) -> tuple[int, ...]:
    """ "1, 3-5" -> 1, 3, 4, 5; nothing where that would be very many."""
    numbers: list[int] = []
    for part in re.split(r"[,;&]|and|und", marker, flags=re.IGNORECASE):
        first, *rest = (int(each) for each in re.findall(r"\d+", part))
        last = rest[-1] if rest else first
        if not 0 <= last - first <= _RANGE:
            return ()
        numbers += range(first, last + 1)
    return tuple(dict.fromkeys(numbers))


def _blanked(pattern: re.Pattern[str], text: str) -> str:
    """With spaces where the pattern is, so that all else keeps its place."""
    return pattern.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def _within(end: int, quoted: Sequence[tuple[int, int]]) -> bool:
    """In the middle of a quotation, which is one claim however many sentences it has."""
    place = bisect_right(quoted, end, key=lambda span: span[0]) - 1
    return place >= 0 and quoted[place][0] < end < quoted[place][1] - 1


def _behind_quotation(end: int, quoted: Sequence[tuple[int, int]]) -> int:
    """The mark that closes a quotation belongs to the sentence that it ends."""
    place = bisect_right(quoted, end, key=lambda span: span[0]) - 1
    return end + 1 if place >= 0 and end == quoted[place][1] - 1 else end


def _behind_markers(text: str, worded: str, end: int, markers: Sequence[tuple[int, int, tuple[int, ...]]]) -> int:
    """ "...in 1998. [2]": a marker goes with what stands before it in the line, or above it if its line has no words.

    `worded` is the text with spaces for its markers.
    """
    for start, stop, _numbers in markers:
        if start < end < stop:
            end = stop
        elif end <= start and _NO_WORDS.fullmatch(worded, end, start):
            first = text.rfind("\n", 0, start) + 1
            last = text.find("\n", stop)
            begins_its_line = _NO_WORDS.fullmatch(worded, first, start)
            if not begins_its_line or _NO_WORDS.fullmatch(worded, first, last if last >= 0 else len(text)):
                end = stop
    return end
