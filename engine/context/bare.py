"""Prompts without a chat template: a text that the model goes on with, or tokens of its own. Knows no llama.cpp.

A text is content, as everywhere: nothing in it becomes a control token. Who needs those gives tokens.
"""

from __future__ import annotations

from engine.context.assemble import AssembledPrompt
from engine.context.segments import Origin, Segment
from engine.context.tokens import PieceTokenizer, TokenCache, Tokenizer
from engine.errors import PromptTooLongError, TemplateError, sentence
from engine.pages import PromptPage, Region
from engine.types import BarePrompt


def bare_prompt(
    prompt: BarePrompt, tokenizer: Tokenizer, *, n_vocab: int, room: int, cache: TokenCache | None = None
) -> AssembledPrompt:
    """The prompt's tokens, of which there may be `room`. Raises `PromptTooLongError`, and `TemplateError` for none."""
    if prompt.tokens:
        tokens = list(prompt.tokens)
        if not all(0 <= token < n_vocab for token in tokens):
            raise TemplateError(sentence("The prompt has tokens that this model does not know."))
    else:
        tokenise = PieceTokenizer(tokenizer, cache or TokenCache())
        made = tokenise.tokenize([Segment(prompt.text, Origin.USER)])
        tokens = [token for piece in (tokenise.bos_before(made), *made) for token in piece]
    if not tokens:
        raise TemplateError(sentence("The prompt is empty."))
    if len(tokens) > room:
        raise PromptTooLongError(
            sentence("The prompt is {excess} tokens longer than the model's context window allows."),
            excess=len(tokens) - room,
        )
    return AssembledPrompt(
        tokens=tokens,
        dropped=(),
        tokens_by_origin=((Origin.USER.value, len(tokens)),),
        starts_in_reasoning=False,
        pages=(PromptPage(Origin.USER.value, len(tokens), Region.RECENT),),
    )
