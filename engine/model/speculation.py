"""Whether to guess ahead, and how far: expected tokens a millisecond, and a purse that only holds what may be lost.

A guess of n tokens is worth its verification where (1 + expected hits) / cost(1 + n) is better than 1 / cost(1)
(Leviathan et al., "Fast Inference from Transformers via Speculative Decoding", 2023, section 3.3, with a measured cost
curve for their constant c). How likely a hit is depends on how long the guess has agreed so far, and is learned from
every token, guessed ahead or not. Nothing here looks at a clock, so the same answer takes the same steps.
Knows tokens and milliseconds, no model and no batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from engine.model.cost_curve import CostCurve

MARGIN = 1.1
"""So many times better than a token at a time must a draft be expected to be."""
SHARE = 0.02
"""Of the time that tokens would take one at a time: what guessing may lose."""
START_DRAFTS = 1.0
MOST_DRAFTS = 4.0
"""The purse at the beginning of an answer at most, and at its fullest, in drafts that miss altogether."""
_LEVELS = (0, 2, 3, 4, 6, 9, 17, 33)
"""Evidence from which on it is counted apart."""
LOOKUP_CHANCES = (0.2, 0.3, 0.45, 0.6, 0.75, 0.86, 0.93, 0.96)
"""Of a hit at each level, before anything is known: as found on answers of small models about documents."""
DRAFT_MODEL_CHANCES = (0.7,) * len(_LEVELS)
_PRIOR = 12.0
"""Observations that the chances at first count for."""
_KEEP = 0.98
"""What an observation counts after the next one at its level: about fifty are remembered."""
_DEEPEST = 128


class Drafter(Protocol):
    """Guesses what follows. One thread."""

    @property
    def cost_ms(self) -> float:
        """Milliseconds that a guessed token takes."""

    @property
    def debt_ms(self) -> float:
        """Milliseconds to catch up with the text before the first guess."""

    @property
    def evidence(self) -> int:
        """How many tokens speak for the guess; 0: there is none. It is taken to grow by one with every hit."""

    @property
    def foretells(self) -> bool:
        """`expected` is always told, as it costs nothing."""

    @property
    def expected(self) -> int | None:
        """The first token of the guess; None where there is none, or where it would cost something."""

    def begin(self, tokens: Sequence[int]) -> None:
        """Take the whole prompt; once an answer."""

    def accept(self, token: int) -> None:
        """Take each token of the answer as it becomes final."""

    def draft(self, most: int) -> list[int]:
        """At most `most` guesses of what follows."""


class Acceptance:
    """What is known of guesses with one model: how often they hit, and what they may lose. Outlives the answers."""

    def __init__(self, chances: Sequence[float] = LOOKUP_CHANCES) -> None:
        self._hits = [chance * _PRIOR for chance in chances]
        self._seen = [_PRIOR] * len(chances)
        self._level = [max(at for at, low in enumerate(_LEVELS) if low <= depth) for depth in range(_DEEPEST + 1)]
        self._chance = list(chances)
        self.purse_ms: float | None = None
        """What may still be lost; None before the first answer."""

    def chance(self, evidence: int) -> float:
        """Of the next token being the guessed one."""
        return self._chance[self._level[min(evidence, _DEEPEST)]]

    def observe(self, evidence: int, *, hit: bool) -> None:
        """A guessed token was right, or was not."""
        level = self._level[min(evidence, _DEEPEST)]
        self._hits[level] = self._hits[level] * _KEEP + hit
        self._seen[level] = self._seen[level] * _KEEP + 1
        self._chance[level] = self._hits[level] / self._seen[level]

    def hits(self, evidence: int, length: int) -> list[float]:
        """Expected hits of drafts of 0, 1, ... `length` tokens: a token counts only where all before it hit."""
        level, chance = self._level, self._chance
        expected, alive, total = [0.0], 1.0, 0.0
        for depth in range(evidence, evidence + length):
            alive *= chance[level[depth if depth < _DEEPEST else _DEEPEST]]
            total += alive
            expected.append(total)
        return expected


class Speculator:
    """One answer's guesses. `drafted` and `accepted` count tokens.

    `limit` caps a batch (the guesses and the token before them). For repeatable answers it is `costs.exact`: a batch
    whose rows are rounded otherwise than single tokens' could choose another token, and its keys and values
    would go on to disturb all that follows.

    What drafts cost more than their hits saved, by the curve, is taken from a purse; it is filled with `share` of
    the tokens' own time and with what drafts save, up to a cap, and no draft is made that the purse could not pay
    for if it missed altogether. So a stream of misses ends by itself, is tried again now and then, and costs an answer
    no more than one draft and that share.
    """

    def __init__(
        self,
        drafter: Drafter,
        costs: CostCurve,
        acceptance: Acceptance,
        *,
        limit: int | None = None,
        share: float = SHARE,
    ) -> None:
        self.drafted = 0
        self.accepted = 0
        self._drafter = drafter
        self._acceptance = acceptance
        self._costs = costs
        self._alone = alone = costs.cost(1)
        self._share = share
        self._proposed_on = 0
        self._debt = 0.0
        most = costs.sizes[-1] if limit is None else limit
        # Drafts that may be chosen: how many tokens, what they cost, and what a single token would.
        self._choices = tuple((size - 1, self._price(size - 1)) for size in costs.worth_trying(most))
        worst = max((price for _length, price in self._choices), default=alone) - alone
        # Over the cap's reach no draft could ever be paid for.
        self._purse_cap = max(MOST_DRAFTS * worst, alone)
        # What earlier answers have saved is not for this one to lose: it may be of another kind.
        start = START_DRAFTS * worst
        acceptance.purse_ms = start if acceptance.purse_ms is None else min(acceptance.purse_ms, start)

    def _price(self, length: int) -> float:
        return self._costs.cost(length + 1) + length * self._drafter.cost_ms

    def begin(self, tokens: Sequence[int]) -> None:
        """Take the whole prompt; once."""
        if self._choices:
            self._drafter.begin(tokens)

    def accept(self, token: int) -> None:
        """Take each token of the answer as it becomes final, verified ones too, before `verified` is told."""
        if not self._choices:
            return
        drafter = self._drafter
        expected = drafter.expected
        if expected is not None:
            self._acceptance.observe(drafter.evidence, hit=expected == token)
        drafter.accept(token)
        self._earn(self._share * self._alone)

    def propose(self, room: int) -> list[int]:
        """Guesses to verify together with the last token, at most `room`; none: one token as usual."""
        if not self._choices:
            return []
        evidence = self._drafter.evidence
        if not evidence:
            return []
        length = self._best(evidence, room)
        if not length:
            return []
        self._proposed_on, self._debt = evidence, self._drafter.debt_ms
        return self._drafter.draft(length)

    def _best(self, evidence: int, room: int) -> int:
        purse = (self._acceptance.purse_ms or 0.0) - self._drafter.debt_ms
        alone = self._alone
        hits = self._acceptance.hits(evidence, min(self._choices[-1][0], room))
        best, chosen = MARGIN / alone, 0
        for length, price in self._choices:
            if length > room or price - alone > purse:
                break
            rate = (1 + hits[length]) / price
            if rate > best:
                best, chosen = rate, length
        return chosen

    def verified(self, proposed: int, accepted: int) -> None:
        """Of `proposed` guesses the first `accepted` were right; all that became final was given to `accept`."""
        self.drafted += proposed
        self.accepted += accepted
        self._earn((accepted + 1) * self._alone - self._price(proposed) - self._debt)
        if not self._drafter.foretells:  # else `accept` has counted the hits already
            for position in range(min(accepted + 1, proposed)):
                self._acceptance.observe(self._proposed_on + position, hit=position < accepted)

    def _earn(self, ms: float) -> None:
        self._acceptance.purse_ms = min((self._acceptance.purse_ms or 0.0) + ms, self._purse_cap)
