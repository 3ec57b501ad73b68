"""The real engine with real weights: what it answers, and what it does not compute again."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.cancel import CancelToken
from engine.context.segments import Origin, PromptMessage, Role, Segment
from engine.engine import Engine, EngineStatus
from engine.errors import ModelFileError, ModelLoadError
from engine.types import (
    EndWeighed,
    Failed,
    Finished,
    FinishReason,
    GenerationRequest,
    LoadedModel,
    ModelSpec,
    OverflowPolicy,
    PromptProgress,
    QuestionScored,
    Started,
    TextDelta,
    TokenLogprob,
)
from engine.worker.client import EngineClient
from tests.process.engine_asking import PATIENCE_S, Answer, ask, said

STORY = "Tell me a short story about a lighthouse and a storm."
N_CTX = 512


@pytest.fixture(scope="module")
def client() -> Iterator[EngineClient]:
    made = EngineClient()
    yield made
    made.close()


@pytest.fixture(scope="module")
def model(client: EngineClient, smollm2: Path) -> LoadedModel:
    return client.load(ModelSpec(smollm2, n_ctx=N_CTX, n_cells=2 * N_CTX, n_batch=64, n_ubatch=64)).result(PATIENCE_S)


@pytest.fixture
def engine(client: EngineClient, model: LoadedModel) -> EngineClient:
    return client


def answer(engine: Engine, request: GenerationRequest, cancel: CancelToken | None = None) -> Answer:
    got = Answer()
    engine.submit(request, cancel or CancelToken(), got)
    got.end()
    return got


def test_reports_what_is_loaded(engine: EngineClient, model: LoadedModel, smollm2: Path) -> None:
    assert engine.state.status is EngineStatus.READY
    assert engine.state.model == model
    assert (model.path, model.architecture, model.quantisation) == (smollm2, "llama", "Q4_1")
    assert (model.n_ctx, model.n_vocab, model.n_params) == (N_CTX, 49152, 134_515_008)
    assert model.backend == "CPU"
    # 30 layers, keys and values, 3 heads of 64 numbers of 2 bytes
    assert model.n_cells == 2 * N_CTX
    assert model.kv_bytes == 30 * 2 * 3 * 64 * 2 * model.n_cells
    assert abs(model.weights_bytes - smollm2.stat().st_size) < 0.05 * smollm2.stat().st_size
    assert model.compute_bytes > 0


def test_a_stream_from_started_to_finished(engine: EngineClient) -> None:
    events = list(engine.generate(ask(STORY, seed=5)))
    started = events[0]
    assert isinstance(started, Started)
    assert started.seed == 5
    assert sum(count for _, count in started.tokens_by_origin) == started.prompt_tokens
    assert dict(started.tokens_by_origin)["user"] > 5
    progress = [event for event in events if isinstance(event, PromptProgress)]
    assert progress[-1].processed == started.prompt_tokens
    assert "".join(event.text for event in events if isinstance(event, TextDelta)).strip()
    assert events[-1] == Finished("r", FinishReason.LENGTH)


def test_greedy_is_the_same_twenty_times(engine: EngineClient) -> None:
    texts = set()
    for _ in range(20):
        engine.forget("")  # the cache is cold again
        got = answer(engine, ask(STORY, max_tokens=12))
        texts.add(got.text)
    assert len(texts) == 1


def test_a_seed_repeats_and_another_differs(engine: EngineClient) -> None:
    texts = [answer(engine, ask(STORY, temperature=1.5, top_k=0, seed=seed)).text for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]


def test_the_next_turn_reuses_the_conversation(engine: EngineClient) -> None:
    first = answer(engine, ask(STORY, max_tokens=24))
    turns = (said(Role.USER, STORY), said(Role.ASSISTANT, first.text), said(Role.USER, "Go on."))
    second = answer(engine, ask(turns))
    assert second.started.cached_tokens >= first.started.prompt_tokens
    assert second.progress[-1] == second.started.prompt_tokens
    engine.forget("")
    cold = answer(engine, ask(turns))
    assert cold.started.cached_tokens == 0
    assert cold.text == second.text


def test_the_same_prompt_again_computes_one_token(engine: EngineClient) -> None:
    answer(engine, ask(STORY))
    again = answer(engine, ask(STORY))
    assert again.started.cached_tokens == again.started.prompt_tokens - 1


def test_cancel_during_prefill(engine: EngineClient) -> None:
    cancel, got = CancelToken(), Answer()
    engine.submit(ask("word " * 400), cancel, got)
    got.wait_for(PromptProgress)
    cancel.cancel()
    assert got.end() == Finished("r", FinishReason.CANCELLED)
    assert got.text == ""
    assert got.progress[-1] < got.started.prompt_tokens
    # The cache was repaired: what was computed is used, and the answer is that of an undisturbed run.
    resumed = answer(engine, ask("word " * 400, max_tokens=4))
    assert resumed.started.cached_tokens >= got.progress[0] > 0


def test_cancel_while_writing(engine: EngineClient) -> None:
    cancel, got = CancelToken(), Answer()
    engine.submit(ask(STORY, max_tokens=400), cancel, got)
    got.wait_for(TextDelta)
    cancel.cancel()
    assert got.end() == Finished("r", FinishReason.CANCELLED)
    assert got.usage.completion_tokens < 400


def test_cancel_before_and_while_waiting(engine: EngineClient) -> None:
    cancelled = CancelToken()
    cancelled.cancel()
    assert answer(engine, ask(STORY), cancelled).events == [Finished("r", FinishReason.CANCELLED)]
    long, waiting, last = CancelToken(), CancelToken(), Answer()
    first, second = Answer(), Answer()
    engine.submit(ask(STORY, "first", max_tokens=400), long, first)
    engine.submit(ask(STORY, "second", background=True), waiting, second)
    first.wait_for(TextDelta)
    engine.submit(ask(STORY, "last", max_tokens=2), CancelToken(), last)
    assert last.end() == Finished("last", FinishReason.LENGTH), "it need not wait for the first one's end"
    assert not any(isinstance(event, Finished) for event in first.events)
    waiting.cancel()
    long.cancel()
    assert first.end() == Finished("first", FinishReason.CANCELLED)
    assert second.end() == Finished("second", FinishReason.CANCELLED)
    assert second.of(Started) == []


def test_a_full_window_ends_the_answer(engine: EngineClient) -> None:
    got = answer(engine, ask("word " * 478, max_tokens=None, answer_reserve=1, logit_bias=((2, -100.0), (0, -100.0))))
    assert got.end() == Finished("r", FinishReason.CONTEXT)
    assert got.usage.prompt_tokens + got.usage.completion_tokens == N_CTX + 1
    assert answer(engine, ask(STORY, max_tokens=2)).end() == Finished("r", FinishReason.LENGTH)


def test_a_prompt_that_cannot_fit_is_refused(engine: EngineClient) -> None:
    request = ask("word " * 1000)
    stop = GenerationRequest("r", request.messages, request.sampling, OverflowPolicy.STOP, answer_reserve=64)
    event = answer(engine, stop).end()
    assert isinstance(event, Failed)
    assert event.code == "prompt_too_long"


def test_the_oldest_turns_are_left_out_and_named(engine: EngineClient) -> None:
    turns = []
    for number in range(8):
        turns += [
            said(Role.USER, f"{number} " + "word " * 75, f"u{number}"),
            said(Role.ASSISTANT, "Yes.", f"a{number}"),
        ]
    got = answer(engine, ask([*turns, said(Role.USER, "And now?", "last")], max_tokens=2))
    assert got.started.dropped[:2] == ("u0", "a0")
    assert "last" not in got.started.dropped
    assert got.started.prompt_tokens < N_CTX


def test_stop_strings_end_the_answer_and_are_not_shown(engine: EngineClient) -> None:
    whole = answer(engine, ask(STORY, max_tokens=24)).text
    stop = whole[10:16]
    got = answer(engine, ask(STORY, max_tokens=24, stop=("never in there", stop)))
    assert got.end() == Finished("r", FinishReason.STOP)
    assert got.text == whole[: whole.index(stop)]


def test_max_tokens(engine: EngineClient) -> None:
    got = answer(engine, ask(STORY, max_tokens=3))
    assert (got.usage.completion_tokens, got.end()) == (3, Finished("r", FinishReason.LENGTH))


def test_grammar(engine: EngineClient) -> None:
    got = answer(engine, ask("Is water wet?", grammar='root ::= ("yes" | "no") "!"'))
    assert got.text in ("yes!", "no!")
    assert got.end() == Finished("r", FinishReason.STOP)


def test_json_schema(engine: EngineClient) -> None:
    schema = {
        "type": "object",
        "properties": {
            "name": {"type": "string", "maxLength": 12},
            "age": {"type": "integer"},
            "tags": {"type": "array", "items": {"enum": ["old", "new"]}, "minItems": 1, "maxItems": 2},
        },
        "required": ["name", "age", "tags"],
        "additionalProperties": False,
    }
    for temperature in (0.0, 1.5):
        got = answer(
            engine,
            # Long enough for the longest value that the schema allows, white space and escapes included.
            ask("Invent a person.", json_schema=json.dumps(schema), max_tokens=400, temperature=temperature, seed=3),
        )
        assert got.end() == Finished("r", FinishReason.STOP)
        person = json.loads(got.text)
        assert list(person) == ["name", "age", "tags"]
        assert isinstance(person["name"], str)
        assert len(person["name"]) <= 12
        assert isinstance(person["age"], int)
        assert set(person["tags"]) <= {"old", "new"}


@pytest.mark.parametrize(
    "sampling",
    [
        {"grammar": 'start ::= "a"'},
        {"grammar": "((("},
        {"json_schema": "{"},
        {"json_schema": '{"$ref": "https://example.org/schema.json"}'},
        {"json_schema": '{"type": "nonsense"}'},
        {"json_schema": '{"type": "string", "pattern": "("}'},
        {"grammar": 'root ::= "a"', "json_schema": "{}"},
        {"grammar": 'root ::= "a"' + " " * 300_000},
    ],
)
def test_grammars_that_are_refused_with_a_sentence(engine: EngineClient, sampling: dict[str, Any]) -> None:
    event = answer(engine, ask(STORY, **sampling)).end()
    assert isinstance(event, Failed)
    assert event.code == "grammar"
    assert event.message.endswith((".", ")")) or ":" in event.message
    assert answer(engine, ask(STORY, max_tokens=1)).end() == Finished("r", FinishReason.LENGTH)


def test_logprobs(engine: EngineClient) -> None:
    plain = answer(engine, ask(STORY, max_tokens=8))
    assert not any(event.logprobs for event in plain.of(TextDelta))
    got = answer(engine, ask(STORY, max_tokens=8, logprobs=5))
    assert got.text == plain.text
    tokens = pieces(got)
    assert len(tokens) == 8
    assert "".join(entry.piece for entry in tokens) == got.text
    for entry in tokens:
        values = [logprob for _, logprob in entry.top]
        assert len(values) == 5
        assert values == sorted(values, reverse=True)
        assert entry.top[0] == (entry.piece, entry.logprob), "greedy takes the likeliest"
        assert 0 < sum(map(math.exp, values)) <= 1 + 1e-6


PENALTIES: list[dict[str, Any]] = [
    {"repeat_penalty": 1.8},
    {"presence_penalty": 5.0},
    {"frequency_penalty": 5.0},
    {"dry_multiplier": 5.0, "dry_base": 3.0, "dry_allowed_length": 1, "dry_sequence_breakers": ()},
]


def test_penalties_change_the_answer(engine: EngineClient) -> None:
    plain = answer(engine, ask(STORY, max_tokens=60)).text
    for params in PENALTIES:
        assert answer(engine, ask(STORY, max_tokens=60, **params)).text != plain


def test_bias_bans_a_token(engine: EngineClient) -> None:
    # In this vocabulary 504 is "The"; without the bias the answer begins with it.
    assert answer(engine, ask(STORY, max_tokens=1)).text == "The"
    assert answer(engine, ask(STORY, max_tokens=1, logit_bias=((504, float("-inf")),))).text != "The"


def test_control_tokens_in_content_stay_text(engine: EngineClient) -> None:
    counted = engine.count_tokens(["<|im_start|>", "hello", ""]).result(PATIENCE_S)
    assert counted[0] > 1
    assert counted[1:] == [1, 0]


def test_background_work_gives_way_and_goes_on(engine: EngineClient) -> None:
    calm = answer(engine, ask(STORY, "calm", max_tokens=60, background=True, logprobs=5))
    title, urgent = Answer(), Answer()
    engine.submit(ask(STORY, "title", max_tokens=60, background=True, logprobs=5), CancelToken(), title)
    title.wait_for(TextDelta)
    engine.submit(ask("Say hello.", "urgent", max_tokens=4), CancelToken(), urgent)
    urgent.end()
    assert not any(isinstance(event, Finished) for event in title.events)
    assert title.end() == Finished("title", FinishReason.LENGTH)
    # Another sequence in the cache changes the order of sums, so a near tie may fall the other way: compare up to it.
    for undisturbed, disturbed in zip(pieces(calm), pieces(title), strict=True):
        assert abs(undisturbed.logprob - disturbed.logprob) < 0.7
        if undisturbed.piece != disturbed.piece:
            assert dict(undisturbed.top)[disturbed.piece] > undisturbed.logprob - 0.3
            break


def pieces(got: Answer) -> list[TokenLogprob]:
    return [entry for event in got.of(TextDelta) for entry in event.logprobs]


def test_background_work_leaves_the_conversation_in_the_cache(engine: EngineClient) -> None:
    first = answer(engine, ask(STORY))
    title = answer(engine, ask("Give this a title: a storm.", "title", background=True))
    assert title.end().request_id == "title"
    again = answer(engine, ask(STORY))
    assert again.started.cached_tokens == first.started.prompt_tokens - 1


def test_a_request_id_twice_is_refused(engine: EngineClient) -> None:
    cancel, first, second = CancelToken(), Answer(), Answer()
    engine.submit(ask(STORY, max_tokens=400), cancel, first)
    engine.submit(ask(STORY), CancelToken(), second)
    assert isinstance(second.end(), Failed)
    cancel.cancel()
    assert first.end() == Finished("r", FinishReason.CANCELLED)


@pytest.fixture
def spare() -> Iterator[EngineClient]:
    made = EngineClient()
    yield made
    made.close()


def test_without_a_model(spare: EngineClient) -> None:
    event = answer(spare, ask(STORY)).end()
    assert isinstance(event, Failed)
    assert event.code == "model_load"
    with pytest.raises(ModelLoadError):
        spare.count_tokens(["x"]).result(PATIENCE_S)


def test_a_file_that_is_no_model_is_refused(spare: EngineClient, tmp_path: Path) -> None:
    path = tmp_path / "no.gguf"
    path.write_bytes(b"GGUF" + b"\xff" * 100)
    with pytest.raises(ModelFileError):
        spare.load(ModelSpec(path)).result(PATIENCE_S)
    with pytest.raises(ModelFileError):
        spare.load(ModelSpec(tmp_path / "missing.gguf")).result(PATIENCE_S)
    assert spare.state.status is EngineStatus.EMPTY
    assert spare.state.message


def test_a_cut_file_is_refused(spare: EngineClient, smollm2: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.gguf"
    with smollm2.open("rb") as whole:
        path.write_bytes(whole.read(20_000_000))
    with pytest.raises((ModelFileError, ModelLoadError)):
        spare.load(ModelSpec(path)).result(PATIENCE_S)


def test_loading_is_cancelled_and_another_choice_replaces_it(spare: EngineClient, smollm2: Path) -> None:
    cancel = CancelToken()
    first = spare.load(ModelSpec(smollm2, n_ctx=512), cancel)
    cancel.cancel()
    second = spare.load(ModelSpec(smollm2, n_ctx=512))
    third = spare.load(ModelSpec(smollm2, n_ctx=768))
    assert isinstance(first.exception(PATIENCE_S), ModelLoadError)
    assert isinstance(second.exception(PATIENCE_S), ModelLoadError)
    assert third.result(PATIENCE_S).n_ctx == 768
    spare.unload().result(PATIENCE_S)
    assert spare.worker_pid is None


def test_close_ends_what_is_open_and_refuses_the_rest(smollm2: Path) -> None:
    engine = EngineClient()
    engine.load(ModelSpec(smollm2, n_ctx=512)).result(PATIENCE_S)
    got, late = Answer(), Answer()
    engine.submit(ask(STORY, max_tokens=400), CancelToken(), got)
    got.wait_for(TextDelta)
    engine.close()
    assert got.end() == Finished("r", FinishReason.CANCELLED)
    engine.submit(ask(STORY, "late"), CancelToken(), late)
    assert late.end() == Finished("late", FinishReason.CANCELLED)
    assert isinstance(engine.load(ModelSpec(smollm2)).exception(PATIENCE_S), ModelLoadError)
    engine.close()


def test_how_likely_a_message_is_whole(engine: EngineClient) -> None:
    def weighed(text: str) -> tuple[float, Answer]:
        got = answer(engine, replace(ask(text), prefill_only=True, weighs_end=True))
        [event] = [event for event in got.events if isinstance(event, EndWeighed)]
        return event.probability, got

    whole, read = weighed("What is the capital of France?")
    assert whole > 0.5
    assert weighed("What is the capital of France")[0] == pytest.approx(whole, abs=0.02), "without its mark, too"
    assert weighed("What is the capital of")[0] < 0.01
    engine.forget("")
    _, read = weighed("What is the capital of France?")
    after = answer(engine, ask("What is the capital of France?", max_tokens=12))
    assert after.started.cached_tokens == read.started.prompt_tokens - 1, "it is the question's prompt"
    engine.forget("")
    assert answer(engine, ask("What is the capital of France?", max_tokens=12)).text == after.text
    assert weighed("What is the capital of France?")[0] == pytest.approx(whole, abs=0.02), "though it was in the cache"


def test_how_likely_the_question_is_after_what_stands_before_it(engine: EngineClient) -> None:
    def scored(before: str, question: str) -> tuple[float, Answer]:
        request = replace(ask(_asked_after(before, question)), prefill_only=True, scores_question=True)
        got = answer(engine, request)
        [event] = [event for event in got.events if isinstance(event, QuestionScored)]
        return event.logprob, got

    engine.forget("")
    about = "The lighthouse of Norrholm was built in 1847 by the engineer Ada Lindqvist.\n\n"
    question = "Who built the lighthouse of Norrholm?"
    near, read = scored(about, question)
    assert near > scored("Answer my question.\n\n", question)[0] + 5
    again, once_more = scored(about, question)
    assert again == pytest.approx(near, abs=1.0)
    assert 0 < once_more.started.cached_tokens < read.started.prompt_tokens - 8, "all before the question is cached"
    after = answer(engine, ask(_asked_after(about, question)))
    assert after.started.cached_tokens == after.started.prompt_tokens - 1, "the question itself has been read"
    long = "Who built it, and when, and why? " * 20
    assert scored(about, long)[0] < near, "more words than a batch has rows of logits"


def test_only_the_person_s_own_words_are_scored(engine: EngineClient) -> None:
    segments = (Segment("What is this?", Origin.USER), Segment("A file.", Origin.DOCUMENT))
    request = replace(ask((PromptMessage(Role.USER, segments),)), prefill_only=True, scores_question=True)
    got = answer(engine, request)
    assert isinstance(got.end(), Finished)
    assert not [event for event in got.events if isinstance(event, QuestionScored)]


def _asked_after(before: str, question: str) -> tuple[PromptMessage, ...]:
    return (PromptMessage(Role.USER, (Segment(before, Origin.APP), Segment(question, Origin.USER))),)
