"""N samples of one prompt in one batch: tokens a second against one after another, and against the bare batched loop.

All sides write the same number of tokens for the same prompt with the same sampling; its prefill is not counted.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from engine.engine import Engine
from engine.types import ModelSpec, SamplingParams
from engine.worker.client import EngineClient
from tests.benchmarks import many_bare
from tests.benchmarks.asking import ask, ask_many, never_end, system, threads, user

N_CTX = 2048
TOKENS = 48
COUNTS = (8, 16)
QUESTION = (system(), user("Tell me of a day in a small harbour, in your own words."))
REQUANTISED = {"Q4_0": 2, "Q8_0": 7}
"""llama.cpp's file types that batch otherwise than the files that come with it: see `llama_ftype`."""


@dataclass(frozen=True, slots=True)
class Round:
    """Tokens a second of the three sides, one after the other."""

    batched: float
    one_by_one: float
    bare: float


def measure(path: Path, *, rounds: int, label: str = "") -> list[dict[str, object]]:
    """A row for each number of samples."""
    engine = EngineClient()
    sampling = SamplingParams(seed=1, max_tokens=TOKENS, logit_bias=never_end(path))
    rows: list[dict[str, object]] = []
    try:
        engine.load(ModelSpec(path, n_ctx=N_CTX, n_threads=threads(), n_gpu_layers=0)).result(120)
        ask(engine, QUESTION, sampling)  # the prompt is read, and everything is warm
        for n in COUNTS:
            made = [
                Round(
                    ask_many(engine, QUESTION, sampling, n), _one_by_one(engine, sampling, n), _bare(path, sampling, n)
                )
                for _ in range(rounds)
            ]
            rows.append(
                {
                    "model": label or path.stem,
                    "n": n,
                    "batched": statistics.median(each.batched for each in made),
                    "one_by_one": statistics.median(each.one_by_one for each in made),
                    "bare": statistics.median(each.bare for each in made),
                    "gain": statistics.median(each.batched / each.one_by_one for each in made),
                    "of_bare": statistics.median(each.batched / each.bare for each in made),
                }
            )
    finally:
        engine.close()
    return rows


def _one_by_one(engine: Engine, sampling: SamplingParams, n: int) -> float:
    answers = [ask(engine, QUESTION, replace(sampling, seed=(sampling.seed or 0) + index)) for index in range(n)]
    tokens = sum(answer.completion_tokens - 1 for answer in answers)
    return tokens / sum(answer.total_s - answer.first_s for answer in answers)


def _bare(path: Path, sampling: SamplingParams, n: int) -> float:
    """The loop in `tests.benchmarks.many_bare`, in a process of its own."""
    options = many_bare.Options(path, n, TOKENS, N_CTX, threads(), sampling.seed or 0, sampling.logit_bias)
    output = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.many_bare"],
        input=options.as_json(), check=True, capture_output=True, text=True, timeout=600,
    ).stdout  # fmt: skip
    return float(json.loads(output)["tokens_per_second"])


def measure_requantised(path: Path, *, rounds: int) -> list[dict[str, object]]:
    """The same for other file types of the same model, made here and thrown away: which one batches best."""
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as folder:
        for name, number in REQUANTISED.items():
            target = Path(folder) / f"{name}.gguf"
            subprocess.run(
                [sys.executable, "-m", "tests.process.requantised", path, target, str(number)],
                check=True, capture_output=True, timeout=600,
            )  # fmt: skip
            rows += measure(target, rounds=rounds, label=f"{path.stem} as {name}")
            target.unlink()
    return rows
