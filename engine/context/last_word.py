"""Where a message's last word ends: a prompt is cut there to ask the model what it foresees. Knows no tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from engine.context.pieces import Literal, Piece

SENTENCE_ENDS = ".?!…。！？؟।"
_AFTER_WORDS = SENTENCE_ENDS + " \n\t\"'”’»)"


def up_to_last_word(pieces: Sequence[Piece]) -> list[Piece]:
    """Without what the template puts behind the last message, and without the marks at its end."""
    kept = list(pieces)
    while kept and isinstance(kept[-1], Literal):
        kept.pop()
    if kept and not isinstance(kept[-1], Literal):
        kept[-1] = replace(kept[-1], text=kept[-1].text.rstrip(_AFTER_WORDS))
    return kept
