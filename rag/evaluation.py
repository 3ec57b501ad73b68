"""How well a search finds: measures of one run, a list of ids best first, against the ids that are relevant.

Pure functions, 0..1; means over questions are the caller's. nDCG after Järvelin and Kekäläinen (2002), with gains of 1.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable, Sequence


def hit(run: Sequence[Hashable], relevant: Collection[Hashable], k: int) -> float:
    """1 if anything relevant is among the first `k`."""
    return float(any(one in relevant for one in run[:k]))


def recall(run: Sequence[Hashable], relevant: Collection[Hashable], k: int) -> float:
    """The share of what is relevant that is among the first `k`. Raises `ValueError` if nothing is relevant."""
    if not relevant:
        raise ValueError("nothing is relevant to this question")
    return len(set(run[:k]) & set(relevant)) / len(set(relevant))


def ndcg(run: Sequence[Hashable], relevant: Collection[Hashable], k: int) -> float:
    """Discounted gain of the first `k`, as a share of the best order's. Raises `ValueError` if nothing is relevant."""
    if not relevant:
        raise ValueError("nothing is relevant to this question")
    gain = sum(1 / math.log2(place + 2) for place, one in enumerate(dict.fromkeys(run[:k])) if one in relevant)
    return gain / sum(1 / math.log2(place + 2) for place in range(min(k, len(set(relevant)))))
