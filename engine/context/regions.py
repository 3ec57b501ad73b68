"""Regions of the context window and what each may hold. Knows no template, no tokeniser and no order of leaving.

A retrieved segment is one that was brought in beside somebody's own words: a document's or a tool's, or an earlier
message that was recalled (it carries a label, which a person's or the model's own words never do).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.context.segments import Origin, PromptMessage, Role, Segment
from engine.errors import PromptTooLongError, sentence
from engine.pages import Region, RegionUse


@dataclass(frozen=True, slots=True)
class Budget:
    """Shares of the window's room, which is all but the answer's reserve.

    They add up to more than 1 because no region fills up before it must: a share says whose pages go first when
    the room ends, and which region to name when nothing may go. Older turns have what the others leave.
    `recent_turns` turns before the question's stay to the last. When something must go, so much goes that
    `kept` of the room is used: the following turns then only append, and what is in the KV cache stays good.
    """

    system: float = 0.25
    pinned: float = 0.25
    retrieved: float = 0.5
    recent: float = 0.5
    recent_turns: int = 2
    kept: float = 0.75


DEFAULT = Budget()

_TOO_LONG = {
    Region.SYSTEM: sentence(
        "The instructions leave no room: the prompt is {excess} tokens too long for the model's context window. "
        "Shorten the instructions, or choose a larger context."
    ),
    Region.PINNED: sentence(
        "The pinned messages leave no room: the prompt is {excess} tokens too long for the model's context window. "
        "Unpin some, or choose a larger context."
    ),
    Region.RETRIEVED: sentence(
        "What is attached to your message is {excess} tokens too long for the model's context window. "
        "Attach less, or choose a larger context."
    ),
    Region.RECENT: sentence(
        "Your message is {excess} tokens too long for the model's context window. "
        "Shorten it, or choose a larger context."
    ),
}


def room_of(n_ctx: int, answer_reserve: int) -> int:
    """The tokens that the prompt may have. A window too small for the reserve gives half of itself to the answer."""
    return n_ctx - min(answer_reserve, n_ctx // 2)


def is_retrieved(message: PromptMessage, segment: Segment) -> bool:
    """Whether a segment was brought in beside somebody's own words."""
    if message.role is Role.SYSTEM or segment.origin is Origin.SUMMARY:
        return False
    return segment.origin in (Origin.DOCUMENT, Origin.TOOL) or bool(segment.label)


def is_summary(message: PromptMessage) -> bool:
    """Whether a message stands for others that were summarised."""
    for segment in message.segments:  # noqa: SIM110  # called for every message of every prompt
        if segment.origin is Origin.SUMMARY:
            return True
    return False


def questions(messages: Sequence[PromptMessage]) -> list[int]:
    """The indices of the person's messages, each of which begins a turn. Summaries begin none."""
    return [i for i, message in enumerate(messages) if message.role is Role.USER and not is_summary(message)]


def recent_from(asked: Sequence[int], number: int, turns: int) -> int:
    """The index of the message that the recent turns begin with, where the `number`th question is the present one."""
    return asked[max(0, number - turns)] if asked else 0


def region_of(message: PromptMessage, index: int, segment: Segment | None, recent: int) -> Region:
    """Where a segment (None: the template's words around it) counts; the recent turns begin at `recent`."""
    if message.role is Role.SYSTEM:
        return Region.SYSTEM
    if message.pinned:
        return Region.PINNED
    if segment is not None and is_retrieved(message, segment):
        return Region.RETRIEVED
    return Region.RECENT if index >= recent else Region.OLDER


def uses(tokens: Mapping[Region, int], budget: Budget, *, room: int, reserve: int) -> tuple[RegionUse, ...]:
    """What each region holds and may hold, in tokens, in the order of `Region`."""
    others = sum(count for region, count in tokens.items() if region is not Region.OLDER)
    budgets = {
        Region.SYSTEM: round(budget.system * room),
        Region.PINNED: round(budget.pinned * room),
        Region.ANSWER: reserve,
        Region.RECENT: round(budget.recent * room),
        Region.RETRIEVED: round(budget.retrieved * room),
        Region.OLDER: max(0, room - others),
    }
    held = {**tokens, Region.ANSWER: reserve}
    return tuple(RegionUse(region, held.get(region, 0), budgets[region]) for region in Region)


def too_long(held: Sequence[RegionUse], excess: int) -> PromptTooLongError:
    """The error for what may not go and does not fit, naming the region that is furthest over its budget."""
    worst = max((use for use in held if use.region in _TOO_LONG), key=lambda use: use.tokens - use.budget)
    return PromptTooLongError(_TOO_LONG[worst.region], excess=excess, region=worst.region.value)
