"""`make bench`: every measurement, as tables on the terminal and as JSON.

python -m tests.benchmarks [--out FOLDER] [--rounds N] [--only generation,switching,...] [--turns N] [--threads N]
                           [--scale SHARE]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from tests.benchmarks.asking import THREADS
from tests.conftest import QWEN_SMALL, SMOLLM2, STARTER, weights_path
from tests.end2end.screen import Screen

Rows = list[dict[str, object]]
TURNS = "HEARTH_BENCH_TURNS"
SCALE = "HEARTH_BENCH_SCALE"
MODELS = (SMOLLM2, QWEN_SMALL, STARTER)


def generation(rounds: int) -> Rows:
    """Prefill and decode against llama-bench, in tokens a second."""
    from tests.benchmarks.generation import run

    return run([weights_path(name) for name in MODELS], rounds=rounds)


def follow_up(rounds: int) -> Rows:
    """The first token of a follow-up against a whole prefill, and the worker's memory."""
    from tests.benchmarks.follow_up import measure

    return [asdict(measure(weights_path(name), rounds=rounds)) for name in MODELS]


def window(rounds: int) -> Rows:
    """From the start of the process to the window, to the first token of the starter's first answer; memory."""
    screen = Screen()
    try:
        runs = [_start(screen) for _ in range(rounds + 1)][1:]  # the first one warms the disk
    finally:
        screen.close()
    return [{"model": Path(STARTER).stem, **{key: statistics.median(run[key] for run in runs) for key in runs[0]}}]


def _start(screen: Screen) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as data:
        output = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.start_probe", weights_path(STARTER), data],
            env={**screen.environment, "HEARTH_BENCH_BEGAN": str(time.time())}, check=True, capture_output=True,
            text=True, timeout=120,
        ).stdout  # fmt: skip
    marks: dict[str, float] = json.loads(output.splitlines()[-1])
    return marks


def transcript(rounds: int) -> Rows:
    """The window's thread while 100 tokens a second stream in, and opening a long conversation (one run)."""
    output = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.stream_probe"],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"}, check=True, capture_output=True, text=True, timeout=300,
    ).stdout  # fmt: skip
    report: dict[str, object] = json.loads(output)
    rows: Rows = []
    for name, value in report.items():
        if isinstance(value, dict):
            rows += [{"what": f"{name}.{key}", "value": inner} for key, inner in value.items()]
        else:
            rows.append({"what": name, "value": value})
    return rows


def switching(rounds: int) -> Rows:
    """Back to a conversation of 4,000 tokens: its first token as a share of a whole prefill, beside llama-server."""
    from tests.benchmarks.switching import measure

    return [row for name in (QWEN_SMALL, STARTER) for row in measure(weights_path(name), rounds=min(rounds, 3))]


def shared_prefix(rounds: int) -> Rows:
    """A second chat with the same persona of 2,000 tokens: what is read of its prompt is its own tail."""
    from tests.benchmarks.shared_prefix import measure

    return [row for name in MODELS for row in measure(weights_path(name), rounds=min(rounds, 3))]


def lookup(rounds: int) -> Rows:
    """Guessing ahead, on answers that quote and on prose, against llama-server; as the app samples, and greedy."""
    from tests.benchmarks.lookup import measure

    return [row for name in (QWEN_SMALL, STARTER) for row in measure(weights_path(name), rounds=rounds)]


def many(rounds: int) -> Rows:
    """Samples of one prompt in one batch, against one after another and against the bare loop."""
    from tests.benchmarks.many import measure, measure_requantised

    few = min(rounds, 3)
    rows = [row for name in (SMOLLM2, QWEN_SMALL) for row in measure(weights_path(name), rounds=few)]
    return rows + measure_requantised(weights_path(QWEN_SMALL), rounds=few)


def long_conversation(_rounds: int) -> Rows:
    """A thousand turns through a window of 4,096 tokens, through the chat service and the store."""
    from tests.benchmarks.long_conversation import measure

    return measure(weights_path(SMOLLM2), turns=int(os.environ.get(TURNS, "1000")))


def embedding(rounds: int) -> Rows:
    """Passages a second against sentence-transformers on torch and against onnxruntime alone; a question's time."""
    from tests.benchmarks.embedding import measure

    return measure(rounds=rounds)


def library(_rounds: int) -> Rows:
    """10,000 pages read, 100,000 files looked at again, 100,000 passages asked, a million vectors; with the limits."""
    from tests.benchmarks.library import measure

    return measure(scale=float(os.environ.get(SCALE, "1")))


PARTS: dict[str, Callable[[int], Rows]] = {
    "generation": generation,
    "follow_up": follow_up,
    "switching": switching,
    "shared_prefix": shared_prefix,
    "lookup": lookup,
    "many": many,
    "long_conversation": long_conversation,
    "embedding": embedding,
    "library": library,
    "window": window,
    "transcript": transcript,
}


def show(rows: Sequence[dict[str, object]]) -> None:
    """A plain table."""
    columns = list(rows[0])
    texts = [[_text(row[column]) for column in columns] for row in rows]
    widths = [max(len(column), *(len(line[i]) for line in texts)) for i, column in enumerate(columns)]
    for line in (columns, *texts):
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)))


def _text(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--turns", type=int, help="of the long conversation")
    parser.add_argument("--scale", type=float, help="of the library: 0.01 is 100 pages and 1,000 passages")
    parser.add_argument("--threads", type=int, help="of all sides; as many as there are cores, by itself")
    arguments = parser.parse_args()
    if arguments.threads is not None:
        os.environ[THREADS] = str(arguments.threads)
    if arguments.turns is not None:
        os.environ[TURNS] = str(arguments.turns)
    if arguments.scale is not None:
        os.environ[SCALE] = str(arguments.scale)
    results: dict[str, object] = {"machine": f"{os.cpu_count()} cores, {platform.platform()}"}
    for name in arguments.only.split(","):
        print(f"\n{name}: {PARTS[name].__doc__}")
        rows = PARTS[name](arguments.rounds)
        show(rows)
        results[name] = rows
    if arguments.out is not None:
        arguments.out.mkdir(parents=True, exist_ok=True)
        (arguments.out / "bench.json").write_text(json.dumps(results, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
