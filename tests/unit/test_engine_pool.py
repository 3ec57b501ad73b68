"""Several models in one pool: who stays, who leaves and when, with fakes in place of workers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from engine.cancel import CancelToken
from engine.context.segments import Origin, PromptMessage, Role, Segment
from engine.engine import Engine, EngineState, EngineStatus
from engine.errors import HearthError, ModelLoadError
from engine.fake import FakeAnswer, FakeEngine
from engine.types import (
    TERMINAL,
    Failed,
    Finished,
    FinishReason,
    GenerationRequest,
    LoadedModel,
    ModelSpec,
    RemoteModel,
    StreamEvent,
    TextDelta,
)
from engine.worker.pool import EnginePool

WAIT_S = 20


def request(name: str = "r") -> GenerationRequest:
    return GenerationRequest(name, (PromptMessage(Role.USER, (Segment("Hello", Origin.USER),)),))


def spec(name: str, **options: object) -> ModelSpec:
    return ModelSpec(Path(f"{name}.gguf"), **options)  # type: ignore[arg-type]


class Fake(FakeEngine):
    """Notes what is asked of it; makes embeddings."""

    def __init__(self, name: str, bench: Bench) -> None:
        super().__init__(bench.scripts.get(name, ()), loaded=False, load_error=bench.errors.get(name))
        self.name, self._bench = name, bench

    def unload(self) -> Future[None]:
        self._bench.log.append(f"out {self.name}")
        self._bench.used -= self._bench.sizes.get(self.name, 0) if self.state.model is not None else 0
        return super().unload()

    def close(self) -> None:
        if (together := self._bench.close_together) is not None:
            together.wait(WAIT_S)
        super().close()

    def load(self, spec: ModelSpec, cancel: CancelToken | None = None) -> Future[LoadedModel]:
        self._bench.log.append(f"in {self.name}")
        self._bench.used += self._bench.sizes.get(self.name, 0)
        return super().load(spec, cancel)

    def now(self, state: EngineState) -> None:
        self._set_state(state)

    def embed(self, texts: object) -> Future[list[tuple[float, ...]]]:
        future: Future[list[tuple[float, ...]]] = Future()
        future.set_result([(1.0, 0.0)])
        return future


@dataclass
class Bench:
    """A machine of `total` bytes, models of `sizes`, and a clock."""

    sizes: dict[str, int] = field(default_factory=dict)
    total: int = 1_000_000
    scripts: dict[str, tuple[FakeAnswer, ...]] = field(default_factory=dict)
    errors: dict[str, HearthError] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    used: int = 0
    now: float = 0.0
    states: list[EngineState] = field(default_factory=list)
    pools: list[EnginePool] = field(default_factory=list)
    made: dict[str, Fake] = field(default_factory=dict)
    close_together: threading.Barrier | None = None

    def pool(self, **options: object) -> EnginePool:
        made = EnginePool(
            self._make,
            needed=lambda spec: self.sizes.get(spec.path.stem, 0),
            available=lambda: self.total - self.used,
            clock=lambda: self.now,
            **options,  # type: ignore[arg-type]
        )
        made.subscribe(self.states.append)
        self.pools.append(made)
        return made

    def _make(self, spec: ModelSpec) -> Engine:
        self.now += 1
        self.made[spec.path.stem] = Fake(spec.path.stem, self)
        return self.made[spec.path.stem]

    def on_card(self, fake: Fake) -> None:
        """As if it had been loaded onto a graphics card."""
        model = fake.state.model
        assert model is not None
        fake.now(EngineState(EngineStatus.READY, replace(model, backend="CUDA", n_gpu_layers=24)))
        self.pools[-1].check_idle().result(WAIT_S)

    def load(self, name: str, **options: object) -> str:
        self.now += 1
        return self.pools[-1].load(spec(name, **options)).result(WAIT_S).name

    def ask(self, name: str = "r") -> list[StreamEvent]:
        return list(self.pools[-1].generate(request(name)))

    def text(self, name: str = "r") -> str:
        return "".join(event.text for event in self.ask(name) if isinstance(event, TextDelta))

    def here(self) -> set[str]:
        return {name for name in self.made if self.pools[-1].resident(Path(f"{name}.gguf")) is not None}


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    for pool in made.pools:
        pool.close()


def wait_for(condition: Callable[[], bool]) -> None:
    done = threading.Event()
    for _ in range(WAIT_S * 100):
        if condition():
            return
        done.wait(0.01)
    pytest.fail("waited in vain")


def test_it_is_an_engine(bench: Bench) -> None:
    engine: Engine = bench.pool()
    assert engine.state.status is EngineStatus.EMPTY
    [event] = engine.generate(request())
    assert isinstance(event, Failed)
    assert event.message == "No model is loaded."


def test_a_model_that_is_still_here_is_current_at_once(bench: Bench) -> None:
    bench.pool(max_resident=2)
    for name in ("a", "b"):
        bench.load(name)
    loads = list(bench.log)
    bench.states.clear()
    assert bench.load("a") == "a"
    assert bench.log == loads, "no load, no unload"
    assert [state.status for state in bench.states] == [EngineStatus.READY]
    assert bench.states[0].model is not None
    assert bench.states[0].model.name == "a"
    bench.ask()
    assert [len(bench.made[name].requests) for name in ("a", "b")] == [1, 0]


def test_the_least_recently_used_leaves_first(bench: Bench) -> None:
    bench.pool(max_resident=3)
    for name in ("a", "b", "c", "a", "d"):
        bench.load(name)
    assert bench.log == ["in a", "in b", "in c", "out b", "in d"]
    assert bench.here() == {"a", "c", "d"}


def test_an_answer_counts_as_use(bench: Bench) -> None:
    gate = threading.Event()
    bench.scripts["a"] = (FakeAnswer("one", end_gate=gate),)
    pool = bench.pool(max_resident=2)
    bench.load("a")
    ended: list[StreamEvent] = []
    pool.submit(request(), CancelToken(), ended.append)
    bench.load("b")
    bench.now += 100
    gate.set()
    wait_for(lambda: bool(ended) and isinstance(ended[-1], TERMINAL))
    pool.check_idle().result(WAIT_S)
    bench.load("c")
    assert bench.here() == {"a", "c"}


def test_one_resident_is_one_model(bench: Bench) -> None:
    bench.pool(max_resident=1)
    for name in ("a", "b", "a"):
        bench.load(name)
    assert bench.log == ["in a", "out a", "in b", "out b", "in a"]


def test_memory_decides_before_the_cap(bench: Bench) -> None:
    bench.sizes, bench.total = {"a": 300, "b": 300, "c": 500, "d": 10}, 1000
    bench.pool(max_resident=8)
    for name in ("a", "b"):
        bench.load(name)
    assert bench.here() == {"a", "b"}
    bench.load("c")  # 500 of 400 free: one has to go, and that is enough
    assert bench.log == ["in a", "in b", "out a", "in c"]
    bench.load("d")
    assert bench.here() == {"b", "c", "d"}


def test_nobody_leaves_while_answering(bench: Bench) -> None:
    gate = threading.Event()
    bench.scripts["a"] = (FakeAnswer("slow answer", end_gate=gate),)
    bench.sizes, bench.total = {"a": 600, "b": 600}, 1000
    pool = bench.pool(max_resident=1)
    bench.load("a")
    events: list[StreamEvent] = []
    pool.submit(request("first"), CancelToken(), events.append)
    loading = pool.load(spec("b"))
    held: list[StreamEvent] = []
    stopped: list[StreamEvent] = []
    pool.submit(request("second"), CancelToken(), held.append)
    cancel = CancelToken()
    pool.submit(request("third"), cancel, stopped.append)
    cancel.cancel()
    wait_for(lambda: stopped == [Finished("third", FinishReason.CANCELLED)])
    assert pool.state.status is EngineStatus.LOADING
    assert not loading.done()
    assert bench.log == ["in a"]
    gate.set()
    assert loading.result(WAIT_S).name == "b"
    wait_for(lambda: bool(held) and isinstance(held[-1], TERMINAL))
    assert events[-1] == Finished("first", FinishReason.STOP)
    assert held[-1] == Finished("second", FinishReason.STOP)
    assert bench.log == ["in a", "out a", "in b"]


def test_a_busy_model_leaves_after_its_answer_where_memory_allows_both(bench: Bench) -> None:
    gate = threading.Event()
    bench.scripts["a"] = (FakeAnswer("slow answer", end_gate=gate),)
    pool = bench.pool(max_resident=1)
    bench.load("a")
    events: list[StreamEvent] = []
    pool.submit(request(), CancelToken(), events.append)
    bench.load("b")
    assert bench.log == ["in a", "in b"]
    gate.set()
    wait_for(lambda: bench.log == ["in a", "in b", "out a"])
    assert events[-1] == Finished("r", FinishReason.STOP)


def test_the_same_file_with_other_options_is_loaded_again(bench: Bench) -> None:
    bench.pool(max_resident=2)
    bench.load("a", n_ctx=1024)
    bench.load("a", n_ctx=2048)
    assert bench.log == ["in a", "out a", "in a"]


def test_a_window_that_was_chosen_automatically_counts_as_the_same(bench: Bench) -> None:
    pool = bench.pool()
    chosen = pool.load(spec("a")).result(WAIT_S).n_ctx
    bench.load("a", n_ctx=chosen)
    assert bench.log == ["in a"]


def test_a_failed_load_goes_back_to_the_model_before(bench: Bench) -> None:
    bench.errors["bad"] = ModelLoadError("The file is damaged.")
    pool = bench.pool()
    bench.load("a")
    with pytest.raises(ModelLoadError, match="damaged"):
        bench.load("bad")
    assert pool.state.status is EngineStatus.READY
    assert bench.text() == "You said: Hello"
    assert len(bench.made["a"].requests) == 1


def test_a_failed_first_load_says_why(bench: Bench) -> None:
    bench.errors["bad"] = ModelLoadError("The file is damaged.")
    pool = bench.pool()
    with pytest.raises(ModelLoadError, match="damaged"):
        bench.load("bad")
    wait_for(lambda: pool.state.message == "The file is damaged.")
    assert pool.state.status is EngineStatus.EMPTY
    assert bench.load("a") == "a"


def test_stopping_a_load_goes_back_too(bench: Bench) -> None:
    gate = threading.Event()
    bench.scripts["a"] = (FakeAnswer("slow", end_gate=gate),)
    bench.sizes, bench.total = {"a": 600, "b": 600}, 1000
    pool = bench.pool()
    bench.load("a")
    pool.submit(request(), CancelToken(), lambda event: None)
    loading = pool.load(spec("b"))
    pool.unload().result(WAIT_S)
    with pytest.raises(ModelLoadError, match="stopped"):
        loading.result(WAIT_S)
    assert pool.state.status is EngineStatus.READY
    gate.set()


def test_unload_frees_all(bench: Bench) -> None:
    pool = bench.pool()
    bench.load("a")
    bench.load("b")
    pool.unload().result(WAIT_S)
    assert pool.state.status is EngineStatus.EMPTY
    assert bench.here() == set()
    assert isinstance(bench.ask()[-1], Failed)


def test_an_idle_model_sleeps_and_wakes_with_the_next_question(bench: Bench) -> None:
    pool = bench.pool(idle_s=60)
    bench.load("a")
    bench.now += 59
    pool.check_idle().result(WAIT_S)
    assert bench.log == ["in a"]
    bench.now += 2
    pool.check_idle().result(WAIT_S)
    assert pool.state.status is EngineStatus.EMPTY
    assert pool.state.model is not None, "it is only asleep"
    assert bench.log == ["in a", "out a"]
    bench.states.clear()
    assert bench.text() == "You said: Hello"
    assert next(state.status for state in bench.states) is EngineStatus.LOADING
    assert bench.log == ["in a", "out a", "in a"]


def test_an_answering_model_does_not_sleep(bench: Bench) -> None:
    gate = threading.Event()
    bench.scripts["a"] = (FakeAnswer("slow", end_gate=gate),)
    pool = bench.pool(idle_s=60)
    bench.load("a")
    pool.submit(request(), CancelToken(), lambda event: None)
    bench.now += 1000
    pool.check_idle().result(WAIT_S)
    assert bench.log == ["in a"]
    gate.set()


def test_a_crash_in_the_background_is_not_the_windows_business(bench: Bench) -> None:
    bench.scripts["a"] = (FakeAnswer("half", crash=True, end_gate=(gate := threading.Event())),)
    pool = bench.pool()
    bench.load("a")
    events: list[StreamEvent] = []
    pool.submit(request(), CancelToken(), events.append)
    bench.load("b")
    bench.states.clear()
    gate.set()
    wait_for(lambda: bool(events) and isinstance(events[-1], Failed))
    pool.check_idle().result(WAIT_S)
    assert bench.states == []
    assert pool.state.model is not None
    assert pool.state.model.name == "b"


def test_a_chat_model_and_an_embedding_model_live_side_by_side(bench: Bench) -> None:
    pool = bench.pool(max_resident=1, idle_s=60)
    bench.load("a")
    pool.load_embedder(spec("vectors")).result(WAIT_S)
    assert pool.embed(["x"]).result(WAIT_S) == [(1.0, 0.0)]
    bench.load("b")
    assert bench.here() == {"b", "vectors"}
    assert pool.state.model is not None
    assert pool.state.model.name == "b"
    bench.now += 100
    pool.check_idle().result(WAIT_S)
    wait_for(lambda: bench.log[-2:] == ["out vectors", "out b"])
    assert pool.embed(["x"]).result(WAIT_S) == [(1.0, 0.0)], "it comes back by itself"


def test_an_embedding_model_does_not_push_the_current_one_out(bench: Bench) -> None:
    bench.sizes, bench.total = {"a": 900, "vectors": 300}, 1000
    pool = bench.pool()
    bench.load("a")
    pool.load_embedder(spec("vectors")).result(WAIT_S)
    assert bench.here() == {"a", "vectors"}


def test_another_computers_model_takes_no_place(bench: Bench) -> None:
    pool = bench.pool(max_resident=1)
    bench.load("a")
    there = spec("there", remote=RemoteModel("http://10.0.0.2:8080", "there"))
    pool.load(there).result(WAIT_S)
    assert bench.here() == {"a", "there"}
    pool.drop(there).result(WAIT_S)
    assert bench.here() == {"a"}
    assert pool.state.status is EngineStatus.EMPTY


def test_other_limits_hold_at_once(bench: Bench) -> None:
    pool = bench.pool(max_resident=3)
    for name in ("a", "b", "c"):
        bench.load(name)
    pool.configure(max_resident=1, idle_s=None)
    wait_for(lambda: bench.here() == {"c"})


@dataclass
class Card:
    """A graphics card that says how much it has free, and how often it was asked."""

    free: int | None
    asked: int = 0

    def __call__(self) -> int | None:
        self.asked += 1
        return self.free


@pytest.mark.parametrize(("free", "stay"), [(1_000, {"a", "b"}), (500, {"b"}), (None, {"b"})])
def test_a_full_graphics_card_makes_room_too(bench: Bench, free: int | None, stay: set[str]) -> None:
    bench.sizes, card = {"a": 600, "b": 600}, Card(free)
    bench.pool(free_gpu=card)
    bench.load("a")
    assert card.asked == 0, "nothing lies on it yet"
    bench.on_card(bench.made["a"])
    bench.load("b")
    assert bench.here() == stay
    assert card.asked > 0


def test_a_model_for_the_processor_does_not_ask_the_card(bench: Bench) -> None:
    bench.sizes, card = {"a": 600, "b": 600}, Card(0)
    bench.pool(free_gpu=card)
    bench.load("a")
    bench.on_card(bench.made["a"])
    bench.load("b", n_gpu_layers=0)
    assert bench.here() == {"a", "b"}
    assert card.asked == 0


def test_all_models_are_closed_side_by_side(bench: Bench) -> None:
    pool = bench.pool()
    bench.load("a")
    bench.load("b")
    bench.close_together = threading.Barrier(2)  # each waits until the other is closing, too
    pool.close()
    assert not bench.close_together.broken
    assert {fake.state.status for fake in bench.made.values()} == {EngineStatus.CLOSED}
    bench.close_together = None


def test_close_is_final_and_idempotent(bench: Bench) -> None:
    pool = bench.pool()
    bench.load("a")
    bench.load("b")
    pool.close()
    pool.close()
    assert pool.state.status is EngineStatus.CLOSED
    assert {fake.state.status for fake in bench.made.values()} == {EngineStatus.CLOSED}
    assert bench.ask() == [Finished("r", FinishReason.CANCELLED)]
    with pytest.raises(ModelLoadError):
        pool.load(spec("c")).result(WAIT_S)
