"""A second chat with the same persona of 2,000 tokens: only its own tail is read, counted page by page."""

from __future__ import annotations

from pathlib import Path

from engine.pages import PageState
from engine.types import ModelSpec, SamplingParams
from engine.worker.client import EngineClient
from tests.benchmarks.asking import Answer, ask, long_text, system, threads, user

PREFIX_TOKENS = 2000
N_CTX = 4096
SHORT = SamplingParams(temperature=0, max_tokens=8)


def measure(path: Path, *, rounds: int) -> list[dict[str, object]]:
    """The round with the highest share. `own_tail` counts the pages behind the persona, `read` what was computed."""
    engine = EngineClient()
    rows: list[dict[str, object]] = []
    try:
        engine.load(ModelSpec(path, n_ctx=N_CTX, n_threads=threads(), n_gpu_layers=0)).result(120)
        for number in range(rounds):
            persona = system(long_text(engine, PREFIX_TOKENS, f"Keeper {number}"))
            cold = ask(engine, [persona, user("What do you know of the ships?")], SHORT, key=f"{number}a")
            second = ask(engine, [persona, user("Kindly say who wrote the names down.")], SHORT, key=f"{number}b")
            rows.append(
                {
                    "model": path.stem,
                    "prefix_tokens": second.cached_tokens,
                    "own_tail": own_tail(second),
                    "read": second.prompt_tokens - second.cached_tokens,
                    "cold_s": cold.first_s,
                    "second_s": second.first_s,
                    "share": second.first_s / cold.first_s,
                }
            )
    finally:
        engine.close()
    return [max(rows, key=lambda row: float(str(row["share"])))]


def own_tail(answer: Answer) -> int:
    """Tokens of the question and of the template's words around and behind it."""
    assert answer.started is not None
    pages = [page for page in answer.started.pages if page.state is not PageState.OUT]
    question = max(index for index, page in enumerate(pages) if page.origin == "user")
    return sum(page.tokens for page in pages[question:])
