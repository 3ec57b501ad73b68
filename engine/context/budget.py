"""What is left out when a conversation is longer than the context window. Knows no template and no tokeniser.

The policy: system and pinned messages and the last turn stay; of the others the oldest whole turns (a user's
message and what answered it) go first, and each dropped message is named.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.context.segments import PromptMessage, Role
from engine.errors import PromptTooLongError, sentence
from engine.types import OverflowPolicy

Count = Callable[[Sequence[PromptMessage]], int]
"""The tokens of the whole prompt that these messages make."""


def fit_to_window(
    messages: Sequence[PromptMessage],
    *,
    n_ctx: int,
    answer_reserve: int,
    policy: OverflowPolicy,
    count: Count,
) -> tuple[tuple[PromptMessage, ...], tuple[str, ...]]:
    """The messages that fit, and the ids of those left out, oldest first.

    The prompt gets `n_ctx - answer_reserve` tokens; in a window too small for that reserve, half of it. Raises
    `PromptTooLongError` if what must be kept is longer, or under `OverflowPolicy.STOP` if anything would go.
    """
    room = n_ctx - min(answer_reserve, n_ctx // 2)
    needed = count(messages)
    if needed <= room:
        return tuple(messages), ()
    if policy is OverflowPolicy.STOP:
        raise PromptTooLongError(
            sentence(
                "This conversation is {excess} tokens longer than the model's context window allows. "
                "Start a new chat, or let the oldest messages be left out in the settings."
            ),
            excess=needed - room,
        )
    turns = _droppable_turns(messages)
    n_dropped = _fewest(len(turns), lambda n: count(_without(messages, turns[:n])) <= room)
    gone = turns[:n_dropped]
    kept = _without(messages, gone)
    excess = count(kept) - room
    if excess > 0:
        raise PromptTooLongError(
            sentence(
                "Your message, with the instructions and pinned messages that must stay, is {excess} tokens too long "
                "for the model's context window. Shorten it, attach less, unpin messages, or choose a larger context."
            ),
            excess=excess,
        )
    dropped = (messages[index].message_id for turn in gone for index in turn)
    return kept, tuple(message_id for message_id in dropped if message_id)


def _droppable_turns(messages: Sequence[PromptMessage]) -> list[tuple[int, ...]]:
    """Indices of whole turns that may go, oldest first. What follows the last user message stays with it."""
    turns: list[list[int]] = []
    open_turn: list[int] | None = None
    last_user = max((i for i, message in enumerate(messages) if message.role is Role.USER), default=len(messages) - 1)
    for index, message in enumerate(messages[:last_user]):
        if message.role is Role.SYSTEM:
            continue
        if message.role is Role.USER or open_turn is None:
            open_turn = []
            turns.append(open_turn)
        open_turn.append(index)
    free = (tuple(index for index in turn if not messages[index].pinned) for turn in turns)
    return [turn for turn in free if turn]


def _without(messages: Sequence[PromptMessage], turns: Sequence[tuple[int, ...]]) -> tuple[PromptMessage, ...]:
    gone = {index for turn in turns for index in turn}
    return tuple(message for index, message in enumerate(messages) if index not in gone)


def _fewest(most: int, enough: Callable[[int], bool]) -> int:
    """The smallest n up to `most` that is enough (`most` if none is): a search by halves, as counting costs."""
    low, high = 0, most
    while low < high:
        middle = (low + high) // 2
        if enough(middle):
            high = middle
        else:
            low = middle + 1
    return low
