from __future__ import annotations

from collections.abc import Sequence

import pytest

from engine.context.last_word import tokens_to_last_word
from engine.context.pieces import Literal, Piece
from engine.context.segments import Origin, Segment


def tokens(pieces: Sequence[Piece]) -> list[tuple[int, ...]]:
    """A token a character, but for "n?", which is one."""
    return [tuple(map(ord, piece.text.replace("n?", "\uffff"))) for piece in pieces]


def kept(*pieces: Piece) -> str:
    whole = [token for made in tokens(pieces) for token in made]
    return "".join(map(chr, whole[: tokens_to_last_word(pieces, tokens(pieces), tokens)]))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("How many?", "How many"),
        ("He said “Go!” ", "He said “Go"),
        ("1.5", "1.5"),
        ("天气怎么样？", "天气怎么样"),
        ("Well ...", "Well"),
        ("no mark,", "no mark,"),
    ],
)
def test_a_prompt_up_to_its_last_word(text: str, word: str) -> None:
    words = [Segment("Briefly. ", Origin.APP), Segment(text, Origin.USER)]
    assert kept(Literal("<user>"), *words, Literal("<end>"), Literal("<model>")) == "<user>Briefly. " + word


def test_where_there_is_no_word_nothing_is_weighed() -> None:
    assert kept() == kept(Literal("<s>"), Literal("<model>")) == ""
    assert kept(Literal("<s>"), Segment("?", Origin.USER), Literal("<model>")) == ""
    assert kept(Literal("<s>"), Segment("Where's Ann?", Origin.USER)) == "", "its last token is a mark, too"
