"""The worker dies, hangs, or talks nonsense: what the person sees is one sentence, and the engine is there again."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

import psutil
import pytest

from engine.cancel import CancelToken
from engine.engine import EngineState, EngineStatus
from engine.errors import WorkerCrashedError, WorkerHungError, WorkerQuarantinedError
from engine.fake import fake_model
from engine.types import Failed, Finished, FinishReason, GenerationRequest, ModelSpec, Started, StreamEvent, TextDelta
from engine.worker.client import EngineClient
from engine.worker.heartbeat import Patience
from engine.worker.process import EntryPoint
from engine.worker.protocol import (
    COMMAND_BYTES,
    Load,
    Loaded,
    Ping,
    Pong,
    Report,
    Submit,
    Taken,
    decode_command,
    encode,
)
from engine.worker.restart import CrashBudget
from tests.process.engine_asking import PATIENCE_S, Answer, States, ask

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")

STORY = "Tell me a short story about a lighthouse and a storm."
NOTICED_S = 0.1


def is_ready(state: EngineState) -> bool:
    return state.status is EngineStatus.READY


def is_crashed(state: EngineState) -> bool:
    return state.status is EngineStatus.CRASHED


def unlimited() -> CrashBudget:
    return CrashBudget(allowed=1000)


def pid_of(engine: EngineClient) -> int:
    pid = engine.worker_pid
    assert pid is not None
    return pid


# With real weights


@pytest.fixture
def engine(smollm2: Path) -> Iterator[EngineClient]:
    made = EngineClient(budget=unlimited())
    made.load(ModelSpec(smollm2, n_ctx=512)).result(PATIENCE_S)
    yield made
    made.close()


def test_killed_while_writing(engine: EngineClient) -> None:
    states, got, waiting = States(), Answer(), Answer()
    engine.subscribe(states)
    engine.submit(ask(STORY, max_tokens=400), CancelToken(), got)
    engine.submit(ask(STORY, "waiting", max_tokens=2, background=True), CancelToken(), waiting)
    got.wait_for(TextDelta)
    os.kill(pid_of(engine), signal.SIGKILL)
    event = got.end()
    assert isinstance(event, Failed)
    assert event.code == "worker_crashed"
    assert "memory ran out" in event.message
    assert got.text, "what was written stays"
    # The request that had not begun is answered by the new worker.
    assert waiting.end() == Finished("waiting", FinishReason.LENGTH)
    assert [state.status for state in states.seen if state.progress in (0.0, 1.0)][:2] == [
        EngineStatus.CRASHED,
        EngineStatus.LOADING,
    ]
    assert states.wait_for(is_ready).model is not None


@pytest.mark.parametrize("sent", [signal.SIGSEGV, signal.SIGABRT, signal.SIGILL])
def test_killed_while_idle(engine: EngineClient, sent: signal.Signals) -> None:
    states = States()
    engine.subscribe(states)
    os.kill(pid_of(engine), sent)
    states.wait_for(is_ready)
    got = Answer()
    engine.submit(ask(STORY, max_tokens=2), CancelToken(), got)
    assert got.end() == Finished("r", FinishReason.LENGTH)


def test_force_stop_ends_open_requests_and_loads_again(engine: EngineClient) -> None:
    states, got, waiting = States(), Answer(), Answer()
    engine.subscribe(states)
    before = pid_of(engine)
    engine.submit(ask(STORY, max_tokens=400), CancelToken(), got)
    engine.submit(ask(STORY, "waiting"), CancelToken(), waiting)
    got.wait_for(TextDelta)
    engine.force_stop()
    assert got.end() == Finished("r", FinishReason.CANCELLED)
    assert waiting.end() == Finished("waiting", FinishReason.CANCELLED)
    states.wait_for(is_ready)
    assert not any(map(is_crashed, states.seen))
    assert pid_of(engine) != before
    assert not psutil.pid_exists(before)


def test_the_worker_is_silent_small_and_bound(engine: EngineClient) -> None:
    worker = psutil.Process(pid_of(engine))
    assert worker.net_connections(kind="inet") == []
    if sys.platform == "linux":
        assert worker.rlimit(psutil.RLIMIT_CORE) == (0, 0)
        assert {Path(f"/proc/{worker.pid}/fd/{number}").readlink() for number in (0, 1, 2)} == {Path(os.devnull)}
        status = Path(f"/proc/{worker.pid}/status").read_text()
        assert "Seccomp:\t2" in status
        assert "NoNewPrivs:\t1" in status
        mapped = Path(f"/proc/{worker.pid}/maps").read_text()
        assert "PySide6" not in mapped


def test_a_bug_in_the_worker_tells_where_it_is_but_quotes_no_prompt(engine: EngineClient) -> None:
    """Continuing a user's message is a bug of the caller; the assembly raises on it."""
    got = Answer()
    engine.submit(replace(ask("the secret words"), continue_last=True), CancelToken(), got)
    event = got.end()
    assert isinstance(event, Failed)
    assert event.code == "worker_crashed"
    log = "\n".join(engine.recent_log)
    assert "ValueError" in log
    assert "assemble" in log
    assert "secret" not in log


# With a scripted child instead of llama.cpp: the client alone is tried, quickly and often


def _pretend(connection: Connection, *, after_taken: str) -> None:
    """A worker that loads anything, and takes a request up before it does what is asked of it."""
    try:
        while True:
            command = decode_command(connection.recv_bytes(COMMAND_BYTES))
            match command:
                case Load(spec):
                    connection.send_bytes(encode(Loaded(fake_model(spec.path)), COMMAND_BYTES))
                case Ping(number):
                    connection.send_bytes(encode(Pong(number, 1, True), COMMAND_BYTES))
                case Submit(request):
                    connection.send_bytes(encode(Taken(request.request_id), COMMAND_BYTES))
                    _begin(connection, request)
                    _then(connection, after_taken)
    except EOFError:
        return


def _begin(connection: Connection, request: GenerationRequest) -> None:
    for event in (Started(request.request_id, 1, 0, 512, 0), TextDelta(request.request_id, "Once")):
        connection.send_bytes(encode(Report(event), COMMAND_BYTES))


def _then(connection: Connection, what: str) -> None:
    if what == "nonsense":
        connection.send_bytes(b'{"v":1,"message":{"=":"Sabotage"}}')
    elif what == "flood":
        connection.send_bytes(b"x" * (5 * 1024 * 1024))
    elif what == "exit":
        os._exit(7)
    elif what == "sleep":
        threading.Event().wait()


def waits(connection: Connection) -> None:
    _pretend(connection, after_taken="nothing")


def exits(connection: Connection) -> None:
    _pretend(connection, after_taken="exit")


def nonsense(connection: Connection) -> None:
    _pretend(connection, after_taken="nonsense")


def flood(connection: Connection) -> None:
    _pretend(connection, after_taken="flood")


def sleeps(connection: Connection) -> None:
    _pretend(connection, after_taken="sleep")


def dies_at_once(connection: Connection) -> None:
    os._exit(3)


SPEC = ModelSpec(Path("pretended.gguf"), n_batch=1)
KILLS = 100
QUICK = Patience(tick_s=0.02, silent_ticks=10, stalled_ticks=25, loading_ticks=2000)


def test_a_hundred_kills_are_each_noticed_at_once() -> None:
    engine = EngineClient(entry_point=waits, budget=unlimited())
    states = States()
    engine.subscribe(states)
    engine.load(SPEC).result(PATIENCE_S)
    delays = []
    for number in range(KILLS):
        got = Answer()
        ended = threading.Event()
        moment = [0.0]

        def sink(
            event: StreamEvent, got: Answer = got, ended: threading.Event = ended, at: list[float] = moment
        ) -> None:
            if isinstance(event, Failed):
                at[0] = time.perf_counter()
                ended.set()
            got(event)

        engine.submit(ask(STORY, f"r{number}"), CancelToken(), sink)
        got.wait_for(TextDelta)
        seen = len(states.seen)
        killed = time.perf_counter()
        os.kill(pid_of(engine), signal.SIGKILL)
        assert ended.wait(PATIENCE_S)
        delays.append(moment[0] - killed)
        assert isinstance(got.end(), Failed)
        assert got.text == "Once"
        states.wait_for(is_ready, since=seen)
    engine.close()
    assert sorted(delays)[len(delays) * 9 // 10] <= NOTICED_S
    assert sum(map(is_crashed, states.seen)) == KILLS


@pytest.mark.parametrize(("entry_point", "words"), [(exits, "code 7"), (nonsense, "ended"), (flood, "ended")])
def test_a_worker_that_goes_wrong_is_ended(entry_point: EntryPoint, words: str) -> None:
    engine = EngineClient(entry_point=entry_point, budget=unlimited())
    engine.load(SPEC).result(PATIENCE_S)
    got = Answer()
    engine.submit(ask(STORY), CancelToken(), got)
    event = got.end()
    assert isinstance(event, Failed)
    assert event.code == "worker_crashed"
    assert words in event.message
    engine.close()


@pytest.mark.parametrize(("entry_point", "stop"), [(waits, True), (sleeps, False), (waits, False)])
def test_a_hung_worker_is_ended(entry_point: EntryPoint, stop: bool) -> None:
    """The process stands still; or it answers no pings; or it does, but its work does not get on."""
    engine = EngineClient(entry_point=entry_point, budget=unlimited(), patience=QUICK)
    states = States()
    engine.subscribe(states)
    engine.load(SPEC).result(PATIENCE_S)
    got = Answer()
    engine.submit(ask(STORY), CancelToken(), got)
    got.wait_for(TextDelta)
    if stop:
        os.kill(pid_of(engine), signal.SIGSTOP)
    event = got.end()
    assert isinstance(event, Failed)
    assert event.code == "worker_hung"
    states.wait_for(is_crashed)
    states.wait_for(is_ready, since=len(states.seen) - 1)
    engine.close()


def test_a_worker_that_works_is_left_alone() -> None:
    """The control for the hang tests: the same patience, and pongs whose beats move."""
    engine = EngineClient(entry_point=beats, budget=unlimited(), patience=QUICK)
    engine.load(SPEC).result(PATIENCE_S)
    got = Answer()
    engine.submit(ask(STORY), CancelToken(), got)
    assert got.end() == Finished("r", FinishReason.STOP)
    engine.close()


def beats(connection: Connection) -> None:
    """Busy for twice the patience, with progress all the while."""
    request_id, pongs = "", 0
    while True:
        try:
            command = decode_command(connection.recv_bytes(COMMAND_BYTES))
        except EOFError:
            return
        match command:
            case Load(spec):
                connection.send_bytes(encode(Loaded(fake_model(spec.path)), COMMAND_BYTES))
            case Submit(request):
                request_id = request.request_id
                connection.send_bytes(encode(Taken(request_id), COMMAND_BYTES))
            case Ping(number):
                pongs += 1
                connection.send_bytes(encode(Pong(number, pongs, True), COMMAND_BYTES))
                if pongs == 2 * QUICK.for_model(fake_model(SPEC.path), SPEC.n_batch):
                    connection.send_bytes(encode(Report(Finished(request_id, FinishReason.STOP)), COMMAND_BYTES))


def test_three_crashes_quarantine_the_model() -> None:
    now = [0.0]
    engine = EngineClient(entry_point=exits, budget=CrashBudget(clock=lambda: now[0]))
    states = States()
    engine.subscribe(states)
    engine.load(SPEC).result(PATIENCE_S)
    codes = []
    for number in range(4):
        got = Answer()
        engine.submit(ask(STORY, f"r{number}"), CancelToken(), got)
        event = got.end()
        assert isinstance(event, Failed)
        codes.append(event.code)
    assert codes == ["worker_crashed", "worker_crashed", "worker_crashed", "worker_quarantined"]
    assert "on the processor" in engine.state.message
    assert isinstance(engine.load(SPEC).exception(PATIENCE_S), WorkerQuarantinedError)
    on_processor = ModelSpec(SPEC.path, n_gpu_layers=0)
    assert engine.load(on_processor).result(PATIENCE_S).path == SPEC.path
    now[0] = 601.0
    assert engine.load(SPEC).result(PATIENCE_S).path == SPEC.path
    engine.close()


def test_a_crash_while_loading_is_not_tried_again() -> None:
    engine = EngineClient(entry_point=dies_at_once)
    got = Answer()
    future = engine.load(SPEC)
    engine.submit(ask(STORY), CancelToken(), got)
    assert isinstance(future.exception(PATIENCE_S), WorkerCrashedError)
    assert isinstance(got.end(), Failed)
    assert engine.state.status is EngineStatus.CRASHED
    assert engine.worker_pid is None
    engine.close()


def test_a_load_that_stands_still_is_ended() -> None:
    patience = Patience(tick_s=0.02, silent_ticks=10, loading_ticks=10)
    engine = EngineClient(entry_point=sleeps_from_the_start, patience=patience)
    assert isinstance(engine.load(SPEC).exception(PATIENCE_S), WorkerHungError)
    engine.close()


def sleeps_from_the_start(connection: Connection) -> None:
    threading.Event().wait()


ORPHAN = """
import sys, threading
from pathlib import Path
from engine.types import ModelSpec
from engine.worker.client import EngineClient
if __name__ == "__main__":
    engine = EngineClient()
    engine.load(ModelSpec(Path(sys.argv[1]), n_ctx=512)).result(120)
    print(engine.worker_pid, flush=True)
    threading.Event().wait()
"""


def test_a_worker_does_not_outlive_its_parent(smollm2: Path, tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(ORPHAN)
    parent = psutil.Popen([sys.executable, str(script), str(smollm2)], stdout=-1, text=True)
    worker = psutil.Process(int(parent.stdout.readline()))
    assert worker.is_running()
    parent.kill()
    parent.wait(PATIENCE_S)
    parent.stdout.close()
    psutil.wait_procs([worker], timeout=PATIENCE_S)
    assert not worker.is_running()
