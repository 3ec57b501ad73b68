"""Messages survive the pipe whole, and what is no message is refused."""

from __future__ import annotations

import json
import multiprocessing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.context.segments import Origin, PromptMessage, Role, Segment, Trust
from engine.errors import HearthError, ModelFileError, WorkerCrashedError
from engine.fake import fake_model
from engine.types import (
    BarePrompt,
    EndWeighed,
    Failed,
    Finished,
    FinishReason,
    GenerationRequest,
    KvType,
    ModelSpec,
    PromptLogprobs,
    QuestionScored,
    SamplingParams,
    Started,
    StreamEvent,
    TextDelta,
    TokenLogprob,
)
from engine.worker.codec import TAG
from engine.worker.envelope import Fault, MessageTooLongError, ProtocolError, error_of, fault_of, receive
from engine.worker.protocol import (
    COMMAND_BYTES,
    REPORT_BYTES,
    VERSION,
    Answered,
    Ask,
    Cancel,
    CommandMessage,
    CountTokens,
    Forget,
    Load,
    Loaded,
    LoadRefused,
    Ping,
    Pong,
    Quit,
    Report,
    ReportMessage,
    Submit,
    TokenCounts,
    decode_command,
    decode_report,
    encode,
)

REQUEST = GenerationRequest(
    "r1",
    (
        PromptMessage(Role.SYSTEM, (Segment("Be kind.", Origin.APP),), pinned=True),
        PromptMessage(Role.USER, (Segment("x\ud800\n\U0001f600", Origin.DOCUMENT, Trust.UNTRUSTED, "a.txt"),), "m1"),
    ),
    SamplingParams(seed=7, stop=("a", "b"), logit_bias=((3, -1.5), (9, float("-inf"))), json_schema="{}"),
    thinking=False,
)
COMMANDS: list[CommandMessage] = [
    Load(ModelSpec(Path("models/a b.gguf"), n_ctx=4096, kv_type=KvType.Q8_0)),
    Submit(REQUEST),
    Submit(replace(REQUEST, messages=(), bare=BarePrompt("Once", (3, 4), score=True))),
    Cancel("r1"),
    Ask(3, CountTokens(("one", ""))),
    Forget("chat"),
    Quit(2.5),
    Ping(9),
]
REPORTS: list[ReportMessage] = [
    Loaded(fake_model(Path("m.gguf"))),
    LoadRefused(Fault("model_file", "No {name}.", (("name", "x"),))),
    Pong(9, 12, True),
    Report(Started("r1", 10, 2, 4096, 7, ("m1",), (("user", 8), ("app", 2)))),
    Report(TextDelta("r1", "hé", (TokenLogprob("h", -0.5, (("h", -0.5), ("x", -2.0))),))),
    Report(PromptLogprobs("r1", 2, (TokenLogprob("h", -0.5), TokenLogprob("i", -1.0, (("j", -0.2),))))),
    Report(EndWeighed("r1", 0.25)),
    Report(QuestionScored("r1", -12.5)),
    Report(Finished("r1", FinishReason.CONTEXT)),
    Report(Failed("r1", "grammar", "Bad.")),
    Answered(3, TokenCounts((1, 0))),
]


@pytest.mark.parametrize("message", COMMANDS)
def test_commands_round_trip(message: CommandMessage) -> None:
    assert decode_command(encode(message, COMMAND_BYTES)) == message


@pytest.mark.parametrize("message", REPORTS)
def test_reports_round_trip(message: ReportMessage) -> None:
    assert decode_report(encode(message, REPORT_BYTES)) == message


@given(st.text(), st.booleans())
def test_any_text_round_trips(text: str, pinned: bool) -> None:
    message = Submit(
        replace(REQUEST, messages=(PromptMessage(Role.USER, (Segment(text, Origin.USER),), pinned=pinned),))
    )
    assert decode_command(encode(message, COMMAND_BYTES)) == message


def altered(**changes: Any) -> bytes:
    """A valid `Cancel`, with changes to its inner object (None removes); `kind` is its class."""
    body = {"request_id": "r1", "kind": "Cancel"} | changes
    body[TAG] = body.pop("kind")
    return json.dumps(
        {"v": VERSION, "message": {key: value for key, value in body.items() if value is not None}}
    ).encode()


def asking(**question: Any) -> bytes:
    """An `Ask` with this question."""
    if "kind" in question:
        question[TAG] = question.pop("kind")
    return json.dumps({"v": VERSION, "message": {TAG: "Ask", "call_id": 1, "question": question}}).encode()


def test_the_altered_message_is_valid_when_nothing_is_altered() -> None:
    assert decode_command(altered()) == Cancel("r1")
    assert decode_command(asking(kind="CountTokens", texts=["a"])) == Ask(1, CountTokens(("a",)))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\xfe",
        b"not json",
        b"null",
        b"[]",
        b'{"v":%d}' % VERSION,
        b'{"v":%d,"message":{"=":"Cancel","request_id":"r1"}}' % (VERSION - 1),
        b"[" * 100_000,
        altered(kind="Unknown"),
        altered(kind=None),
        altered(request_id=None),
        altered(request_id=5),
        altered(extra=1),
        altered(kind="Finished"),
        encode(Pong(1, 1, True), REPORT_BYTES),
        b'{"v":%d,"message":{"=":"Ping","number":true}}' % VERSION,
        asking(kind="CountTokens", texts="no list"),
        asking(kind="CountTokens", texts=[1]),
        asking(kind=["CountTokens"], texts=[]),
        asking(texts=[]),
    ],
)
def test_what_is_no_command_is_refused(raw: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode_command(raw)


def test_untrusted_text_in_the_system_role_is_refused_on_arrival() -> None:
    raw = encode(Submit(REQUEST), COMMAND_BYTES).replace(b'"role":"user"', b'"role":"system"')
    with pytest.raises(ProtocolError):
        decode_command(raw)


def test_cap_on_sending() -> None:
    length = len(encode(Cancel("r1"), COMMAND_BYTES))
    assert encode(Cancel("r1"), length)
    with pytest.raises(MessageTooLongError):
        encode(Cancel("r1"), length - 1)


@pytest.mark.parametrize(("surplus", "accepted"), [(-1, True), (0, True), (1, False)])
def test_cap_on_receiving(surplus: int, accepted: bool) -> None:
    ours, theirs = multiprocessing.Pipe()
    theirs.send_bytes(b"x" * (1000 + surplus))
    if accepted:
        assert len(receive(ours, 1000)) == 1000 + surplus
    else:
        with pytest.raises(ProtocolError):
            receive(ours, 1000)
    theirs.close()
    ours.close()


def test_the_end_of_the_pipe() -> None:
    ours, theirs = multiprocessing.Pipe()
    theirs.close()
    with pytest.raises(EOFError):
        receive(ours, 1000)
    ours.close()


@pytest.mark.parametrize("kind", [ModelFileError, WorkerCrashedError, HearthError])
def test_errors_keep_their_class_and_sentence(kind: type[HearthError]) -> None:
    error = error_of(fault_of(kind("{name} is broken {n} times.", name="x", n=3)))
    assert type(error) is kind
    assert str(error) == "x is broken 3 times."


def test_events_of_every_kind_are_known() -> None:
    kinds = {kind.__name__ for kind in StreamEvent.__args__}
    assert kinds == {
        "Started", "PromptProgress", "PromptLogprobs", "EndWeighed", "QuestionScored", "TextDelta", "ReasoningDelta",
        "Usage", "Finished", "Failed",
    }  # fmt: skip
