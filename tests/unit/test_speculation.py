"""When guessing pays: on a processor only long and likely guesses, on a GPU short ones too, and never at a loss."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.model.cost_curve import CostCurve
from engine.model.lookup import NgramLookup
from engine.model.speculation import DRAFT_MODEL_CHANCES, SHARE, Acceptance, Speculator
from tests.unit.speculated_answer import (
    ON_A_GPU,
    SMALL_ON_TWO_CORES,
    STARTER_ON_TWO_CORES,
    Writer,
    simulate,
)

CURVES = {"0.5B on two cores": SMALL_ON_TWO_CORES, "1.5B on two cores": STARTER_ON_TWO_CORES, "GPU": ON_A_GPU}
on_each_curve = pytest.mark.parametrize("costs", CURVES.values(), ids=CURVES)
DOCUMENT = list(range(1000, 1300))


class ScriptedDrafter:
    """Always has a guess, with the evidence and the cost that a test gives it."""

    foretells = False
    debt_ms = 0.0
    expected = None

    def __init__(self, guess: Sequence[int] = (), *, evidence: int = 1, cost_ms: float = 0.0) -> None:
        self.guess = list(guess)
        self.evidence = evidence
        self.cost_ms = cost_ms
        self.asked: list[int] = []

    def begin(self, tokens: Sequence[int]) -> None:
        pass

    def accept(self, token: int) -> None:
        pass

    def draft(self, most: int) -> list[int]:
        self.asked.append(most)
        return (self.guess * most)[:most]


def first_proposal(costs: CostCurve, evidence: int, *, room: int = 60, limit: int | None = None) -> int:
    speculator = Speculator(ScriptedDrafter([7], evidence=evidence), costs, Acceptance(), limit=limit)
    return len(speculator.propose(room))


def test_on_a_processor_only_long_matches_are_followed_and_then_far() -> None:
    for costs in (SMALL_ON_TWO_CORES, STARTER_ON_TWO_CORES):
        lengths = [first_proposal(costs, evidence) for evidence in range(65)]
        assert lengths[:4] == [0] * 4
        assert lengths[20] >= 15
        assert lengths == sorted(lengths), "a longer match is never followed less far"
        assert 0 < next(length for length in lengths if length) == 15


def test_on_a_gpu_short_matches_are_followed_a_little() -> None:
    lengths = [first_proposal(ON_A_GPU, evidence) for evidence in range(2, 65)]
    assert 1 <= lengths[0] <= 3
    assert lengths[-1] >= 15


def test_batches_end_at_the_steps_of_the_curve() -> None:
    written = simulate(DOCUMENT, DOCUMENT[20:280], SMALL_ON_TWO_CORES, Acceptance())
    assert set(written.batches) <= {4, 8, 16, 32}


def test_the_room_and_the_limit_are_kept() -> None:
    assert first_proposal(ON_A_GPU, 64, room=5) == 3, "the largest step that fits"
    assert first_proposal(ON_A_GPU, 64, room=0) == 0
    assert first_proposal(ON_A_GPU, 64, limit=7) == 6
    assert first_proposal(SMALL_ON_TWO_CORES, 64, limit=7) == 6
    assert first_proposal(ON_A_GPU, 64, limit=1) == 0


@pytest.mark.parametrize(
    ("costs", "limit", "least"),
    [
        (SMALL_ON_TWO_CORES, None, 1.5),
        (STARTER_ON_TWO_CORES, None, 1.55),
        (SMALL_ON_TWO_CORES, 7, 1.25),
        (STARTER_ON_TWO_CORES, 7, 1.3),
        (ON_A_GPU, None, 2.5),
    ],
)
def test_answers_that_quote_are_faster(costs: CostCurve, limit: int | None, least: float) -> None:
    acceptance = Acceptance()
    speed_ups = []
    for seed in range(6):
        writer = Writer(seed)
        document = writer.prose(2000)
        answer = writer.quoting(document, 320, share=0.9)
        speed_ups.append(simulate(document, answer, costs, acceptance, limit=limit).speed_up)
    assert sum(speed_ups) / len(speed_ups) >= least
    assert min(speed_ups) > 1


@on_each_curve
def test_free_prose_loses_nothing_to_speak_of(costs: CostCurve) -> None:
    acceptance = Acceptance()
    for seed in range(12):
        writer = Writer(seed)
        prompt = writer.prose(1000)
        assert simulate(prompt, writer.prose(320), costs, acceptance).speed_up >= 0.97


class Misleading:
    """A drafter that is always sure and always wrong, however often it is told."""

    foretells = False
    debt_ms = 0.0
    expected = None
    evidence = 64
    cost_ms = 0.0

    def begin(self, tokens: Sequence[int]) -> None:
        pass

    def accept(self, token: int) -> None:
        pass

    def draft(self, most: int) -> list[int]:
        return [-1] * most


class Credulous(Acceptance):
    """Learns nothing: only the purse can save the day."""

    def observe(self, evidence: int, *, hit: bool) -> None:
        pass


@on_each_curve
def test_a_drafter_that_is_always_wrong_costs_no_more_than_its_share(costs: CostCurve) -> None:
    acceptance = Credulous()
    written = simulate([], [1] * 4000, costs, acceptance, drafter=Misleading())
    assert written.accepted == 0
    loss = written.ms / written.alone_ms - 1
    assert loss <= 0.03
    assert loss > SHARE / 2, "the control: it did try, and go on trying now and then"


@on_each_curve
def test_an_answer_does_not_lose_what_those_before_it_saved(costs: CostCurve) -> None:
    acceptance = Credulous()
    simulate(DOCUMENT, DOCUMENT * 3, costs, acceptance)
    worst = max(costs.cost(size) for size in (1, *costs.worth_trying(costs.sizes[-1]))) - costs.cost(1)
    written = simulate([], [1] * 240, costs, acceptance, drafter=Misleading())
    assert written.drafted > 0, "the control: it did try"
    assert written.ms <= written.alone_ms * (1 + SHARE) + worst + 1e-6


@on_each_curve
def test_without_the_purse_the_same_drafter_would_be_ruinous(costs: CostCurve) -> None:
    class Bottomless(Credulous):
        @property
        def purse_ms(self) -> float | None:
            return 1e9

        @purse_ms.setter
        def purse_ms(self, value: float | None) -> None:
            pass

    assert simulate([], [1] * 1000, costs, Bottomless(), drafter=Misleading()).speed_up < 0.9


@settings(max_examples=60)
@given(
    st.lists(st.integers(0, 5), max_size=80),
    st.lists(st.integers(0, 5), min_size=1, max_size=120),
    st.sampled_from(list(CURVES.values())),
    st.one_of(st.none(), st.integers(1, 40)),
)
def test_whatever_is_written_the_loss_is_bounded(
    prompt: list[int], answer: list[int], costs: CostCurve, limit: int | None
) -> None:
    written = simulate(prompt, answer, costs, Acceptance(), limit=limit)
    worst = max(costs.cost(size) for size in (1, *costs.worth_trying(limit or costs.sizes[-1]))) - costs.cost(1)
    assert written.ms <= written.alone_ms * (1 + SHARE) + worst + 1e-6
    assert all(size <= (limit or 64) for size in written.batches)
    assert written.accepted <= written.drafted


def test_hits_are_learned_from_tokens_that_nobody_guessed() -> None:
    acceptance = Acceptance()
    before = acceptance.chance(4)
    simulate(DOCUMENT, DOCUMENT * 3, SMALL_ON_TWO_CORES, acceptance, limit=1)
    assert acceptance.chance(4) == before, "nothing is watched where nothing may be drafted"
    expensive = CostCurve((1, 16), (1.0, 1000.0))
    simulate(DOCUMENT, [*DOCUMENT[:40], *DOCUMENT[100:140], *DOCUMENT[50:90]], expensive, acceptance)
    assert acceptance.chance(4) > before
    assert acceptance.chance(20) > 0.96


def test_misses_make_it_careful_and_hits_bold_again() -> None:
    acceptance = Acceptance(DRAFT_MODEL_CHANCES)
    drafter = ScriptedDrafter([7])
    speculator = Speculator(drafter, ON_A_GPU, acceptance)
    bold = len(speculator.propose(30))
    for _each in range(60):
        acceptance.observe(1, hit=False)
    assert len(speculator.propose(30)) < bold
    for _each in range(200):
        acceptance.observe(1, hit=True)
    assert len(speculator.propose(30)) >= bold


def test_what_a_guess_costs_counts() -> None:
    def length(cost_ms: float) -> int:
        drafter = ScriptedDrafter([7], cost_ms=cost_ms)
        return len(Speculator(drafter, ON_A_GPU, Acceptance(DRAFT_MODEL_CHANCES)).propose(30))

    assert length(0.5) > length(3.0) >= length(8.0) == 0


def test_verified_guesses_of_a_drafter_that_foretells_nothing_are_counted() -> None:
    acceptance = Acceptance(DRAFT_MODEL_CHANCES)
    speculator = Speculator(ScriptedDrafter([7]), ON_A_GPU, acceptance)
    proposed = speculator.propose(3)
    before = [acceptance.chance(depth) for depth in (1, 2, 3)]
    speculator.verified(len(proposed), 1)
    after = [acceptance.chance(depth) for depth in (1, 2, 3)]
    assert len(proposed) == 3
    assert after[0] > before[0]
    assert after[1] < before[1]
    assert after[2] == before[2], "what stands behind a miss tells nothing"
    assert (speculator.drafted, speculator.accepted) == (3, 1)


def test_the_same_answer_takes_the_same_steps() -> None:
    writer = Writer(3)
    document = writer.prose(800)
    answer = writer.quoting(document, 300, share=0.7)
    runs = [simulate(document, answer, STARTER_ON_TWO_CORES, Acceptance()) for _each in range(2)]
    assert runs[0] == runs[1]


def test_nothing_is_guessed_before_the_prompt_is_known() -> None:
    speculator = Speculator(NgramLookup(), ON_A_GPU, Acceptance())
    assert speculator.propose(30) == []
    speculator.accept(5)
    assert speculator.propose(30) == []
