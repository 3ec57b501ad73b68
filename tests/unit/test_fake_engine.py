"""The shipped fake keeps the engine's promises: order of events, one terminal event, cancel, crash."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.cancel import CancelToken
from engine.context.segments import Origin, PromptMessage, Role, Segment
from engine.engine import Engine, EngineState, EngineStatus
from engine.errors import ModelLoadError
from engine.fake import FakeAnswer, FakeEngine
from engine.types import (
    Failed,
    Finished,
    FinishReason,
    GenerationRequest,
    ModelSpec,
    PromptProgress,
    ReasoningDelta,
    SamplingParams,
    Started,
    StreamEvent,
    TextDelta,
    Usage,
)


def ask(text: str, request_id: str = "r1", **sampling: int) -> GenerationRequest:
    message = PromptMessage(Role.USER, (Segment(text, Origin.USER),))
    return GenerationRequest(request_id, (message,), SamplingParams(**sampling))  # type: ignore[arg-type]


def text_of(events: list[StreamEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


@pytest.fixture
def engine() -> Iterator[FakeEngine]:
    made = FakeEngine()
    yield made
    made.close()


def test_is_an_engine(engine: FakeEngine) -> None:
    typed: Engine = engine
    assert typed.state.status is EngineStatus.READY


def test_echoes_in_order_with_one_terminal_event(engine: FakeEngine) -> None:
    events = list(engine.generate(ask("two words")))
    assert text_of(events) == "You said: two words"
    kinds = [type(event) for event in events]
    assert kinds[:2] == [Started, PromptProgress]
    assert kinds[-2:] == [Usage, Finished]
    started = events[0]
    assert isinstance(started, Started)
    assert sum(count for _, count in started.tokens_by_origin) == started.prompt_tokens


def test_script_with_reasoning_length_and_error() -> None:
    engine = FakeEngine(
        [
            FakeAnswer("a b c", reasoning="hm so"),
            "one two three",
            FakeAnswer("part", error=ModelLoadError("Broken {name}.", name="x")),
        ]
    )
    first = list(engine.generate(ask("q")))
    assert "".join(e.text for e in first if isinstance(e, ReasoningDelta)) == "hm so"
    second = list(engine.generate(ask("q", max_tokens=2)))
    assert text_of(second) == "one two"
    assert second[-1] == Finished("r1", FinishReason.LENGTH)
    third = list(engine.generate(ask("q")))
    assert isinstance(third[-1], Failed)
    assert third[-1].message == "Broken x."
    engine.close()


def test_cancel_at_a_gate() -> None:
    gate = threading.Event()
    engine = FakeEngine([FakeAnswer("never said", gate=gate)])
    cancel = CancelToken()
    events: list[StreamEvent] = []
    for event in engine.generate(ask("q"), cancel):
        events.append(event)
        if isinstance(event, PromptProgress):
            cancel.cancel()
    assert text_of(events) == ""
    assert events[-1] == Finished("r1", FinishReason.CANCELLED)
    engine.close()


def test_crash_goes_through_crashed_to_ready() -> None:
    engine = FakeEngine([FakeAnswer("half an", crash=True)])
    states: list[EngineState] = []
    engine.subscribe(states.append)
    events = list(engine.generate(ask("q")))
    assert isinstance(events[-1], Failed)
    assert events[-1].code == "worker_crashed"
    assert [state.status for state in states] == [EngineStatus.CRASHED, EngineStatus.LOADING, EngineStatus.READY]
    assert text_of(list(engine.generate(ask("again")))) == "You said: again"
    engine.close()


def test_load_unload_and_requests_without_a_model() -> None:
    engine = FakeEngine(loaded=False)
    events = list(engine.generate(ask("q")))
    assert [type(event) for event in events] == [Failed]
    assert engine.load(ModelSpec(Path("my.gguf"), n_ctx=1024)).result(5).n_ctx == 1024
    states: list[EngineState] = []
    engine.subscribe(states.append)
    engine.unload().result(5)
    engine.close()
    engine.close()
    assert [state.status for state in states] == [EngineStatus.EMPTY, EngineStatus.CLOSED]


def test_load_error_reaches_the_future() -> None:
    engine = FakeEngine(loaded=False, load_error=ModelLoadError("No."))
    with pytest.raises(ModelLoadError):
        engine.load(ModelSpec(Path("my.gguf"))).result(5)
    assert engine.state.message == "No."
    engine.close()


def test_close_ends_open_requests() -> None:
    engine = FakeEngine([FakeAnswer("x", gate=threading.Event())])
    events: list[StreamEvent] = []
    engine.submit(ask("q", "r1"), CancelToken(), events.append)
    engine.submit(ask("q", "r2"), CancelToken(), events.append)
    engine.close()
    ends = [event for event in events if isinstance(event, Finished | Failed)]
    assert sorted(event.request_id for event in ends) == ["r1", "r2"]
