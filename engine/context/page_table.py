"""The rendered prompt as a table of pages, and the tokens of each message. Knows no template and no budget.

Each segment is told which message it came from before the template sees it, and keeps that through every cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from engine.context.budget import Weight
from engine.context.clean import clean
from engine.context.pieces import Piece
from engine.context.regions import region_of
from engine.context.segments import Origin, PromptMessage, Segment, Trust
from engine.pages import PageState, PromptPage, Region

NAME_CHARACTERS = 80
"""Of a source's name in a note."""
Place = tuple[int, int]
"""(message, segment) indices."""


@dataclass(frozen=True, slots=True)
class PlacedSegment(Segment):
    """A segment that knows its place in the conversation."""

    place: Place = (-1, -1)


@dataclass(frozen=True, slots=True)
class Rendered:
    """Pieces and the tokens of each."""

    pieces: Sequence[Piece]
    made: Sequence[tuple[int, ...]]

    @property
    def length(self) -> int:
        return sum(map(len, self.made))


def placed(messages: Sequence[PromptMessage]) -> list[PromptMessage]:
    """The same messages, each segment knowing its place."""
    # Constructors by place: `dataclasses.replace` takes three times as long, and this is done for every prompt.
    return [
        PromptMessage(
            message.role,
            tuple(
                PlacedSegment(segment.text, segment.origin, segment.trust, segment.label, segment.image, (index, place))
                for place, segment in enumerate(message.segments)
            ),
            message.message_id,
            message.pinned,
            message.excluded,
        )
        for index, message in enumerate(messages)
    ]


def with_notes(index: int, message: PromptMessage, cleared: AbstractSet[Place]) -> PromptMessage:
    """The message with a note in the place of each passage that is cleared."""
    if not any((index, place) in cleared for place in range(len(message.segments))):
        return message
    return replace(
        message,
        segments=tuple(
            _note(segment, (index, place)) if (index, place) in cleared else segment
            for place, segment in enumerate(message.segments)
        ),
    )


def _note(segment: Segment, place: Place) -> PlacedSegment:
    # A recalled message has a label too, but "earlier message was here" would be no news.
    named = segment.trust is Trust.UNTRUSTED
    name = clean(segment.label, max_characters=NAME_CHARACTERS).text if named else ""
    text = f"[{name} was here; left out to save room]" if name else "[left out to save room]"
    return PlacedSegment(text, Origin.APP, segment.trust, segment.label, place=place)


def weigh(rendered: Rendered, messages: Sequence[PromptMessage]) -> tuple[list[Weight], int]:
    """The tokens of each message, and those that belong to none (the template's first and last words).

    The template's words between two messages count for the later one.
    """
    segments = [[0] * len(message.segments) for message in messages]
    heads = [0] * len(messages)
    waiting, base, first, owner = 0, 0, True, -1
    for piece, tokens in zip(rendered.pieces, rendered.made, strict=True):
        place = piece.place if isinstance(piece, PlacedSegment) else None
        if place is None:
            waiting += len(tokens)
            continue
        if first:
            base, first = waiting, False
        elif place[0] != owner or waiting:
            heads[place[0]] += waiting
        waiting, owner = 0, place[0]
        segments[place[0]][place[1]] += len(tokens)
    weights = [Weight(head, tuple(tokens)) for head, tokens in zip(heads, segments, strict=True)]
    return weights, base + waiting


class PageTable:
    """Collects the pages of one prompt in the order of its messages."""

    def __init__(self, messages: Sequence[PromptMessage], recent: int) -> None:
        self._messages = messages
        self._recent = recent
        self._first: list[PromptPage] = []
        self._of: list[list[PromptPage]] = [[] for _ in messages]
        self._last: list[PromptPage] = []

    def add(self, rendered: Rendered, next_gone: AbstractSet[int], next_cleared: AbstractSet[Place]) -> None:
        """What is in the window; `next_*` are the messages and passages that would leave first."""
        waiting, last = 0, (-1, -1)
        begun = False
        for piece, tokens in zip(rendered.pieces, rendered.made, strict=True):
            if not isinstance(piece, PlacedSegment):
                waiting += len(tokens)
                continue
            index = piece.place[0]
            message, pages = self._messages[index], self._of[index]
            state = PageState.NEXT_OUT if index in next_gone else PageState.IN_WINDOW
            if waiting:
                if begun:
                    region = region_of(message, index, None, self._recent)
                    pages.append(PromptPage("app", waiting, region, state, message.message_id, "", message.pinned))
                else:
                    self._first.append(PromptPage("app", waiting, Region.SYSTEM))
                waiting = 0
            begun = True
            if piece.place == last and pages:
                pages[-1] = replace(pages[-1], tokens=pages[-1].tokens + len(tokens))
                continue
            last = piece.place
            if last in next_cleared:
                state = PageState.NEXT_OUT
            region = region_of(message, index, piece, self._recent)
            pages.append(
                PromptPage(
                    piece.origin.value, len(tokens), region, state, message.message_id, piece.label, message.pinned
                )
            )
        if waiting:
            self._last.append(PromptPage("app", waiting, Region.RECENT))

    def add_out(self, index: int, weight: Weight, only: int | None = None) -> None:
        """A message that was left out, or `only` one segment of it."""
        message = self._messages[index]
        for place, (segment, tokens) in enumerate(zip(message.segments, weight.segments, strict=True)):
            if only is None or place == only:
                region = region_of(message, index, segment, self._recent)
                self._of[index].append(
                    PromptPage(
                        segment.origin.value, tokens, region, PageState.OUT, message.message_id, segment.label,
                        message.pinned,
                    )
                )  # fmt: skip

    @property
    def pages(self) -> tuple[PromptPage, ...]:
        """All of them, in their order."""
        return (*self._first, *(page for pages in self._of for page in pages), *self._last)
