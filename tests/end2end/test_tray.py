"""The icon beside the clock and the notification portal, on a real session bus with a desktop that answers."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from tests.end2end.screen import ROOT, Screen

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.skipif(shutil.which("dbus-run-session") is None, reason="needs a session bus"),
]


def test_a_desktop_is_told_of_the_icon_and_of_finished_work(screen: Screen) -> None:
    done = subprocess.run(
        ["dbus-run-session", "--", sys.executable, "-m", "tests.end2end.tray_child"],
        cwd=ROOT, env=screen.environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert "shown True runs on True" in done.stdout, done.stderr
    assert "icon " in done.stdout
    assert "line|hearth-done|Hearth|An answer is ready." in done.stdout
