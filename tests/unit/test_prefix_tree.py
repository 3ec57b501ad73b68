"""The tree of shared beginnings, against a plain comparison of lists."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.model.prefix_tree import PrefixTree, common_prefix

TOKENS = st.lists(st.integers(0, 2), max_size=8)


def brute(left: list[int], right: list[int]) -> int:
    n = 0
    while n < min(len(left), len(right)) and left[n] == right[n]:
        n += 1
    return n


@given(TOKENS, TOKENS)
def test_common_prefix(left: list[int], right: list[int]) -> None:
    assert common_prefix(left, right) == brute(left, right)


@given(st.lists(st.tuples(st.integers(0, 4), TOKENS, st.booleans()), max_size=12), TOKENS)
def test_finds_counts_and_forgets_like_a_list_of_lists(
    steps: list[tuple[int, list[int], bool]], asked: list[int]
) -> None:
    tree, plain = PrefixTree(), dict[int, list[int]]()
    for sequence, tokens, stays in steps:
        if stays:
            tree.insert(sequence, tokens)
            plain[sequence] = tokens
        else:
            tree.remove(sequence)
            plain.pop(sequence, None)
    best = max((brute(tokens, asked) for tokens in plain.values()), default=0)
    owners, length = tree.longest(asked)
    assert length == best
    assert owners == {key for key, tokens in plain.items() if best and brute(tokens, asked) == best}
    prefixes = {tuple(tokens[:n]) for tokens in plain.values() for n in range(1, len(tokens) + 1)}
    assert tree.total == len(prefixes)
    for sequence, tokens in plain.items():
        shared = max((brute(tokens, other) for key, other in plain.items() if key != sequence), default=0)
        assert tree.own(sequence) == len(tokens) - shared


def test_a_sequence_that_grows_is_inserted_again() -> None:
    tree = PrefixTree()
    tree.insert(1, [1, 2, 3])
    tree.insert(2, [1, 2, 9])
    tree.insert(1, [1, 2, 3, 4])
    assert tree.longest([1, 2, 3, 4, 5]) == ({1}, 4)
    assert tree.total == 5
    assert (tree.own(1), tree.own(2)) == (2, 1)
