"""Two ranked lists of one question become one. Pure; knows no index.

Scores are brought to 0..1 within each list (min-max, after Fox and Shaw, "Combination of Multiple Searches", 1994) and
added with a weight. Reciprocal rank fusion was measured to lose 10 to 50 points where one side was weak.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

DENSE_WEIGHT = 0.7
"""For English, which the light embedder knows."""
DENSE_WEIGHT_OTHER = 0.35
"""For other languages, which it hardly knows: words and names carry the search."""


def dense_weight(question_language: str) -> float:
    """How much meaning counts against words, by the question's language (ISO 639-1, "" unknown)."""
    return DENSE_WEIGHT if question_language in ("en", "") else DENSE_WEIGHT_OTHER


def fuse(
    dense: Sequence[tuple[int, float]],
    lexical: Sequence[tuple[int, float]],
    *,
    weight: float,
    unlearned: Collection[int] = frozenset(),
) -> list[tuple[int, float]]:
    """(id, score 0..1) of all ids of both lists, the best first; ties by id. `weight` is that of the dense side.

    Ids that are `unlearned` have no vector yet: they are judged by their words alone, not as if their meaning were far.
    """
    by_meaning, by_words = _normalised(dense), _normalised(lexical)
    if not by_words:
        weight = 1.0
    elif not by_meaning:
        weight = 0.0
    scores = {
        number: by_words[number]
        if number in unlearned and number in by_words
        else weight * by_meaning.get(number, 0.0) + (1 - weight) * by_words.get(number, 0.0)
        for number in by_meaning.keys() | by_words.keys()
    }
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))


def _normalised(ranked: Sequence[tuple[int, float]]) -> Mapping[int, float]:
    if not ranked:
        return {}
    highest, lowest = max(score for _id, score in ranked), min(score for _id, score in ranked)
    width = highest - lowest
    return {number: (score - lowest) / width if width > 0 else 1.0 for number, score in ranked}
