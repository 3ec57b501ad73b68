"""Load a model as the worker does and look at it from inside. Run as a script: a task's name, a model, a JSON object.

Prints one JSON object. Native code stays in this process.
"""

from __future__ import annotations

import ctypes
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine.errors import HearthError
from engine.model.adapters import Adapters
from engine.model.cores import Cores
from engine.model.llama_library import LlamaLog, lib, start_library
from engine.model.loading import Handles, load
from engine.model.threads import ThreadChoice, probe_threads
from engine.types import Adapter, FlashAttention, KvType, ModelSpec

TOKENS = [504, 3575, 282, 4649, 314, 260, 1126, 30]
_CAP_IPC_LOCK = 14


def logits(handles: Handles, sequence: int = 0) -> list[float]:
    """Of the token after `TOKENS`, read anew."""
    lib.llama_memory_seq_rm(lib.llama_get_memory(handles.context), sequence, -1, -1)
    array = (lib.llama_token * len(TOKENS))(*TOKENS)
    if lib.llama_decode(handles.context, lib.llama_batch_get_one(array, len(TOKENS))):
        raise SystemExit("llama_decode failed")
    row = lib.llama_get_logits_ith(handles.context, -1)
    return [row[index] for index in range(0, 49152, 97)]


def may_not_lock_memory() -> None:
    """As an ordinary user of Linux: a small limit for locked memory, and no right to pass it."""
    import resource  # Not on Windows.

    resource.setrlimit(resource.RLIMIT_MEMLOCK, (65536, 65536))
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    rights = (ctypes.c_uint32 * 6)()
    libc.capget(header, rights)
    rights[0] &= ~(1 << _CAP_IPC_LOCK)
    if libc.capset(header, rights):
        raise SystemExit("capset failed")


def loaded(model: Path, log: LlamaLog, options: dict[str, Any]) -> dict[str, Any]:
    if options.pop("unprivileged", False):
        may_not_lock_memory()
    spec = ModelSpec(
        model,
        kv_type=KvType(options.pop("kv_type", "f16")),
        flash_attention=FlashAttention(options.pop("flash_attention", "auto")),
        **options,
    )
    try:
        handles = load(spec, log, lambda _fraction: None)
    except HearthError as error:
        return {"refused": str(error)}
    found = {
        "n_ctx": handles.n_ctx,
        "n_cells": handles.n_cells,
        "n_sequences": handles.n_sequences,
        "kv_type": handles.kv_type.value,
        "kv_bytes": handles.buffers.kv,
        "flash_attention": handles.flash_attention,
        "notes": handles.notes,
        "best": max(range(100), key=logits(handles).__getitem__),
    }
    handles.free()
    return found


def adapters(model: Path, log: LlamaLog, options: dict[str, Any]) -> dict[str, Any]:
    handles = load(ModelSpec(model, n_ctx=512, n_cells=512), log, lambda _fraction: None)
    room = Adapters(handles.model, handles.context, model)
    wanted = [Adapter(Path(path), scale) for path, scale in options["adapters"]]
    rows = [logits(handles)]
    refused = ""
    try:
        for adapter in wanted:
            room.apply((adapter,))
            rows.append(logits(handles))
    except HearthError as error:
        refused = str(error)
    room.apply(())
    rows.append(logits(handles))
    variants = [room.variant(()), *(room.variant((adapter,)) for adapter in wanted)]
    room.free()
    rows.append(logits(handles))
    handles.free()
    return {"rows": rows, "refused": refused, "variants": variants}


def threads(model: Path, log: LlamaLog, options: dict[str, Any]) -> dict[str, Any]:
    handles = load(ModelSpec(model, n_ctx=512, n_cells=512), log, lambda _fraction: None)

    def evaluate(n_tokens: int) -> float:
        array = (lib.llama_token * n_tokens)(*([TOKENS[0]] * n_tokens))
        began = time.perf_counter()
        lib.llama_decode(handles.context, lib.llama_batch_get_one(array, n_tokens))
        lib.llama_synchronize(handles.context)
        seconds = time.perf_counter() - began
        lib.llama_memory_seq_rm(lib.llama_get_memory(handles.context), 0, -1, -1)
        return seconds

    usual = ThreadChoice(handles.n_threads, handles.n_threads)
    began = time.perf_counter()
    choice = probe_threads(handles.context, evaluate, usual=usual, cores=Cores(**options["cores"]))
    taken = time.perf_counter() - began
    now = [lib.llama_n_threads(handles.context), lib.llama_n_threads_batch(handles.context)]
    handles.free()
    return {"choice": asdict(choice) if choice else None, "taken_s": taken, "now": now}


TASKS: dict[str, Callable[[Path, LlamaLog, dict[str, Any]], dict[str, Any]]] = {
    "loaded": loaded,
    "adapters": adapters,
    "threads": threads,
}

if __name__ == "__main__":
    llama_log = LlamaLog()
    start_library(llama_log, lambda _words: None)
    task, model_file, raw = sys.argv[1:]
    sys.stdout.write(json.dumps(TASKS[task](Path(model_file), llama_log, json.loads(raw))))
