"""The context window as a person reads it: pages of a prompt with their words, and how much is known already.

A prompt's pages come from the engine, either of an answer under way (`Started`) or of a `PromptPlan` asked for; their
words from the request they were made of. Knows no Qt and no store.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace

from app.memory_pages import MemoryPage, PromptWords, folded, words_of
from app.prompt_source import PromptSource
from app.settings import Settings
from engine.context.segments import Origin
from engine.engine import Engine
from engine.pages import CacheReport, PageState, PromptPlan, Region, RegionUse
from engine.types import GenerationRequest, Started


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


def words_in(request: GenerationRequest, source: PromptSource) -> PromptWords:
    """What the pages of a `request` say that was made of `source`."""
    words = words_of(request.messages, (message.id for message in source.path if message.excluded))
    return replace(words, summary_id=source.summary.id if source.summary is not None else "")


def view_of_start(started: Started, words: PromptWords) -> MemoryView:
    """What an answer under way was given."""
    return MemoryView(
        folded(started.pages, words),
        started.regions,
        started.prompt_tokens,
        started.cached_tokens,
        started.n_ctx,
        read_tokens=started.cached_tokens,
        reserve=_reserve(started.regions, 0),
    )


def view_of_plan(plan: PromptPlan, words: PromptWords, *, reserve: int = 0) -> MemoryView:
    """What the model would be given now. `reserve` is for a plan that does not tell its regions."""
    return MemoryView(
        folded(plan.pages, words),
        plan.regions,
        plan.prompt_tokens,
        plan.cached_tokens,
        plan.n_ctx,
        read_tokens=plan.cached_tokens,
        reserve=_reserve(plan.regions, min(reserve, plan.n_ctx // 2)),
    )


def read_memory(engine: Engine, pool: Executor, source: PromptSource, settings: Settings) -> Future[MemoryView]:
    """Ask for a view of a conversation; its request is built on `pool`. Fails as `Engine.plan` does."""
    result: Future[MemoryView] = Future()

    def hand_on(planned: Future[PromptPlan], words: PromptWords, reserve: int) -> None:
        if planned.cancelled():
            result.cancel()
        elif (error := planned.exception()) is not None:
            result.set_exception(error)
        else:
            result.set_result(view_of_plan(planned.result(), words, reserve=reserve))

    def ask() -> None:
        try:
            request = source.request("memory", settings)
            words = words_in(request, source)
            engine.plan(request).add_done_callback(lambda planned: hand_on(planned, words, request.answer_reserve))
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


def _reserve(regions: Iterable[RegionUse], otherwise: int) -> int:
    return next((each.budget for each in regions if each.region is Region.ANSWER), otherwise)
