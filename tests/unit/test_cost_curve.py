"""What a batch costs: measured, kept, and believed only where the file is whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.cost_curve import MAX_ROUNDS, MIN_ROUNDS, NOTES_FILE, CostCurve, CostNotes

CURVE = CostCurve((1, 4, 8, 16), (10.0, 30.0, 40.0, 50.0), exact=7)


def test_costs_lie_on_lines_between_what_was_measured() -> None:
    assert [CURVE.cost(n) for n in (0, 1, 2, 4, 6, 16)] == pytest.approx([0, 10, 10 + 20 / 3, 30, 35, 50])
    assert CURVE.cost(32) == pytest.approx(70), "beyond the last size the last slope goes on"


@given(st.lists(st.floats(0.01, 1000), min_size=1, max_size=8))
def test_a_larger_batch_is_never_cheaper(times: list[float]) -> None:
    sizes = [2**power for power in range(len(times))]
    seconds = dict(zip(sizes, times, strict=True))
    curve = CostCurve.measure(lambda n: seconds[n] / 1000, sizes, budget_s=0)
    assert curve is not None
    costs = [curve.cost(n) for n in range(1, 3 * sizes[-1])]
    assert costs == pytest.approx(sorted(costs))  # lines between equal costs may differ in the last bit
    assert curve.cost(1) == pytest.approx(times[0])


def test_sizes_worth_trying_are_those_measured_and_the_limit() -> None:
    assert CURVE.worth_trying(32) == (4, 8, 16)
    assert CURVE.worth_trying(7) == (4, 7)
    assert CURVE.worth_trying(2) == (2,)
    assert CURVE.worth_trying(1) == ()
    assert CURVE.worth_trying(0) == ()


def measured(budget_s: float, seconds: float) -> tuple[CostCurve | None, list[int]]:
    now, asked = 0.0, []

    def evaluate(n: int) -> float:
        nonlocal now
        asked.append(n)
        now += seconds
        return seconds

    return CostCurve.measure(evaluate, (1, 4), budget_s=budget_s, clock=lambda: now), asked


def test_rounds_are_interleaved_and_bounded_by_the_budget() -> None:
    assert measured(1.0, 1.0)[1] == [1, 4] * MIN_ROUNDS
    assert measured(1.0, 0.1)[1] == [1, 4] * 5
    assert measured(1.0, 0.0001)[1] == [1, 4] * MAX_ROUNDS


def test_the_shortest_time_counts() -> None:
    times = iter([0.05, 0.9, 0.5, 0.2])
    curve = CostCurve.measure(lambda _n: next(times), (1, 4), budget_s=0)
    assert curve is not None
    assert (curve.sizes, curve.ms) == ((1, 4), (50.0, 200.0))


def test_whoever_waits_interrupts() -> None:
    assert CostCurve.measure(lambda n: None if n == 4 else 0.01, (1, 4)) is None


@pytest.mark.parametrize(
    ("sizes", "ms", "exact"),
    [
        ((), (), 1),
        ((2, 4), (1.0, 2.0), 1),
        ((1, 4), (1.0,), 1),
        ((1, 4), (2.0, 1.0), 1),
        ((1, 1), (1.0, 1.0), 1),
        ((1,), (0.0,), 1),
        ((1,), (float("nan"),), 1),
        ((1,), (float("inf"),), 1),
        ((1,), (1.0,), 0),
    ],
)
def test_what_is_no_curve_is_refused(sizes: tuple[int, ...], ms: tuple[float, ...], exact: int) -> None:
    with pytest.raises(ValueError, match="cost"):
        CostCurve(sizes, ms, exact)


def test_a_curve_is_kept_under_all_that_it_depends_on(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    notes, other = CostNotes(folder, "model", 2, "f16"), CostNotes(folder, "model", 4, "f16")
    assert notes.read() is None
    notes.write(CURVE)
    other.write(CostCurve((1,), (3.0,)))
    assert CostNotes(folder, "model", 2, "f16").read() == CURVE
    assert other.read() == CostCurve((1,), (3.0,))
    assert [each.name for each in folder.iterdir()] == [NOTES_FILE], "no temporary file is left"


@pytest.mark.parametrize(
    "damage",
    ["", "[", "[]", "{}", "nonsense", '{"%s": 3}', '{"%s": {"sizes": [1], "ms": ["1"], "exact": 1}}',
     '{"%s": {"sizes": [1], "ms": [1], "exact": null}}', '{"%s": {"sizes": [1, 4], "ms": [2, 1], "exact": 1}}',
     '{"%s": {"sizes": [true], "ms": [1], "exact": 1}}', '{"%s": {"sizes": [1], "ms": [1e999], "exact": 1}}'],
)  # fmt: skip
def test_a_damaged_file_knows_nothing_and_is_replaced(tmp_path: Path, damage: str) -> None:
    notes = CostNotes(tmp_path, "model")
    notes.write(CURVE)
    (key,) = json.loads((tmp_path / NOTES_FILE).read_text())
    (tmp_path / NOTES_FILE).write_text(damage.replace("%s", key))
    assert notes.read() is None
    notes.write(CURVE)
    assert notes.read() == CURVE


def test_without_a_folder_or_a_writable_one_nothing_is_kept(tmp_path: Path) -> None:
    nowhere = CostNotes(None, "model")
    nowhere.write(CURVE)
    assert nowhere.read() is None
    (tmp_path / "file").write_text("")
    blocked = CostNotes(tmp_path / "file", "model")
    blocked.write(CURVE)
    assert blocked.read() is None


def test_of_two_measurements_the_lower_costs_count() -> None:
    busy = CostCurve((1, 2, 8), (40.0, 41.0, 90.0), exact=8)
    quiet = CostCurve((1, 2, 8), (10.0, 30.0, 95.0))
    assert busy.best_of(quiet) == CostCurve((1, 2, 8), (10.0, 30.0, 90.0), exact=8)
    assert busy.best_of(CostCurve((1, 4), (1.0, 2.0))) == busy
