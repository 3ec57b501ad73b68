"""How sure it is that a question is answered by what was found. Pure; knows no index.

Two signs: how near the best passage is in meaning, and how much of what the question says the best passages say too,
rare words counting more (inverse document frequency, Spärck Jones 1972). Either alone is fooled: a passage about the
same thing need not answer, and an answer may be in other words. In English the first tells more; in other languages,
which the light embedder hardly knows, all texts seem near to each other.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from rag.function_words import content_runs, content_words
from rag.language import language_of, needs_fragments

FLOOR = 0.45
"""Below it the documents do not say. Floor and weights are from the tuning half of the FAQ set: 3 of 100 answerable
questions lie below, and 91 of 100 that other documents answer."""
MEANING_WEIGHT = 0.85
"""For English."""
MEANING_WEIGHT_OTHER = 0.6
_WORDS_ALONE_FLOOR = 0.3
"""Of the coverage, where no vectors are there: again 3 of 100 answerable questions lie below, but only 40 of the
others."""
_BEST = 3
"""Passages together may say what one alone does not."""
_WORD = re.compile(r"\w+", re.UNICODE)
_LEAST_STEM = 4


def confidence(best_cosine: float | None, covered: float, question_language: str = "en") -> float:
    """0..1, to be compared with `FLOOR`. `best_cosine` is None where nothing is known of meaning; the language is an
    ISO 639-1 code, "" where it could not be told."""
    if best_cosine is None:
        return min(1.0, covered * FLOOR / _WORDS_ALONE_FLOOR)
    weight = MEANING_WEIGHT if question_language in ("en", "") else MEANING_WEIGHT_OTHER
    return max(0.0, min(1.0, weight * best_cosine + (1 - weight) * covered))


def coverage(question_words: Mapping[str, int], n_passages: int, texts: Sequence[str]) -> float:
    """The share of a question's words, by weight, that the best passages hold together.

    `question_words` says in how many of `n_passages` each word is.
    """
    text = " ".join(texts[:_BEST]).casefold()
    total = held = 0.0
    for word, n_holding in question_words.items():
        weight = math.log((n_passages + 1) / (n_holding + 0.5))
        if weight <= 0:
            continue
        total += weight
        held += weight * (_stem(word) in text)
    return held / total if total else 1.0


def words_of(question: str) -> list[str]:
    """The words of a question that say what it is about, each once; pairs of letters where no space stands between
    words."""
    found: dict[str, None] = {}
    for word in content_words(_WORD.findall(question.casefold()), language_of(question)):
        if needs_fragments(word):
            runs = content_runs(word)
            found.update(dict.fromkeys(run[at : at + 2] for run in runs for at in range(len(run) - 1)))
        else:
            found[word] = None
    return list(found)


def _stem(word: str) -> str:
    """Without what an ending may change."""
    return word[: max(_LEAST_STEM, len(word) - 2)] if not word.isdigit() else word
