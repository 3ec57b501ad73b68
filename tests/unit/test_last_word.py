from __future__ import annotations

import pytest

from engine.context.last_word import up_to_last_word
from engine.context.pieces import Literal, joined
from engine.context.segments import Origin, Segment


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("How many?", "How many"),
        ("He said “Go!” ", "He said “Go"),
        ("1.5", "1.5"),
        ("天气怎么样？", "天气怎么样"),
        ("Well ...", "Well"),
        ("?", ""),
        ("no mark,", "no mark,"),
    ],
)
def test_a_prompt_up_to_its_last_word(text: str, kept: str) -> None:
    pieces = [
        Literal("<user>"),
        Segment("Briefly. ", Origin.APP),
        Segment(text, Origin.USER),
        Literal("<end>\n<model>"),
    ]
    assert joined(up_to_last_word(pieces)) == "<user>Briefly. " + kept
    assert joined(pieces).endswith("<end>\n<model>"), "what was given is as it was"


def test_a_prompt_without_words_is_none() -> None:
    assert up_to_last_word([Literal("<s>"), Literal("<model>")]) == []
