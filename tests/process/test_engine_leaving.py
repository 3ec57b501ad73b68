"""How a worker goes: in peace where it has snapshots to write and nothing else to do, at once otherwise."""

from __future__ import annotations

import os
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
from engine.engine import EngineStatus
from engine.fake import fake_model
from engine.types import Finished, FinishReason, ModelSpec, TextDelta
from engine.worker import control
from engine.worker.client import EngineClient
from engine.worker.process import EntryPoint
from engine.worker.protocol import (
    COMMAND_BYTES,
    Cancel,
    Load,
    Loaded,
    Quit,
    Report,
    Submit,
    Taken,
    decode_command,
    encode,
)
from tests.process.engine_asking import PATIENCE_S, Answer, States, ask

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")

FAREWELL = "farewell"


def _pretend(connection: Connection, *, leaves: bool) -> None:
    """A worker that loads anything, begins every answer and ends none, and writes a file when it is told to quit."""
    folder: Path | None = None
    heard: list[str] = []
    while True:
        try:
            command = decode_command(connection.recv_bytes(COMMAND_BYTES))
        except EOFError:
            return
        heard.append(type(command).__name__)
        match command:
            case Load(spec):
                folder = spec.snapshot_folder
                connection.send_bytes(encode(Loaded(fake_model(spec.path)), COMMAND_BYTES))
            case Submit(request):
                connection.send_bytes(encode(Taken(request.request_id), COMMAND_BYTES))
                connection.send_bytes(encode(Report(TextDelta(request.request_id, "Once")), COMMAND_BYTES))
            case Quit(within_s):
                assert folder is not None
                (folder / FAREWELL).write_text(" ".join([*heard, str(0 < within_s < control.LEAVE_S)]))
                if leaves:
                    os._exit(0)
            case Cancel():
                pass  # the answer does not end by that


def leaves(connection: Connection) -> None:
    _pretend(connection, leaves=True)


def stays(connection: Connection) -> None:
    _pretend(connection, leaves=False)


def loads_for_ever(connection: Connection) -> None:
    threading.Event().wait()


class Case:
    """An engine with a scripted worker that keeps snapshots in a folder."""

    def __init__(self, folder: Path, entry_point: EntryPoint) -> None:
        self.engine = EngineClient(entry_point=entry_point)
        self.spec = ModelSpec(Path("pretended.gguf"), snapshot_folder=folder)
        self.farewell = folder / FAREWELL

    def load(self) -> psutil.Process:
        self.engine.load(self.spec).result(PATIENCE_S)
        pid = self.engine.worker_pid
        assert pid is not None
        return psutil.Process(pid)


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    made = Case(tmp_path, leaves)
    yield made
    made.engine.close()


def test_close_lets_the_worker_leave(case: Case) -> None:
    worker = case.load()
    case.engine.close()
    assert case.farewell.read_text().replace("Ping ", "") == "Load Quit True"
    assert not worker.is_running()
    assert case.engine.state.status is EngineStatus.CLOSED


def test_unload_lets_the_worker_leave_and_is_no_crash(case: Case) -> None:
    states = States()
    case.engine.subscribe(states)
    worker = case.load()
    case.engine.unload().result(PATIENCE_S)
    assert case.farewell.exists()
    assert not worker.is_running()
    assert case.engine.state.status is EngineStatus.EMPTY
    assert all(state.status is not EngineStatus.CRASHED for state in states.seen)


def test_another_model_waits_until_the_first_has_left(case: Case) -> None:
    worker = case.load()
    case.engine.load(replace(case.spec, path=Path("another.gguf"))).result(PATIENCE_S)
    assert case.farewell.exists()
    assert not worker.is_running()
    model = case.engine.state.model
    assert model is not None
    assert model.name == "another"


def test_a_worker_that_stays_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "LEAVE_S", 0.3)
    case = Case(tmp_path, stays)
    worker = case.load()
    begun = time.monotonic()
    case.engine.close()
    assert time.monotonic() - begun >= 0.3
    assert case.farewell.exists()
    assert not worker.is_running()


def test_a_worker_that_stands_still_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "LEAVE_S", 0.3)
    case = Case(tmp_path, leaves)
    worker = case.load()
    worker.suspend()
    case.engine.close()
    assert not case.farewell.exists()
    assert not worker.is_running()


def test_with_an_open_request_it_is_killed(case: Case) -> None:
    case.load()
    got = Answer()
    case.engine.submit(ask("Hello"), CancelToken(), got)
    got.wait_for(TextDelta)
    case.engine.close()
    assert got.end() == Finished("r", FinishReason.CANCELLED)
    assert not case.farewell.exists()


def test_a_cancelled_request_does_not_count(case: Case) -> None:
    case.load()
    cancel, got = CancelToken(), Answer()
    case.engine.submit(ask("Hello"), cancel, got)
    got.wait_for(TextDelta)
    cancel.cancel()
    case.engine.close()
    assert got.end() == Finished("r", FinishReason.CANCELLED)
    # Whether it still lives is asked at any time.
    heard = [each for each in case.farewell.read_text().split() if each != "Ping"]
    assert heard[:2] == ["Load", "Submit"]
    assert "Cancel" in heard[2:]


def test_force_stop_is_a_kill(case: Case) -> None:
    case.load()
    states = States()
    case.engine.subscribe(states)
    case.engine.force_stop()
    states.wait_for(lambda state: state.status is EngineStatus.READY)
    assert not case.farewell.exists()


def test_without_snapshots_it_is_killed(case: Case) -> None:
    case.spec = replace(case.spec, snapshot_folder=None)
    case.load()
    case.engine.close()
    assert not case.farewell.exists()


def test_while_loading_it_is_killed(tmp_path: Path) -> None:
    case = Case(tmp_path, loads_for_ever)
    loading = case.engine.load(case.spec)
    case.engine.close()
    assert loading.exception(PATIENCE_S) is not None
    assert not case.farewell.exists()
