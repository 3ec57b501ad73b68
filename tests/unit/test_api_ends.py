"""Ends of the API's parts that come at an odd moment: nothing hangs, and nothing stays in memory."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from starlette.applications import Starlette

from app.api.embedding import LIGHT_NAME, ServedEmbedder
from app.api.faults import BusyError
from app.api.server import Server
from rag.embedding.embedder import Vectors
from tests.unit.api_bench import PATIENCE_S


def test_a_server_that_is_stopped_before_it_runs_ends() -> None:
    server = Server(0)
    server.stop()
    thread = threading.Thread(target=server.run, args=(Starlette(),), name="api")
    thread.start()
    thread.join(2)
    ended = not thread.is_alive()
    server.stop()
    thread.join(PATIENCE_S)
    assert ended


@pytest.mark.parametrize("times", [1, 2])
def test_an_impatient_end_is_an_orderly_one(times: int) -> None:
    ends: list[str] = []

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        ends.append("orderly")

    server = Server(0)

    def interrupt() -> None:
        for _ in range(times):
            assert server._uvicorn is not None
            server._uvicorn.handle_exit(signal.SIGINT, None)

    thread = threading.Thread(target=server.run, args=(Starlette(lifespan=lifespan), interrupt), name="api")
    thread.start()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
    assert ends == ["orderly"]


class GatedEmbedder:
    """Waits in its first texts."""

    model_id = "gated"
    dimensions = 2
    max_tokens = 256

    def __init__(self) -> None:
        self.begun, self.gate = threading.Event(), threading.Event()
        self.calls = 0
        self.closed = False

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        self.calls += 1
        self.begun.set()
        assert self.gate.wait(PATIENCE_S)
        return np.ones((len(texts), 2), np.float32)

    def embed_question(self, text: str) -> Vectors:
        raise NotImplementedError

    def count_pieces(self, texts: Sequence[str]) -> list[int]:
        return [1] * len(texts)

    def close(self) -> None:
        self.closed = True


def closing_soon(served: ServedEmbedder) -> threading.Thread:
    """A thread that closes it, and has begun to."""
    thread = threading.Thread(target=served.close)
    thread.start()
    time.sleep(0.05)
    return thread


@pytest.fixture
def served(tmp_path: Path) -> ServedEmbedder:
    return ServedEmbedder("", tmp_path)


Load = Callable[[str, Path], GatedEmbedder]


def given(monkeypatch: pytest.MonkeyPatch, load: Load) -> None:
    monkeypatch.setattr("rag.opening.load_embedder", load)


def test_an_embedder_that_is_closed_stops_after_the_texts_at_hand(
    served: ServedEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = GatedEmbedder()
    given(monkeypatch, lambda _choice, _folder: made)
    under_way, behind = (served.embed(LIGHT_NAME, ["x"] * 200) for _ in range(2))
    assert made.begun.wait(PATIENCE_S)
    thread = closing_soon(served)
    made.gate.set()
    thread.join(PATIENCE_S)
    for future in (under_way, behind):
        with pytest.raises(BusyError):
            future.result(PATIENCE_S)
    assert (made.calls, made.closed) == (1, True)


def test_an_embedder_that_is_being_loaded_is_freed(served: ServedEmbedder, monkeypatch: pytest.MonkeyPatch) -> None:
    made = GatedEmbedder()

    def load(_choice: str, _folder: Path) -> GatedEmbedder:
        made.begun.set()
        assert made.gate.wait(PATIENCE_S)
        return made

    given(monkeypatch, load)
    future = served.embed(LIGHT_NAME, ["x"])
    assert made.begun.wait(PATIENCE_S)
    thread = closing_soon(served)
    made.gate.set()
    thread.join(PATIENCE_S)
    with pytest.raises(BusyError):
        future.result(PATIENCE_S)
    assert made.closed
