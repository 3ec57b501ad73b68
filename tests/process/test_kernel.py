"""Many conversations in one cache, with real weights: what is shared, copied, put to disk, and never computed twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from engine.cancel import CancelToken
from engine.context.segments import PromptMessage, Role
from engine.pages import CacheReport
from engine.types import Finished, FinishReason, GenerationRequest, ModelSpec, Started, TextDelta, Usage
from engine.worker.client import EngineClient
from tests.process.engine_asking import PATIENCE_S, Answer, ask, said

N_CTX = 512
INSTRUCTIONS = "You are a keeper of lighthouses. " * 30
STORY = "Tell me a short story about a lighthouse and a storm. " * 6


@pytest.fixture
def start(smollm2: Path) -> Iterator[Callable[..., EngineClient]]:
    """Engines with a small window, closed at the end."""
    made: list[EngineClient] = []

    def start(**how: object) -> EngineClient:
        spec = replace(
            ModelSpec(smollm2, n_ctx=N_CTX, n_cells=2 * N_CTX, n_batch=64, n_ubatch=64, speculate=False), **how
        )  # type: ignore[arg-type]
        engine = EngineClient()
        made.append(engine)
        engine.load(spec).result(PATIENCE_S)
        return engine

    yield start
    for engine in made:
        engine.close()


def keyed(
    key: str, turns: str | Sequence[PromptMessage], request_id: str = "", **sampling: object
) -> GenerationRequest:
    return replace(ask(turns, request_id or key, **sampling), cache_key=key)


def answer(engine: EngineClient, request: GenerationRequest) -> Answer:
    got = Answer()
    engine.submit(request, CancelToken(), got)
    got.end()
    return got


def report(engine: EngineClient) -> CacheReport:
    return engine.cache().result(PATIENCE_S)


def test_switching_between_conversations_computes_nothing_again(start: Callable[..., EngineClient]) -> None:
    engine = start()
    first = answer(engine, keyed("a", "A. " + STORY))
    answer(engine, keyed("b", "B. " + STORY))
    turns = [said(Role.USER, "A. " + STORY), said(Role.ASSISTANT, first.text), said(Role.USER, "Go on.")]
    back = answer(engine, keyed("a", turns))
    assert back.started.cached_tokens >= first.started.prompt_tokens
    kept = {entry.key: entry.tokens for entry in report(engine).entries}
    assert set(kept) == {"a", "b"}
    assert kept["a"] >= back.started.prompt_tokens


def test_a_second_chat_of_one_persona_reads_only_its_own_words(start: Callable[..., EngineClient]) -> None:
    engine = start()
    system = said(Role.SYSTEM, INSTRUCTIONS)
    first = answer(engine, keyed("a", [system, said(Role.USER, "Who are you?")]))
    second = answer(engine, keyed("b", [system, said(Role.USER, "What is a lens?")]))
    shared = engine.plan(keyed("c", [system, said(Role.USER, "What is a lens?")])).result(PATIENCE_S)
    own = second.started.prompt_tokens - second.started.cached_tokens
    assert own < 20 < shared.prompt_tokens - 20
    used = report(engine).used_cells
    whole = first.usage.prompt_tokens + first.usage.completion_tokens + second.usage.prompt_tokens
    assert used < whole - 100, "the instructions are in the cache once"


def test_a_branch_leaves_the_other_branch_in_the_cache(start: Callable[..., EngineClient]) -> None:
    engine = start()
    question = said(Role.USER, STORY)
    one = answer(engine, keyed("a", [question], "one", max_tokens=100))
    answer(engine, keyed("a", [question], "two", max_tokens=100, temperature=1.5, seed=3))
    turns = [question, said(Role.ASSISTANT, one.text), said(Role.USER, "Go on.")]
    back = answer(engine, keyed("a", turns, "three"))
    assert back.started.cached_tokens >= one.started.prompt_tokens + 90


def test_many_samples_read_the_prompt_once(start: Callable[..., EngineClient]) -> None:
    engine = start()
    request = ask(STORY, temperature=1.2, seed=7, max_tokens=12)
    events = list(engine.generate_many(request, 8))
    read = [event for _, event in events if isinstance(event, Started)]
    assert sum(each.prompt_tokens - each.cached_tokens for each in read) == read[0].prompt_tokens + 7
    assert sorted(each.seed for each in read) == list(range(7, 15))
    texts = ["".join(e.text for i, e in events if i == n and isinstance(e, TextDelta)) for n in range(8)]
    assert len(set(texts)) == 8
    assert sum(isinstance(event, Finished) for _, event in events) == 8
    # Each is the answer that its seed gives alone, up to a near tie between two tokens.
    alone = answer(engine, ask(STORY, temperature=1.2, seed=9, max_tokens=12)).text
    assert texts[2][:10] == alone[:10]


def test_several_answers_grow_together(start: Callable[..., EngineClient]) -> None:
    engine = start()
    answers = [Answer() for _ in range(3)]
    for number, got in enumerate(answers):
        engine.submit(keyed(str(number), f"{number}. {STORY}", max_tokens=40), CancelToken(), got)
    for got in answers:
        assert got.end().reason is FinishReason.LENGTH  # type: ignore[union-attr]
    alone = answer(start(), keyed("1", f"1. {STORY}", max_tokens=40))
    assert answers[1].text[:20] == alone.text[:20]


def test_too_many_for_the_cache_wait_or_leave_and_all_are_answered(start: Callable[..., EngineClient]) -> None:
    engine = start(n_cells=N_CTX)
    answers = [Answer() for _ in range(4)]
    for number, got in enumerate(answers):
        engine.submit(keyed(str(number), f"{number}. {STORY}", max_tokens=220), CancelToken(), got)
    for got in answers:
        assert isinstance(got.end(), Finished)
        assert got.usage.completion_tokens == 220
        assert len(got.of(Started)) == 1
    assert report(engine).used_cells <= N_CTX


def test_more_conversations_than_sequences(start: Callable[..., EngineClient]) -> None:
    engine = start(n_sequences=2)
    for number in range(5):
        assert isinstance(answer(engine, keyed(str(number), f"{number}. Hello.", max_tokens=3)).end(), Finished)
    assert {entry.key for entry in report(engine).entries} <= {"3", "4"}


def test_what_leaves_the_cache_comes_back_from_disk(start: Callable[..., EngineClient], tmp_path: Path) -> None:
    engine = start(n_cells=N_CTX, snapshot_folder=tmp_path)
    first = answer(engine, keyed("a", "A. " + STORY * 4, max_tokens=8))
    answer(engine, keyed("b", "B. " + STORY * 4, max_tokens=8))
    assert [entry.key for entry in report(engine).entries if entry.on_disk] == ["a"]
    again = answer(engine, keyed("a", "A. " + STORY * 4, max_tokens=8))
    assert again.started.restored_tokens == again.started.cached_tokens == first.started.prompt_tokens - 1
    assert again.text == first.text


def test_tomorrow_the_first_token_comes_at_once(start: Callable[..., EngineClient], tmp_path: Path) -> None:
    engine = start(snapshot_folder=tmp_path)
    answer(engine, keyed("a", STORY * 4, max_tokens=8))
    first = answer(engine, keyed("a", STORY * 4, max_tokens=8))  # the last token by itself, as tomorrow
    engine.close()
    engine = start(snapshot_folder=tmp_path)
    tomorrow = keyed("a", STORY * 4, max_tokens=8)
    assert engine.plan(tomorrow).result(PATIENCE_S).cached_tokens == first.started.prompt_tokens - 1
    again = answer(engine, tomorrow)
    assert again.started.restored_tokens == first.started.prompt_tokens - 1
    assert again.text == first.text
    engine.forget("a")
    assert report(engine).entries == ()
    cold = answer(engine, keyed("a", STORY * 4, max_tokens=8))
    assert cold.started.cached_tokens == 0


def test_a_snapshot_of_another_cache_type_is_not_read(start: Callable[..., EngineClient], tmp_path: Path) -> None:
    from engine.types import KvType

    engine = start(snapshot_folder=tmp_path)
    answer(engine, keyed("a", STORY * 4, max_tokens=4))
    engine.close()
    engine = start(snapshot_folder=tmp_path, kv_type=KvType.Q8_0)
    assert answer(engine, keyed("a", STORY * 4, max_tokens=4)).started.restored_tokens == 0


def test_prefill_only_reads_and_says_nothing(start: Callable[..., EngineClient]) -> None:
    engine = start()
    got = answer(engine, replace(keyed("a", STORY), prefill_only=True, background=True))
    assert (got.text, got.usage.completion_tokens) == ("", 0)
    assert answer(engine, keyed("a", STORY)).started.cached_tokens == got.started.prompt_tokens - 1


def test_plan_names_the_pages_and_what_is_cached(start: Callable[..., EngineClient]) -> None:
    engine = start()
    request = keyed("a", [said(Role.SYSTEM, INSTRUCTIONS), said(Role.USER, "Hello.", "m1")])
    before = engine.plan(request).result(PATIENCE_S)
    assert before.cached_tokens == 0
    started = answer(engine, request).started
    after = engine.plan(request).result(PATIENCE_S)
    assert after.cached_tokens >= started.prompt_tokens - 1
    assert sum(page.tokens for page in after.pages) == after.prompt_tokens == started.prompt_tokens
    assert "m1" in {page.message_id for page in after.pages}
    assert started.pages == before.pages


@pytest.mark.parametrize("when", ["reading", "writing"])
def test_a_cancelled_request_leaves_a_cache_like_a_cold_one(start: Callable[..., EngineClient], when: str) -> None:
    """Blocks of the same size at the same places give the same bits; so the answer is the same to the byte."""
    engine = start()
    prompt = "A. " + STORY * 3
    cold = answer(engine, keyed("a", prompt, max_tokens=24)).text
    engine.forget("")
    cancel, got = CancelToken(), Answer()
    engine.submit(keyed("a", prompt, "cancelled", max_tokens=24), cancel, got)
    from engine.types import PromptProgress

    got.wait_for(PromptProgress if when == "reading" else TextDelta)
    cancel.cancel()
    got.end()
    again = answer(engine, keyed("a", prompt, max_tokens=24))
    assert again.started.cached_tokens > 0
    assert again.text == cold


def test_usage_counts_what_came_from_where(start: Callable[..., EngineClient]) -> None:
    engine = start()
    answer(engine, keyed("a", STORY))
    usage = next(event for event in engine.generate(keyed("a", STORY)) if isinstance(event, Usage))
    assert usage.cached_tokens == usage.prompt_tokens - 1
    assert usage.restored_tokens == 0
