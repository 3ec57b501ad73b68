"""The real program from its front door: it comes up, answers a second start, and ends politely without a word."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.ui.single_instance import hand_over

START_MS = 30_000


def start(data: Path) -> subprocess.Popen[str]:
    environment = dict(os.environ, QT_QPA_PLATFORM="offscreen", HEARTH_MODELS_DIR=str(data / "models"), HOME=str(data))
    return subprocess.Popen(
        [sys.executable, "-m", "app", "--data-dir", str(data)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no polite kill")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_polite_kill_ends_the_program_cleanly(qtbot: QtBot, tmp_path: Path, number: signal.Signals) -> None:
    first = start(tmp_path)
    qtbot.waitUntil(lambda: first.poll() is not None or hand_over(tmp_path, []), timeout=START_MS)
    assert first.poll() is None
    second = start(tmp_path)
    second.communicate(timeout=START_MS / 1000)
    assert second.returncode == 0
    assert first.poll() is None
    first.send_signal(number)
    _out, errors = first.communicate(timeout=START_MS / 1000)
    assert first.returncode == 0
    noise = [line for line in errors.splitlines() if "This plugin does not support" not in line]
    assert noise == []
    assert not hand_over(tmp_path, [])
