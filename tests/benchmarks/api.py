"""The local API, asked by OpenAI's own client, against the engine itself and against llama-server of the same source.

All in one run, one after the other in each round. The engine is timed at its events, the two servers at what the
client hands over. Guessing ahead is off everywhere.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from openai import OpenAI

from engine.types import ModelSpec, SamplingParams
from engine.worker.client import EngineClient
from tests.benchmarks.asking import ask, never_end, threads, user
from tests.benchmarks.served import LlamaServer
from tests.process.api_load import mixed, send
from tests.unit.api_bench import TOKEN

N_CTX = 2048
DECODED = 128
PREFILLED_WORDS = 300
FIRSTS = 8
"""First tokens in each round."""
CLIENTS = 4
EACH = 64
"""Tokens for each of several clients."""
REQUESTS = 1_000
SETTLE_S = 30.0
QUESTION = "Count from one to one thousand in words."


@dataclass(frozen=True, slots=True)
class Timed:
    """Seconds from the question to the first words and to the last, and tokens."""

    first_s: float
    last_s: float
    prompt_tokens: int
    tokens: int

    @property
    def decode(self) -> float:
        return (self.tokens - 1) / (self.last_s - self.first_s)


Ask = Callable[[str, int], Timed]


class ApiServer:
    """`tests.benchmarks.api_server` as a context manager."""

    def __init__(self, model: Path) -> None:
        options = json.dumps({"model": str(model), "threads": threads(), "n_ctx": N_CTX})
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.api_server", options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.port = int(self._line()["port"])

    def holds(self) -> dict[str, int]:
        """What it holds now."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._line()

    def _line(self) -> dict[str, int]:
        assert self._process.stdout is not None
        value: dict[str, int] = json.loads(self._process.stdout.readline())
        return value

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)


def asker(port: int, bias: dict[str, int]) -> Ask:
    """Asks a server by OpenAI's client, which keeps its connection."""
    client = OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key=TOKEN, max_retries=0)

    def asked(text: str, tokens: int) -> Timed:
        began = time.perf_counter()
        first = last = 0.0
        usage: Any = None
        for chunk in client.chat.completions.create(
            model="default",
            messages=[{"role": "user", "content": text}],
            max_tokens=tokens,
            temperature=0,
            logit_bias=bias,
            stream=True,
            stream_options={"include_usage": True},
        ):
            usage = chunk.usage or usage
            if chunk.choices and chunk.choices[0].delta.content:
                last = time.perf_counter() - began
                first = first or last
        return Timed(first, last, usage.prompt_tokens, usage.completion_tokens)

    return asked


def measure(path: Path, *, rounds: int) -> list[dict[str, object]]:
    """Rows: what was measured, ours, the API's, llama-server's, and the shares."""
    engine = EngineClient()
    ends = never_end(path)
    bias = {str(token): -100 for token, _ in ends}
    sampling = SamplingParams(temperature=0.0, logit_bias=ends)

    def own(text: str, tokens: int) -> Timed:
        answer = ask(engine, [user(text)], replace(sampling, max_tokens=tokens))
        return Timed(answer.first_s, answer.total_s, answer.prompt_tokens, answer.completion_tokens)

    try:
        engine.load(ModelSpec(path, n_ctx=N_CTX, n_threads=threads(), n_gpu_layers=0, speculate=False)).result(120)
        with ApiServer(path) as api, LlamaServer(path, "-c", str(CLIENTS * N_CTX), "-np", str(CLIENTS)) as server:
            sides = {"engine": own, "api": asker(api.port, bias), "llama-server": asker(server.port, bias)}
            rows = _compared(path.stem, sides, rounds)
            rows += _many(path.stem, {name: sides[name] for name in ("api", "llama-server")}, rounds)
            return rows
    finally:
        engine.close()


def _compared(model: str, sides: dict[str, Ask], rounds: int) -> list[dict[str, object]]:
    decodes: dict[str, list[float]] = {name: [] for name in sides}
    prefills: dict[str, list[float]] = {name: [] for name in sides}
    firsts: dict[str, list[float]] = {name: [] for name in sides}
    number = 0
    for asked in sides.values():
        asked(QUESTION, 8)  # warm
    for _ in range(rounds):
        for name, asked in sides.items():
            decodes[name].append(asked(QUESTION, DECODED).decode)
        number += 1
        words = " ".join(f"{number}{word}" for word in range(PREFILLED_WORDS))
        for name, asked in sides.items():
            timed = asked(words, 1)
            prefills[name].append(timed.prompt_tokens / timed.first_s)
        for _first in range(FIRSTS):
            number += 1
            for name, asked in sides.items():
                firsts[name].append(1000 * asked(f"{number}: say hello.", 1).first_s)
    return [
        _row(model, "decode, tokens/s", decodes),
        _row(model, "prefill, tokens/s", prefills),
        _row(model, "first token, ms", firsts),
    ]


def _row(model: str, what: str, sides: dict[str, list[float]]) -> dict[str, object]:
    """Medians; the share and the difference are the medians of the rounds' own."""
    ours, api, peer = sides["engine"], sides["api"], sides["llama-server"]
    return {
        "model": model,
        "what": what,
        "engine": statistics.median(ours),
        "api": statistics.median(api),
        "llama-server": statistics.median(peer),
        "api/engine": statistics.median(a / o for a, o in zip(api, ours, strict=True)),
        "api-engine": statistics.median(a - o for a, o in zip(api, ours, strict=True)),
        "api/llama-server": statistics.median(a / p for a, p in zip(api, peer, strict=True)),
    }


def _many(model: str, sides: dict[str, Ask], rounds: int) -> list[dict[str, object]]:
    """Several clients at once: all their tokens a second, from the first question to the last word."""
    speeds: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds):
        for name, asked in sides.items():
            texts = [f"{number}.{client} Tell me of a harbour." for client in range(CLIENTS)]
            began = time.perf_counter()
            with ThreadPoolExecutor(CLIENTS) as clients:
                tokens = sum(timed.tokens for timed in clients.map(lambda text, asked=asked: asked(text, EACH), texts))
            speeds[name].append(tokens / (time.perf_counter() - began))
    api, peer = speeds["api"], speeds["llama-server"]
    return [
        {
            "model": model, "what": f"{CLIENTS} clients at once, tokens/s", "engine": "", "api": statistics.median(api),
            "llama-server": statistics.median(peer), "api/engine": "", "api-engine": "",
            "api/llama-server": statistics.median(a / p for a, p in zip(api, peer, strict=True)),
        }
    ]  # fmt: skip


def left_behind(path: Path, requests: int = REQUESTS) -> list[dict[str, object]]:
    """Mixed requests, a tenth of whose senders leave: what is still held afterwards, and how much memory more."""
    with ApiServer(path) as api:
        send(api.port, TOKEN, mixed(requests // 10, seed=1))  # memory that is taken once
        before = api.holds()["bytes"]
        statuses = send(api.port, TOKEN, mixed(requests, seed=2))
        end = time.monotonic() + SETTLE_S
        while (held := api.holds())["running"] and time.monotonic() < end:
            time.sleep(0.1)
    values = {
        f"of {requests} requests: answered": statuses[200],
        "left by their senders": statuses[0],
        "other statuses": sum(statuses.values()) - statuses[200] - statuses[0],
        "sequences left in use": held["active"],
        "places left taken": held["running"] + held["waiting"],
        "memory more, MB": (held["bytes"] - before) / 1e6,
    }
    return [{"model": path.stem, "what": what, "value": value} for what, value in values.items()]
