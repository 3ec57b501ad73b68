"""The measures of retrieval, against values worked out by hand."""

from __future__ import annotations

import math

import pytest

from rag.evaluation import hit, ndcg, recall

RUN = ["a", "b", "c", "d"]


def test_hits() -> None:
    assert hit(RUN, {"b"}, 1) == 0
    assert hit(RUN, {"b", "x"}, 2) == 1
    assert hit([], {"b"}, 10) == 0


def test_recall() -> None:
    assert recall(RUN, {"a", "d", "x"}, 3) == pytest.approx(1 / 3)
    assert recall(RUN, {"a", "d", "x"}, 4) == pytest.approx(2 / 3)


def test_ndcg() -> None:
    assert ndcg(RUN, {"a"}, 10) == 1
    assert ndcg(RUN, {"b"}, 10) == pytest.approx(1 / math.log2(3))
    assert ndcg(RUN, {"a", "d"}, 10) == pytest.approx((1 + 1 / math.log2(5)) / (1 + 1 / math.log2(3)))
    assert ndcg(["a", "a"], {"a"}, 10) == 1
    assert ndcg(RUN, set("abcdef"), 2) == 1


def test_nothing_relevant_is_a_mistake() -> None:
    for measure in (recall, ndcg):
        with pytest.raises(ValueError, match="nothing is relevant"):
            measure(RUN, set(), 5)
