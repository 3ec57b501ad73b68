"""`hearth --self-test` as a program, with a real model; the same that a built program runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.beside


def test_every_part_works_here(smollm2: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "HOME": str(tmp_path), "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-m", "app", "--data-dir", str(tmp_path), "--json", "--self-test", "--model", str(smollm2)],
        capture_output=True, text=True, env=environment, timeout=240, check=False,
    )  # fmt: skip
    lines = {line["check"]: line for line in map(json.loads, done.stdout.splitlines())}
    # A machine without a sound card, or without PortAudio, says so; the rest must work.
    failed = {name: line["detail"] for name, line in lines.items() if line["state"] != "ok" and name != "sound devices"}
    assert failed == {}
    assert list(lines)[-1] == "speech" and "SmolLM2" in lines["model"]["detail"]
    assert done.returncode == (0 if lines["sound devices"]["state"] == "ok" else 1)


def test_a_file_that_is_no_model_fails(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF and nothing more")
    code = (
        "import sys; from app import self_test; from app.command_line import parse; "
        "kept = self_test.checks; self_test.checks = lambda *given: [c for c in kept(*given) if c.name == 'model']; "
        "sys.exit(self_test.self_test(*parse(sys.argv[1:])))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "--data-dir", str(tmp_path), "--self-test", "--model", str(broken)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout.startswith("failed  model")
