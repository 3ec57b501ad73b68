"""A person's first day and the next morning, in the real program on a virtual screen with a real model."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end2end.screen import Program, Screen, inet_calls, wait_for

pytestmark = [
    pytest.mark.weights,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Xvfb"),
]


def test_a_day_with_hearth(screen: Screen, qwen_small: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    with Program(screen, data, qwen_small, tmp_path / "day.trace") as hearth:
        hearth.ask("What is the capital of France? Answer in one short sentence.")
        first = wait_for("the first answer", lambda: hearth.answers("complete"))
        assert "Paris" in first[0]

        hearth.key("ctrl+r")
        both = wait_for("the second answer", lambda: found if len(found := hearth.answers("complete")) == 2 else None)
        assert both[1].strip()
        assert len(hearth.query("SELECT DISTINCT parent_id FROM messages WHERE role = 'assistant'")) == 1

        hearth.ask("Write a story of at least five hundred words about a lighthouse keeper.")
        wait_for("a growing answer", lambda: [text for text in hearth.answers("streaming") if len(text) > 20])
        hearth.key("Escape")
        stopped = wait_for("the stopped answer", lambda: hearth.answers("stopped"))
        assert len(stopped[0]) > 20, "what had come is kept"

        hearth.key("ctrl+n")
        hearth.ask("Name one colour of the rainbow.")
        wait_for("the answer in the new chat", lambda: len(hearth.answers("complete")) == 3 or None)
        assert hearth.quit() == 0

    assert not inet_calls(hearth.trace), "nothing leaves the machine"

    with Program(screen, data, qwen_small, tmp_path / "morning.trace") as hearth:
        rows = hearth.query("SELECT title FROM conversations ORDER BY created_at")
        wanted = str(rows[0][0])
        wait_for("yesterday's last chat", lambda: str(rows[1][0])[:12] in hearth.title() or None)
        hearth.key("ctrl+k")
        hearth.type("capital France")
        wait_for("search results", lambda: hearth.key("Down", "Return") or wanted[:12] in hearth.title() or None, 30)
        hearth.screenshot(tmp_path / "morning.png")
        assert hearth.quit() == 0
    assert not inet_calls(hearth.trace)


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_the_watch_on_the_network_sees_a_call(tmp_path: Path) -> None:
    """The control for the two assertions above: a program that does open an Internet socket is caught."""
    trace = tmp_path / "control.trace"
    program = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('127.0.0.1', 9))"
    subprocess.run(
        ["strace", "-f", "--seccomp-bpf", "-e", "trace=network", "-o", trace, sys.executable, "-c", program], check=True
    )
    assert inet_calls(trace)
