"""A thousand turns through a window of 4,096 tokens: what fails, what is lost, what is not named, what grows.

The chat service on the real store and the real engine, with the smallest model and short answers.
"""

from __future__ import annotations

import gc
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from app.events import ChatEvent, MessageAdded, MessageFinished, Streamed
from app.services import Services
from app.settings import Settings
from app.store.types import MessageState
from engine.pages import PageState
from engine.types import SamplingParams, Started
from engine.worker.client import EngineClient
from tests.benchmarks.asking import wished_threads
from tests.unit.chat_bench import disposable_paths, nowhere

TURNS = 1000
N_CTX = 4096
ANSWER = SamplingParams(temperature=0.7, seed=1, max_tokens=12)
SETTLED = 0.3
"""Memory is compared from this share of the turns on: the window has been full for a while, every buffer is touched."""
LOAD_S, ANSWER_S = 120.0, 120.0
MB = 1e6


@dataclass(slots=True)
class Heard:
    """What the chat published, counted as it came; nothing is kept that would look like a leak."""

    messages: list[str] = field(default_factory=list)
    failed: int = 0
    answers: int = 0
    full_windows: int = 0
    unnamed: int = 0
    not_as_pages: int = 0

    def __call__(self, event: ChatEvent) -> None:
        if isinstance(event, MessageAdded):
            self.messages.append(event.message.id)
        elif isinstance(event, MessageFinished):
            self.answers += 1
            self.failed += event.message.state is not MessageState.COMPLETE
        elif isinstance(event, Streamed) and isinstance(event.event, Started):
            self._started(event.event)

    def _started(self, started: Started) -> None:
        """Every message but the new answer must be in the window, or be named among those left out, with its pages."""
        inside = {page.message_id for page in started.pages if page.state is not PageState.OUT}
        outside = {page.message_id for page in started.pages if page.state is PageState.OUT}
        known = set(self.messages[:-1])
        dropped = set(started.dropped)
        self.full_windows += bool(dropped)
        self.unnamed += len(known - inside - dropped)
        self.not_as_pages += len(dropped - outside)


class Talk:
    """The services, a conversation and its two processes. Use as a context manager."""

    def __init__(self, folder: Path, model: Path) -> None:
        self.heard = Heard()
        settings = Settings.load(disposable_paths(folder).settings_file)
        settings.override("chat.automatic_titles", False)
        settings.override("chat.overflow", "drop_oldest")
        settings.override("model.n_ctx", N_CTX)
        settings.override("model.n_threads", wished_threads())
        self._engine = EngineClient()
        self._services = Services.open(
            disposable_paths(folder), publish=self.heard, engine=self._engine, settings=settings, places=nowhere(folder)
        )
        self._services.models.load(model).result(LOAD_S)
        self._conversation: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._services.close()

    def turn(self, number: int) -> None:
        chat = self._services.chat
        text = f"Turn {number}: name one thing that begins with the letter {chr(97 + number % 26)}."
        self._conversation = chat.send(self._conversation, text, sampling=ANSWER).result(ANSWER_S)
        if not chat.wait_until_idle(ANSWER_S):
            raise RuntimeError(f"turn {number} does not end")

    def stored(self) -> int:
        """Messages of the conversation in the store."""
        assert self._conversation is not None
        conversation_id = self._conversation
        return len(self._services.store_call(lambda store: store.path(conversation_id)).result(ANSWER_S))

    def memory(self) -> tuple[float, float]:
        """Bytes that only the parent and only the worker hold."""
        gc.collect()
        assert self._engine.worker_pid is not None
        parent, worker = psutil.Process(), psutil.Process(self._engine.worker_pid)
        return parent.memory_full_info().uss, worker.memory_full_info().uss


def measure(path: Path, *, turns: int = TURNS) -> list[dict[str, object]]:
    """One row."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, Talk(Path(folder), path) as talk:
        before = (0.0, 0.0)
        for number in range(turns):
            if number == int(turns * SETTLED):
                before = talk.memory()
            talk.turn(number)
        after = talk.memory()
        lost = 2 * turns - talk.stored()
        heard = talk.heard
    return [
        {
            "model": path.stem,
            "turns": turns,
            "failed": heard.failed + turns - heard.answers,
            "lost": lost,
            "with_dropped": heard.full_windows,
            "unnamed": heard.unnamed,
            "without_page": heard.not_as_pages,
            "parent_grew_mb": (after[0] - before[0]) / MB,
            "worker_grew_mb": (after[1] - before[1]) / MB,
            "minutes": (time.perf_counter() - began) / 60,
        }
    ]
