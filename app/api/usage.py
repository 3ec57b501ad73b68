"""What an answer cost and how likely its tokens were, as clients read it. Pure."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Sequence
from typing import Any

from engine.types import FinishReason, TokenLogprob, Usage

REASONS = {
    FinishReason.STOP: "stop", FinishReason.LENGTH: "length", FinishReason.CONTEXT: "length",
    FinishReason.CANCELLED: "stop",
}  # fmt: skip


class Bill:
    """Adds up the answers to one request; their prompt is read once."""

    def __init__(self) -> None:
        self._usages: list[Usage] = []
        self._reasoning = 0

    def add(self, usage: Usage) -> None:
        self._usages.append(usage)

    def thought(self, tokens: int) -> None:
        """So many tokens were reasoning."""
        self._reasoning += tokens

    def as_json(self) -> dict[str, Any]:
        prompt = max((each.prompt_tokens for each in self._usages), default=0)
        # What the first answer found in the cache: the others share the prompt that was read for it.
        cached = min((each.cached_tokens for each in self._usages), default=0)
        completion = sum(each.completion_tokens for each in self._usages)
        return {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_tokens_details": {"cached_tokens": cached},
            "completion_tokens_details": {"reasoning_tokens": min(self._reasoning, completion)},
        }


def chat_logprobs(tokens: Iterable[TokenLogprob], alternatives: int) -> list[dict[str, Any]]:
    """As /v1/chat/completions has them, with so many alternatives."""
    return [
        {
            **_one(token.piece, token.logprob),
            "top_logprobs": [_one(piece, logprob) for piece, logprob in token.top[:alternatives]],
        }
        for token in tokens
    ]


def text_logprobs(
    tokens: Sequence[TokenLogprob | None], pieces: Sequence[str], start: int, alternatives: int
) -> dict[str, Any]:
    """As /v1/completions has them: parallel lists; None for a token that nothing came before. `start` in characters.

    A token that was written is among the alternatives in any case. One that is a part of a letter begins where that
    letter does.
    """
    offsets = []
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for piece in pieces:
        offsets.append(start)
        start += len(decoder.decode(_bytes(piece)))
    return {
        "tokens": [text_of((piece,)) for piece in pieces],
        "token_logprobs": [token.logprob if token is not None else None for token in tokens],
        "top_logprobs": [_likeliest(token, alternatives) if token is not None else None for token in tokens],
        "text_offset": offsets,
    }


def text_of(pieces: Iterable[str]) -> str:
    """The text that tokens make together (`TokenLogprob.piece`)."""
    return b"".join(map(_bytes, pieces)).decode("utf-8", "replace")


def _likeliest(token: TokenLogprob, alternatives: int) -> dict[str, float]:
    """Where two tokens look alike (parts of a letter), the likelier one counts."""
    known = ((token.piece, token.logprob), *reversed(token.top[:alternatives]))
    return {text_of((piece,)): logprob for piece, logprob in known}


def _one(piece: str, logprob: float) -> dict[str, Any]:
    return {"token": text_of((piece,)), "logprob": logprob, "bytes": list(_bytes(piece))}


def _bytes(piece: str) -> bytes:
    return piece.encode("utf-8", "surrogateescape")
