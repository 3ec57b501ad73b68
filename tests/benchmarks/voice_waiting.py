"""What it costs to wait, hands-free, until somebody speaks: the voice process and the one that hears, in real time."""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from pathlib import Path

import psutil

from tests.benchmarks.voice_booth import Booth, load
from tests.process.conversation import Companion

SETTLES_S = 4.0
"""Models are loaded, and the canceller has stopped looking for an echo."""


def measure(seconds: float) -> dict[str, object]:
    """Percent of one core, for so long."""
    with tempfile.TemporaryDirectory() as folder:
        booth = Booth(Path(folder), Companion())
        try:
            booth.listen()
            threading.Event().wait(SETTLES_S)
            processes = booth.processes()
            before, began_s = [_spent_s(process) for process in processes], time.monotonic()
            threading.Event().wait(seconds)
            after, lasted_s = [_spent_s(process) for process in processes], time.monotonic() - began_s
        finally:
            booth.close()
    shares = [100 * (end - start) / lasted_s for start, end in zip(before, after, strict=True)]
    return {
        "what": "waiting hands-free, % of a core",
        "voice process": shares[0],
        "speech process": sum(shares[1:]),
        "all": sum(shares),
        "load": load(),
    }


def _spent_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    print(measure(parser.parse_args().seconds))
