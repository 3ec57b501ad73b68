"""A client's program, run to its end. Knows no client."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

PATIENCE_S = 900.0


def output_of(command: Sequence[str | Path], *, folder: Path, stdin: str = "", **more: str) -> str:
    """What it prints. Nothing is fetched: hubs are told to be offline. Raises `AssertionError` where it fails."""
    offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": str(folder / "hub"), "NO_COLOR": "1"}
    done = subprocess.run(
        [str(part) for part in command],
        input=stdin,
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=PATIENCE_S,
        env={**os.environ, **offline, **more},
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-12000:]}\n{done.stderr[-12000:]}"
    return done.stdout
