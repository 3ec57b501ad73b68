"""Load a model as the engine does, use it a little, and print as JSON what memory that took. Run as a script.

Arguments: model file, n_ctx, KV type ("f16", "q8_0"), flash attention (-1 auto, 0 off, 1 on), map ("1" or "0"),
and how many tokens the window is filled with.
"""

from __future__ import annotations

import ctypes
import json
import re
import sys
import time
from pathlib import Path
from typing import Any

import llama_cpp.llama_cpp as lib
import psutil

MIB = 1024 * 1024
BATCH = 512
DECODED = 4


def memory() -> dict[str, int]:
    """This process's memory by kind, in bytes; kinds where the platform tells, else resident only."""
    status = Path("/proc/self/status")
    if not status.exists():
        return {"VmRSS": psutil.Process().memory_info().rss}
    found = re.findall(r"(VmRSS|VmHWM|RssAnon|RssFile):\s+(\d+) kB", status.read_text())
    return {name: int(kilobytes) * 1024 for name, kilobytes in found}


def reset_peak() -> None:
    """From now on `VmHWM` counts anew."""
    clear = Path("/proc/self/clear_refs")
    if clear.exists():
        clear.write_text("5")


def decode(context: Any, tokens: list[int]) -> None:
    """Let the model read `tokens` after whatever it has read before."""
    array = (lib.llama_token * len(tokens))(*tokens)
    if lib.llama_decode(context, lib.llama_batch_get_one(array, len(tokens))):
        raise SystemExit("llama_decode failed")


def main(file: str, n_ctx: int, kv_type: str, *, flash_attention: int, use_mmap: bool, filled: int) -> dict[str, Any]:
    lines: list[str] = []

    @lib.llama_log_callback  # type: ignore[untyped-decorator]
    def on_log(_level: int, text: bytes, _data: object) -> None:
        lines.append(text.decode(errors="replace"))

    lib.llama_log_set(on_log, ctypes.c_void_p(0))
    lib.llama_backend_init()
    reset_peak()
    before = memory()
    began = time.perf_counter()

    model_params = lib.llama_model_default_params()
    model_params.n_gpu_layers = 0
    model_params.load_mode = lib.LLAMA_LOAD_MODE_MMAP if use_mmap else lib.LLAMA_LOAD_MODE_NONE
    no_devices = (ctypes.c_void_p * 1)(None)
    model_params.devices = ctypes.cast(no_devices, ctypes.c_void_p)
    model = lib.llama_model_load_from_file(file.encode(), model_params)
    if not model:
        raise SystemExit("".join(lines))

    params = lib.llama_context_default_params()
    params.n_ctx = n_ctx
    params.n_batch = params.n_ubatch = min(BATCH, n_ctx)
    params.n_seq_max = 2
    params.kv_unified = True
    # More would wait for each other where the machine is busy; they take no memory to speak of.
    params.n_threads = params.n_threads_batch = 1
    params.flash_attn_type = flash_attention
    params.type_k = params.type_v = {"f16": lib.GGML_TYPE_F16, "q8_0": lib.GGML_TYPE_Q8_0}[kv_type]
    params.offload_kqv = params.op_offload = False
    params.no_perf = True
    context = lib.llama_init_from_model(model, params)
    if not context:
        raise SystemExit("".join(lines))
    loaded_s = time.perf_counter() - began

    prompt = [index % 500 + 10 for index in range(filled - DECODED)]
    for start in range(0, len(prompt), BATCH):
        decode(context, prompt[start : start + BATCH])
    for index in range(DECODED):
        decode(context, [index + 10])

    after = memory()
    sizes: dict[str, float] = {}
    for device, kind, mib in re.findall(r"(\S+)\s+(\w+) buffer size\s*=\s*([\d.]+) MiB", "".join(lines)):
        sizes[f"{device} {kind}"] = sizes.get(f"{device} {kind}", 0) + float(mib) * MIB
    return {"before": before, "after": after, "buffers": sizes, "load_s": loaded_s, "log": "".join(lines)}


if __name__ == "__main__":
    path, context_size, element, attention, mapped, tokens = sys.argv[1:]
    report = main(
        path, int(context_size), element, flash_attention=int(attention), use_mmap=mapped == "1", filled=int(tokens)
    )
    sys.stdout.write(json.dumps(report))
