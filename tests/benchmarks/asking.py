"""Questions to our engine for the benchmarks against peers; asking itself is `app.bench.asking`.

Knows no peer; `tests.benchmarks.served` gives the same `Answer` for llama-server.
"""

from __future__ import annotations

import os

import psutil

from app.bench.asking import SYSTEM, Answer, Turn, ask, ask_many, assistant, never_end, request, system, user
from engine.engine import Engine

__all__ = [
    "SYSTEM", "THREADS", "Answer", "Turn", "ask", "ask_many", "assistant", "long_text", "never_end", "request",
    "system", "threads", "user", "wished_threads",
]  # fmt: skip

THREADS = "HEARTH_BENCH_THREADS"


def threads() -> int:
    """Threads for both sides. On a machine that others use too, one thread measures best."""
    return wished_threads() or psutil.cpu_count(logical=False) or 1


def wished_threads() -> int:
    """What was asked for, 0 for nothing: the app's own choice then."""
    return int(os.environ.get(THREADS, "0"))


def long_text(engine: Engine, tokens: int, name: str) -> str:
    """About so many tokens of notes that begin with `name`, and so share no beginning with others."""
    sentence = f"{name}, note {{}}: the harbour had {{}} ships that day, and the keeper wrote each name down. "
    each = engine.count_tokens([sentence.format(1234, 5678)]).result(60)[0]
    lines = [sentence.format(line, line * 37 % 991) for line in range(tokens // each + 20)]
    counts = engine.count_tokens(lines).result(60)
    kept, total = [], 0
    for line, size in zip(lines, counts, strict=True):
        if total + size > tokens:
            break
        kept.append(line)
        total += size
    return "".join(kept)
