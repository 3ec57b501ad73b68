"""What a batch of n tokens costs here: measured once, kept for this model on this machine.

On a processor only long drafts may pay, on a graphics card short ones do, and there are steps at the sizes that
kernels are made for. Knows no llama.cpp and no drafts: whoever evaluates tokens is handed in.
"""

from __future__ import annotations

import bisect
import hashlib
import itertools
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from engine.model.notes_file import NotesFile

SIZES = (1, 2, 4, 7, 8, 16, 24, 32)
"""Batch sizes that are timed; drafts are chosen to fill one of them."""
BUDGET_S = 1.0
MIN_ROUNDS, MAX_ROUNDS = 2, 8
MAX_MS = 600_000.0
NOTES_FILE = "costs.json"

Evaluate = Callable[[int], float | None]
"""Evaluate one batch of so many tokens, with logits for all, forget them; seconds. None: somebody is waiting."""


@dataclass(frozen=True, slots=True)
class CostCurve:
    """Milliseconds `ms` of a batch of each of `sizes` tokens; both ascend, and `sizes` begin with 1.

    `exact` is the largest batch whose rows of logits are known to be bit for bit those of the same tokens
    evaluated one at a time (see `engine.model.exactness`): 1 where batches differ or nobody has looked.
    Raises `ValueError` for anything that is no curve.
    """

    sizes: tuple[int, ...]
    ms: tuple[float, ...]
    exact: int = 1

    def __post_init__(self) -> None:
        rising = all(low < high for low, high in itertools.pairwise(self.sizes))
        steady = all(low <= high for low, high in itertools.pairwise(self.ms))
        if not self.sizes or self.sizes[0] != 1 or len(self.sizes) != len(self.ms) or not rising or not steady:
            raise ValueError("a cost curve needs ascending sizes from 1 on, with a cost for each")
        if not 0 < self.ms[0] <= self.ms[-1] <= MAX_MS or self.exact < 1:
            raise ValueError("a cost is a positive number of milliseconds")

    @classmethod
    def measure(
        cls,
        evaluate: Evaluate,
        sizes: Sequence[int] = SIZES,
        *,
        budget_s: float = BUDGET_S,
        clock: Callable[[], float] = time.perf_counter,
    ) -> Self | None:
        """Time all `sizes` in interleaved rounds, for about `budget_s`, at least twice; None where interrupted.

        The shortest time counts: what makes a round longer is other programs. A larger batch is never taken to
        be cheaper than a smaller one.
        """
        best = dict.fromkeys(sorted({1, *sizes}), float("inf"))
        began = clock()
        for round_number in range(1, MAX_ROUNDS + 1):
            for size in best:
                seconds = evaluate(size)
                if seconds is None:
                    return None
                best[size] = min(best[size], seconds * 1000)
            if round_number >= MIN_ROUNDS and (clock() - began) * (round_number + 1) / round_number > budget_s:
                break
        return cls(tuple(best), tuple(itertools.accumulate(best.values(), max)))

    def best_of(self, other: Self) -> Self:
        """The lower cost of each size, where both have the same sizes; else this one."""
        if self.sizes != other.sizes:
            return self
        return replace(self, ms=tuple(itertools.accumulate(map(min, self.ms, other.ms), max)))

    def cost(self, n: int) -> float:
        """Milliseconds of a batch of `n` tokens, on straight lines between what was measured and beyond it."""
        sizes, ms = self.sizes, self.ms
        if n <= 1 or len(sizes) == 1:
            return ms[0] * max(n, 0)
        above = min(max(bisect.bisect_left(sizes, n), 1), len(sizes) - 1)
        low, high = sizes[above - 1], sizes[above]
        return ms[above - 1] + (ms[above] - ms[above - 1]) * (n - low) / (high - low)

    def worth_trying(self, limit: int) -> tuple[int, ...]:
        """Batch sizes from 2 to `limit` where a step may end: those measured, and `limit` itself."""
        fitting = {size for size in self.sizes if 1 < size <= limit}
        return tuple(sorted(fitting | {min(limit, self.sizes[-1])} - {0, 1}))

    def to_json(self) -> dict[str, object]:
        return {"sizes": list(self.sizes), "ms": [round(value, 3) for value in self.ms], "exact": self.exact}

    @classmethod
    def from_json(cls, entry: object) -> Self | None:
        """What `to_json` made; None for anything else."""
        if not isinstance(entry, dict):
            return None
        sizes, ms, exact = entry.get("sizes"), entry.get("ms"), entry.get("exact")
        if not isinstance(sizes, list) or not isinstance(ms, list) or not isinstance(exact, int):
            return None
        if not all(map(_whole, sizes)) or not all(_whole(value) or isinstance(value, float) for value in ms):
            return None
        try:
            return cls(tuple(sizes), tuple(map(float, ms)), exact)
        except (ValueError, OverflowError):
            return None


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


class CostNotes:
    """Curves in one file of the notes folder, each under what it depends on. None for a folder keeps nothing.

    `key` names model, back end and processor (`engine.model.threads.notes_key`); `facts` whatever else changes what
    a batch costs or how it is rounded: threads, type of the KV cache, flash attention.
    """

    def __init__(self, folder: Path | None, key: str, *facts: object) -> None:
        self._file = NotesFile(folder / NOTES_FILE if folder is not None else None)
        self._key = hashlib.sha256(json.dumps([key, *map(str, facts)]).encode()).hexdigest()[:32]

    def read(self) -> CostCurve | None:
        """The curve, if one was kept and the file is whole."""
        return CostCurve.from_json(self._file.read(self._key))

    def write(self, curve: CostCurve) -> None:
        """Keep it."""
        self._file.write(self._key, curve.to_json())
