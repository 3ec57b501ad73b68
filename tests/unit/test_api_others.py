"""Completions, embeddings and responses over fakes: what is asked of the engine, and the shapes that come back."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import closing

import numpy as np
import pytest
from openai.types.responses import Response

from app.api.faults import UnknownModelError
from app.api.ports import PERSONA, Dressed, Embedded, Kind, Parts, Served
from app.api.usage import chat_logprobs, text_logprobs, text_of
from app.store.types import SourcePassage, SourcesPart
from engine.context.segments import Origin, PromptMessage, Role, Segment
from engine.fake import FakeAnswer, FakeEngine
from engine.types import SamplingParams, TokenLogprob
from tests.unit.api_bench import Api, OneModel, serving


class LetterEmbedder:
    """Vectors of two numbers: how many letters are vowels, and how many are not."""

    def served(self) -> Sequence[Served]:
        return [Served("letters", Kind.EMBEDDER)]

    def embed(self, name: str, texts: Sequence[str]) -> Future[Embedded]:
        if name != "letters":
            raise UnknownModelError("no", param="model")
        vectors = np.array([[sum(c in "aeiou" for c in text), len(text)] for text in texts], np.float32)
        future: Future[Embedded] = Future()
        future.set_result(Embedded(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), sum(map(len, texts))))
        return future


def complete(api: Api, **fields: object) -> dict[str, object]:
    answer = api.ask("POST", "/v1/completions", {"model": "default", **fields})
    assert answer.status == 200, answer.body
    value: dict[str, object] = answer.json
    return value


def test_a_text_is_continued_without_a_template() -> None:
    with closing(FakeEngine(["and more"])) as engine, serving(engine) as api:
        value = complete(api, prompt="Once upon", max_tokens=5, temperature=0)
        assert value["object"] == "text_completion"
        [choice] = value["choices"]  # type: ignore[misc]
        assert choice == {"index": 0, "text": "and more", "logprobs": None, "finish_reason": "stop"}
        [request] = engine.requests
        assert request.bare is not None
        assert (request.bare.text, request.bare.score, request.messages) == ("Once upon", False, ())


def test_a_text_is_scored() -> None:
    with closing(FakeEngine([FakeAnswer(" x", logprobs=True)] * 2)) as engine, serving(engine) as api:
        value = complete(api, prompt="a b c", max_tokens=1, echo=True, logprobs=1)
        [choice] = value["choices"]  # type: ignore[misc]
        assert choice["text"] == "a b c x"
        logprobs = choice["logprobs"]
        assert logprobs["tokens"] == ["a", " b", " c", " x"]
        assert logprobs["token_logprobs"] == [None, -0.5, -0.5, -0.1]
        assert logprobs["text_offset"] == [0, 1, 3, 5]
        assert logprobs["top_logprobs"][1:] == [{" b": -0.5}, {" c": -0.5}, {" x": -0.1}]
        assert engine.requests[0].bare is not None
        assert engine.requests[0].bare.score
        tokens = complete(api, prompt=[3, 4], max_tokens=1, echo=True, logprobs=1)
        assert engine.requests[1].bare is not None
        assert engine.requests[1].bare.tokens == (3, 4)
        assert tokens["choices"][0]["logprobs"]["tokens"] == ["3", "4", " x"]  # type: ignore[index]


def test_a_token_that_is_part_of_a_letter_keeps_its_bytes_and_the_letter_s_place() -> None:
    pieces = [each.decode("utf-8", "surrogateescape") for each in (b"a", b"\xe2\x82", b"\xac", b"b")]
    tokens = [TokenLogprob(piece, -1.0, (("other", -0.5),)) for piece in pieces]
    told = text_logprobs(tokens, pieces, 10, 1)
    assert (told["tokens"], told["text_offset"]) == (["a", "\ufffd", "\ufffd", "b"], [10, 11, 11, 12])
    assert told["top_logprobs"][0] == {"other": -0.5, "a": -1.0}, "what was written stands beside what was likelier"
    assert text_of(pieces) == "a€b"
    rejoined = b"".join(bytes(token["bytes"]) for token in chat_logprobs(tokens, 0))
    assert rejoined.decode() == "a€b"


@pytest.mark.parametrize(("most", "reserve"), [(0, 0), (100, 100), (600, 256)])
def test_a_long_answer_leaves_half_of_a_small_window_to_the_prompt(most: int, reserve: int) -> None:
    with closing(FakeEngine(n_ctx=512)) as engine, serving(engine) as api:
        complete(api, prompt="Once upon", max_tokens=most)
        assert engine.requests[0].answer_reserve == reserve


def test_several_prompts_keep_their_order_and_stream_alike() -> None:
    with closing(FakeEngine(["A1", "A2", "B1", "B2"] * 2)) as engine, serving(engine) as api:
        value = complete(api, prompt=["a", "b"], n=2)
        choices: list[dict[str, object]] = value["choices"]  # type: ignore[assignment]
        assert [choice["index"] for choice in choices] == [0, 1, 2, 3]
        assert sorted(str(choice["text"]) for choice in choices) == ["A1", "A2", "B1", "B2"]
        streamed = api.ask(
            "POST",
            "/v1/completions",
            {
                "model": "default", "prompt": ["a", "b"], "n": 2, "stream": True, "echo": True,
                "stream_options": {"include_usage": True},
            },
        ).events  # fmt: skip
        assert streamed.pop()["usage"]["completion_tokens"]
        assert {event["usage"] for event in streamed} == {None}
        texts = dict.fromkeys(range(4), "")
        for event in streamed:
            [choice] = event["choices"]
            texts[choice["index"]] += choice["text"]
        assert texts == {0: "aA1", 1: "aA2", 2: "bB1", 3: "bB2"}


@pytest.mark.parametrize("prompt", [[], "", None, 5, [[]], ["a", 1], [-1], [[1], "a"]])
def test_prompts_that_are_none(prompt: object) -> None:
    with closing(FakeEngine()) as engine, serving(engine) as api:
        answer = api.ask("POST", "/v1/completions", {"model": "default", "prompt": prompt})
        assert answer.status in (200, 400) if prompt == "" else answer.status == 400


def test_vectors_as_numbers_and_in_base64() -> None:
    with closing(FakeEngine()) as engine:
        parts = Parts(engine, OneModel(engine), embedder=LetterEmbedder())
        with serving(engine, parts=parts) as api:
            texts = ["banana", "rhythm"]
            plain = api.ask("POST", "/v1/embeddings", {"model": "letters", "input": texts}).json
            packed = api.ask(
                "POST", "/v1/embeddings", {"model": "letters", "input": texts, "encoding_format": "base64"}
            ).json
            for one, other in zip(plain["data"], packed["data"], strict=True):
                assert np.allclose(
                    one["embedding"], np.frombuffer(base64.b64decode(other["embedding"]), "<f4"), atol=1e-6
                )
            assert plain["usage"] == {"prompt_tokens": 12, "total_tokens": 12}
            assert [each["index"] for each in plain["data"]] == [0, 1]
            for bad, status in (
                ({"model": "default", "input": "x"}, 404),
                ({"model": "letters", "input": ""}, 400),
                ({"model": "letters", "input": []}, 400),
                ({"model": "letters", "input": "x", "dimensions": 3}, 400),
            ):
                assert api.ask("POST", "/v1/embeddings", bad).status == status
            assert "letters" in [each["id"] for each in api.ask("GET", "/v1/models").json["data"]]


class Librarian:
    """A persona with one document."""

    def served(self) -> Sequence[Served]:
        return [Served(PERSONA + "librarian", Kind.PERSONA)]

    def dress(self, short_name: str, messages: Sequence[PromptMessage]) -> Dressed:
        if short_name != "librarian":
            raise UnknownModelError("no", param="model")
        passage = SourcePassage(
            "/home/somebody/towers.txt",
            "Towers",
            "page",
            1,
            "",
            1,
            1,
            "",
            "The tower was built in 1887.",
            1,
            0,
            28,
            1.0,
        )
        head = PromptMessage(Role.SYSTEM, (Segment("You are a librarian.", Origin.PERSONA),))
        sources = SourcesPart("passages", (passage,), 1, "", True)
        return Dressed((head, *messages), SamplingParams(temperature=0.1), sources=sources)


@pytest.mark.parametrize("stream", [False, True])
def test_a_persona_is_a_model_that_cites(stream: bool) -> None:
    with closing(FakeEngine(["The tower was built in 1887 [1]."])) as engine:
        parts = Parts(engine, OneModel(engine), personas=Librarian())
        with serving(engine, parts=parts) as api:
            answer = api.chat("When was the tower built?", model="persona:librarian", stream=stream)
            assert answer.status == 200, answer.body
            value = answer.events[-1] if stream else answer.json
            [place] = value["hearth"]["citations"]
            assert (place["choice"], place["number"], place["document"]) == (0, 1, "towers.txt")
            assert "somebody" not in json.dumps(value)
            request = engine.requests[0]
            assert request.messages[0].text == "You are a librarian."
            assert request.sampling.temperature == 0.1
            unknown = api.chat(model="persona:stranger")
            assert unknown.status == 404
            assert api.ask("POST", "/v1/completions", {"model": "persona:librarian", "prompt": "x"}).status == 400


def test_a_response_is_made_of_items() -> None:
    with closing(FakeEngine([FakeAnswer("Four.", cached_tokens=2)])) as engine, serving(engine) as api:
        answer = api.ask(
            "POST",
            "/v1/responses",
            {"model": "default", "input": "Two and two?", "instructions": "Be brief.", "max_output_tokens": 9},
        )
        assert answer.status == 200, answer.body
        value = answer.json
        [item] = value["output"]
        assert (item["type"], item["content"][0]["text"]) == ("message", "Four.")
        assert (value["status"], value["usage"]["input_tokens_details"]) == (
            "completed",
            {"cached_tokens": 2, "cache_write_tokens": 0},
        )
        request = engine.requests[0]
        assert [(each.role, each.text) for each in request.messages] == [
            (Role.SYSTEM, "Be brief."),
            (Role.USER, "Two and two?"),
        ]
        assert request.sampling.max_tokens == 9


def test_a_response_streams_and_calls() -> None:
    call = '<tool_call>{"name": "weather", "arguments": {"city": "Rome"}}</tool_call>'
    items = [
        {"role": "user", "content": [{"type": "input_text", "text": "Weather?"}]},
        {"type": "function_call", "call_id": "1", "name": "weather", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "1", "output": "no city"},
        {"type": "function_call", "call_id": "2", "name": "weather", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "2", "output": [{"type": "input_text", "text": "again no city"}]},
    ]
    body = {
        "model": "default",
        "input": items,
        "stream": True,
        "tools": [{"type": "function", "name": "weather", "parameters": {"type": "object"}}],
    }
    with closing(FakeEngine(["I look. " + call])) as engine, serving(engine) as api:
        answer = api.ask("POST", "/v1/responses", body)
        assert answer.status == 200, answer.body
        lines = [line.removeprefix(b"data: ") for line in answer.body.split(b"\n") if line.startswith(b"data: ")]
        events = [json.loads(line) for line in lines]
        assert [event["sequence_number"] for event in events] == list(range(len(events)))
        assert events[0]["type"] == "response.created"
        assert events[-1]["type"] == "response.completed"
        text = "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")
        message, called = events[-1]["response"]["output"]
        assert message["content"][0]["text"] == text
        assert text.strip() == "I look."
        assert (called["type"], called["name"], called["arguments"]) == (
            "function_call",
            "weather",
            '{"city": "Rome"}',
        )
        Response.model_validate(events[-1]["response"])
        last = engine.requests[0].messages[-1]
        assert (last.role, last.text) == (Role.TOOL, "again no city")


def test_a_response_remembers_nothing() -> None:
    with closing(FakeEngine()) as engine, serving(engine) as api:
        body = {"model": "default", "input": "x", "previous_response_id": "resp_1"}
        assert api.ask("POST", "/v1/responses", body).status == 400
