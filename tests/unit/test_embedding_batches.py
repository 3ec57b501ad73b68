"""How texts are put into batches."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.model.embedding import packed


@given(st.lists(st.integers(1, 50), max_size=200))
def test_every_text_comes_once_and_no_batch_is_too_large(lengths: list[int]) -> None:
    batches = list(packed(lengths, 50, 8))
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    assert all(0 < len(batch) <= 8 and sum(lengths[index] for index in batch) <= 50 for batch in batches)


def test_batches_are_filled() -> None:
    assert list(packed([5, 5, 5, 5], 10, 64)) == [[0, 1], [2, 3]]
    assert list(packed([1] * 5, 10, 2)) == [[0, 1], [2, 3], [4]]
    assert list(packed([], 10, 2)) == []
