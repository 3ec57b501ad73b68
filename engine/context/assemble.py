"""Messages to tokens: the one place where a prompt is put together. Knows no llama.cpp.

Literals of the template are tokenised with control tokens recognised, everything else without: a text that
spells `<|im_start|>` stays a text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from engine.context.budget import Weight, Window
from engine.context.chat_template import ChatTemplate
from engine.context.last_word import tokens_to_last_word
from engine.context.page_table import PageTable, Rendered, placed, weigh, with_notes
from engine.context.pieces import Literal
from engine.context.regions import DEFAULT, Budget, questions, room_of, too_long, uses
from engine.context.segments import Origin, PromptMessage, Role
from engine.context.tokens import PieceTokenizer, See, TokenCache, Tokenizer
from engine.errors import PromptTooLongError, sentence
from engine.pages import PageState, PromptPage, Region, RegionUse
from engine.types import OverflowPolicy

__all__ = ["AssembledPrompt", "TokenCache", "Tokenizer", "assemble"]


@dataclass(frozen=True, slots=True)
class AssembledPrompt:
    """Exactly what the model sees, and how it is made up.

    `tokens_by_origin` adds up to the number of tokens (literals: "app"), as do the `pages` that are not out.
    `dropped` are the ids of messages left out, oldest first, also of those that the person excluded.
    """

    tokens: list[int]
    dropped: tuple[str, ...]
    tokens_by_origin: tuple[tuple[str, int], ...]
    starts_in_reasoning: bool
    pages: tuple[PromptPage, ...] = ()
    regions: tuple[RegionUse, ...] = ()
    to_last_word: int = 0
    """With `weighs_end`: tokens up to the end of the last message's last word, 0 where that is none."""
    question: range = range(0)
    """Which of the tokens are the person's last words, if what is last but for the template's own is theirs."""


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
    weighs_end: bool = False,
    cache: TokenCache | None = None,
    budget: Budget = DEFAULT,
    see: See | None = None,
) -> AssembledPrompt:
    """Choose what fits, render it, tokenise it. Give the same `cache` while a model is loaded.

    Raises `PromptTooLongError` and `TemplateError`; `ValueError` if there is nothing to continue.
    """
    if continue_last and (not messages or messages[-1].role is not Role.ASSISTANT):
        raise ValueError("only an assistant's message can be continued")
    tokenise = PieceTokenizer(tokenizer, cache or TokenCache(), see)
    room = room_of(n_ctx, answer_reserve)

    def render(kept: Sequence[PromptMessage]) -> Rendered:
        pieces = template.render(kept, thinking=thinking, continue_last=continue_last)
        made = tokenise.tokenize(pieces)
        return Rendered([Literal(""), *pieces], [tokenise.bos_before(made), *made])

    known = placed(messages)
    last_question = max(questions(messages), default=0)
    excluded = {index for index, message in enumerate(messages[:last_question]) if message.excluded}
    rendered = render([message for index, message in enumerate(known) if index not in excluded])
    if policy is OverflowPolicy.STOP and rendered.length > room:
        raise _stopped(rendered.length - room)
    weights, base = weigh(rendered, messages)
    window = Window.replay(messages, weights, base=base, room=room, budget=budget)

    def kept() -> Rendered:
        out = excluded | window.gone
        return render([with_notes(i, message, window.cleared) for i, message in enumerate(known) if i not in out])

    if window.gone or window.cleared:
        rendered = kept()
    while rendered.length > room and window.make_more_room(rendered.length):
        rendered = kept()
    for index in excluded:
        tokens = tuple(len(tokenise.tokenize([segment])[0]) for segment in messages[index].segments)
        weights[index] = Weight(0, tokens)
    pages = _pages(messages, rendered, weights, window, excluded | window.gone)
    counts: Counter[Region] = Counter()
    for page in pages:
        if page.state is not PageState.OUT:
            counts[page.region] += page.tokens
    regions = uses(counts, budget, room=room, reserve=n_ctx - room)
    if rendered.length > room:
        raise too_long(regions, rendered.length - room)
    dropped = (messages[index].message_id for index in sorted(excluded | window.gone))
    return AssembledPrompt(
        tokens=[token for tokens in rendered.made for token in tokens],
        dropped=tuple(message_id for message_id in dropped if message_id),
        tokens_by_origin=_by_origin(rendered),
        starts_in_reasoning=not continue_last and template.starts_in_reasoning(thinking),
        pages=pages,
        regions=regions,
        to_last_word=_to_last_word(rendered, tokenise) if weighs_end else 0,
        question=_question(rendered),
    )


def _pages(
    messages: Sequence[PromptMessage],
    rendered: Rendered,
    weights: Sequence[Weight],
    window: Window,
    out: AbstractSet[int],
) -> tuple[PromptPage, ...]:
    table = PageTable(messages, window.recent)
    table.add(rendered, *window.next_out())
    for index in out:
        table.add_out(index, weights[index])
    for index, place in window.cleared:
        table.add_out(index, weights[index], only=place)
    return table.pages


def _to_last_word(rendered: Rendered, tokenise: PieceTokenizer) -> int:
    """The first of the pieces stands for the beginning-of-text token."""
    count = tokens_to_last_word(rendered.pieces[1:], rendered.made[1:], tokenise.tokenize)
    return count + len(rendered.made[0]) if count else 0


def _question(rendered: Rendered) -> range:
    pieces, made = rendered.pieces, rendered.made
    place = next((at for at in reversed(range(len(pieces))) if not isinstance(pieces[at], Literal)), 0)
    piece = pieces[place]
    if isinstance(piece, Literal) or piece.origin is not Origin.USER:
        return range(0)
    start = sum(len(tokens) for tokens in made[:place])
    return range(start, start + len(made[place]))


def _by_origin(rendered: Rendered) -> tuple[tuple[str, int], ...]:
    counts = dict.fromkeys(Origin, 0)
    for piece, tokens in zip(rendered.pieces, rendered.made, strict=True):
        counts[Origin.APP if isinstance(piece, Literal) else piece.origin] += len(tokens)
    return tuple((origin.value, n) for origin, n in counts.items() if n)


def _stopped(excess: int) -> PromptTooLongError:
    return PromptTooLongError(
        sentence(
            "This conversation is {excess} tokens longer than the model's context window allows. "
            "Start a new chat, or let the oldest messages be left out in the settings."
        ),
        excess=excess,
    )
