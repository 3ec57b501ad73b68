"""The API over the real engine: what only a model can show, and that nothing is left behind by whoever leaves."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app.api.admission import Admission
from engine.types import ModelSpec
from engine.worker.client import EngineClient
from tests.process.api_load import mixed, send
from tests.unit.api_bench import TOKEN, Api, serving

PATIENCE_S = 120.0
QUESTION = "Name three colours."
ROUNDING = 0.3
"""Of an unlikely token's log-probability: larger batches are rounded otherwise. Another token's is off by more."""


@pytest.fixture(scope="module")
def engine(smollm2: Path) -> Iterator[EngineClient]:
    with closing(EngineClient()) as engine:
        engine.load(ModelSpec(smollm2, n_ctx=1024)).result(PATIENCE_S)
        yield engine


@pytest.fixture(scope="module")
def api(engine: EngineClient) -> Iterator[Api]:
    with serving(engine, admission=Admission(answers=4, line=64)) as api:
        yield api


def text_of(value: Any) -> str:
    return str(value["choices"][0]["message"]["content"])


def test_the_same_seed_gives_the_same_answer_whole_and_in_pieces(api: Api) -> None:
    fields = {"max_tokens": 24, "temperature": 1.0, "seed": 7}
    first = api.chat(QUESTION, **fields).json
    again = api.chat(QUESTION, **fields).json
    assert text_of(first) == text_of(again)
    assert text_of(api.chat(QUESTION, **{**fields, "seed": 8}).json) != text_of(first)
    pieces = api.chat(QUESTION, stream=True, **fields).events
    assert "".join(each["choices"][0]["delta"].get("content") or "" for each in pieces) == text_of(first)
    details = again["usage"]["prompt_tokens_details"]
    assert 0 < details["cached_tokens"] < again["usage"]["prompt_tokens"]


def test_an_answer_follows_a_schema(api: Api) -> None:
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string", "maxLength": 8}, "old": {"type": "boolean"}},
        "required": ["name", "old"],
        "additionalProperties": False,
    }
    answer = api.chat(
        "Describe a person.",
        max_tokens=60,
        temperature=0,
        response_format={"type": "json_schema", "json_schema": {"name": "person", "schema": schema}},
    ).json
    value = json.loads(text_of(answer))
    assert value.keys() == {"name", "old"}
    wrong = api.chat(response_format={"type": "json_schema", "json_schema": {"schema": {"$ref": "http://a/b"}}})
    assert (wrong.status, wrong.json["error"]["code"]) == (400, "grammar")


def test_a_required_call_is_always_one(api: Api) -> None:
    parameters = {"type": "object", "properties": {"city": {"enum": ["Rome", "Oslo"]}}, "required": ["city"]}
    tools = [{"type": "function", "function": {"name": "weather", "parameters": parameters}}]
    choice = api.chat("Weather in Rome?", tools=tools, tool_choice="required", max_tokens=24).json["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    arguments = json.loads(choice["message"]["tool_calls"][0]["function"]["arguments"])
    assert arguments["city"] in ("Rome", "Oslo")


def test_a_text_is_scored_as_it_is_written(api: Api) -> None:
    """What greedy decoding writes must be the likeliest when it is scored, token by token."""
    prompt = "The capital of France is"
    written = api.ask(
        "POST",
        "/v1/completions",
        {"model": "default", "prompt": prompt, "max_tokens": 6, "temperature": 0, "logprobs": 1},
    ).json["choices"][0]
    scored = api.ask(
        "POST",
        "/v1/completions",
        {
            "model": "default", "prompt": prompt + written["text"], "max_tokens": 1, "temperature": 0, "logprobs": 1,
            "echo": True,
        },
    ).json["choices"][0]  # fmt: skip
    logprobs = scored["logprobs"]
    assert "".join(logprobs["tokens"][:-1]) == prompt + written["text"]
    assert logprobs["token_logprobs"][0] is None
    n_written = len(written["logprobs"]["tokens"])
    tail = slice(-1 - n_written, -1)
    assert logprobs["tokens"][tail] == written["logprobs"]["tokens"]
    for token, top in zip(logprobs["token_logprobs"][tail], logprobs["top_logprobs"][tail], strict=True):
        assert token == max(top.values())
    for one, other in zip(logprobs["token_logprobs"][tail], written["logprobs"]["token_logprobs"], strict=True):
        assert one == pytest.approx(other, abs=0.05)  # a batch is rounded otherwise than a single token


def test_a_long_prompt_is_scored_whole_and_tokens_are_counted(api: Api) -> None:
    tokens = [random.Random(3).randrange(100, 40_000) for _ in range(150)]
    value = api.ask(
        "POST",
        "/v1/completions",
        {"model": "default", "prompt": [tokens, tokens[:5]], "max_tokens": 1, "logprobs": 1, "echo": True},
    ).json
    first, second = value["choices"]
    assert len(first["logprobs"]["tokens"]) == 151
    assert len(second["logprobs"]["tokens"]) == 6
    begun, alone = (each["logprobs"]["token_logprobs"][1:5] for each in (first, second))
    assert begun == pytest.approx(alone, abs=ROUNDING)
    assert value["usage"]["prompt_tokens"] == 155
    assert api.ask("POST", "/v1/completions", {"model": "default", "prompt": [10**9]}).status == 400


def test_a_prompt_that_does_not_fit_says_so(api: Api) -> None:
    answer = api.chat("word " * 2_000)
    assert (answer.status, answer.json["error"]["code"]) == (400, "context_length_exceeded")
    assert answer.json["error"]["type"] == "invalid_request_error"
    long = api.ask("POST", "/v1/completions", {"model": "default", "prompt": "word " * 2_000})
    assert long.json["error"]["code"] == "context_length_exceeded"


MIXED = 200


def test_nothing_is_left_behind_by_200_requests_of_which_a_tenth_leaves(api: Api, engine: EngineClient) -> None:
    asks = mixed(MIXED, seed=5)
    statuses = send(api.port, TOKEN, asks)
    assert statuses == {200: MIXED - statuses[0], 0: sum(ask.leaves for ask in asks)}
    done = threading.Event()
    for _ in range(600):
        active = [entry for entry in engine.cache().result(PATIENCE_S).entries if entry.active]
        if not active and not api.admission.running:
            break
        done.wait(0.05)
    assert (active, api.admission.running, api.admission.waiting) == ([], 0, 0)
    assert api.chat(QUESTION, max_tokens=2).status == 200
