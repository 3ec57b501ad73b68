"""A trial's folder goes with it, or at the next start; nobody takes one away that is used."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.trial_folder import LOCK, PREFIX, TrialFolder, sweep_trials

LEFT = """
import sys, tempfile
tempfile.tempdir = sys.argv[1]
from app.trial_folder import TrialFolder
folder = TrialFolder()
(folder.path / "trial.db").write_text("words")
print(folder.path, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_a_folder_in_use_stays_and_goes_with_its_trial(place: Path) -> None:
    folder = TrialFolder()
    assert folder.path.parent == place
    assert sweep_trials() == 0
    assert folder.path.is_dir()
    folder.close()
    assert not folder.path.exists()


def test_what_a_killed_program_left_is_swept(place: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", LEFT, str(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None and child.stdin is not None
    left = Path(child.stdout.readline().strip())
    assert sweep_trials() == 0, "it is in use"
    child.kill()
    child.wait()
    child.stdin.close()
    child.stdout.close()
    assert (left / "trial.db").exists()
    assert sweep_trials() == 1
    assert not left.exists()


def test_a_folder_that_is_just_being_made_stays(place: Path) -> None:
    made = place / f"{PREFIX}new"
    made.mkdir()
    assert sweep_trials() == 0
    os.utime(made, (0, 0))
    assert sweep_trials() == 1


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_link_is_not_followed(place: Path) -> None:
    others = place / "others"
    others.mkdir()
    (others / LOCK).touch()
    (place / f"{PREFIX}link").symlink_to(others)
    (place / f"{PREFIX}file").write_text("no folder")
    assert sweep_trials() == 0
    assert others.is_dir()
