"""`RemoteEngine` against a real llama-server on the loopback, of the commit that our own worker is built from."""

from __future__ import annotations

import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import platformdirs
import pytest

from app.remote.engine import RemoteEngine, remote_path
from engine.cancel import CancelToken
from engine.context.segments import Origin, PromptMessage, Role, Segment
from engine.engine import EngineStatus
from engine.errors import HearthError
from engine.types import (
    Failed,
    Finished,
    FinishReason,
    GenerationRequest,
    LoadedModel,
    ModelSpec,
    RemoteModel,
    SamplingParams,
    Started,
    StreamEvent,
    TextDelta,
    Usage,
)
from tests.benchmarks.peers import environment

START_S = 120
N_CTX = 512


def program() -> Path:
    """Where `make bench` builds it."""
    peers = platformdirs.user_cache_path("hearth", appauthor=False) / "peers"
    found = sorted(peers.glob("*/llama-server")) if peers.is_dir() else []
    if not found:
        pytest.skip("llama-server is not built here: `make bench` builds it")
    return found[-1]


@pytest.fixture(scope="module")
def address(smollm2: Path) -> Iterator[str]:
    binary = program()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [binary, "-m", smollm2, "--host", "127.0.0.1", "--port", str(port), "-c", str(N_CTX), "-np", "1",
         "--api-key", "secret", "-t", "2"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment(binary),
    )  # fmt: skip
    try:
        deadline = time.monotonic() + START_S
        while not healthy(port):
            if server.poll() is not None or time.monotonic() > deadline:
                pytest.fail("llama-server does not start")
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.kill()
        server.wait()


def healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.fixture(scope="module")
def engine(address: str) -> Iterator[RemoteEngine]:
    made = RemoteEngine(lambda _address: "secret")
    yield made
    made.close()


@pytest.fixture(scope="module")
def model(engine: RemoteEngine, address: str) -> LoadedModel:
    return engine.load(ModelSpec(remote_path(""), remote=RemoteModel(address, ""))).result(START_S)


def user(text: str, message_id: str = "") -> PromptMessage:
    return PromptMessage(Role.USER, (Segment(text, Origin.USER),), message_id)


def request(name: str, *messages: PromptMessage, **sampling: object) -> GenerationRequest:
    params = SamplingParams(temperature=0.0, **{"max_tokens": 16, **sampling})  # type: ignore[arg-type]
    return GenerationRequest(name, messages or (user("Name three colours."),), params)


def text_of(events: list[StreamEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


@pytest.mark.weights
def test_what_the_server_tells_of_its_model(engine: RemoteEngine, model: LoadedModel) -> None:
    assert engine.state.status is EngineStatus.READY
    assert model.remote_host == "127.0.0.1"
    assert model.n_ctx == N_CTX
    assert model.n_params > 100_000_000


@pytest.mark.weights
def test_an_answer_with_the_servers_count(engine: RemoteEngine, model: LoadedModel) -> None:
    first = list(engine.generate(request("first")))
    again = list(engine.generate(request("again")))
    assert isinstance(first[0], Started)
    assert text_of(first)
    assert text_of(first) == text_of(again)
    assert isinstance(first[-1], Finished)
    [usage] = [event for event in again if isinstance(event, Usage)]
    assert usage.prompt_tokens > 10
    assert 0 < usage.completion_tokens <= 16
    assert usage.cached_tokens > 0, "its prompt cache is seen from here"
    assert usage.decode_s > 0


@pytest.mark.weights
def test_length_and_stop(engine: RemoteEngine, model: LoadedModel) -> None:
    assert list(engine.generate(request("length", max_tokens=3)))[-1] == Finished("length", FinishReason.LENGTH)


@pytest.mark.weights
def test_cancel(engine: RemoteEngine, model: LoadedModel) -> None:
    cancel = CancelToken()
    events: list[StreamEvent] = []
    for event in engine.generate(request("cancel", user("Tell a long story."), max_tokens=400), cancel):
        events.append(event)
        if isinstance(event, TextDelta):
            cancel.cancel()
    assert events[-1] == Finished("cancel", FinishReason.CANCELLED)
    assert isinstance(list(engine.generate(request("after")))[-1], Finished), "the slot is free again"


@pytest.mark.weights
def test_a_plan_by_the_models_own_tokeniser(engine: RemoteEngine, model: LoadedModel) -> None:
    asked = request("plan")
    plan = engine.plan(asked).result(START_S)
    [usage] = [event for event in engine.generate(asked) if isinstance(event, Usage)]
    assert plan.prompt_tokens == usage.prompt_tokens
    assert engine.count_tokens(["Hello", ""]).result(START_S) == [1, 0]
    assert engine.count_tokens(["<|im_start|>"]).result(START_S)[0] > 1, "counted as text"


@pytest.mark.weights
def test_too_long_loses_the_oldest_turn(engine: RemoteEngine, model: LoadedModel) -> None:
    long = user("word " * 450, "old")
    answer = PromptMessage(Role.ASSISTANT, (Segment("Yes.", Origin.ASSISTANT),), "answer")
    events = list(engine.generate(request("long", long, answer, user("word " * 60 + "And now?", "new"))))
    assert isinstance(events[0], Started), events
    assert events[0].dropped == ("old", "answer")
    alone = list(engine.generate(request("alone", user("word " * 600))))
    assert isinstance(alone[-1], Failed)
    assert alone[-1].code == "prompt_too_long"


@pytest.mark.weights
def test_a_grammar_is_kept_there_too(engine: RemoteEngine, model: LoadedModel) -> None:
    events = list(engine.generate(request("grammar", grammar='root ::= "yes" | "no"')))
    assert text_of(events) in ("yes", "no")


@pytest.mark.weights
def test_the_wrong_key(address: str) -> None:
    other = RemoteEngine(lambda _address: "wrong")
    try:
        with pytest.raises(HearthError):
            list_or_chat(other, address)
    finally:
        other.close()


def list_or_chat(engine: RemoteEngine, address: str) -> None:
    """The list of models may be public there; an answer is not."""
    engine.load(ModelSpec(remote_path(""), remote=RemoteModel(address, ""))).result(START_S)
    last = list(engine.generate(request("refused")))[-1]
    assert isinstance(last, Failed)
    raise HearthError(last.message)
