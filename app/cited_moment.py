"""Which moment of a transcript a sentence of an answer speaks of: a passage is a minute long, and a citation names a
second. Pure; knows no window and no store.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from app.amounts import clock_text
from app.store.types import SourcePassage
from rag.claims import flattened, stems
from rag.transcript import second_at, timed_lines
from rag.types import Unit


def times_of(passage: SourcePassage) -> list[str]:
    """The times in a transcript as an answer may write them ("12:34" for 00:12:34): none in other passages."""
    lines = timed_lines(passage.text) if passage.unit == Unit.TIME else []
    return [clock_text(second_at(passage.text, start, passage.first_line)) for start, _end in lines]


def at_the_moment(passage: SourcePassage, sentence: str) -> SourcePassage:
    """The line of a transcript that holds most of a sentence's words, the rarer the better, as a passage of its own.

    The passage as it is where it is no transcript, or no line of it has any of the words.
    """
    lines = timed_lines(passage.text) if passage.unit == Unit.TIME else []
    if len(lines) < 2:
        return passage
    said = [frozenset(stems(flattened(passage.text[start:end]))) for start, end in lines]
    n_lines_with = Counter(word for words in said for word in words)
    wanted = frozenset(stems(flattened(sentence)))
    scores = [sum(1 / n_lines_with[word] for word in words & wanted) for words in said]
    best = max(range(len(lines)), key=scores.__getitem__)
    if not scores[best]:
        return passage
    start, end = lines[best]
    second = second_at(passage.text, start, passage.first_line)
    return replace(
        passage, text=passage.text[start:end], start=passage.start + start, end=passage.start + end,
        first_line=second, last_line=second,
    )  # fmt: skip
