"""Where the last word of a prompt's last message ends: there the model is asked what it foresees. Knows no model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain

from engine.context.pieces import Literal, Piece

SENTENCE_ENDS = ".?!…。！？؟।"
_AFTER_WORDS = SENTENCE_ENDS + " \n\t\"'”’»)"
Tokenize = Callable[[Sequence[Piece]], list[tuple[int, ...]]]


def tokens_to_last_word(pieces: Sequence[Piece], made: Sequence[tuple[int, ...]], tokenize: Tokenize) -> int:
    """How many of a prompt's tokens there are up to there, without the marks behind it; `made` are those of each piece.

    0 where there is no word, or where its last token holds a mark, too.
    """
    place = next((index for index in reversed(range(len(pieces))) if not isinstance(pieces[index], Literal)), -1)
    piece = pieces[place] if pieces else Literal("")
    text = piece.text.rstrip(_AFTER_WORDS)
    if isinstance(piece, Literal) or not text:
        return 0
    to_there = list(chain.from_iterable(tokenize([*pieces[:place], replace(piece, text=text)])))
    whole = chain.from_iterable(made)
    return len(to_there) if all(mine == theirs for mine, theirs in zip(to_there, whole, strict=False)) else 0
