"""llama-server as a peer: started on a free port of this machine, asked over HTTP, timed by the same rules as ours.

Built from the same source and running the same libraries (see `tests.benchmarks.peers`).
"""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from engine.types import SamplingParams
from tests.benchmarks import peers
from tests.benchmarks.asking import Answer, Turn, threads

START_S = 120.0
ANSWER_S = 600.0


class LlamaServer:
    """Use as a context manager. One question at a time."""

    def __init__(self, model: Path, *options: str | Path) -> None:
        program = peers.llama_server()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        n_threads = str(threads())
        self._process = subprocess.Popen(
            [
                program, "-m", model, "--host", "127.0.0.1", "--port", str(self.port), "-ngl", "0", "-t", n_threads,
                "-tb", n_threads, "-b", "512", "-ub", "512", "--jinja", *options,
            ],
            env=peers.environment(program), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def __enter__(self) -> Self:
        deadline = time.monotonic() + START_S
        while True:
            try:
                if self._call("GET", "/health")[0] == http.HTTPStatus.OK:
                    return self
            except OSError:
                pass
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._process.kill()
                raise RuntimeError("llama-server does not start")
            time.sleep(0.05)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._process.terminate()
        self._process.wait()

    def _call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_S)
        try:
            headers = {"Content-Type": "application/json"}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read() or b"null")
        finally:
            connection.close()

    def save(self, slot: int, name: str) -> None:
        """Write a slot's KV cache into the folder of `--slot-save-path`."""
        self._slot(slot, "save", name)

    def restore(self, slot: int, name: str) -> None:
        """Read it back."""
        self._slot(slot, "restore", name)

    def _slot(self, slot: int, action: str, name: str) -> None:
        status, answer = self._call("POST", f"/slots/{slot}?action={action}", {"filename": name})
        if status != http.HTTPStatus.OK:
            raise RuntimeError(f"llama-server: {answer}")

    def ask(self, turns: Sequence[Turn], sampling: SamplingParams) -> Answer:
        """As `tests.benchmarks.asking.ask`."""
        body = {
            "messages": [{"role": turn.role.value, "content": turn.text} for turn in turns],
            "stream": True,
            "temperature": sampling.temperature,
            "top_k": sampling.top_k,
            "top_p": sampling.top_p,
            "min_p": sampling.min_p,
            "seed": sampling.seed or 0,
            "max_tokens": sampling.max_tokens or -1,
            "logit_bias": [list(entry) for entry in sampling.logit_bias],
        }
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_S)
        try:
            return _timed(connection, body)
        finally:
            connection.close()


def _timed(connection: http.client.HTTPConnection, body: dict[str, object]) -> Answer:
    began = time.perf_counter()
    first = total = 0.0
    text = ""
    timings: dict[str, Any] = {}
    connection.request("POST", "/v1/chat/completions", json.dumps(body), {"Content-Type": "application/json"})
    response = connection.getresponse()
    if response.status != http.HTTPStatus.OK:
        raise RuntimeError(f"llama-server: {response.read()!r:.300}")
    while line := response.readline():
        if not line.startswith(b"data: {"):
            continue
        chunk = json.loads(line[len(b"data: ") :])
        timings = chunk.get("timings", timings)
        piece = "".join(choice["delta"].get("content") or "" for choice in chunk["choices"])
        if piece:
            total = time.perf_counter() - began
            first = first or total
            text += piece
    prompt, cached = int(timings["prompt_n"]), int(timings["cache_n"])
    return Answer(text, first, total, prompt + cached, cached, int(timings["predicted_n"]))
