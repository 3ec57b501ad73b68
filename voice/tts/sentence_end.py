"""How far the sentence reaches that begins at a place in an answer still being written. Keeps no state.

Looks one word ahead, and never into code, links and formulas. What it cannot know yet, it does not decide.
"""

from __future__ import annotations

import re
from enum import Enum, auto

from voice.tts.boundaries import CLAUSE_MARKS, CLOSERS, SENTENCE_MARKS, WIDE_MARKS, ends_clause, ends_sentence
from voice.unfinished import leads_on

FIRST_CHARACTERS = 4
FIRST_WORDS = 5
_LEAST_WORDS = 4
"""Of those, where a breath fits no later."""
LONG = 280
"""Characters of a sentence after which a comma will do; three times as many, and a space will."""
_BINDS = frozenset(
    word
    for line in (
        "in on at for from about over under is are was were has have had do does did not no this these those",
        "an auf bei nach aus ist sind war hat haben nicht dans sur est sont en es son",
    )
    for word in line.split()
)
"""Words that may end a sentence, yet nobody breathes behind."""
_MARKS = frozenset(SENTENCE_MARKS + WIDE_MARKS + CLAUSE_MARKS)
_TAIL = _MARKS | frozenset(CLOSERS)
_FORMULAS = {"$$": "$$", "\\[": "\\]", "\\(": "\\)"}
_ITEM = re.compile(r"(?:\d{1,3}[.)]|[-*+•])(?=\s)")
_BLOCK = re.compile(r"[ \t]*(?:[-*+•][ \t]|\d{1,3}[.)][ \t]|#{1,6}[ \t]|>|`{3}|~{3}|\||\r?\n)")
_MAYBE_BLOCK = re.compile(r"[ \t]*(?:[-*+•]|\d{1,3}[.)]?|#{1,6}|`{1,2}|~{1,2}|\r)?$")


class _Mark(Enum):
    UNKNOWN = auto()
    NONE = auto()
    CLAUSE = auto()
    SENTENCE = auto()


def sentence_end(raw: str, start: int, *, final: bool, first: bool, late: bool) -> int | None:
    """The index behind the sentence that begins at `start`, None while that is not known.

    `final`: nothing will be added. `first`: a clause is enough. `late`: a few words are.
    """
    item = _ITEM.match(raw, start)
    position = item.end() if item else start
    last_clause = 0
    spaces: list[int] = []
    while position < len(raw):
        character = raw[position]
        if skipped := _unbreakable(raw, position):
            if skipped > len(raw):
                break
            position = skipped
        elif character.isspace():
            ends = _line_ends(raw, position) if character == "\n" else False
            if ends:
                return position + 1
            if ends is None and not final:
                break
            spaces.append(position)
            position += 1
        elif character in _MARKS:
            end = _past_marks(raw, position)
            mark = _mark(raw[start:end], raw[end : end + LONG], final=final)
            if mark is _Mark.UNKNOWN:
                break
            if mark is _Mark.SENTENCE or (mark is _Mark.CLAUSE and first and _is_long_enough(raw[start:end])):
                return end
            last_clause = end if mark is _Mark.CLAUSE else last_clause
            position = end
        else:
            position += 1
    if len(raw) - start > LONG and last_clause > start:
        return last_clause
    if spaces and len(raw) - start > 3 * LONG:
        return spaces[-1]
    breath = _breath(raw, [space for space in spaces if not raw[space - 1].isspace()]) if late else None
    return len(raw) if final and breath is None else breath


def _mark(before: str, after: str, *, final: bool) -> _Mark:
    """What the mark at the end of `before` is."""
    wide = before.rstrip(CLOSERS).endswith(tuple(WIDE_MARKS))
    if not wide:
        if after and not after[0].isspace():
            return _Mark.NONE
        # What comes decides: "3." may be a number, "etc." the middle of a sentence.
        if not after.strip() and not final and not after.startswith("\n\n"):
            return _Mark.UNKNOWN
    if ends_sentence(before, after):
        return _Mark.SENTENCE
    return _Mark.CLAUSE if ends_clause(before, after) else _Mark.NONE


def _is_long_enough(text: str) -> bool:
    return len(text.strip()) >= FIRST_CHARACTERS and any(character.isalpha() for character in text)


def _breath(raw: str, word_ends: list[int]) -> int | None:
    """The last of those ends where a voice may stop, once there are a few words."""
    if len(word_ends) < FIRST_WORDS:
        return None
    fit = (end for end in reversed(word_ends[_LEAST_WORDS - 1 :]) if not _beside_number(raw, end))
    return next((end for end in fit if not _binds(raw[:end])), None)


def _binds(before: str) -> bool:
    word = before.rsplit(None, 1)[-1].casefold()
    return leads_on(word) or word in _BINDS


def _beside_number(raw: str, space: int) -> bool:
    """Whether what is left of that space may belong together with what is right of it: "Dr. Jones", "10 000"."""
    word = (raw[:space].split() or [""])[-1]
    return word.endswith(".") or any(character.isdigit() for character in word + raw[space + 1 : space + 2])


def _past_marks(raw: str, position: int) -> int:
    while position < len(raw) and raw[position] in _TAIL:
        position += 1
    return position


def _line_ends(raw: str, newline: int) -> bool | None:
    """Whether the line break ends what is said: a blank line or a new block follows. None: not known yet."""
    if _BLOCK.match(raw, newline + 1):
        return True
    return None if _MAYBE_BLOCK.match(raw, newline + 1) else False


def _unbreakable(raw: str, position: int) -> int:
    """The end of code, a link or a formula that begins here; past the end of the answer while it is open; else 0.

    One that does not close within its paragraph is none.
    """
    if raw[position] == "`":
        run = len(raw) - position - len(raw[position:].lstrip("`"))
        return _closed(raw, position + run, "`" * run)
    if raw[position] == "[":
        close = _closed(raw, position + 1, "]")
        if 0 < close < len(raw) and raw[close] == "(":
            return _closed(raw, close, ")") or close
        return close
    closer = _FORMULAS.get(raw[position : position + 2])
    return _closed(raw, position + 2, closer) if closer else 0


def _closed(raw: str, position: int, closer: str) -> int:
    close = raw.find(closer, position)
    paragraph = raw.find("\n\n", position)
    if close >= 0 and (paragraph < 0 or close < paragraph):
        return close + len(closer)
    return 0 if paragraph >= 0 or len(raw) - position > LONG else len(raw) + 1
