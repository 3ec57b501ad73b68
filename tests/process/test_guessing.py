"""Draft models and exact batches, with real weights in a process of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any


def child(what: str, first: Path | str, second: Path | str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.process.guessing_child", what, str(first), str(second)]
    # As in the worker: threads that spin stand in each other's way on a busy machine.
    environment = os.environ | {"GOMP_SPINCOUNT": "1000"}
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300, env=environment)
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def test_where_each_row_is_computed_by_itself_guesses_change_no_bit(smollm2: Path) -> None:
    report = child("exact", smollm2, "q8_0")
    assert report["exact"] == report["largest"]
    assert report["same_tokens"]
    assert report["same_bits"]
    assert report["interrupted"] is None
    assert report["cells_left"] == -1, "nothing is left behind in the sequence"


def test_where_a_batch_is_rounded_otherwise_it_is_noticed(smollm2: Path) -> None:
    # The control: here a single token's attention takes another path, and no batch may be called exact.
    report = child("exact", smollm2, "f16")
    assert report["exact"] == 1
    assert not report["same_bits"]


def test_a_small_model_of_the_family_guesses(starter: Path, qwen_small: Path) -> None:
    report = child("draft", starter, qwen_small)
    assert report["text"].startswith(" four one two")
    assert report["repeated"], "a draft leaves the model where it was"
    assert report["counted"] == " 8,"
    assert report["late"] == 40, "behind its window it goes on with the end of the text"
    assert report["nothing"] == []
    assert report["beside"] == " blue red", "another answer takes a turn"
    assert report["debt_ms"] > report["paid_ms"] == 0
    assert report["cost_ms"] > 0


def test_a_model_of_another_family_is_refused(qwen_small: Path, smollm2: Path) -> None:
    report = child("refuse", qwen_small, smollm2)
    assert "same family" in report["refused"]
    assert smollm2.name in report["refused"]
