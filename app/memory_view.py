"""The context window as a person reads it: pages of a prompt with their words, and how much is known already.

A prompt's pages come from the engine, either of an answer under way (`Started`) or of a `PromptPlan` asked for; their
words from the request they were made of. Qt-free and pure but for `read_memory`; knows no store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace

from engine.context.segments import Origin, PromptMessage
from engine.engine import Engine
from engine.pages import CacheReport, PageState, PromptPage, PromptPlan, Region, RegionUse
from engine.types import GenerationRequest, Started

PageKey = tuple[str, str, str]
"""Message id, origin, label."""


@dataclass(frozen=True, slots=True)
class PromptWords:
    """What a prompt's pages say, and the ids of messages that the person has taken out of it."""

    texts: Mapping[PageKey, str] = field(default_factory=dict)
    excluded: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class MemoryPage:
    """One part of one message. `tokens` include the `format_tokens` of the chat format around it.

    `start` is the first token's place in the prompt, -1 for a page that is left out. `growing` marks the answer that
    is being written. Of those left out, the `excluded` ones were taken out by the person; for others there was no room.
    """

    origin: str
    tokens: int
    region: Region
    start: int = -1
    format_tokens: int = 0
    state: PageState = PageState.IN_WINDOW
    message_id: str = ""
    label: str = ""
    pinned: bool = False
    text: str = ""
    growing: bool = False
    excluded: bool = False

    @property
    def key(self) -> PageKey:
        """What stays the same when the prompt is another one."""
        return (self.message_id, self.origin, self.label)

    @property
    def end(self) -> int:
        return self.start + self.tokens


@dataclass(frozen=True, slots=True)
class MemoryView:
    """The pages in the window in their order, then those left out. The first `cached_tokens` are known already.

    Of the prompt, `read_tokens` (the cached ones among them) are in the KV cache by now. `reserve` tokens at the end
    of the window are kept for the answer.
    """

    pages: tuple[MemoryPage, ...]
    regions: tuple[RegionUse, ...]
    prompt_tokens: int
    cached_tokens: int
    n_ctx: int
    read_tokens: int = 0
    reserve: int = 0

    @property
    def by_origin(self) -> tuple[tuple[str, int], ...]:
        """(origin, tokens) of what is in the window; the chat format is the app's."""
        counts = {Origin.APP.value: 0}
        for page in self.pages:
            if page.state is not PageState.OUT:
                counts[page.origin] = counts.get(page.origin, 0) + page.tokens - page.format_tokens
                counts[Origin.APP.value] += page.format_tokens
        return tuple((origin, tokens) for origin, tokens in counts.items() if tokens)


def words_of(messages: Iterable[PromptMessage]) -> PromptWords:
    """The words of each page that these messages make. A file's name and its text share a page: the text counts."""
    texts: dict[PageKey, str] = {}
    excluded: set[str] = set()
    for message in messages:
        if message.excluded:
            excluded.add(message.message_id)
        for segment in message.segments:
            key = (message.message_id, segment.origin.value, segment.label)
            if segment.origin is not Origin.APP and len(segment.text) > len(texts.get(key, "")):
                texts[key] = segment.text
    return PromptWords(texts, frozenset(excluded))


def view_of_start(started: Started, words: PromptWords) -> MemoryView:
    """What an answer under way was given."""
    return MemoryView(
        _folded(started.pages, words),
        started.regions,
        started.prompt_tokens,
        started.cached_tokens,
        started.n_ctx,
        read_tokens=started.cached_tokens,
        reserve=_reserve(started.regions, 0),
    )


def view_of_plan(plan: PromptPlan, request: GenerationRequest) -> MemoryView:
    """What the model would be given now."""
    return MemoryView(
        _folded(plan.pages, words_of(request.messages)),
        plan.regions,
        plan.prompt_tokens,
        plan.cached_tokens,
        plan.n_ctx,
        read_tokens=plan.cached_tokens,
        reserve=_reserve(plan.regions, min(request.answer_reserve, plan.n_ctx // 2)),
    )


def read_memory(engine: Engine, pool: Executor, build: Callable[[], GenerationRequest]) -> Future[MemoryView]:
    """Ask for a view of what `build` (called on `pool`) makes. Fails with a `HearthError`, as `Engine.plan` does."""
    result: Future[MemoryView] = Future()

    def ask() -> None:
        try:
            request = build()
            engine.plan(request).add_done_callback(lambda planned: _hand_on(planned, request, result))
        except BaseException as error:  # noqa: BLE001  # handed to who asked
            result.set_exception(error)

    pool.submit(ask)
    return result


@dataclass(frozen=True, slots=True)
class Remembered:
    """Another conversation that need not be read again: the most tokens of it that are kept in one place."""

    key: str
    tokens: int
    in_memory: bool
    on_disk: bool


def remembered(report: CacheReport, *, but: str = "") -> list[Remembered]:
    """The conversations of a report, the one used last first; without the one of the key `but`, and nameless ones."""
    found: dict[str, Remembered] = {}
    for entry in sorted(report.entries, key=lambda entry: entry.idle_s):
        if entry.key in ("", but):
            continue
        known = found.get(entry.key, Remembered(entry.key, 0, False, False))
        found[entry.key] = Remembered(
            entry.key,
            max(known.tokens, entry.tokens),
            known.in_memory or not entry.on_disk,
            known.on_disk or entry.on_disk,
        )
    return list(found.values())


def _hand_on(planned: Future[PromptPlan], request: GenerationRequest, result: Future[MemoryView]) -> None:
    if planned.cancelled():
        result.cancel()
    elif (error := planned.exception()) is not None:
        result.set_exception(error)
    else:
        result.set_result(view_of_plan(planned.result(), request))


def _reserve(regions: Iterable[RegionUse], otherwise: int) -> int:
    return next((each.budget for each in regions if each.region is Region.ANSWER), otherwise)


def _folded(pages: Iterable[PromptPage], words: PromptWords) -> tuple[MemoryPage, ...]:
    """Pages as people know them: template words join a neighbour, a file's name its text. Those left out come last.

    Template words join the page of their own message that follows, else the one before them.
    """
    inside = _joined(page for page in pages if page.state is not PageState.OUT)
    outside = _joined(page for page in pages if page.state is PageState.OUT)
    made: list[MemoryPage] = []
    start = 0
    for page in inside:
        made.append(replace(page, start=start, text=words.texts.get(page.key, "")))
        start += page.tokens
    for page in outside:
        excluded = page.message_id in words.excluded
        made.append(replace(page, text=words.texts.get(page.key, ""), excluded=excluded))
    return tuple(made)


def _joined(pages: Iterable[PromptPage]) -> list[MemoryPage]:
    made: list[MemoryPage] = []
    waiting: list[PromptPage] = []
    for page in pages:
        if page.origin == Origin.APP:
            waiting.append(page)
            continue
        before = 0
        for words in waiting:
            if made and words.message_id != page.message_id:
                made[-1] = _with_format(made[-1], words.tokens)
            else:
                before += words.tokens
        waiting.clear()
        new = _page(page)
        last = made[-1] if made else None
        if last is not None and last.key == new.key and last.message_id and last.label:
            made[-1] = _with_format(replace(last, tokens=last.tokens + new.tokens), before)
        else:
            made.append(_with_format(new, before))
    tokens = sum(words.tokens for words in waiting)
    if made:
        made[-1] = _with_format(made[-1], tokens)
    elif tokens:
        made.append(_page(replace(waiting[0], tokens=tokens)))
    return made


def _page(page: PromptPage) -> MemoryPage:
    return MemoryPage(
        page.origin,
        page.tokens,
        page.region,
        state=page.state,
        message_id=page.message_id,
        label=page.label,
        pinned=page.pinned,
    )


def _with_format(page: MemoryPage, tokens: int) -> MemoryPage:
    return replace(page, tokens=page.tokens + tokens, format_tokens=page.format_tokens + tokens)
