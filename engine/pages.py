"""Values that describe the context window as memory: its pages, its regions, and what is cached of it.

Counted in tokens by the loaded model's own tokeniser. Standard library only, no behaviour.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Region(StrEnum):
    """What a budget is given to. Named in the order in which they stay when the window gets short."""

    SYSTEM = "system"
    """Instructions and persona: always in the window."""
    PINNED = "pinned"
    """What the person has pinned: never left out."""
    ANSWER = "answer"
    """Kept free for the answer."""
    RECENT = "recent"
    """The question, and the last turns word for word."""
    RETRIEVED = "retrieved"
    """Passages of documents and recalled messages, wherever they stand."""
    OLDER = "older"
    """Everything else: turns and summaries from longer ago."""


class PageState(StrEnum):
    """Where a page is."""

    IN_WINDOW = "in_window"
    NEXT_OUT = "next_out"
    """In the window, and among the first to go when more room is needed."""
    OUT = "out"
    """Left out of this prompt."""


@dataclass(frozen=True, slots=True)
class PromptPage:
    """A run of the prompt with one origin: one segment of one message, or the template's own words.

    `origin` and `label` as in `engine.context.segments.Segment` ("app" for the template's words). `message_id`
    is the stored message's, "" for none. `tokens` is 0 for template words that were joined to a neighbour.
    """

    origin: str
    tokens: int
    region: Region
    state: PageState = PageState.IN_WINDOW
    message_id: str = ""
    label: str = ""
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class RegionUse:
    """How many tokens a region holds, and how many it may hold before its pages go first."""

    region: Region
    tokens: int
    budget: int


@dataclass(frozen=True, slots=True)
class PromptPlan:
    """What a request's prompt would be: the pages in their order, those left out among them, and the regions.

    The tokens of the pages that are not OUT add up to `prompt_tokens`. `cached_tokens` of the prompt's beginning are
    in the KV cache now. `dropped` are the ids of messages left out, oldest first.
    """

    pages: tuple[PromptPage, ...]
    regions: tuple[RegionUse, ...]
    prompt_tokens: int
    cached_tokens: int
    n_ctx: int
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """One token sequence that need not be computed again. `key` is the request's `cache_key`.

    `idle_s` is the time since it was used last, in seconds.
    """

    key: str
    tokens: int
    on_disk: bool
    active: bool
    idle_s: float


@dataclass(frozen=True, slots=True)
class CacheReport:
    """The whole KV cache and its snapshots. `used_cells` counts shared prefixes once; sizes in bytes."""

    entries: tuple[CacheEntry, ...]
    used_cells: int
    n_cells: int
    disk_bytes: int
    disk_limit_bytes: int
