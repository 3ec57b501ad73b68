"""Switching the persona of a chat: its own prefix is read once, and from the second time on nothing of it.

Through the chat service, with the real engine: the last question is answered anew by the other persona, back and forth.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from app.personas.persona import Persona, Sampling
from app.store.types import MessageUsage
from engine.types import ModelSpec
from engine.worker.client import EngineClient
from tests.benchmarks.asking import long_text, threads
from tests.unit.chat_bench import WAIT_S, Bench

PREFIX_TOKENS = 1000
N_CTX = 4096
LOAD_S = 120.0
NAMES = ("boats", "bees")
STEPS = ("boats, for the first time", "bees, for the first time", "boats again", "bees again")
QUESTION = "What do you know of the ships?"


def measure(path: Path, *, rounds: int) -> list[dict[str, object]]:
    """A row for each step: tokens of the prompt, `cached` of them, and `processed`; seconds of reading, medians."""
    found: dict[str, list[MessageUsage]] = {step: [] for step in STEPS}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            for step, usage in zip(STEPS, _switched(path, Path(folder)), strict=True):
                found[step].append(usage)
    return [
        {
            "model": path.stem,
            "what": step,
            "prompt_tokens": usages[-1].prompt_tokens,
            "cached": usages[-1].cached_tokens,
            "processed": max(usage.prompt_tokens - usage.cached_tokens for usage in usages),
            "read_s": statistics.median(usage.prefill_s for usage in usages),
        }
        for step, usages in found.items()
    ]


def _switched(path: Path, folder: Path) -> list[MessageUsage]:
    """The usage of each step's answer, on a worker that has read nothing yet."""
    engine = EngineClient()
    bench = Bench(folder, engine=engine)
    try:
        engine.load(ModelSpec(path, n_ctx=N_CTX, n_threads=threads(), n_gpu_layers=0)).result(LOAD_S)
        for name in NAMES:
            instructions = f"You keep {name}.\n\n{long_text(engine, PREFIX_TOKENS, f'Keeper of {name}')}"
            persona = Persona(name, name.title(), instructions=instructions, sampling=Sampling(0.0, max_tokens=4))
            bench.services.personas.call(lambda shelf, persona=persona: shelf.create(persona)).result(WAIT_S)  # type: ignore[misc]
        conversation_id = bench.chat.send(None, QUESTION, persona=NAMES[0]).result(WAIT_S)
        usages = [_usage(bench, conversation_id)]
        for name in (NAMES[1], *NAMES):
            bench.services.personas.choose(conversation_id, name).result(WAIT_S)
            bench.chat.regenerate(bench.path(conversation_id)[-1].id).result(WAIT_S)
            usages.append(_usage(bench, conversation_id))
        return usages
    finally:
        bench.close()


def _usage(bench: Bench, conversation_id: str) -> MessageUsage:
    if not bench.chat.wait_until_idle(LOAD_S):
        raise RuntimeError("the answer does not end")
    usage = bench.path(conversation_id)[-1].usage
    if usage is None:
        raise RuntimeError("there is no answer")
    return usage
