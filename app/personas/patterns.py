r"""Regular expressions of strangers, run only where they cannot take long. Pure; knows no card.

Python's engine goes back and tries again, and some short patterns keep it trying for years. So only patterns are run
whose worst case can be told by looking: literals, character classes, anchors, one level of groups with alternatives,
and repetitions of single characters, which go no further than `REACH`. The worst case is the product of all choices;
what exceeds `CHOICES`, or what all patterns of a turn may take together, is not found, and neither is a pattern with
anything else in it (V3 asks the same of an invalid one). Most patterns of real cards are words with alternatives:
`/\b(dragon|wyrm)s?\b/i`. A linear engine (RE2) would take all, at the price of a compiled dependency for a rare need.
"""

from __future__ import annotations

import functools
import re
import warnings
from dataclasses import dataclass, field

PATTERN_CHARACTERS = 300
REACH = 40
"""How often a repetition repeats at most, be it written as endless."""
CHOICES = 2_000
ALL_CHOICES = 4_000
"""Of the patterns of one turn; hundreds of usual ones, and at worst about a second over `TEXT_CHARACTERS`."""
TEXT_CHARACTERS = 4_000
"""Of the end of a text."""

_SLASHED = re.compile(r"/(.+)/([a-z]*)", re.DOTALL)
_TOKEN = re.compile(
    r"""(?P<atom>\\[dDwWsSnrt] | \\[^\w\s] | \[\^?\]?(?:\\[dDwWsSnrt]|\\[^\w\s]|[^\]\\\[])+\] | [^\\\[\](){}*+?|^$])
    | (?P<anchor>\\[bB] | \^ | \$)
    | (?P<open>\((?:\?:)?) | (?P<close>\)) | (?P<or>\|)
    | (?P<many>(?:[*+]|\{\d{1,3}(?:,\d{0,3})?\})\??) | (?P<maybe>\?\??)""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Pattern:
    """`choices`: in how many ways it can be tried at one place at most."""

    sensitive: re.Pattern[str]
    insensitive: re.Pattern[str]
    choices: int


@dataclass(slots=True)
class Spending:
    """What the patterns of one turn may still take."""

    left: int = field(default=ALL_CHOICES)

    def found(self, written: str, text: str, case_sensitive: bool) -> bool:
        """Whether a pattern is in the text; False where it may not be run."""
        pattern = pattern_of(written)
        if pattern is None or pattern.choices > self.left:
            return False
        self.left -= pattern.choices
        expression = pattern.sensitive if case_sensitive else pattern.insensitive
        return expression.search(text, max(0, len(text) - TEXT_CHARACTERS)) is not None


@functools.lru_cache(maxsize=512)
def pattern_of(written: str) -> Pattern | None:
    """A pattern as a card writes it, with or without slashes and flags; None for one that is not run."""
    slashed = _SLASHED.fullmatch(written)
    body, letters = slashed.groups() if slashed else (written, "")
    if not body or len(body) > PATTERN_CHARACTERS:
        return None
    flags = re.RegexFlag(0)
    for letter, flag in (("i", re.IGNORECASE), ("m", re.MULTILINE), ("s", re.DOTALL)):
        flags |= flag if letter in letters else 0
    expression, choices = _bounded(body)
    if not 0 < choices <= CHOICES:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Pattern(re.compile(expression, flags), re.compile(expression, flags | re.IGNORECASE), choices)
    except (re.error, OverflowError, RecursionError):
        return None


def _bounded(body: str) -> tuple[str, int]:
    """The pattern with bounded repetitions, and its choices; 0 for one with anything unforeseen."""
    parts: list[str] = []
    # Choices of the alternatives so far and of the one that is being read: outside, and in the one group.
    outside, inside = [0, 1], [0, 1]
    level = outside
    before = ""
    position = 0
    while position < len(body):
        token = _TOKEN.match(body, position)
        if token is None:
            return "", 0
        position = token.end()
        kind, text = token.lastgroup or "", token[0]
        if kind == "open":
            if level is inside:
                return "", 0
            level, inside[:] = inside, [0, 1]
        elif kind == "close":
            if level is outside:
                return "", 0
            level = outside
            outside[1] *= sum(inside)
        elif kind == "or":
            level[:] = [sum(level), 1]
        elif kind == "many":
            if before != "atom":
                return "", 0
            text, ways = _repetition(text)
            level[1] *= ways
        elif kind == "maybe":
            if before not in ("atom", "close"):
                return "", 0
            level[1] *= 2
        parts.append(text)
        before = kind
    return ("", 0) if level is inside else ("".join(parts), sum(outside))


def _repetition(text: str) -> tuple[str, int]:
    """A repetition that ends, and how many lengths it has."""
    lazy = "?" if text.endswith("?") else ""
    counts = {"*": (0, REACH), "+": (1, REACH)}.get(text[0])
    if counts is None:
        low, comma, high = text.strip("{}?").partition(",")
        counts = (int(low), int(low) if not comma else int(high) if high else max(REACH, int(low)))
    low_count, high_count = counts[0], min(counts[1], max(REACH, counts[0]))
    return f"{{{low_count},{high_count}}}{lazy}", max(1, high_count - low_count + 1) * max(1, low_count)
