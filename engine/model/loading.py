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
from engine.model.backend import Offload, backend_name, gpus, thread_count
from engine.model.buffers import Buffers, read_buffers
from engine.model.description import ModelDescription, ModelKind, describe
from engine.model.fit import MAX_OUTPUTS, STATEFUL_SEQUENCES
from engine.model.llama_library import LlamaLog, lib
from engine.model.load_plan import LoadPlan, plan_load
from engine.model.memory import machine_memory
from engine.types import FlashAttention, KvType, LoadedModel, ModelSpec

NOT_LOCKED = sentence(
    "The system does not let the whole model be kept in memory. It works all the same, and may be swapped out."
)
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
    flash_attention: bool = False
    kv_type: KvType = KvType.F16
    notes: tuple[str, ...] = ()
    """Sentences about wishes that were not fulfilled, for the person."""

    def free(self) -> None:
        """Give the memory back; the handles are dead afterwards."""
        lib.llama_free(self.context)
        lib.llama_model_free(self.model)


def load(spec: ModelSpec, log: LlamaLog, progress: Progress) -> Handles:
    """Load `spec`. Raises `ModelFileError`, `ModelFitError` or `ModelLoadError`."""
    began = time.perf_counter()
    description = describe(spec.path)
    if description.kind is ModelKind.ADAPTER:
        raise ModelFileError(
            sentence("{name} is an adapter, not a model. Add it to its model in the list of models."),
            name=description.path.name,
        )
    if description.kind is not ModelKind.TEXT:
        raise ModelFileError(
            sentence("{name} is not a language model that one can talk to."), name=description.path.name
        )
    devices = [] if spec.n_gpu_layers == 0 else gpus()
    plan = plan_load(spec, description, devices, machine_memory().available_bytes)
    log.start_recording()
    try:
        model, context, offload = _load_or_fall_back(spec, description, plan, progress)
    finally:
        lines = log.stop_recording()
    buffers = read_buffers(lines)
    return Handles(
        model=model,
        context=context,
        description=description,
        buffers=buffers,
        n_ctx=min(plan.n_ctx, lib.llama_n_ctx(context)),
        n_cells=lib.llama_n_ctx(context),
        n_sequences=lib.llama_n_seq_max(context),
        n_threads=lib.llama_n_threads(context),
        n_gpu_layers=buffers.offloaded_layers if buffers.devices else 0,
        backend=backend_name(buffers.devices[0]) if buffers.devices else "CPU",
        note=offload.note,
        load_s=time.perf_counter() - began,
        kv_type=plan.kv_type,
        flash_attention=buffers.flash_attention,
        notes=(*plan.notes, *((NOT_LOCKED,) if buffers.not_locked else ())),
    )


def loaded_model(handles: Handles, n_vocab: int) -> LoadedModel:
    """What is loaded, as llama.cpp reports it."""
    description, buffers = handles.description, handles.buffers
    return LoadedModel(
        path=description.path,
        name=description.name,
        architecture=description.architecture,
        quantisation=description.quantisation,
        n_ctx=handles.n_ctx,
        n_ctx_train=lib.llama_model_n_ctx_train(handles.model),
        n_vocab=n_vocab,
        n_params=lib.llama_model_n_params(handles.model),
        weights_bytes=buffers.weights or lib.llama_model_size(handles.model),
        kv_bytes=buffers.kv,
        compute_bytes=buffers.compute,
        backend=handles.backend,
        n_gpu_layers=handles.n_gpu_layers,
        backend_note=handles.note,
        template="",
        can_think=False,
        load_s=handles.load_s,
        n_cells=handles.n_cells,
        n_sequences=handles.n_sequences,
        n_threads=handles.n_threads,
        kv_type=handles.kv_type,
        flash_attention=handles.flash_attention,
        notes=handles.notes,
    )


def _load_or_fall_back(
    spec: ModelSpec, description: ModelDescription, plan: LoadPlan, progress: Progress
) -> tuple[Any, Any, Offload]:
    try:
        return *_load_once(spec, description, plan, plan.offload.n_gpu_layers, progress), plan.offload
    except (ModelLoadError, ModelFitError):
        if not plan.offload.n_gpu_layers:
            raise
    offload = Offload(0, sentence("The graphics card could not hold the model, so the processor runs it."))
    return *_load_once(spec, description, plan, 0, progress), offload


def _load_once(
    spec: ModelSpec, description: ModelDescription, plan: LoadPlan, n_gpu_layers: int, progress: Progress
) -> tuple[Any, Any]:
    model = load_weights(spec, description, n_gpu_layers, progress)
    stateful = lib.llama_model_is_recurrent(model) or lib.llama_model_is_hybrid(model)
    params = _context_params(spec, plan, n_gpu_layers, stateful=stateful)
    context = lib.llama_init_from_model(model, params)
    if not context:
        lib.llama_model_free(model)
        raise ModelFitError(
            sentence("There is not enough memory for a context window of {tokens} tokens."), tokens=plan.n_ctx
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
    params.load_mode = _load_mode(spec)
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


def _load_mode(spec: ModelSpec) -> int:
    """What is locked is not mapped: a locked map would hold the file beside its rearranged copy."""
    mode: int = lib.LLAMA_LOAD_MODE_NONE
    if spec.use_mlock:
        mode = lib.LLAMA_LOAD_MODE_MLOCK
    elif spec.use_mmap:
        mode = lib.LLAMA_LOAD_MODE_MMAP
    return mode


def _context_params(spec: ModelSpec, plan: LoadPlan, n_gpu_layers: int, *, stateful: bool) -> Any:
    threads = thread_count(spec.n_threads)
    params = lib.llama_context_default_params()
    params.n_ctx = plan.n_cells
    params.n_batch = min(spec.n_batch, plan.n_cells)
    params.n_ubatch = min(spec.n_ubatch, spec.n_batch, plan.n_cells)
    params.n_seq_max = min(spec.n_sequences, STATEFUL_SEQUENCES) if stateful else spec.n_sequences
    params.n_outputs_max = MAX_OUTPUTS
    params.kv_unified = True
    params.n_threads = params.n_threads_batch = threads
    params.flash_attn_type = _FLASH_ATTENTION[plan.flash_attention]
    params.type_k = params.type_v = _KV_TYPES[plan.kv_type]
    params.offload_kqv = params.op_offload = n_gpu_layers != 0
    params.no_perf = True
    return params
