"""Load a model as the engine does, use it a little, and print as JSON what memory that took. Run as a script.

Arguments: model file, cells of the KV cache, KV type ("f16", "q8_0", "q4_0"), flash attention (-1 auto, 0 off, 1 on),
map ("1" or "0"), how many cells are filled, and of how many tokens in one batch the logits are asked for.
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
SEQUENCES, MAX_OUTPUTS = 32, 64
"""As engine.model.loading has them."""


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


def decode_with_outputs(context: Any, outputs: int) -> None:
    """Let as many sequences read a token each, and ask for the logits of all."""
    batch = lib.llama_batch_init(outputs, 0, 1)
    batch.n_tokens = outputs
    for index in range(outputs):
        batch.token[index], batch.pos[index], batch.logits[index] = index + 10, index // SEQUENCES, True
        batch.n_seq_id[index], batch.seq_id[index][0] = 1, index % SEQUENCES
    if lib.llama_decode(context, batch):
        raise SystemExit("llama_decode failed")


def main(
    file: str, n_cells: int, kv_type: str, *, flash_attention: int, use_mmap: bool, filled: int, outputs: int
) -> dict[str, Any]:
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
    params.n_ctx = n_cells
    params.n_batch = params.n_ubatch = min(BATCH, n_cells)
    params.n_seq_max = SEQUENCES
    params.n_outputs_max = MAX_OUTPUTS
    params.kv_unified = True
    # More would wait for each other where the machine is busy; they take no memory to speak of.
    params.n_threads = params.n_threads_batch = 1
    params.flash_attn_type = flash_attention
    params.type_k = params.type_v = getattr(lib, f"GGML_TYPE_{kv_type.upper()}")
    params.offload_kqv = params.op_offload = False
    params.no_perf = True
    context = lib.llama_init_from_model(model, params)
    if not context:
        raise SystemExit("".join(lines))
    loaded_s = time.perf_counter() - began

    prompt = [index % 500 + 10 for index in range(filled - DECODED - outputs)]
    for start in range(0, len(prompt), BATCH):
        decode(context, prompt[start : start + BATCH])
    for index in range(DECODED):
        decode(context, [index + 10])
    if outputs > 1:
        lib.llama_memory_seq_rm(lib.llama_get_memory(context), 0, -1, -1)
        decode_with_outputs(context, outputs)

    after = memory()
    sizes: dict[str, float] = {}
    for device, kind, mib in re.findall(r"(\S+)\s+(\w+) buffer size\s*=\s*([\d.]+) MiB", "".join(lines)):
        sizes[f"{device} {kind}"] = sizes.get(f"{device} {kind}", 0) + float(mib) * MIB
    return {"before": before, "after": after, "buffers": sizes, "load_s": loaded_s, "log": "".join(lines)}


if __name__ == "__main__":
    path, cells, element, attention, mapped, tokens, rows = sys.argv[1:]
    report = main(
        path,
        int(cells),
        element,
        flash_attention=int(attention),
        use_mmap=mapped == "1",
        filled=int(tokens),
        outputs=int(rows),
    )
    sys.stdout.write(json.dumps(report))
