"""Keys from everywhere, on a real X server: they arrive, locks do not matter, and a second program is told."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end2end.screen import ROOT, Program, Screen, wait_for

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Xvfb"),
]


class Wanting:
    """A program of its own that wants the keys."""

    def __init__(self, screen: Screen) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.end2end.global_keys_child"],
            cwd=ROOT, env=screen.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.said = self.line()

    def line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def order(self, words: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(words + "\n")
        self._process.stdin.flush()

    def close(self) -> None:
        self._process.kill()
        self._process.communicate(timeout=10)


@pytest.fixture
def wanting(screen: Screen) -> Iterator[Wanting]:
    made = Wanting(screen)
    yield made
    made.close()


def test_the_keys_arrive_whoever_has_the_keyboard(screen: Screen, wanting: Wanting) -> None:
    assert wanting.said == "held"
    screen.xdotool("key", "ctrl+alt+space")
    assert wanting.line() == "pressed"
    for lock in ("Caps_Lock", "Num_Lock"):
        screen.xdotool("key", lock)
        screen.xdotool("key", "ctrl+alt+space")
        assert wanting.line() == "pressed", lock
    screen.xdotool("key", "ctrl+space", "alt+space")
    second = Wanting(screen)
    assert second.said == "Another program has these keys already. Choose others."
    second.close()
    wanting.order("release")
    assert wanting.line() == "released", "and no other keys were told"
    third = Wanting(screen)
    assert third.said == "held"
    third.close()


@pytest.mark.weights
def test_a_quick_question_from_anywhere(screen: Screen, smollm2: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "settings.toml").write_text(
        '[desktop]\nquick_ask = true\n[chat]\nautomatic_titles = false\nsystem_prompt = "Answer briefly."\n'
        "max_tokens = 24\n"
    )
    with Program(screen, data, smollm2, tmp_path / "quick.trace") as hearth:

        def quick_window() -> str:
            screen.xdotool("key", "ctrl+alt+space")
            return screen.xdotool("search", "--onlyvisible", "--name", "Quick question")

        quick = wait_for("the small window", quick_window)
        wait_for("its keyboard", lambda: screen.xdotool("getactivewindow") == quick or None)
        hearth.type("Name a colour.")
        screen.xdotool("key", "Return")
        answer = wait_for("the answer", lambda: hearth.answers("complete"))
        assert answer[0].strip()
        if folder := os.environ.get("HEARTH_SHOTS"):
            hearth.screenshot(Path(folder) / "quick-on-screen.png")
        screen.xdotool("key", "ctrl+Return")
        wait_for("the chat in the window", lambda: "Name a colour" in hearth.title() or None)
        assert hearth.quit() == 0
