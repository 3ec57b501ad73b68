"""Load a model file into llama.cpp: header check, context size, offload with fall-back, one context.

Knows files, devices and sizes; no prompts. Runs in the worker process only.
"""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.errors import ModelFileError, ModelFitError, ModelLoadError, sentence
from engine.model.backend import NO_ROOM, Offload, backend_name, choose_offload, gpu_room, gpus, thread_count
from engine.model.buffers import Buffers, read_buffers
from engine.model.description import ModelDescription, ModelKind, describe
from engine.model.fit import estimate, judge, largest_context
from engine.model.llama_library import LlamaLog, lib
from engine.model.memory import machine_memory
from engine.types import FlashAttention, KvType, ModelSpec

STATEFUL_SEQUENCES = 4
"""Recurrent and hybrid models keep a state of fixed size for each sequence."""
MAX_OUTPUTS = 64
"""Rows of logits in one batch: one a sequence, or one a drafted token. More would be memory for nothing."""
_FLASH_ATTENTION = {FlashAttention.AUTO: -1, FlashAttention.OFF: 0, FlashAttention.ON: 1}
_KV_TYPES = {KvType.F16: lib.GGML_TYPE_F16, KvType.Q8_0: lib.GGML_TYPE_Q8_0, KvType.Q4_0: lib.GGML_TYPE_Q4_0}

Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Handles:
    """A loaded model and its context, with what is known about them."""

    model: Any
    context: Any
    description: ModelDescription
    buffers: Buffers
    n_ctx: int
    n_cells: int
    n_sequences: int
    n_threads: int
    n_gpu_layers: int
    backend: str
    note: str
    load_s: float

    def free(self) -> None:
        """Give the memory back; the handles are dead afterwards."""
        lib.llama_free(self.context)
        lib.llama_model_free(self.model)


def load(spec: ModelSpec, log: LlamaLog, progress: Progress) -> Handles:
    """Load `spec`. Raises `ModelFileError`, `ModelFitError` or `ModelLoadError`."""
    began = time.perf_counter()
    description = describe(spec.path)
    if description.kind is not ModelKind.TEXT:
        raise ModelFileError(
            sentence("{name} is not a language model that one can talk to."), name=description.path.name
        )
    n_ctx, offload = _plan(spec, description)
    log.start_recording()
    try:
        model, context, offload = _load_or_fall_back(spec, description, n_ctx, offload, progress)
    finally:
        lines = log.stop_recording()
    buffers = read_buffers(lines)
    return Handles(
        model=model,
        context=context,
        description=description,
        buffers=buffers,
        n_ctx=min(n_ctx, lib.llama_n_ctx(context)),
        n_cells=lib.llama_n_ctx(context),
        n_sequences=lib.llama_n_seq_max(context),
        n_threads=lib.llama_n_threads(context),
        n_gpu_layers=buffers.offloaded_layers if buffers.devices else 0,
        backend=backend_name(buffers.devices[0]) if buffers.devices else "CPU",
        note=offload.note,
        load_s=time.perf_counter() - began,
    )


def _plan(spec: ModelSpec, description: ModelDescription) -> tuple[int, Offload]:
    """The context window, and the layers for the GPU. Raises `ModelFitError` where there is no room at all."""
    devices = [] if spec.n_gpu_layers == 0 else gpus()
    if devices:
        room = gpu_room(devices)
        n_ctx = spec.n_ctx or largest_context(description, room, spec.kv_type, offloaded=True)
        if n_ctx:
            needed = estimate(description, n_ctx, spec.kv_type, n_ubatch=spec.n_ubatch, offloaded=True).needed_bytes
            return n_ctx, choose_offload(spec.n_gpu_layers, needed, room, description.n_layer)
    n_ctx = spec.n_ctx or largest_context(description, machine_memory().available_bytes, spec.kv_type)
    if not n_ctx:
        verdict = judge(description, machine_memory().available_bytes, None, spec.kv_type)
        raise ModelFitError(verdict.template, **verdict.fields)
    return n_ctx, Offload(0, NO_ROOM if devices else "")


def _load_or_fall_back(
    spec: ModelSpec,
    description: ModelDescription,
    n_ctx: int,
    offload: Offload,
    progress: Progress,
) -> tuple[Any, Any, Offload]:
    try:
        return *_load_once(spec, description, n_ctx, offload.n_gpu_layers, progress), offload
    except (ModelLoadError, ModelFitError):
        if not offload.n_gpu_layers:
            raise
    offload = Offload(0, sentence("The graphics card could not hold the model, so the processor runs it."))
    return *_load_once(spec, description, n_ctx, 0, progress), offload


def _load_once(
    spec: ModelSpec,
    description: ModelDescription,
    n_ctx: int,
    n_gpu_layers: int,
    progress: Progress,
) -> tuple[Any, Any]:
    model = load_weights(spec, description, n_gpu_layers, progress)
    stateful = lib.llama_model_is_recurrent(model) or lib.llama_model_is_hybrid(model)
    params = _context_params(spec, max(n_ctx, spec.n_cells or 0), n_gpu_layers, stateful=stateful)
    context = lib.llama_init_from_model(model, params)
    if not context:
        lib.llama_model_free(model)
        raise ModelFitError(
            sentence("There is not enough memory for a context window of {tokens} tokens."), tokens=n_ctx
        )
    return model, context


def load_weights(
    spec: ModelSpec,
    description: ModelDescription,
    n_gpu_layers: int,
    progress: Progress,
) -> Any:
    """The model's weights, without a context. Raises `ModelLoadError`."""

    @lib.llama_progress_callback  # type: ignore[untyped-decorator, unused-ignore]
    def on_progress(fraction: float, _data: object) -> bool:
        progress(fraction)
        return True

    params = lib.llama_model_default_params()
    params.n_gpu_layers = n_gpu_layers
    params.load_mode = lib.LLAMA_LOAD_MODE_MMAP if spec.use_mmap else lib.LLAMA_LOAD_MODE_NONE
    params.progress_callback = on_progress
    no_devices = (ctypes.c_void_p * 1)(None)
    if n_gpu_layers == 0:
        params.devices = ctypes.cast(no_devices, ctypes.c_void_p)
    model = lib.llama_model_load_from_file(os.fsencode(description.path), params)
    if not model:
        raise ModelLoadError(
            sentence("{name} cannot be loaded. The file may be damaged, or of a kind this version does not know."),
            name=description.path.name,
        )
    return model


def _context_params(spec: ModelSpec, n_cells: int, n_gpu_layers: int, *, stateful: bool) -> Any:
    threads = thread_count(spec.n_threads)
    params = lib.llama_context_default_params()
    params.n_ctx = n_cells
    params.n_batch = min(spec.n_batch, n_cells)
    params.n_ubatch = min(spec.n_ubatch, spec.n_batch, n_cells)
    params.n_seq_max = min(spec.n_sequences, STATEFUL_SEQUENCES) if stateful else spec.n_sequences
    params.n_outputs_max = MAX_OUTPUTS
    params.kv_unified = True
    params.n_threads = params.n_threads_batch = threads
    params.flash_attn_type = _FLASH_ATTENTION[spec.flash_attention]
    params.type_k = params.type_v = _KV_TYPES[spec.kv_type]
    params.offload_kqv = params.op_offload = n_gpu_layers != 0
    params.no_perf = True
    return params
