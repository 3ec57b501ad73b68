"""The index finds what a plain product finds, forgets what it is told to, and takes several threads at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from rag.index import MAX_ID, Read, VectorIndex

D = 32


def vectors(n: int, seed: int = 1, d: int = D) -> Any:
    """Unit vectors in loose clusters, as texts make them."""
    random = np.random.default_rng(seed)
    found = random.normal(size=(max(1, n // 20), d))[random.integers(max(1, n // 20), size=n)] + random.normal(
        size=(n, d)
    )
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


def reading(held: Any, first: int = 1) -> Read:
    """What a store does: the vectors of ids that are counted from `first`."""
    return lambda ids: (ids, held[ids - first])


def filled(n: int = 500, few: int = 0) -> tuple[VectorIndex, Any]:
    held = vectors(n).astype(np.float16)
    index = VectorIndex(D, reading(held), few=few)
    assert index.add(np.arange(1, n + 1), held) == n
    return index, held


def spread_out(n: int) -> Any:
    """As `vectors`, in 384 dimensions and 16 bits; one in a hundred is nearly all in one component, which codes cut."""
    held = vectors(n, d=384)
    held[::100, 7] += 2.0
    held /= np.linalg.norm(held, axis=1, keepdims=True)
    return held.astype(np.float16)


def nearly_equal(n: int) -> Any:
    """Vectors whose cosines differ by less than codes can tell."""
    held = vectors(1, d=384) + 1e-3 * vectors(n, seed=3, d=384)
    return (held / np.linalg.norm(held, axis=1, keepdims=True)).astype(np.float16)


@pytest.mark.parametrize("make", [spread_out, nearly_equal])
@pytest.mark.parametrize("k", [1, 10, 400])
@pytest.mark.parametrize("few", [0, 10_000, 20_000])
def test_the_nearest_are_those_of_the_stored_vectors(make: Callable[[int], Any], k: int, few: int) -> None:
    held = make(20_000)
    index = VectorIndex(384, reading(held, 0), few=few)
    for start in range(0, 20_000, 4000):
        index.add(np.arange(start, start + 4000), held[start : start + 4000])
    for question in vectors(20, seed=2, d=384):
        cosines = held.astype(np.float32) @ question
        ids, scores = index.search(question, k)
        assert scores == pytest.approx(np.sort(cosines)[: -k - 1 : -1], abs=1e-6)
        assert scores == pytest.approx(cosines[ids], abs=1e-6)
        assert len(set(ids.tolist())) == k


def test_few_stored_vectors_are_read() -> None:
    held = vectors(20_000, d=384)
    n_read = 0

    def read(ids: Any) -> Any:
        nonlocal n_read
        n_read += len(ids)
        return ids, held[ids]

    index = VectorIndex(384, read, few=0)
    index.add(np.arange(20_000), held)
    for question in held[:20]:
        index.search(question, 10)
    assert n_read < 20 * 100


def test_what_the_store_has_lost_is_left_out() -> None:
    held = vectors(500)

    def read(ids: Any) -> Any:
        there = ids[ids != 10]
        return there, held[there - 1]

    index = VectorIndex(D, read, few=0)
    index.add(np.arange(1, 501), held)
    assert 10 not in index.search(held[9], 5)[0].tolist()


@pytest.mark.parametrize("few", [0, 500])
def test_only_what_is_allowed_is_found(few: int) -> None:
    index, held = filled(few=few)
    allowed = np.array([400, 3, 77, 9999, -4, MAX_ID])
    ids, _scores = index.search(held[9], 10, allowed)
    assert sorted(ids.tolist()) == [3, 77, 400]
    assert len(index.search(held[9], 10, np.array([], np.int64))[0]) == 0
    assert index.search(held[9], 1)[0].tolist() == [10]  # positive control: it is the nearest of all


@pytest.mark.parametrize("few", [0, 500])
def test_what_is_removed_is_gone_and_may_come_back(few: int) -> None:
    index, held = filled(few=few)
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
    index = VectorIndex(D, reading(vectors(1)))
    assert len(index.search(vectors(1)[0], 5)[0]) == 0
    assert index.remove(np.array([1])) == 0


@pytest.mark.parametrize(
    ("ids", "shape"), [([1, 2], (2, D + 1)), ([1], (2, D)), ([-1, 2], (2, D)), ([3, 3], (2, D)), ([1, MAX_ID], (2, D))]
)
def test_nonsense_is_refused(ids: list[int], shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=r"dimensions|ids"):
        VectorIndex(D, reading(vectors(1))).add(np.array(ids), np.zeros(shape, np.float32))


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
