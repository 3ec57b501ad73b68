"""Switching back to a conversation of 4,000 tokens: the first token, as a share of reading it all.

From memory (another conversation was asked meanwhile) and from disk (the model was unloaded and loaded again), beside
llama-server with its prompt cache in memory, with a slot for each conversation, and with a slot saved by hand.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

from engine.types import ModelSpec, SamplingParams
from engine.worker.client import EngineClient
from tests.benchmarks.asking import Answer, Turn, ask, assistant, long_text, system, threads, user
from tests.benchmarks.served import LlamaServer

CONVERSATION_TOKENS = 4000
N_CTX = 4608
SHORT = SamplingParams(temperature=0, max_tokens=8)
NEXT = "And which ship came last?"
Asking = Callable[[list[Turn]], Answer]


class Share:
    """The rounds of one row."""

    def __init__(self, model: str, what: str) -> None:
        self.model, self.what = model, what
        self._cold: list[Answer] = []
        self._back: list[Answer] = []

    def add(self, cold: Answer, back: Answer) -> None:
        self._cold.append(cold)
        self._back.append(back)

    @property
    def row(self) -> dict[str, object]:
        """Seconds to the first token, medians; `read` tokens of the prompt were computed when it came back."""
        shares = [back.first_s / cold.first_s for cold, back in zip(self._cold, self._back, strict=True)]
        last = self._back[-1]
        return {
            "model": self.model,
            "what": self.what,
            "prompt_tokens": last.prompt_tokens,
            "read": last.prompt_tokens - last.cached_tokens,
            "cold_s": statistics.median(answer.first_s for answer in self._cold),
            "back_s": statistics.median(answer.first_s for answer in self._back),
            "share": statistics.median(shares),
            "highest_share": max(shares),
        }


def switch(asking: Asking, texts: tuple[str, str], between: Callable[[], None] = lambda: None) -> tuple[Answer, Answer]:
    """Ask A cold, ask B, come back to A with a next question: the two answers about A."""
    first = [system(), user(texts[0] + "What did the keeper do?")]
    cold = asking(first)
    between()
    asking([system(), user(texts[1] + "What did the keeper do?")])
    return cold, asking([*first, assistant(cold.text), user(NEXT)])


def measure(path: Path, *, rounds: int) -> list[dict[str, object]]:
    """The rows of one model; each round asks all sides with new texts."""
    names = ("ours, from memory", "ours, from disk", "llama-server, one slot", "llama-server, two slots",
             "llama-server, saved by hand")  # fmt: skip
    shares = {name: Share(path.stem, name) for name in names}
    for number in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            spec = ModelSpec(
                path, n_ctx=N_CTX, n_cells=2 * N_CTX + 512, n_threads=threads(), n_gpu_layers=0,
                snapshot_folder=Path(folder) / "ours",
            )  # fmt: skip
            texts = _ours(spec, shares, number)
            _served(path, Path(folder), shares, texts)
    return [share.row for share in shares.values()]


def _ours(spec: ModelSpec, shares: dict[str, Share], number: int) -> tuple[str, str]:
    engine = EngineClient()
    try:
        engine.load(spec).result(120)
        asking_a = _keyed(engine)
        texts = (long_text(engine, CONVERSATION_TOKENS, f"Port {number}"), long_text(engine, 4000, f"Bay {number}"))
        cold, back = switch(asking_a, texts)
        shares["ours, from memory"].add(cold, back)
    finally:
        engine.close()
    engine = EngineClient()
    try:
        engine.load(spec).result(120)
        turns = [system(), user(texts[0] + "What did the keeper do?"), assistant(cold.text), user("Who was first?")]
        restored = ask(engine, turns, SHORT, key="a")
        if not restored.restored_tokens:
            print("   (nothing was read from disk)")
        shares["ours, from disk"].add(cold, restored)
    finally:
        engine.close()
    return texts


def _keyed(engine: EngineClient) -> Asking:
    """Conversations are told apart by their first question."""
    keys: dict[str, str] = {}
    return lambda turns: ask(engine, turns, SHORT, key=keys.setdefault(turns[1].text, "ab"[len(keys) % 2]))


def _served(path: Path, folder: Path, shares: dict[str, Share], texts: tuple[str, str]) -> None:
    n_ctx = str(N_CTX)
    with LlamaServer(path, "-np", "1", "-c", n_ctx) as server:
        shares["llama-server, one slot"].add(*switch(lambda turns: server.ask(turns, SHORT), texts))
    with LlamaServer(path, "-np", "2", "-c", str(2 * N_CTX), "--no-kv-unified") as server:
        shares["llama-server, two slots"].add(*switch(lambda turns: server.ask(turns, SHORT), texts))
    slots = folder / "slots"
    slots.mkdir()
    with LlamaServer(path, "-np", "1", "-c", n_ctx, "--cache-ram", "0", "--slot-save-path", slots) as server:
        first = [system(), user(texts[0] + "What did the keeper do?")]
        cold = server.ask(first, SHORT)
        server.save(0, "a.bin")
    with LlamaServer(path, "-np", "1", "-c", n_ctx, "--cache-ram", "0", "--slot-save-path", slots) as server:
        server.restore(0, "a.bin")  # not counted
        shares["llama-server, saved by hand"].add(cold, server.ask([*first, assistant(cold.text), user(NEXT)], SHORT))
