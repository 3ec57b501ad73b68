"""The services on the real engine and a real model: follow-ups, titles, a killed worker, a killed program."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from app.events import Streamed
from app.store.types import MessageState
from engine.types import SamplingParams, TextDelta
from engine.worker.client import EngineClient
from tests.process.test_cli_real import HEARTH, PATIENCE_S, environment
from tests.unit.chat_bench import WAIT_S, Bench

pytestmark = pytest.mark.beside

SHORT = SamplingParams(temperature=0.0, max_tokens=8)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path, engine=EngineClient(), titles=True)
    # One thread: two that wait for each other crawl on a busy machine.
    made.services.settings.override("model.n_threads", 1)
    made.services.settings.override("model.n_ctx", 2048)
    yield made
    made.close()


def test_a_follow_up_reads_only_what_is_new(bench: Bench, smollm2: Path) -> None:
    bench.services.models.load(smollm2).result(PATIENCE_S)
    conversation_id = bench.chat.send(None, "Say hello to my cat.", sampling=SHORT).result(WAIT_S)
    first = bench.finished(conversation_id)
    bench.chat.send(conversation_id, "And to my dog.", sampling=SHORT).result(WAIT_S)
    second = bench.finished(conversation_id)
    assert (first.state, second.state) == (MessageState.COMPLETE, MessageState.COMPLETE)
    assert first.usage is not None and second.usage is not None
    assert second.usage.cached_tokens >= first.usage.prompt_tokens
    assert second.usage.prompt_tokens - second.usage.cached_tokens < 40


def test_a_killed_worker_interrupts_the_answer_and_the_next_one_works(bench: Bench, smollm2: Path) -> None:
    bench.services.models.load(smollm2).result(PATIENCE_S)
    conversation_id = bench.chat.send(None, "Write a very long story about a river.").result(WAIT_S)
    bench.events.wait(lambda event: isinstance(event, Streamed) and isinstance(event.event, TextDelta))
    for child in psutil.Process().children():
        if "spawn_main" in " ".join(child.cmdline()):
            child.kill()
    answer = bench.finished(conversation_id)
    assert answer.state is MessageState.INTERRUPTED
    assert answer.text and answer.error
    bench.chat.regenerate(answer.id, sampling=SHORT).result(WAIT_S)
    again = bench.finished(conversation_id)
    assert (again.state, again.siblings) == (MessageState.COMPLETE, 2)


def test_the_model_names_the_chat(bench: Bench, qwen_small: Path) -> None:
    bench.services.models.load(qwen_small).result(PATIENCE_S)
    question = "How do I bake sourdough bread at home?"
    conversation_id = bench.chat.send(None, question, sampling=SHORT).result(WAIT_S)
    bench.finished(conversation_id)

    def title() -> str:
        return bench.store(lambda store: store.conversation(conversation_id)).title

    bench.events.until(lambda: title() != question)
    assert "bread" in title().lower() or "sourdough" in title().lower()
    assert len(title()) <= 60 and "\n" not in title() and '"' not in title()


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
def test_a_killed_program_loses_nothing_it_had_acknowledged(tmp_path: Path, smollm2: Path) -> None:
    models, data = tmp_path / "models", tmp_path / "data"
    models.mkdir()
    data.mkdir()
    (models / smollm2.name).symlink_to(smollm2)
    (data / "settings.toml").write_text("[model]\nn_threads = 1\nn_ctx = 2048\n")
    child = subprocess.Popen(
        [*HEARTH, "--data-dir", str(data), "chat", "--temperature", "0", "Write a very long story about a river."],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(models),
    )  # fmt: skip
    assert child.stdout is not None and child.stderr is not None
    while not _saved(data):
        assert os.read(child.stdout.fileno(), 4096), "the answer ended before it was saved"
    worker = psutil.Process(child.pid).children(recursive=True)
    child.send_signal(signal.SIGKILL)
    child.wait(PATIENCE_S)
    child.stdout.close()
    child.stderr.close()
    _gone, alive = psutil.wait_procs(worker, timeout=PATIENCE_S)
    assert alive == [], "the model's process ends with the program"
    done = subprocess.run(
        [*HEARTH, "--data-dir", str(data), "chat", "--continue", "--max-tokens", "1", "Go on."],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE_S, env=environment(models), check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with closing(sqlite3.connect(data / "conversations.db")) as database:
        rows = list(database.execute("SELECT role, state FROM messages ORDER BY number"))
    assert rows == [("user", "complete"), ("assistant", "interrupted"), ("user", "complete"), ("assistant", "complete")]


def _saved(data: Path) -> bool:
    """Whether some of the answer has reached the database."""
    path = data / "conversations.db"
    if not path.exists():
        return False
    with closing(sqlite3.connect(path)) as database:
        try:
            query = (
                "SELECT count(*) FROM parts JOIN messages ON message_number = messages.number WHERE role = 'assistant'"
            )
            return bool(database.execute(query).fetchone()[0])
        except sqlite3.OperationalError:
            return False  # being created
