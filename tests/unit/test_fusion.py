"""Two ranked lists become one."""

from __future__ import annotations

from rag.fusion import fuse


def test_both_sides_count_by_their_weight() -> None:
    fused = dict(fuse([(1, 0.9), (2, 0.5), (3, 0.1)], [(3, 8.0), (2, 4.0), (4, 0.0)], weight=0.7))
    assert fused[1] == 0.7
    assert round(fused[2], 6) == round(0.7 * 0.5 + 0.3 * 0.5, 6)
    assert round(fused[3], 6) == 0.3


def test_what_has_no_vector_yet_is_judged_by_its_words() -> None:
    dense, lexical = [(1, 0.3), (2, 0.2)], [(9, 12.0), (1, 3.0)]
    assert fuse(dense, lexical, weight=0.7)[0][0] == 1, "without a vector it would lose to what is hardly near"
    assert fuse(dense, lexical, weight=0.7, unlearned={9})[0] == (9, 1.0)


def test_one_side_alone_decides_where_the_other_is_empty() -> None:
    assert fuse([], [(1, 2.0), (2, 1.0)], weight=0.7) == [(1, 1.0), (2, 0.0)]
    assert fuse([(2, 0.4), (1, 0.2)], [], weight=0.7) == [(2, 1.0), (1, 0.0)]
