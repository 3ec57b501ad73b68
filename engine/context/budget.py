"""What leaves when a conversation is longer than the context window. Knows no template and no tokeniser.

First, passages of older turns over the retrieved region's budget, oldest first: a note stands in for each. Then
older turns whole (a question and what answered it), oldest first. Only where that does not do, the same of the recent
turns, and last a summary. System and pinned messages and the question's turn never leave.

What leaves must not be another thing at each turn, or nothing in the KV cache would be good again. So each time more
leaves than must (`Budget.kept`), and what left stays out. Nothing is remembered for that: the conversation itself
is replayed, question by question, and the same turns give the same answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Self

from engine.context.regions import Budget, is_retrieved, is_summary, questions, recent_from
from engine.context.segments import PromptMessage, Role

NOTE_TOKENS = 16
"""What a note in a passage's place is taken to cost."""
LEAST_PASSAGE = 3 * NOTE_TOKENS
"""A shorter passage is not worth a note."""


@dataclass(frozen=True, slots=True)
class Weight:
    """The tokens of one message: the template's words before it, and each of its segments."""

    head: int
    segments: tuple[int, ...]

    @property
    def total(self) -> int:
        return self.head + sum(self.segments)


@dataclass(frozen=True, slots=True)
class _Passage:
    message: int
    segment: int
    tokens: int


class Window:
    """The context window over the turns of a conversation, as far as it has been replayed.

    `gone` are indices of messages, `cleared` (message, segment) indices of passages with a note in their place.
    """

    def __init__(
        self, messages: Sequence[PromptMessage], weights: Sequence[Weight], *, base: int, room: int, budget: Budget
    ) -> None:
        """`base` tokens belong to no message. A message that is out from the beginning has no weight."""
        self._messages, self._weights, self._budget = messages, weights, budget
        self._room = room
        self._asked = questions(messages)
        free = [_is_free(message) for message in messages]
        self._turns = _free_turns(free, self._asked)
        self._passages = _passages(messages, weights, free)
        self._next_turn = self._next_passage = 0
        self._end = 0
        self.total = base
        self._retrieved = 0
        self.gone: set[int] = set()
        self.cleared: set[tuple[int, int]] = set()

    @classmethod
    def replay(
        cls, messages: Sequence[PromptMessage], weights: Sequence[Weight], *, base: int, room: int, budget: Budget
    ) -> Self:
        """The window after the whole conversation, as its prompts must have been."""
        window = cls(messages, weights, base=base, room=room, budget=budget)
        asked = window._asked
        for number in range(len(asked)):
            last = number == len(asked) - 1
            window._advance(len(messages) if last else asked[number] + 1)
            if window.total > room:
                window._make_room(asked[number], recent_from(asked, number, budget.recent_turns))
        window._advance(len(messages))
        return window

    @property
    def recent(self) -> int:
        """The index of the message that the recent turns begin with."""
        return recent_from(self._asked, len(self._asked) - 1, self._budget.recent_turns)

    def make_more_room(self, needed: int) -> bool:
        """Let go until the prompt, which has `needed` tokens, fits. False: nothing more may go."""
        self.total = needed
        before = (len(self.gone), len(self.cleared))
        self._make_room(self._asked[-1] if self._asked else 0, self.recent)
        return (len(self.gone), len(self.cleared)) != before

    def next_out(self) -> tuple[frozenset[int], frozenset[tuple[int, int]]]:
        """Which messages and passages leave first if one more turn needs more room."""
        later = copy(self)
        later.gone, later.cleared = set(self.gone), set(self.cleared)
        later.total = max(self.total, self._room + 1)
        end = len(self._messages)
        later._make_room(end, recent_from([*self._asked, end], len(self._asked), self._budget.recent_turns))
        return frozenset(later.gone - self.gone), frozenset(later.cleared - self.cleared)

    def _advance(self, end: int) -> None:
        for index in range(self._end, end):
            weight, message = self._weights[index], self._messages[index]
            self.total += weight.total
            if _may_hold_passages(message):
                self._retrieved += sum(
                    tokens
                    for tokens, segment in zip(weight.segments, message.segments, strict=True)
                    if is_retrieved(message, segment)
                )
        self._end = max(end, self._end)

    def _make_room(self, question: int, recent: int) -> None:
        aim = round(self._budget.kept * self._room)
        may_hold = self._budget.retrieved * self._room
        self._clear_passages(recent, lambda: self._retrieved <= may_hold or self.total <= aim)
        self._drop_turns(recent, aim)
        self._clear_passages(question, lambda: self.total <= self._room)
        self._drop_turns(question, self._room)
        for index in range(question):
            if self.total > self._room and is_summary(self._messages[index]) and index not in self.gone:
                self._drop(index)

    def _clear_passages(self, before: int, enough: Callable[[], bool]) -> None:
        while self._next_passage < len(self._passages) and not enough():
            passage = self._passages[self._next_passage]
            if passage.message >= before:
                return
            self._next_passage += 1
            if passage.message not in self.gone:
                self.cleared.add((passage.message, passage.segment))
                self.total -= passage.tokens - NOTE_TOKENS
                self._retrieved -= passage.tokens

    def _drop_turns(self, before: int, aim: int) -> None:
        while self._next_turn < len(self._turns) and self.total > aim:
            turn = self._turns[self._next_turn]
            if turn[0] >= before:
                return
            self._next_turn += 1
            for index in turn:
                self._drop(index)

    def _drop(self, index: int) -> None:
        message, weight = self._messages[index], self._weights[index]
        self.gone.add(index)
        self.total -= weight.total
        for place, (tokens, segment) in enumerate(zip(weight.segments, message.segments, strict=True)):
            if (index, place) in self.cleared:
                self.cleared.remove((index, place))
                self.total += tokens - NOTE_TOKENS
            elif is_retrieved(message, segment):
                self._retrieved -= tokens


def _is_free(message: PromptMessage) -> bool:
    return not (message.pinned or message.role is Role.SYSTEM or is_summary(message))


def _may_hold_passages(message: PromptMessage) -> bool:
    return len(message.segments) > 1 or message.role is Role.TOOL


def _free_turns(free: Sequence[bool], asked: Sequence[int]) -> list[tuple[int, ...]]:
    """Indices of what may leave of each turn, oldest first. What comes before the first question is a turn too."""
    starts = [0, *asked]
    ends = [*asked, len(free)]
    turns = (tuple(i for i in range(start, end) if free[i]) for start, end in zip(starts, ends, strict=True))
    return [turn for turn in turns if turn]


def _passages(messages: Sequence[PromptMessage], weights: Sequence[Weight], free: Sequence[bool]) -> list[_Passage]:
    return [
        _Passage(index, place, tokens)
        for index, message in enumerate(messages)
        if free[index] and _may_hold_passages(message)
        for place, (segment, tokens) in enumerate(zip(message.segments, weights[index].segments, strict=True))
        if tokens >= LEAST_PASSAGE and is_retrieved(message, segment)
    ]
