"""Prefill and decode through the whole chain against `llama-bench`, interleaved in one run.

Both sides execute the installed wheel's libraries on the same file, with the same threads, sizes and flash attention
(as llama.cpp judges), and decode behind the same number of tokens. llama-bench does not sample. Ours is timed
where a person would see it: at the events' arrival on the main thread of a Qt program, sampling, detokenising and
the worker's pipe included.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEventLoop

from app.events import Streamed
from app.ui.bridge import EventBridge
from engine.cancel import CancelToken
from engine.context.segments import Origin, PromptMessage, Role, Segment
from engine.engine import Engine
from engine.types import (
    TERMINAL,
    Failed,
    GenerationRequest,
    ModelSpec,
    ReasoningDelta,
    SamplingParams,
    TextDelta,
    Usage,
)
from engine.worker.client import EngineClient
from tests.benchmarks import peers
from tests.benchmarks.asking import never_end, threads

PREFILL_TOKENS = 512
DECODE_TOKENS = 128
ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Pair:
    """One round: tokens a second of ours and of the peer, one after the other."""

    ours: float
    peer: float


@dataclass(frozen=True, slots=True)
class Result:
    """A model's medians over the rounds, in tokens a second, and the median of the rounds' ratios."""

    model: str
    what: str
    ours: float
    peer: float
    ratio: float
    lowest_ratio: float

    @staticmethod
    def of(model: str, what: str, pairs: Sequence[Pair]) -> Result:
        ratios = [pair.ours / pair.peer for pair in pairs]
        return Result(
            model,
            what,
            statistics.median(pair.ours for pair in pairs),
            statistics.median(pair.peer for pair in pairs),
            statistics.median(ratios),
            min(ratios),
        )


class OurSide:
    """The engine as the window uses it: events cross into Qt, and are timed there."""

    def __init__(self, path: Path, n_threads: int) -> None:
        self._engine: Engine = EngineClient()
        self._engine.load(ModelSpec(path, n_ctx=2048, n_threads=n_threads, n_gpu_layers=0)).result(120)
        self._bridge = EventBridge()
        self._never_end = never_end(path)
        self._number = 0

    def prefill(self) -> tuple[float, int]:
        """Tokens a second until the first token of the answer, and how many tokens the prompt had."""
        self._number += 1
        words = " ".join(f"{self._number}{word}" for word in range(PREFILL_TOKENS))
        low, high = 1, PREFILL_TOKENS
        # The prompt is cut to the size by words; what the template adds counts as well.
        while low < high:
            middle = (low + high + 1) // 2
            text = " ".join(words.split(" ")[:middle])
            if self._engine.count_tokens([text]).result(30)[0] <= PREFILL_TOKENS - 40:
                low = middle
            else:
                high = middle - 1
        text = " ".join(words.split(" ")[:low])
        began = time.perf_counter()
        usage, first, _ = self._answer(text, tokens=1)
        return (usage.prompt_tokens - usage.cached_tokens) / (first - began), usage.prompt_tokens

    def decode(self) -> tuple[float, int]:
        """Tokens a second after the first token, and how many tokens the prompt had."""
        usage, first, last = self._answer("Count from one to one thousand in words.", tokens=DECODE_TOKENS)
        return (usage.completion_tokens - 1) / (last - first), usage.prompt_tokens

    def close(self) -> None:
        self._engine.close()
        self._bridge.close()

    def _answer(self, text: str, *, tokens: int) -> tuple[Usage, float, float]:
        """The usage, and the arrival times on the main thread of the first delta and of the end."""
        request = GenerationRequest(
            f"bench{self._number}-{tokens}-{time.monotonic_ns()}",
            (PromptMessage(Role.USER, (Segment(text, Origin.USER),)),),
            SamplingParams(seed=1, max_tokens=tokens, logit_bias=self._never_end),
            answer_reserve=tokens,
        )
        loop = QEventLoop()
        usage: list[Usage] = []
        times: list[float] = []

        def arrived(event: object) -> None:
            assert isinstance(event, Streamed)
            inner = event.event
            if isinstance(inner, TextDelta | ReasoningDelta) and not times:
                times.append(time.perf_counter())
            if isinstance(inner, Usage):
                usage.append(inner)
            if isinstance(inner, TERMINAL):
                if not times:
                    times.append(time.perf_counter())
                times.append(time.perf_counter())
                loop.quit()
            if isinstance(inner, Failed):
                raise RuntimeError(inner.message)

        self._bridge.chat_event.connect(arrived)
        self._engine.submit(request, CancelToken(), lambda event: self._bridge.publish(Streamed("", "", event)))
        loop.exec()
        self._bridge.chat_event.disconnect(arrived)
        return usage[0], times[0], times[-1]


def peer_speed(path: Path, n_threads: int, *, prefill: int = 0, decode: int = 0, depth: int = 0) -> float:
    """What `llama-bench` says, in tokens a second, for one test of that size behind `depth` tokens."""
    program = peers.llama_bench()
    output = subprocess.run(
        [
            program, "-m", path, "-t", str(n_threads), "-p", str(prefill), "-n", str(decode), "-d", str(depth),
            "-r", "1", "-ngl", "0", "-fa", "auto", "-o", "json",
        ],
        check=True, capture_output=True, text=True, env=peers.environment(program),
    ).stdout  # fmt: skip
    return float(json.loads(output)[0]["avg_ts"])


def measure(path: Path, *, rounds: int = ROUNDS) -> list[Result]:
    """Prefill and decode of one model against the peer."""
    n_threads = threads()
    prefills: list[Pair] = []
    decodes: list[Pair] = []
    ours = OurSide(path, n_threads)
    try:
        ours.prefill()
        ours.decode()
        for _ in range(rounds):
            speed, size = ours.prefill()
            prefills.append(Pair(speed, peer_speed(path, n_threads, prefill=size)))
            speed, depth = ours.decode()
            decodes.append(Pair(speed, peer_speed(path, n_threads, decode=DECODE_TOKENS, depth=depth)))
    finally:
        ours.close()
    return [Result.of(path.stem, "prefill", prefills), Result.of(path.stem, "decode", decodes)]


def run(models: Sequence[Path], *, rounds: int = ROUNDS) -> list[dict[str, object]]:
    """All models; rows for the table."""
    _application = QCoreApplication.instance() or QCoreApplication([])
    return [asdict(result) for path in models for result in measure(path, rounds=rounds)]
