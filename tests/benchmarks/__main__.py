"""`make bench`: every measurement, as tables on the terminal and as JSON.

python -m tests.benchmarks [--out FOLDER] [--rounds N] [--only generation,switching,...] [--turns N] [--threads N]
                           [--scale SHARE] [--minutes N]
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
MINUTES = "HEARTH_BENCH_MINUTES"
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


def persona_switch(rounds: int) -> Rows:
    """Another persona for the same question, back and forth: what is read of a prefix of 1,000 tokens."""
    from tests.benchmarks.persona_switch import measure

    return [row for name in (QWEN_SMALL, STARTER) for row in measure(weights_path(name), rounds=min(rounds, 3))]


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


def library_reading(_rounds: int) -> Rows:
    """10,000 pages of PDF files, until they are found by words and by meaning."""
    from tests.benchmarks.library import PAGES, reading

    with tempfile.TemporaryDirectory() as folder:
        return reading(Path(folder), _scaled(PAGES))


def library_rescan(_rounds: int) -> Rows:
    """100,000 unchanged files, looked at again."""
    from tests.benchmarks.library import FILES, rescan

    with tempfile.TemporaryDirectory() as folder:
        return rescan(Path(folder), _scaled(FILES))


def library_asking(_rounds: int) -> Rows:
    """Questions to 100,000 passages, and what they take on the disk."""
    from tests.benchmarks.library import CHUNKS, asking

    with tempfile.TemporaryDirectory() as folder:
        return asking(Path(folder), _scaled(CHUNKS))


def library_exact(_rounds: int) -> Rows:
    """The nearest of a million vectors."""
    from tests.benchmarks.library import VECTORS, exact

    return exact(_scaled(VECTORS))


def _scaled(full: int) -> int:
    return int(full * float(os.environ.get(SCALE, "1")))


def voice_latency(rounds: int) -> Rows:
    """From the end of a spoken question to the first sample of its answer, beside a naive loop; real time."""
    from tests.benchmarks.voice_latency import measure

    return measure(weights_path(QWEN_SMALL), rounds=min(rounds, 3))


def voice_barge_in(_rounds: int) -> Rows:
    """Interrupting a spoken answer: silence, the end of the model, words that were lost; real time."""
    from tests.benchmarks.voice_barge_in import measure

    return [measure(weights_path(QWEN_SMALL))]


def voice_waiting(rounds: int) -> Rows:
    """What it costs to listen, hands-free, while nobody speaks."""
    from tests.benchmarks.voice_waiting import measure

    return [measure(20.0) for _ in range(min(rounds, 3))]


def voice_soak(_rounds: int) -> Rows:
    """A long conversation by speech: latency, memory, false turns; real time."""
    from tests.benchmarks.voice_soak import measure

    return [measure(weights_path(QWEN_SMALL), minutes=float(os.environ.get(MINUTES, "60")))]


def voice_window(_rounds: int) -> Rows:
    """The window's event loop while an answer is spoken, on a screen of its own; real time."""
    screen = Screen()
    try:
        with tempfile.TemporaryDirectory() as folder:
            output = subprocess.run(
                [sys.executable, "-m", "tests.benchmarks.voice_window", weights_path(QWEN_SMALL), folder],
                env=screen.environment, check=True, capture_output=True, text=True, timeout=600,
            ).stdout  # fmt: skip
    finally:
        screen.close()
    return [json.loads(output.splitlines()[-1])]


def api(rounds: int) -> Rows:
    """The local API by OpenAI's client, against the engine and llama-server."""
    from tests.benchmarks.api import measure

    return measure(weights_path(QWEN_SMALL), rounds=rounds)


def api_leaving(_rounds: int) -> Rows:
    """1,000 mixed requests to the local API, a tenth of whose senders leave: what they leave behind."""
    from tests.benchmarks.api import REQUESTS, left_behind

    return left_behind(weights_path(SMOLLM2), _scaled(REQUESTS))


PARTS: dict[str, Callable[[int], Rows]] = {
    "generation": generation,
    "follow_up": follow_up,
    "switching": switching,
    "shared_prefix": shared_prefix,
    "persona_switch": persona_switch,
    "lookup": lookup,
    "many": many,
    "long_conversation": long_conversation,
    "embedding": embedding,
    "library_reading": library_reading,
    "library_rescan": library_rescan,
    "library_asking": library_asking,
    "library_exact": library_exact,
    "voice_latency": voice_latency,
    "voice_barge_in": voice_barge_in,
    "voice_waiting": voice_waiting,
    "voice_window": voice_window,
    "voice_soak": voice_soak,
    "api": api,
    "api_leaving": api_leaving,
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
    parser.add_argument("--minutes", type=float, help="of the long conversation by speech")
    parser.add_argument("--threads", type=int, help="of all sides; as many as there are cores, by itself")
    arguments = parser.parse_args()
    if arguments.threads is not None:
        os.environ[THREADS] = str(arguments.threads)
    if arguments.turns is not None:
        os.environ[TURNS] = str(arguments.turns)
    if arguments.scale is not None:
        os.environ[SCALE] = str(arguments.scale)
    if arguments.minutes is not None:
        os.environ[MINUTES] = str(arguments.minutes)
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
