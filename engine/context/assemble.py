"""Messages to tokens: the one place where a prompt is put together. Knows no llama.cpp.

Literals of the template are tokenised with control tokens recognised, everything else without: a text that
spells `<|im_start|>` stays a text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.context.budget import fit_to_window
from engine.context.chat_template import ChatTemplate
from engine.context.pieces import Literal, Piece
from engine.context.segments import Origin, PromptMessage, Role
from engine.context.tokens import PieceTokenizer, TokenCache, Tokenizer
from engine.types import OverflowPolicy

__all__ = ["AssembledPrompt", "TokenCache", "Tokenizer", "assemble"]


@dataclass(frozen=True, slots=True)
class AssembledPrompt:
    """Exactly what the model sees. `tokens_by_origin` adds up to the number of tokens (literals: "app")."""

    tokens: list[int]
    dropped: tuple[str, ...]
    tokens_by_origin: tuple[tuple[str, int], ...]
    starts_in_reasoning: bool


def assemble(
    messages: Sequence[PromptMessage],
    template: ChatTemplate,
    tokenizer: Tokenizer,
    *,
    n_ctx: int,
    answer_reserve: int,
    policy: OverflowPolicy = OverflowPolicy.DROP_OLDEST,
    thinking: bool | None = None,
    continue_last: bool = False,
    cache: TokenCache | None = None,
) -> AssembledPrompt:
    """Choose what fits, render it, tokenise it. Give the same `cache` while a model is loaded.

    Raises `PromptTooLongError` and `TemplateError`; `ValueError` if there is nothing to continue.
    """
    if continue_last and (not messages or messages[-1].role is not Role.ASSISTANT):
        raise ValueError("only an assistant's message can be continued")
    pieces_to_tokens = PieceTokenizer(tokenizer, cache or TokenCache())

    def prompt(kept: Sequence[PromptMessage]) -> tuple[list[Piece], list[tuple[int, ...]]]:
        pieces = template.render(kept, thinking=thinking, continue_last=continue_last)
        made = pieces_to_tokens.tokenize(pieces)
        return [Literal(""), *pieces], [pieces_to_tokens.bos_before(made), *made]

    kept, dropped = fit_to_window(
        messages,
        n_ctx=n_ctx,
        answer_reserve=answer_reserve,
        policy=policy,
        count=lambda some: sum(map(len, prompt(some)[1])),
    )
    pieces, made = prompt(kept)
    return AssembledPrompt(
        tokens=[token for tokens in made for token in tokens],
        dropped=dropped,
        tokens_by_origin=_by_origin(pieces, made),
        starts_in_reasoning=not continue_last and template.starts_in_reasoning(thinking),
    )


def _by_origin(pieces: Sequence[Piece], made: Sequence[tuple[int, ...]]) -> tuple[tuple[str, int], ...]:
    counts = dict.fromkeys(Origin, 0)
    for piece, tokens in zip(pieces, made, strict=True):
        counts[Origin.APP if isinstance(piece, Literal) else piece.origin] += len(tokens)
    return tuple((origin.value, n) for origin, n in counts.items() if n)
