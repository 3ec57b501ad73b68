"""Two real models in one pool: going back to the first takes no load, and its KV cache is as it was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.engine_probe import probe_engine
from app.engines import free_gpu_bytes
from engine.context.segments import Origin, PromptMessage, Role, Segment
from engine.engine import EngineState, EngineStatus
from engine.types import Finished, GenerationRequest, ModelSpec, SamplingParams, TextDelta, Usage
from engine.worker.client import EngineClient
from engine.worker.pool import EnginePool

LOAD_S = 240
QUESTION = GenerationRequest(
    "",
    (PromptMessage(Role.USER, (Segment("Tell me about lighthouses. " * 20, Origin.USER),)),),
    SamplingParams(temperature=0.0, max_tokens=8),
    cache_key="lighthouses",
)


@pytest.fixture
def pool() -> Iterator[EnginePool]:
    made = EnginePool(lambda _spec: EngineClient(), max_resident=2)
    yield made
    made.close()


def ask(pool: EnginePool, name: str) -> tuple[str, Usage]:
    events = list(pool.generate(replace(QUESTION, request_id=name)))
    assert isinstance(events[-1], Finished), events[-1]
    [usage] = [event for event in events if isinstance(event, Usage)]
    return "".join(event.text for event in events if isinstance(event, TextDelta)), usage


@pytest.mark.weights
def test_back_to_a_model_whose_cache_is_still_there(pool: EnginePool, smollm2: Path, qwen_small: Path) -> None:
    small, other = (ModelSpec(path, n_ctx=1024, n_sequences=4) for path in (smollm2, qwen_small))
    pool.load(small).result(LOAD_S)
    first, cold = ask(pool, "cold")
    pool.load(other).result(LOAD_S)
    ask(pool, "between")
    states: list[EngineState] = []
    pool.subscribe(states.append)
    pool.load(small).result(LOAD_S)
    assert [state.status for state in states] == [EngineStatus.READY], "no load"
    again, warm = ask(pool, "warm")
    assert again == first
    assert cold.cached_tokens == 0
    assert warm.cached_tokens >= warm.prompt_tokens - 1
    assert warm.restored_tokens == 0, "from memory, not from a snapshot"


def test_a_card_says_what_it_has_free_or_nothing_is_known() -> None:
    free, cards = free_gpu_bytes(), probe_engine().gpus
    assert (free or 0) <= sum(card.total_bytes for card in cards)
    assert (free is None) == (not any(card.free_bytes for card in cards))
