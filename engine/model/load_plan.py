"""How a model is to be loaded here: window, cells of the KV cache, layers on the GPU, and what was refused of a wish.

Decides from a header and from free memory alone. Knows no file's weights and calls no llama.cpp.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.errors import ModelFitError, sentence
from engine.model.backend import Device, Offload, choose_offload, gpu_room
from engine.model.companions import company_bytes
from engine.model.description import ModelDescription
from engine.model.fit import cells_for, estimate, judge, largest_context
from engine.types import FlashAttention, KvType, ModelSpec

KV_BLOCK = 32
"""Elements that Q8_0 and Q4_0 quantise together: a head must be a whole number of blocks."""
_NEVER_FLASH = frozenset({"grok"})
"""llama.cpp switches flash attention off for these, and then refuses quantised values."""
KV_TYPE_REFUSED = sentence("This model's memory cannot be made smaller, so it is kept in full.")
FLASH_FORCED = sentence("The model's smaller memory needs flash attention, so it is on.")


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """`n_ctx` is one conversation's window, `n_cells` what the KV cache holds of all. `notes` are sentences."""

    n_ctx: int
    n_cells: int
    offload: Offload
    kv_type: KvType
    flash_attention: FlashAttention
    notes: tuple[str, ...] = ()


def plan_load(
    spec: ModelSpec, description: ModelDescription, devices: Sequence[Device], available_bytes: int
) -> LoadPlan:
    """Choose what the spec leaves open. `devices` are the GPUs that may be used, `available_bytes` is main memory.

    Raises `ModelFitError` where there is no room at all.
    """
    kv_type, flash_attention, notes = _attention(spec, description)
    how = _how(spec, flash_attention)
    company = company_bytes(spec)
    main_room = max(0, available_bytes - company)
    n_ctx, n_cells, offload = 0, 0, Offload(0)
    if devices:
        # 0 means that no driver says how much is free: then everything is tried there.
        room = max(1, free - company) if (free := gpu_room(devices)) else 0
        on_gpu = how | {"offloaded": True}
        n_ctx = spec.n_ctx or largest_context(description, room, kv_type, **on_gpu)
        # What does not fit there whole may still go there in part, and main memory holds the rest.
        n_ctx = n_ctx or largest_context(description, main_room, kv_type, **how)
        n_cells = spec.n_cells or cells_for(description, n_ctx, room, kv_type, **on_gpu)
        need = estimate(description, max(n_ctx, n_cells), kv_type, **on_gpu)  # type: ignore[arg-type]
        offload = choose_offload(
            spec.n_gpu_layers, need.needed_bytes, room, description.n_layer, need.compute_bytes + need.tables_bytes
        )
    if not offload.n_gpu_layers:
        n_ctx = spec.n_ctx or largest_context(description, main_room, kv_type, **how)
        n_cells = spec.n_cells or cells_for(description, n_ctx, main_room, kv_type, **how)
    if not n_ctx:
        verdict = judge(description, main_room, None, kv_type, **how)
        raise ModelFitError(verdict.template, **verdict.fields)
    return LoadPlan(n_ctx, max(n_ctx, n_cells), offload, kv_type, flash_attention, notes)


def _attention(spec: ModelSpec, description: ModelDescription) -> tuple[KvType, FlashAttention, tuple[str, ...]]:
    """The KV type and flash attention that go together, by llama.cpp's rules (`llama_init_from_model`)."""
    if spec.kv_type is KvType.F16:
        return KvType.F16, spec.flash_attention, ()
    whole_blocks = description.key_length % KV_BLOCK == 0 and description.value_length % KV_BLOCK == 0
    if not whole_blocks or description.architecture in _NEVER_FLASH:
        return KvType.F16, spec.flash_attention, (KV_TYPE_REFUSED,)
    notes = (FLASH_FORCED,) if spec.flash_attention is FlashAttention.OFF else ()
    return spec.kv_type, FlashAttention.ON, notes


def _how(spec: ModelSpec, flash_attention: FlashAttention) -> dict[str, bool | int]:
    return {
        "n_ubatch": spec.n_ubatch,
        "n_sequences": spec.n_sequences,
        "flash_attention": flash_attention is not FlashAttention.OFF,
    }
