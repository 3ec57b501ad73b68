"""What a smaller KV cache costs: agreement with the full one on a fixed text, and speed, for f16, q8_0 and q4_0.

python -m tests.evaluation.kv_types [--model FILE] [--rounds N] [--tokens N] [--threads N]

The text is Hearth's own ARCHITECTURE.md, read in blocks as a prompt is. Of each token after the first 256: the log
probability given all before it, the divergence from the full cache's distribution (Kullback-Leibler, in nats), and
whether both would have written the same token. Speed is of reading the last 64 tokens again and of writing behind the
text; rounds are interleaved and the best one counts, as other programs only ever make it worse.

Found with the 0.5B model (Q4_K_M) on a processor without a graphics card, 768 tokens, one thread; the window says so
beside the choice (`app.ui.model_facts.kv_cost`):

| KV | 32,768 tokens | mean log probability | divergence | same token | read | write |
|---|---|---|---|---|---|---|
| f16 | 403 MB | -4.4159 | 0.0000 | 100.0 % | 53.6 t/s | 15.9 t/s |
| q8_0 | 214 MB | -4.4091 | 0.0064 | 94.1 % | 29.2 t/s | 12.9 t/s |
| q4_0 | 113 MB | -5.0160 | 0.6324 | 56.6 % | 21.0 t/s | 10.2 t/s |
"""

from __future__ import annotations

import argparse
import ctypes
import statistics
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.model.description import describe
from engine.model.fit import kv_cache_bytes
from engine.model.llama_library import LlamaLog, lib, start_library
from engine.model.loading import Handles, load
from engine.model.vocabulary import Vocabulary
from engine.types import KvType, ModelSpec
from tests.conftest import QWEN_SMALL, weights_path

TEXT = Path(__file__).parent.parent.parent / "ARCHITECTURE.md"
BLOCK = 64
"""Rows of logits that a context gives at once."""
WARM_UP = 256
TAIL = 64
DECODED = 8


@dataclass
class Found:
    """One KV type: log probability of each token, its distributions, tokens per second by round."""

    logprobs: list[float] = field(default_factory=list)
    divergences: list[float] = field(default_factory=list)
    agreed: list[bool] = field(default_factory=list)
    read: list[float] = field(default_factory=list)
    write: list[float] = field(default_factory=list)


def evaluate(handles: Handles, tokens: list[int], position: int, *, outputs: int) -> None:
    """One batch behind `position`, with logits for its last `outputs` tokens."""
    count = len(tokens)
    batch = lib.llama_batch_init(count, 0, 1)
    batch.n_tokens = count
    for index, token in enumerate(tokens):
        batch.token[index], batch.pos[index], batch.n_seq_id[index] = token, position + index, 1
        batch.seq_id[index][0], batch.logits[index] = 0, index >= count - outputs
    failed = lib.llama_decode(handles.context, batch)
    lib.llama_synchronize(handles.context)
    lib.llama_batch_free(batch)
    if failed:
        raise SystemExit(f"llama_decode returned {failed}")


def distributions(handles: Handles, rows: int, n_vocab: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Log probabilities of the last batch's rows, (rows, n_vocab)."""
    pointer = ctypes.cast(lib.llama_get_logits(handles.context), ctypes.POINTER(ctypes.c_float))
    logits = np.ctypeslib.as_array(pointer, (rows, n_vocab)).astype(np.float64)
    logits -= logits.max(axis=1, keepdims=True)
    return np.asarray(logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)))


def clear(handles: Handles) -> None:
    lib.llama_memory_clear(lib.llama_get_memory(handles.context), False)


def compare(contexts: dict[KvType, Handles], tokens: list[int], found: dict[KvType, Found], n_vocab: int) -> None:
    """All KV types side by side through the text, block by block."""
    for handles in contexts.values():
        clear(handles)
    for start in range(0, len(tokens) - 1, BLOCK):
        block = tokens[start : start + BLOCK]
        following = np.array(tokens[start + 1 : start + 1 + BLOCK])
        full: np.ndarray[Any, np.dtype[np.float64]] | None = None
        for kv_type, handles in contexts.items():
            evaluate(handles, block, start, outputs=len(block))
            rows = distributions(handles, len(block), n_vocab)[: len(following)]
            full = rows if full is None else full
            if start < WARM_UP:
                continue
            one = found[kv_type]
            one.logprobs += rows[np.arange(len(rows)), following].tolist()
            one.divergences += (np.exp(full) * (full - rows)).sum(axis=1).tolist()
            one.agreed += (full.argmax(axis=1) == rows.argmax(axis=1)).tolist()


def race(contexts: dict[KvType, Handles], tokens: list[int], found: dict[KvType, Found]) -> None:
    """One round of each, with the text in the cache: read its end again, then write behind it."""
    behind = len(tokens) - TAIL
    for kv_type, handles in contexts.items():
        lib.llama_memory_seq_rm(lib.llama_get_memory(handles.context), 0, behind, -1)
        began = time.perf_counter()
        evaluate(handles, tokens[behind:], behind, outputs=1)
        found[kv_type].read.append(TAIL / (time.perf_counter() - began))
        for index in range(DECODED):
            began = time.perf_counter()
            evaluate(handles, [tokens[index]], len(tokens) + index, outputs=1)
            found[kv_type].write.append(1 / (time.perf_counter() - began))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--tokens", type=int, default=768)
    parser.add_argument("--threads", type=int)
    arguments = parser.parse_args()
    model = arguments.model or weights_path(QWEN_SMALL)
    log = LlamaLog()
    start_library(log, print)
    n_ctx = arguments.tokens + 256
    spec = ModelSpec(model, n_ctx=n_ctx, n_cells=n_ctx, n_threads=arguments.threads)
    contexts = {kv_type: load(replace(spec, kv_type=kv_type), log, lambda _fraction: None) for kv_type in KvType}
    vocabulary = Vocabulary(contexts[KvType.F16].model)
    tokens = vocabulary.tokenize(TEXT.read_text("utf-8"), special=False)[: arguments.tokens]
    found = {kv_type: Found() for kv_type in KvType}
    compare(contexts, tokens, found, vocabulary.size)
    for _round in range(arguments.rounds):
        race(contexts, tokens, found)
    for handles in contexts.values():
        handles.free()
    print(f"{model.name}, {len(tokens)} tokens, {arguments.rounds} rounds")
    print("| KV | 32,768 tokens | mean log probability | divergence | same token | read | write |")
    print("|---|---|---|---|---|---|---|")
    for kv_type, one in found.items():
        size = kv_cache_bytes(describe(model), 32_768, kv_type) / 1e6
        print(
            f"| {kv_type.value} | {size:.0f} MB | {statistics.mean(one.logprobs):.4f} "
            f"| {statistics.mean(one.divergences):.4f} | {100 * statistics.mean(one.agreed):.1f} % "
            f"| {max(one.read):.1f} t/s | {max(one.write):.1f} t/s |"
        )


if __name__ == "__main__":
    main()
