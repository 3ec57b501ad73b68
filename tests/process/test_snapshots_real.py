"""Real KV states on the shelf: another process goes on from one as if it had read the prompt itself."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.cancel import CancelToken
from engine.types import ModelSpec
from engine.worker.client import EngineClient
from tests.process.engine_asking import PATIENCE_S, Answer, ask

N_TOKENS = 600


def child(what: str, model: Path, folder: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.process.snapshot_child", what, str(model), str(folder), str(N_TOKENS)],
        capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "snapshots"


def test_the_logits_after_a_restart_are_those_of_before(smollm2: Path, folder: Path) -> None:
    before, after = child("save", smollm2, folder), child("load", smollm2, folder)
    # 30 layers, keys and values, 3 heads of 64 numbers of 2 bytes, and a little for the positions
    least = 30 * 2 * 3 * 64 * 2 * N_TOKENS
    assert least < before["state_bytes"] < 1.02 * least
    assert after["state"] == before["state"]
    assert before["distinct"] > 100, "there are logits"
    assert after["logits"] == before["logits"]
    assert after["entries"] == 1


def test_a_damaged_state_never_reaches_the_model(smollm2: Path, folder: Path) -> None:
    child("save", smollm2, folder)
    (path,) = folder.iterdir()
    with path.open("r+b") as file:
        file.seek(-1000, 2)
        byte = file.read(1)[0]
        file.seek(-1000, 2)
        file.write(bytes([byte ^ 1]))
    with pytest.raises(AssertionError, match="assert state is not None"):
        child("load", smollm2, folder)
    assert list(folder.iterdir()) == []


def test_tomorrow_the_conversation_goes_on_from_the_disk(smollm2: Path, folder: Path) -> None:
    spec = ModelSpec(smollm2, n_ctx=1024, snapshot_folder=folder)
    request = replace(ask("Tell me of the sea. " * 80, max_tokens=4), cache_key="conversation")
    answers = []
    for _ in range(2):
        engine, got = EngineClient(), Answer()
        engine.load(spec).result(PATIENCE_S)
        engine.submit(request, CancelToken(), got)
        got.end()
        answers.append(got)
        engine.close()
    today, tomorrow = answers
    assert today.started.cached_tokens == today.usage.restored_tokens == 0
    assert tomorrow.started.cached_tokens == today.started.prompt_tokens - 1
    assert tomorrow.usage.restored_tokens == tomorrow.started.cached_tokens
    assert tomorrow.text == today.text

    engine = EngineClient()
    engine.load(spec).result(PATIENCE_S)
    engine.forget("conversation")
    engine.close()
    assert list(folder.iterdir()) == []
