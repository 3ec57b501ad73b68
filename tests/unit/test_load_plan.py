"""What is chosen for a load from a header and from free memory: windows, cells, layers on a GPU, memory types."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import ModelFitError
from engine.model.backend import ALL_LAYERS, GPU_MEMORY_SHARE, NO_ROOM, Device
from engine.model.buffers import read_buffers
from engine.model.companions import DRAFT_WINDOW, company_bytes
from engine.model.description import ModelDescription, describe
from engine.model.fit import COMFORTABLE_SHARE, WINDOWS_KEPT, cells_for, estimate, judge
from engine.model.load_plan import FLASH_FORCED, KV_TYPE_REFUSED, plan_load
from engine.types import Adapter, FlashAttention, KvType, ModelSpec

GIB = 1024**3
ALL = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="session")
def model(starter: Path) -> ModelDescription:
    return describe(starter)


def gpu(free: int) -> Device:
    return Device("CUDA0", "", "CUDA", free, free)


@ALL
@given(n_ctx=st.integers(1, 40_000), available=st.integers(0, 8 * GIB), kv_type=st.sampled_from(KvType))
def test_cells_hold_a_window_and_more_only_in_comfort(
    model: ModelDescription, n_ctx: int, available: int, kv_type: KvType
) -> None:
    cells = cells_for(model, n_ctx, available, kv_type)
    assert n_ctx <= cells <= max(n_ctx, min(WINDOWS_KEPT * n_ctx, 32_768))
    if cells > n_ctx:
        assert estimate(model, cells, kv_type).needed_bytes <= available * COMFORTABLE_SHARE
    verdict = judge(model, available, n_ctx, kv_type)
    assert verdict.n_cells == cells


def test_plan_for_the_processor(model: ModelDescription) -> None:
    plan = plan_load(ModelSpec(model.path, n_ctx=4096), model, [], 16 * GIB)
    assert (plan.n_ctx, plan.n_cells, plan.offload.n_gpu_layers) == (4096, 16_384, 0)
    assert (plan.offload.note, plan.notes) == ("", ())
    named = plan_load(ModelSpec(model.path, n_ctx=4096, n_cells=5000), model, [], 16 * GIB)
    assert (named.n_ctx, named.n_cells) == (4096, 5000)
    fewer = plan_load(ModelSpec(model.path, n_ctx=4096, n_cells=100), model, [], 16 * GIB)
    assert fewer.n_cells == 4096
    with pytest.raises(ModelFitError, match="only"):
        plan_load(ModelSpec(model.path), model, [], GIB // 2)


def test_plan_for_a_card(model: ModelDescription) -> None:
    spec = ModelSpec(model.path)
    large = plan_load(spec, model, [gpu(24 * GIB)], 16 * GIB)
    assert (large.n_ctx, large.offload.n_gpu_layers, large.offload.note) == (32_768, ALL_LAYERS, "")
    unknown = plan_load(spec, model, [gpu(0)], 16 * GIB)
    assert (unknown.n_ctx, unknown.offload.n_gpu_layers) == (32_768, ALL_LAYERS)
    tiny = plan_load(spec, model, [gpu(GIB // 4)], 16 * GIB)
    assert (tiny.n_ctx, tiny.offload.n_gpu_layers, tiny.offload.note) == (32_768, 0, NO_ROOM)
    named = plan_load(replace(spec, n_gpu_layers=5), model, [gpu(GIB // 4)], 16 * GIB)
    assert named.offload.n_gpu_layers == 5


@ALL
@given(free=st.integers(GIB // 8, 4 * GIB), n_ctx=st.sampled_from((None, 2048, 16_384)))
def test_what_goes_on_a_card_fits_there(model: ModelDescription, free: int, n_ctx: int | None) -> None:
    plan = plan_load(ModelSpec(model.path, n_ctx=n_ctx), model, [gpu(free)], 16 * GIB)
    need = estimate(model, plan.n_cells, offloaded=True)
    fixed = need.compute_bytes + need.tables_bytes
    share = min(plan.offload.n_gpu_layers, model.n_layer) / model.n_layer
    if share:
        assert fixed + share * (need.needed_bytes - fixed) <= free * GPU_MEMORY_SHARE


def test_company_takes_its_room(model: ModelDescription, smollm2: Path, tmp_path: Path) -> None:
    adapter = tmp_path / "adapter.gguf"
    adapter.write_bytes(bytes(50_000_000))
    alone = ModelSpec(model.path)
    beside = replace(alone, draft_path=smollm2, adapters=(Adapter(adapter),), projector=tmp_path / "missing.gguf")
    draft = estimate(describe(smollm2), DRAFT_WINDOW, n_sequences=1).needed_bytes
    assert company_bytes(beside) == 50_000_000 + draft
    assert company_bytes(replace(alone, draft_path=adapter)) == 0
    room = 2 * GIB
    assert plan_load(beside, model, [], room).n_ctx < plan_load(alone, model, [], room).n_ctx
    assert plan_load(beside, model, [], room + company_bytes(beside)) == plan_load(alone, model, [], room)


@pytest.mark.parametrize("wanted", list(FlashAttention))
def test_smaller_memory_needs_flash_attention(model: ModelDescription, wanted: FlashAttention) -> None:
    spec = ModelSpec(model.path, kv_type=KvType.Q4_0, flash_attention=wanted)
    plan = plan_load(spec, model, [], 16 * GIB)
    assert (plan.kv_type, plan.flash_attention) == (KvType.Q4_0, FlashAttention.ON)
    assert plan.notes == ((FLASH_FORCED,) if wanted is FlashAttention.OFF else ())
    full = plan_load(replace(spec, kv_type=KvType.F16), model, [], 16 * GIB)
    assert (full.kv_type, full.flash_attention, full.notes) == (KvType.F16, wanted, ())


def test_memory_that_cannot_be_smaller_stays_full(model: ModelDescription) -> None:
    spec = ModelSpec(model.path, kv_type=KvType.Q8_0, flash_attention=FlashAttention.OFF)
    for odd in (replace(model, key_length=80), replace(model, value_length=80), replace(model, architecture="grok")):
        plan = plan_load(spec, odd, [], 16 * GIB)
        assert (plan.kv_type, plan.flash_attention) == (KvType.F16, FlashAttention.OFF)
        assert plan.notes == (KV_TYPE_REFUSED,)


@pytest.mark.parametrize(
    ("log", "on"),
    [
        ("llama_context: flash_attn            = enabled", True),
        ("llama_context: flash_attn            = disabled", False),
        ("llama_context: flash_attn            = auto\nsched_reserve: Flash Attention enabled", True),
        ("llama_context: flash_attn = auto\nresolve: Flash Attention not supported, set to disabled", False),
        ("llama_init_from_model: flash_attn is not compatible with Grok - forcing off", False),
        ("", False),
    ],
)
def test_flash_attention_in_effect_is_what_the_log_says(log: str, on: bool) -> None:
    assert read_buffers(log.splitlines()).flash_attention is on


def test_memory_that_may_not_be_locked_is_seen_in_the_log() -> None:
    refused = "warning: failed to mlock 98000-byte buffer (after previously locking 0 bytes): Cannot allocate memory"
    assert read_buffers([refused]).not_locked
    assert not read_buffers(["load_tensors: load_mode = mlock"]).not_locked
