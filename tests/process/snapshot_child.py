"""Runs in a process of its own: a real KV state on the shelf and back, with llama.cpp.

`python -m tests.process.snapshot_child save MODEL FOLDER N_TOKENS` reads N_TOKENS tokens, puts their state on the
shelf, asks the model for one more token, and prints that token's logits; `... load ...` restores the state in a
context that has read nothing and asks for the same token. Both write one JSON object, with times in milliseconds.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # as the worker does, before llama.cpp is there

from engine.model.fingerprint import file_identity, fingerprint_of
from engine.model.llama_library import lib
from engine.model.snapshots import SnapshotShelf

KEY = "conversation"
_LOG = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)(lambda level, text, data: None)


class Model:
    """A model and a context with nothing in it."""

    def __init__(self, path: Path, n_ctx: int) -> None:
        lib.llama_log_set(_LOG, None)
        lib.llama_backend_init()
        params = lib.llama_model_default_params()
        params.n_gpu_layers = 0
        self.model = lib.llama_model_load_from_file(str(path).encode(), params)
        self.n_vocab: int = lib.llama_vocab_n_tokens(lib.llama_model_get_vocab(self.model))
        context = lib.llama_context_default_params()
        context.n_ctx, context.n_batch, context.n_ubatch = n_ctx, 512, 512
        context.n_seq_max, context.kv_unified = 4, True
        context.n_threads = context.n_threads_batch = 2
        self.context = lib.llama_init_from_model(self.model, context)
        self.fingerprint = fingerprint_of(
            file_identity(path),
            n_layer=lib.llama_model_n_layer(self.model),
            n_embd=lib.llama_model_n_embd(self.model),
            kv_types=("f16", "f16"),
            template="none",
            library_version="test",
            flash_attention=False,
        )

    def evaluate(self, tokens: Sequence[int], position: int, sequence: int) -> None:
        """With logits for the last token."""
        for start in range(0, len(tokens), 512):
            block = tokens[start : start + 512]
            batch = lib.llama_batch_init(len(block), 0, 1)
            for index, token in enumerate(block):
                batch.token[index], batch.pos[index] = token, position + start + index
                batch.n_seq_id[index], batch.seq_id[index][0] = 1, sequence
                batch.logits[index] = start + index == len(tokens) - 1
            batch.n_tokens = len(block)
            assert lib.llama_decode(self.context, batch) == 0
            lib.llama_batch_free(batch)

    def logits(self) -> bytes:
        return ctypes.string_at(lib.llama_get_logits_ith(self.context, -1), self.n_vocab * 4)

    def state(self, sequence: int) -> bytearray:
        size: int = lib.llama_state_seq_get_size(self.context, sequence)
        made = bytearray(size)
        assert lib.llama_state_seq_get_data(self.context, (ctypes.c_uint8 * size).from_buffer(made), size, sequence)
        return made

    def restore(self, state: bytes, sequence: int) -> bool:
        source = ctypes.cast(ctypes.c_char_p(state), ctypes.POINTER(ctypes.c_uint8))
        return bool(lib.llama_state_seq_set_data(self.context, source, len(state), sequence))


class Watch:
    def __init__(self) -> None:
        self.ms: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.ms[name], self._last = round((now - self._last) * 1000, 2), now


def main(what: str, path: Path, folder: Path, n_tokens: int) -> dict[str, Any]:
    model = Model(path, n_tokens + 512)
    tokens = [random.Random(5).randrange(1000, 30_000) for _ in range(n_tokens + 1)]
    shelf, watch = SnapshotShelf(folder, 4_000_000_000, model.fingerprint), Watch()
    state: bytes | bytearray | None
    watch.lap("open")
    if what == "save":
        model.evaluate(tokens[:-1], 0, 0)
        watch.lap("prefill")
        state = model.state(0)
        watch.lap("get_data")
        shelf.save(tokens[:-1], state, key=KEY)
        watch.lap("save")
        assert shelf.flush(60)
        watch.lap("flush")
        sequence = 0
    else:
        found = shelf.longest(tokens)
        assert found is not None
        assert found[1] == n_tokens
        watch.lap("longest")
        state = shelf.load(found[0])
        watch.lap("load")
        sequence = 2  # not the one that it came from
        assert state is not None
        assert model.restore(state, sequence)
        watch.lap("set_data")
    model.evaluate(tokens[-1:], n_tokens, sequence)
    watch.lap("one token")
    logits = model.logits()
    return {
        "logits": hashlib.sha256(logits).hexdigest(), "distinct": len(set(logits)), "n_vocab": model.n_vocab,
        "state": hashlib.sha256(state).hexdigest(), "state_bytes": len(state), "disk_bytes": shelf.disk_bytes,
        "entries": len(shelf.entries()), "ms": watch.ms,
    }  # fmt: skip


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))) + "\n")
