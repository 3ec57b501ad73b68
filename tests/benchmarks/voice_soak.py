"""A long conversation by speech, in real time: does it get slower, larger, or lose its place?

Recorded questions, a real model's answers spoken to their end, the loudspeaker heard by the microphone. Without a
model the same answer comes each time, at once, so that voice alone is measured. Memory is that of the processes that
hear, speak and answer; this one, which keeps all that sounded, is counted only where the services are in it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from contextlib import closing
from pathlib import Path

import psutil

from engine.types import SamplingParams
from tests.benchmarks.voice_booth import PATIENCE_S, Booth, load
from tests.benchmarks.voice_latency import Ear, Office, Row, questions
from voice.turn_state import Phase

WARM_S = 120.0
"""Not counted: models page in, caches fill."""
MOST_TOKENS = 40


def measure(model: Path | None, *, minutes: float) -> Row:
    clips = questions()
    latencies: list[tuple[float, float]] = []
    memory: list[tuple[float, float]] = []
    early = false = 0
    with tempfile.TemporaryDirectory() as folder:
        ear, booth, opened = _opened(Path(folder), model)
        with closing(opened):
            booth.listen()
            began_s = time.monotonic()
            n = 0
            while (now_s := time.monotonic() - began_s) < 60 * minutes:
                n_commits, n_phases = len(ear.all("commit")), len(ear.all("phase"))
                end_s = booth.say(clips[n % len(clips)])
                n += 1
                ear.wait("commit", count=n_commits + 1, timeout_s=PATIENCE_S)
                committed_s = ear.last("commit")
                if committed_s > end_s:
                    latencies.append((now_s, 1000 * (booth.first_sound(committed_s - 0.05).at_s - end_s)))
                else:
                    early += 1
                _until_quiet(ear, n_phases)
                false += max(0, len(ear.all("commit")) - n_commits - 1)
                memory.append((time.monotonic() - began_s, _memory(itself=model is not None)))
                if n % 10 == 0:
                    print(f"{now_s:.0f} s: {latencies[-1][1]:.0f} ms, {memory[-1][1]:.0f} MB", flush=True)
    warm = [value for at_s, value in latencies if at_s > min(WARM_S, 30 * minutes)]
    third = max(1, len(warm) // 3)
    kept = [value for at_s, value in memory if at_s > min(WARM_S, 30 * minutes)]
    third_memory = max(1, len(kept) // 3)
    return {
        "what": f"{minutes:.0f} minutes of conversation, {model.stem if model is not None else 'instant model'}",
        "questions": n,
        "median ms, first third": statistics.median(warm[:third]),
        "last third": statistics.median(warm[-third:]),
        "memory MB": kept[0],
        "grew by MB": statistics.median(kept[-third_memory:]) - statistics.median(kept[:third_memory]),
        "ended early": early,
        "more turns than questions": false,
        "notices": len(ear.all("notice")),
        "load": load(),
    }


def _opened(folder: Path, model: Path | None) -> tuple[Ear, Booth, Booth | Office]:
    """Who listens, where, and what to close."""
    if model is None:
        ear = Ear(answers=True)
        booth = Booth(folder, ear, echo=True)
        return ear, booth, booth
    office = Office(folder, model, echo=True, sampling=SamplingParams(temperature=0.0, max_tokens=MOST_TOKENS))
    return office.ear, office.booth, office


def _until_quiet(ear: Ear, n_phases: int) -> None:
    """The answer has been spoken, and it listens again."""
    deadline_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline_s:
        phases = ear.all("phase")[n_phases:]
        if (Phase.SPEAKING,) in phases and phases[-1] == (Phase.LISTENING,):
            return
        time.sleep(0.05)


def _memory(*, itself: bool) -> float:
    """Private megabytes, so that shared libraries and mapped weights count once or not at all."""
    process = psutil.Process()
    total = 0
    for each in (*([process] if itself else []), *process.children(recursive=True)):
        try:
            total += each.memory_full_info().uss
        except psutil.NoSuchProcess:
            continue
    return total / 1e6


if __name__ == "__main__":
    from tests.conftest import QWEN_SMALL, weights_path

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--instant", action="store_true", help="without a model")
    options = parser.parse_args()
    model = None if options.instant else weights_path(QWEN_SMALL)
    print(json.dumps(measure(model, minutes=options.minutes), indent=1))
