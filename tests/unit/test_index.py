"""The index finds what a plain product finds, forgets what it is told to, and takes several threads at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from rag.index import MAX_ID, VectorIndex

D = 32


def vectors(n: int, seed: int = 1, d: int = D) -> Any:
    """Unit vectors in loose clusters, as texts make them."""
    random = np.random.default_rng(seed)
    found = random.normal(size=(max(1, n // 20), d))[random.integers(max(1, n // 20), size=n)] + random.normal(
        size=(n, d)
    )
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


def filled(n: int = 500) -> tuple[VectorIndex, Any]:
    held = vectors(n)
    index = VectorIndex(D)
    assert index.add(np.arange(1, n + 1), held.astype(np.float16)) == n
    return index, held


def test_recall_against_flat_floats() -> None:
    held, asked = vectors(20_000, d=384), vectors(100, seed=2, d=384)
    index = VectorIndex.rebuilt(
        384, ((np.arange(start, start + 4000), held[start : start + 4000]) for start in range(0, 20_000, 4000))
    )
    hits = 0
    for question in asked:
        exact = set(np.argsort(held @ question)[-10:].tolist())
        ids, scores = index.search(question, 10)
        hits += len(exact & set(ids.tolist()))
        assert scores == pytest.approx((held @ question)[ids], abs=2e-3)
        assert list(scores) == sorted(scores, reverse=True)
    assert hits / 1000 >= 0.995


def test_only_what_is_allowed_is_found() -> None:
    index, held = filled()
    allowed = np.array([400, 3, 77, 9999, -4, MAX_ID])
    ids, _scores = index.search(held[9], 10, allowed)
    assert sorted(ids.tolist()) == [3, 77, 400]
    assert len(index.search(held[9], 10, np.array([], np.int64))[0]) == 0
    assert index.search(held[9], 1)[0].tolist() == [10]  # positive control: it is the nearest of all


def test_what_is_removed_is_gone_and_may_come_back() -> None:
    index, held = filled()
    assert index.remove(np.array([10, 11, 10_000, -1])) == 2
    assert (len(index), 10 in index, 12 in index) == (498, False, True)
    assert 10 not in index.search(held[9], 498)[0].tolist()
    assert index.search(held[11], 1)[0].tolist() == [12]
    assert index.add(np.array([10]), held[9:10]) == 1
    assert index.search(held[9], 1)[0].tolist() == [10]


def test_what_is_there_already_is_not_added_twice() -> None:
    index, held = filled()
    assert index.add(np.array([1, 501]), held[:2]) == 1
    assert len(index) == len(index.ids()) == 501


def test_an_empty_index_finds_nothing() -> None:
    index = VectorIndex(D)
    assert len(index.search(vectors(1)[0], 5)[0]) == 0
    assert index.remove(np.array([1])) == 0


@pytest.mark.parametrize(
    ("ids", "shape"), [([1, 2], (2, D + 1)), ([1], (2, D)), ([-1, 2], (2, D)), ([3, 3], (2, D)), ([1, MAX_ID], (2, D))]
)
def test_nonsense_is_refused(ids: list[int], shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=r"dimensions|ids"):
        VectorIndex(D).add(np.array(ids), np.zeros(shape, np.float32))


def test_one_writes_while_others_read() -> None:
    index, held = filled(2000)
    done = threading.Event()

    def read(seed: int) -> int:
        random, n = np.random.default_rng(seed), 0
        while not done.is_set() or n < 20:
            place = int(random.integers(1000))  # of those that stay
            assert index.search(held[place], 1)[0].tolist() == [place + 1]
            n += 1
        return n

    with ThreadPoolExecutor(3) as pool:
        reading = [pool.submit(read, seed) for seed in range(3)]
        for round_number in range(20):
            some = np.arange(1001 + 50 * round_number, 1051 + 50 * round_number)
            assert index.remove(some) == 50
            assert index.add(some, held[some - 1]) == 50
        done.set()
        assert all(future.result(60) >= 20 for future in reading)
    assert len(index) == 2000
