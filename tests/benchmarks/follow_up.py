"""How long a person waits for the first token: a whole prompt against a follow-up in the same conversation.

Also the worker's memory beside the model's own, which is what the header's estimate says.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from engine.cancel import CancelToken
from engine.context.segments import Origin, PromptMessage, Role, Segment
from engine.model.description import describe
from engine.model.fit import estimate
from engine.types import TERMINAL, Failed, GenerationRequest, ModelSpec, SamplingParams, TextDelta, Usage
from engine.worker.client import EngineClient

CONVERSATION_TOKENS = 2000
N_CTX = 4096
ROUNDS = 5
MB = 1e6


@dataclass(frozen=True, slots=True)
class FollowUp:
    """Seconds to the first token, medians over the rounds; `share` = follow-up / full prefill, its median."""

    model: str
    prompt_tokens: int
    full_s: float
    follow_up_s: float
    share: float
    worker_rss_mb: float
    model_own_mb: float
    worker_beside_mb: float


def measure(path: Path, *, rounds: int = ROUNDS) -> FollowUp:
    """Ask cold, then ask on, with a fresh conversation in each round."""
    engine = EngineClient()
    full: list[float] = []
    follow_up: list[float] = []
    prompt_tokens = 0
    try:
        loaded = engine.load(ModelSpec(path, n_ctx=N_CTX, n_gpu_layers=0)).result(120)
        for number in range(rounds):
            turns = _conversation(engine, number)
            cold, usage, text = _first_token(engine, turns)
            full.append(cold)
            prompt_tokens = usage.prompt_tokens
            turns += [_message(Role.ASSISTANT, text), _message(Role.USER, "And what follows from that?")]
            warm, usage, _ = _first_token(engine, turns)
            follow_up.append(warm)
        assert engine.worker_pid is not None
        rss = psutil.Process(engine.worker_pid).memory_info().rss
        own = estimate(describe(path), loaded.n_ctx, use_mmap=ModelSpec(path).use_mmap, n_sequences=2).total_bytes
    finally:
        engine.close()
    return FollowUp(
        path.stem,
        prompt_tokens,
        statistics.median(full),
        statistics.median(follow_up),
        statistics.median(warm / cold for warm, cold in zip(follow_up, full, strict=True)),
        rss / MB,
        own / MB,
        (rss - own) / MB,
    )


def _conversation(engine: EngineClient, number: int) -> list[PromptMessage]:
    """A user's long question that no earlier round began with."""
    sentence = f"Note {number}: the harbour had {{}} ships on that day, and the keeper wrote each name down. "
    text = ""
    while engine.count_tokens([text]).result(30)[0] < CONVERSATION_TOKENS:
        text += "".join(sentence.format(len(text) + ship) for ship in range(10))
    return [_message(Role.USER, text + "What did the keeper do?")]


def _message(role: Role, text: str) -> PromptMessage:
    return PromptMessage(role, (Segment(text, Origin.USER if role is Role.USER else Origin.ASSISTANT),))


def _first_token(engine: EngineClient, turns: list[PromptMessage]) -> tuple[float, Usage, str]:
    request = GenerationRequest(
        f"follow-{time.monotonic_ns()}", tuple(turns), SamplingParams(temperature=0, max_tokens=16), answer_reserve=64
    )
    began = time.perf_counter()
    first = 0.0
    text = ""
    usage: Usage | None = None
    for event in engine.generate(request, CancelToken()):
        if isinstance(event, TextDelta):
            first = first or time.perf_counter() - began
            text += event.text
        elif isinstance(event, Usage):
            usage = event
        elif isinstance(event, TERMINAL) and isinstance(event, Failed):
            raise RuntimeError(event.message)
    assert usage is not None
    return first, usage, text
