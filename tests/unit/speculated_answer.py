"""An answer written with guesses, in simulated milliseconds: no model, only which tokens come and what batches cost."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from engine.model.cost_curve import CostCurve
from engine.model.lookup import NgramLookup
from engine.model.speculation import Acceptance, Drafter, Speculator

SMALL_ON_TWO_CORES = CostCurve((1, 4, 8, 16, 32), (14.5, 48.0, 64.0, 82.0, 162.0))
STARTER_ON_TWO_CORES = CostCurve((1, 4, 8, 16, 32), (27.0, 70.0, 115.0, 137.0, 252.0))
"""Qwen2.5 0.5B and 1.5B Q4_K_M, as once measured."""
ON_A_GPU = CostCurve((1, 2, 4, 8, 16, 32), (8.0, 8.2, 8.6, 9.5, 12.0, 20.0))


@dataclass(frozen=True, slots=True)
class Simulated:
    """`ms` with guesses, `alone_ms` without; sizes of all batches with guesses."""

    ms: float
    alone_ms: float
    drafted: int
    accepted: int
    batches: tuple[int, ...]

    @property
    def speed_up(self) -> float:
        return self.alone_ms / self.ms


def simulate(
    prompt: Sequence[int], answer: Sequence[int], costs: CostCurve, acceptance: Acceptance,
    *, limit: int | None = None, drafter: Drafter | None = None,
) -> Simulated:  # fmt: skip
    """Write `answer` as the decode loop would."""
    used = drafter or NgramLookup()
    speculator = Speculator(used, costs, acceptance, limit=limit)
    speculator.begin(prompt)
    at, ms, batches = 0, 0.0, []
    while at < len(answer):
        guesses = speculator.propose(min(63, len(answer) - at))
        hits = 0
        while hits < len(guesses) and at + hits < len(answer) and guesses[hits] == answer[at + hits]:
            hits += 1
        final = answer[at : at + hits + 1]
        for token in final:
            speculator.accept(token)
        at += len(final)
        ms += costs.cost(1 + len(guesses)) + len(guesses) * used.cost_ms
        if guesses:
            batches.append(1 + len(guesses))
            speculator.verified(len(guesses), hits)
    return Simulated(ms, len(answer) * costs.cost(1), speculator.drafted, speculator.accepted, tuple(batches))


class Writer:
    """Writes text-like tokens: frequent ones often, with habits (a token tends to be followed by the same ones)."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._habits = random.Random(seed + 1)
        self._after: dict[int, list[int]] = {}

    def prose(self, length: int) -> list[int]:
        tokens = [self._word()]
        while len(tokens) < length:
            habits = self._after.setdefault(tokens[-1], [self._habits.randrange(3000) for _ in range(3)])
            tokens.append(self._random.choice(habits) if self._random.random() < 0.5 else self._word())
        return tokens

    def _word(self) -> int:
        return int(min(self._random.paretovariate(0.6), 3000.0))

    def quoting(self, document: Sequence[int], length: int, *, share: float, changed: float = 0.01) -> list[int]:
        """An answer of which about `share` is quoted, in runs of 20 to 80 tokens with a changed token now and then."""
        answer: list[int] = []
        while len(answer) < length:
            run = self._random.randint(20, 80)
            answer += self.prose(round(run * (1 - share) / share))
            start = self._random.randrange(len(document) - run)
            answer += [
                self._word() if self._random.random() < changed else token for token in document[start : start + run]
            ]
        return answer[:length]
