"""The bare batched loop: llama.cpp's C interface and nothing else, one thread, no text, no pipe.

Runs in a process of its own: options as JSON on standard input, tokens a second as JSON on standard output.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

PROMPT = "Tell me of a day in a small harbour, in your own words."
_LOG = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)(lambda level, text, data: None)


@dataclass(frozen=True, slots=True)
class Options:
    """What to run. Sampling is llama.cpp's default chain, with a bias for each token that must not come."""

    path: Path
    n: int
    tokens: int
    n_ctx: int
    n_threads: int
    seed: int
    bias: tuple[tuple[int, float], ...]

    def as_json(self) -> str:
        return json.dumps({**asdict(self), "path": str(self.path)})

    @staticmethod
    def from_json(text: str) -> Options:
        values = json.loads(text)
        values["path"] = Path(values["path"])
        values["bias"] = tuple((int(token), float(bias)) for token, bias in values["bias"])
        return Options(**values)


def run(options: Options) -> float:
    """Tokens a second after the first of each sample."""
    from engine.model.llama_library import lib

    lib.llama_log_set(_LOG, None)
    lib.llama_backend_init()
    params = lib.llama_model_default_params()
    params.n_gpu_layers = 0
    model = lib.llama_model_load_from_file(os.fsencode(options.path), params)
    context_params = lib.llama_context_default_params()
    context_params.n_ctx = options.n_ctx
    context_params.n_seq_max = options.n
    context_params.kv_unified = True
    context_params.n_threads = context_params.n_threads_batch = options.n_threads
    context_params.no_perf = True
    context = lib.llama_init_from_model(model, context_params)
    vocab = lib.llama_model_get_vocab(model)
    samplers = [_sampler(lib, vocab, options, index) for index in range(options.n)]
    position = _prefill(lib, context, vocab, options.n)
    batch = lib.llama_batch_init(options.n, 0, 1)
    last = [lib.llama_sampler_sample(sampler, context, -1) for sampler in samplers]
    began = time.perf_counter()
    for step in range(options.tokens - 1):
        batch.n_tokens = options.n
        for index in range(options.n):
            batch.token[index] = last[index]
            batch.pos[index] = position + step
            batch.n_seq_id[index] = 1
            batch.seq_id[index][0] = index
            batch.logits[index] = 1
        if lib.llama_decode(context, batch):
            raise SystemExit("llama_decode failed")
        last = [lib.llama_sampler_sample(sampler, context, index) for index, sampler in enumerate(samplers)]
    return options.n * (options.tokens - 1) / (time.perf_counter() - began)


def _sampler(lib: Any, vocab: Any, options: Options, index: int) -> Any:
    chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
    entries = (lib.llama_logit_bias * len(options.bias))(*options.bias)
    size = lib.llama_vocab_n_tokens(vocab)
    for part in (
        lib.llama_sampler_init_logit_bias(size, len(options.bias), entries),
        lib.llama_sampler_init_top_k(40),
        lib.llama_sampler_init_top_p(0.95, 1),
        lib.llama_sampler_init_min_p(0.05, 1),
        lib.llama_sampler_init_temp(0.7),
        lib.llama_sampler_init_dist(options.seed + index),
    ):
        lib.llama_sampler_chain_add(chain, part)
    return chain


def _prefill(lib: Any, context: Any, vocab: Any, n: int) -> int:
    """Read the prompt once and share it; its length in tokens."""
    raw = PROMPT.encode()
    tokens = (ctypes.c_int32 * 256)()
    count = int(lib.llama_tokenize(vocab, raw, len(raw), tokens, 256, True, True))
    if lib.llama_decode(context, lib.llama_batch_get_one(tokens, count)):
        raise SystemExit("llama_decode failed")
    memory = lib.llama_get_memory(context)
    for index in range(1, n):
        lib.llama_memory_seq_cp(memory, 0, index, -1, -1)
    return count


if __name__ == "__main__":
    sys.stdout.write(json.dumps({"tokens_per_second": run(Options.from_json(sys.stdin.read()))}))
