"""Models that cannot cut or copy a part of their memory, in the real engine: what is reused is right to the byte.

Random weights (`stateful_models`): what they write depends on all that they have read, so a wrong state shows.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.cancel import CancelToken
from engine.context.segments import PromptMessage, Role
from engine.types import Finished, GenerationRequest, ModelSpec, PromptProgress, Started, TextDelta
from engine.worker.client import EngineClient
from tests.process.engine_asking import PATIENCE_S, Answer, ask, said
from tests.process.stateful_models import MODELS

pytestmark = pytest.mark.beside

N_CTX = 512
STATEFUL = ("mamba", "falcon-h1")
ALIKE = 40
"""Letters that must be the same. Where cells lie otherwise sums are rounded otherwise, and a long answer drifts."""
QUESTION = "Tell me of the lighthouse, its keeper and the storm of that night. "
LONG = QUESTION * 5

Start = Callable[..., EngineClient]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("weights")
    for name, write in MODELS.items():
        (folder / f"{name}.gguf").write_bytes(write())
    return {name: folder / f"{name}.gguf" for name in MODELS}


@pytest.fixture
def start(weights: dict[str, Path]) -> Iterator[Start]:
    """Engines on one thread, closed at the end."""
    made: list[EngineClient] = []

    def start(name: str, **how: object) -> EngineClient:
        spec = ModelSpec(
            weights[name], n_ctx=N_CTX, n_cells=2 * N_CTX, n_batch=64, n_ubatch=64, n_threads=1, speculate=False
        )
        engine = EngineClient()
        made.append(engine)
        engine.load(replace(spec, **how)).result(PATIENCE_S)  # type: ignore[arg-type]
        return engine

    yield start
    for engine in made:
        engine.close()


def keyed(key: str, turns: str | Sequence[PromptMessage], request_id: str = "", **how: Any) -> GenerationRequest:
    return replace(ask(turns, request_id or key, **{"max_tokens": 24, **how}), cache_key=key)


def answer(engine: EngineClient, request: GenerationRequest) -> Answer:
    got = Answer()
    engine.submit(request, CancelToken(), got)
    assert isinstance(got.end(), Finished)
    return got


def cold(engine: EngineClient, request: GenerationRequest) -> str:
    """What an engine writes that has read nothing before."""
    engine.forget("")
    got = answer(engine, request)
    assert got.started.cached_tokens == 0
    return got.text


def gone_on(first: Answer, question: str = QUESTION, more: str = "Go on.") -> list[PromptMessage]:
    return [said(Role.USER, question), said(Role.ASSISTANT, first.text), said(Role.USER, more)]


@pytest.mark.parametrize("name", MODELS)
def test_only_what_can_be_cut_is_shared(start: Start, name: str) -> None:
    engine = start(name)
    assert engine.state.model.shares_prefixes is (name not in STATEFUL)  # type: ignore[union-attr]


@pytest.mark.parametrize("name", MODELS)
def test_what_was_read_long_ago_changes_the_answer(start: Start, name: str) -> None:
    """The control of all the others: a lost state would show."""
    engine = start(name)
    one, two = (cold(engine, keyed("a", start + LONG, max_tokens=40)) for start in ("A short one. ", "B. A long one. "))
    assert one != two


@pytest.mark.parametrize("name", MODELS)
def test_a_conversation_goes_on_where_it_was(start: Start, name: str) -> None:
    engine, other = start(name), start(name)
    first = answer(engine, keyed("a", QUESTION))
    second = keyed("a", gone_on(first))
    got = answer(engine, second)
    read = first.usage.prompt_tokens + first.usage.completion_tokens - 1
    assert got.started.cached_tokens == read
    assert got.text == cold(other, second)
    third = keyed("a", [*gone_on(first), said(Role.ASSISTANT, got.text), said(Role.USER, "And then?")])
    got = answer(engine, third)
    assert got.started.cached_tokens > read
    assert got.text == cold(other, third)


@pytest.mark.parametrize("name", MODELS)
def test_the_same_question_again(start: Start, name: str) -> None:
    engine, other = start(name), start(name)
    request = keyed("a", LONG)
    answers = [answer(engine, request) for _ in range(3)]
    assert {got.text for got in answers} == {cold(other, request)}
    for got in answers[1:]:
        assert got.started.cached_tokens == got.started.prompt_tokens - 1


@pytest.mark.parametrize("name", MODELS)
def test_what_is_read_ahead_is_there_and_plan_knows(start: Start, name: str) -> None:
    engine, other = start(name), start(name)
    request = keyed("a", LONG)
    answer(engine, replace(request, prefill_only=True, background=True))
    planned = engine.plan(request).result(PATIENCE_S)
    got = answer(engine, request)
    assert got.started.cached_tokens == got.started.prompt_tokens - 1
    assert planned.cached_tokens in (got.started.cached_tokens, got.started.prompt_tokens)
    assert got.text == cold(other, request)
    unlike = keyed("d", QUESTION + "But first another thing.")
    planned = engine.plan(unlike).result(PATIENCE_S)
    assert answer(engine, unlike).started.cached_tokens == planned.cached_tokens


@pytest.mark.parametrize("name", MODELS)
def test_another_question_behind_the_same_answer(start: Start, name: str) -> None:
    engine, other = start(name), start(name)
    first = answer(engine, keyed("a", QUESTION))
    for more in ("Go on.", "Stop there.", "Go on."):
        request = keyed("a", gone_on(first, more=more))
        assert answer(engine, request).text == cold(other, request)


@pytest.mark.parametrize("name", MODELS)
def test_an_edited_answer_starts_from_behind_the_question(start: Start, name: str) -> None:
    engine, other = start(name), start(name)
    first = answer(engine, keyed("a", QUESTION))
    turns = [said(Role.USER, QUESTION), said(Role.ASSISTANT, "No answer of its own."), said(Role.USER, "Go on.")]
    got = answer(engine, keyed("a", turns))
    assert got.started.cached_tokens >= first.started.prompt_tokens - 1
    assert got.text == cold(other, keyed("a", turns))


@pytest.mark.parametrize("name", MODELS)
def test_there_and_back_again(start: Start, name: str) -> None:
    engine, other = start(name), start(name)
    first = answer(engine, keyed("a", "A. " + QUESTION))
    between = answer(engine, keyed("b", "B. " + QUESTION))
    back = keyed("a", gone_on(first, "A. " + QUESTION))
    got = answer(engine, back)
    assert got.started.cached_tokens >= first.started.prompt_tokens
    assert got.text == cold(other, back)
    assert between.text == cold(other, keyed("b", "B. " + QUESTION))


@pytest.mark.parametrize("name", MODELS)
def test_more_conversations_than_fit(start: Start, name: str) -> None:
    engine, other = start(name), start(name)
    requests = [keyed(letter, f"{letter}. {QUESTION}") for letter in "ABCDEF"]
    for request in (*requests, *reversed(requests)):
        assert answer(engine, request).text == cold(other, request)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("n_sequences", [1, 2, 3])
def test_few_sequences_are_enough(start: Start, name: str, n_sequences: int) -> None:
    engine, other = start(name, n_sequences=n_sequences, n_cells=N_CTX), start(name)
    requests = [keyed(letter, f"{letter}. {QUESTION}", max_tokens=60) for letter in "ABC"]
    answers = [Answer() for _ in requests]
    for request, got in zip(requests, answers, strict=True):
        engine.submit(request, CancelToken(), got)
    for request, got in zip(requests, answers, strict=True):
        assert isinstance(got.end(), Finished)
        assert got.text[:ALIKE] == cold(other, request)[:ALIKE]


@pytest.mark.parametrize("name", MODELS)
def test_answers_at_the_same_time(start: Start, name: str) -> None:
    engine, other = start(name), start(name)
    requests = [keyed(letter, f"{letter}. {QUESTION}", max_tokens=60) for letter in "ABC"]
    answers = [Answer() for _ in requests]
    for request, got in zip(requests, answers, strict=True):
        engine.submit(request, CancelToken(), got)
    for request, got in zip(requests, answers, strict=True):
        assert isinstance(got.end(), Finished)
        assert got.text == cold(other, request)


@pytest.mark.parametrize("name", MODELS)
def test_many_samples_of_one_prompt(start: Start, name: str) -> None:
    engine, other = start(name), start(name)
    how: dict[str, Any] = {"temperature": 2.0, "max_tokens": 24}
    request = keyed("a", QUESTION, seed=7, **how)
    events = list(engine.generate_many(request, 3))
    read = [event for _, event in events if isinstance(event, Started)]
    assert sum(each.prompt_tokens - each.cached_tokens for each in read) == read[0].prompt_tokens + 2
    texts = ["".join(e.text for i, e in events if i == n and isinstance(e, TextDelta)) for n in range(3)]
    assert sum(isinstance(event, Finished) for _, event in events) == 3
    assert len(set(texts)) == 3
    alone = [cold(other, keyed("a", QUESTION, seed=7 + n, **how)) for n in range(3)]
    assert texts == alone


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("when", ["reading", "writing"])
def test_what_was_cancelled_leaves_no_trace(start: Start, name: str, when: str) -> None:
    engine, other = start(name), start(name)
    request = keyed("a", LONG, max_tokens=100)
    expected = cold(other, request)
    bystander = answer(engine, keyed("b", "B. " + QUESTION))
    for _ in range(3):
        cancel, got = CancelToken(), Answer()
        engine.submit(replace(request, request_id="cancelled"), cancel, got)
        got.wait_for(PromptProgress if when == "reading" else TextDelta)
        cancel.cancel()
        got.end()
    assert answer(engine, request).text == expected
    back = keyed("b", gone_on(bystander, "B. " + QUESTION))
    got = answer(engine, back)
    assert got.text == cold(other, back)


@pytest.mark.parametrize("name", MODELS)
def test_a_question_is_cancelled_while_another_is_answered(start: Start, name: str) -> None:
    """What is written beside it goes on, and what rests is not touched: llama.cpp moves states within a batch."""
    engine, other = start(name), start(name)
    staying = keyed("a", "A. " + QUESTION, max_tokens=200)
    first = answer(engine, keyed("c", "C. " + QUESTION))
    back = keyed("c", gone_on(first, "C. " + QUESTION))
    expected, whole = cold(other, back), cold(other, staying)
    for _ in range(5):
        engine.forget("")
        answer(engine, keyed("c", "C. " + QUESTION))
        stays, leaves, cancel = Answer(), Answer(), CancelToken()
        engine.submit(staying, CancelToken(), stays)
        stays.wait_for(TextDelta)
        engine.submit(keyed("b", "B. " + LONG), cancel, leaves)
        leaves.wait_for(PromptProgress)
        cancel.cancel()
        leaves.end()
        assert isinstance(stays.end(), Finished)
        assert stays.text[:ALIKE] == whole[:ALIKE]
        got = answer(engine, back)
        assert got.started.cached_tokens > first.started.prompt_tokens
        assert got.text == expected


def test_a_batch_of_two_is_not_aborted_where_that_would_mix_up_what_rests(weights: dict[str, Path]) -> None:
    output = subprocess.run(
        [sys.executable, "-m", "tests.process.aborted_batch_child", weights["falcon-h1"]],
        check=True, capture_output=True, text=True, timeout=300,
    ).stdout  # fmt: skip
    assert json.loads(output) == {
        "kept": {"outcome": "done", "resting": 2, "same": True},
        "aborted": {"outcome": "aborted", "resting": 2, "same": False},
    }, "the second is the control: if it changes, llama.cpp may have mended it"


@pytest.mark.parametrize("keys", ["aaaaaa", "abcdef"])
def test_the_same_answer_again_and_again_leaves_room_for_others(start: Start, keys: str) -> None:
    """Each is written into cells of its own, though the tokens are the same."""
    engine = start("gemma3")
    for key in keys:
        answer(engine, keyed(key, QUESTION, max_tokens=200))
    kept = [entry.key for entry in engine.cache().result(PATIENCE_S).entries]
    assert len(kept) == len(set(kept)), "of one conversation the same is kept once"
    got = answer(engine, keyed("z", "Z. " + LONG, max_tokens=60))
    assert got.usage.completion_tokens == 60


@pytest.mark.parametrize("name", MODELS)
def test_tomorrow_goes_on_from_disk(start: Start, name: str, tmp_path: Path) -> None:
    engine, other = start(name, snapshot_folder=tmp_path), start(name)
    first = answer(engine, keyed("a", LONG))
    engine.close()
    engine = start(name, snapshot_folder=tmp_path)
    second = keyed("a", gone_on(first, LONG))
    got = answer(engine, second)
    assert got.started.restored_tokens == first.usage.prompt_tokens + first.usage.completion_tokens - 1
    assert got.text == cold(other, second)


@pytest.mark.parametrize("name", MODELS)
def test_what_leaves_memory_comes_back_from_disk(start: Start, name: str, tmp_path: Path) -> None:
    engine, other = start(name, snapshot_folder=tmp_path, n_cells=N_CTX, n_sequences=2), start(name)
    first = answer(engine, keyed("a", "A. " + LONG))
    for letter in "BCD":
        answer(engine, keyed(letter, f"{letter}. {LONG}"))
    back = keyed("a", gone_on(first, "A. " + LONG))
    got = answer(engine, back)
    assert got.started.restored_tokens == got.started.cached_tokens > 0
    assert got.text == cold(other, back)


@pytest.mark.parametrize("common", [20, 100, 180])
def test_a_branch_that_begins_before_the_sliding_window(start: Start, common: int) -> None:
    """Behind the hole that the first one leaves, the long one takes what the second's window has passed."""
    engine, other = start("gemma3"), start("gemma3")
    question = QUESTION * 4
    for letter in "AB":
        answer(engine, keyed(letter, f"{letter}. {question}"))
    engine.forget("A")
    answer(engine, keyed("C", f"C. {question}{QUESTION}", max_tokens=60))
    branch = keyed("B", f"B. {question}"[:common] + "No.")
    got = answer(engine, branch)
    assert got.text == cold(other, branch)
    assert got.text != cold(other, keyed("B", "No."))


def test_a_window_that_lost_only_what_it_has_passed_goes_on(start: Start) -> None:
    engine, other = start("gemma3"), start("gemma3")
    question = QUESTION * 4
    answer(engine, keyed("A", QUESTION))
    first = answer(engine, keyed("B", f"B. {question}"))
    engine.forget("A")
    answer(engine, keyed("C", f"C. {question}{QUESTION}{QUESTION}", max_tokens=60))
    second = keyed("B", gone_on(first, f"B. {question}"))
    got = answer(engine, second)
    assert got.started.cached_tokens == first.usage.prompt_tokens + first.usage.completion_tokens - 1
    assert got.text == cold(other, second)


def test_a_second_conversation_that_begins_like_a_long_one(start: Start) -> None:
    engine, other = start("gemma3"), start("gemma3")
    system = said(Role.SYSTEM, QUESTION * 2)
    answer(engine, keyed("a", [system, said(Role.USER, QUESTION * 4)], max_tokens=40))
    second = keyed("b", [system, said(Role.USER, "Who are you?")])
    got = answer(engine, second)
    assert got.started.cached_tokens >= len(QUESTION) * 2
    assert got.text == cold(other, second)
