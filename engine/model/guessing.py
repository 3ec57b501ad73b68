"""Who guesses ahead for an answer: a lookup of what stood there before, then a draft model where there is one.

The first that has something to offer is verified; all hear what the answer really says. Their purses are apart, and
together they may lose 3 % of the time. Knows no batch. Worker process, the thread that evaluates.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import HearthError, sentence
from engine.model.cost_curve import CostCurve
from engine.model.draft_model import DraftModel
from engine.model.loading import Handles
from engine.model.lookup import NgramLookup
from engine.model.speculation import DRAFT_MODEL_CHANCES, Acceptance, Speculator
from engine.model.vocabulary import Vocabulary
from engine.types import ModelSpec

NOT_USED = sentence(
    "The small model that should guess ahead cannot do so for this one: choose a smaller model of the same family."
)
DRAFT_MODEL_SHARE = 0.01
"""Of the time, besides what a lookup may lose."""


class Guesses:
    """One answer's speculators, in the order in which they are asked."""

    def __init__(self, speculators: Sequence[Speculator]) -> None:
        self._speculators = speculators
        self._proposing = speculators[0]

    @property
    def drafted(self) -> int:
        return sum(each.drafted for each in self._speculators)

    @property
    def accepted(self) -> int:
        return sum(each.accepted for each in self._speculators)

    def begin(self, tokens: Sequence[int]) -> None:
        """As `Speculator.begin`."""
        for each in self._speculators:
            each.begin(tokens)

    def accept(self, token: int) -> None:
        """As `Speculator.accept`."""
        for each in self._speculators:
            each.accept(token)

    def propose(self, room: int) -> list[int]:
        """As `Speculator.propose`."""
        for each in self._speculators:
            guesses = each.propose(room)
            if guesses:
                self._proposing = each
                return guesses
        return []

    def verified(self, proposed: int, accepted: int) -> None:
        """As `Speculator.verified`."""
        self._proposing.verified(proposed, accepted)


class Guessing:
    """What outlives the answers: how often guesses hit, and the draft model. `close()` frees it.

    A draft model that does not fit is no reason not to load the model: `note` says why there is none.
    """

    def __init__(self, spec: ModelSpec, handles: Handles, vocabulary: Vocabulary) -> None:
        self._by_lookup = Acceptance()
        self._by_model = Acceptance(DRAFT_MODEL_CHANCES)
        self._model: DraftModel | None = None
        self.note = ""
        if spec.draft_path is None or not spec.speculate:
            return
        try:
            self._model = DraftModel.load(
                spec.draft_path, vocabulary, threads=handles.n_threads, n_gpu_layers=handles.n_gpu_layers
            )
        except HearthError:
            self.note = NOT_USED

    def for_answer(self, curve: CostCurve, *, limit: int | None) -> Guesses | Speculator | None:
        """Guesses for one answer in batches of at most `limit`; None where that leaves nothing to guess."""
        if limit == 1:
            return None
        lookup = Speculator(NgramLookup(), curve, self._by_lookup, limit=limit)
        if self._model is None:
            return lookup
        drafter = self._model.drafter()
        return Guesses((lookup, Speculator(drafter, curve, self._by_model, limit=limit, share=DRAFT_MODEL_SHARE)))

    def close(self) -> None:
        """Free the draft model."""
        if self._model is not None:
            self._model.close()
