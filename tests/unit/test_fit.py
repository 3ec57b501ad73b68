"""The memory estimate's terms, the context chosen by default, and the verdict. Real processes: test_fit_process.py."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.model import memory
from engine.model.description import ModelDescription, describe
from engine.model.fit import (
    COMFORTABLE_SHARE,
    FitLevel,
    estimate,
    gigabytes,
    judge,
    kv_cache_bytes,
    largest_context,
)
from engine.model.memory import machine_memory, repacked_types
from engine.types import KvType
from tests.unit.gguf_writing import gguf, tiny_model

X86 = frozenset({"Q4_0", "Q4_K"})


@pytest.fixture
def model(tmp_path: Path) -> ModelDescription:
    path = tmp_path / "tiny.gguf"
    path.write_bytes(tiny_model())
    return describe(path)


def described(tmp_path: Path, **changes: Any) -> ModelDescription:
    path = tmp_path / "changed.gguf"
    path.write_bytes(tiny_model(**changes))
    return describe(path)


def test_kv_cache_of_real_models(smollm2: Path, qwen_small: Path, starter: Path) -> None:
    """llama.cpp's own figures for 2,048 tokens in F16: 45, 24 and 56 MiB."""
    for path, mebibytes in ((smollm2, 45), (qwen_small, 24), (starter, 56)):
        description = describe(path)
        assert kv_cache_bytes(description, 2048, KvType.F16) == mebibytes * 2**20
        assert kv_cache_bytes(description, 2048, KvType.Q8_0) == mebibytes * 2**20 * 34 // 64


def test_context_is_rounded_up_as_llama_cpp_does(model: ModelDescription) -> None:
    at_256 = kv_cache_bytes(model, 256, KvType.F16)
    assert at_256 == 2 * 2 * 64 * 2 * 256 * 2  # layers, heads, length, K and V, cells, bytes
    assert [kv_cache_bytes(model, n_ctx, KvType.F16) // at_256 for n_ctx in (1, 255, 256, 257)] == [1, 1, 1, 2]


def test_layers_without_a_cache_take_none(tmp_path: Path) -> None:
    full = kv_cache_bytes(described(tmp_path), 256, KvType.F16)
    hybrid = described(tmp_path, llama__attention__head_count_kv=[2, 0], llama__ssm__state_size=16)
    assert kv_cache_bytes(hybrid, 256, KvType.F16) == full // 2
    shared = described(tmp_path, llama__attention__shared_kv_layers=1)
    assert kv_cache_bytes(shared, 256, KvType.F16) == full // 2
    latent = described(tmp_path, llama__attention__key_length_mla=64)
    assert kv_cache_bytes(latent, 256, KvType.F16) == full // 2
    recurrent = described(
        tmp_path, architecture="mamba", mamba__ssm__state_size=16, mamba__ssm__inner_size=512, mamba__ssm__conv_kernel=4
    )
    assert kv_cache_bytes(recurrent, 256, KvType.F16) == 0
    state = 2 * (16 * 512 + 3 * 512)
    assert recurrent.recurrent_state == state
    assert estimate(recurrent, 256, n_sequences=3).kv_bytes == 3 * 4 * state


def test_repacked_weights_stay_mapped_beside_their_copy(model: ModelDescription) -> None:
    matrices = dict(model.matrix_bytes)["Q4_K"]
    mapped = estimate(model, 256, repacked=X86)
    assert mapped.mapped_bytes == matrices
    assert mapped.total_bytes == mapped.needed_bytes + matrices == mapped.total
    for other in (
        estimate(model, 256, repacked=X86, use_mmap=False),
        estimate(model, 256, repacked=frozenset()),
        estimate(model, 256, repacked=X86, offloaded=True),
    ):
        assert other.mapped_bytes == 0
    # Its embedding serves as output too: a repacked one is there twice.
    assert mapped.weights_bytes == model.tensor_bytes + model.tied_bytes
    assert estimate(model, 256, repacked=frozenset()).weights_bytes == model.tensor_bytes


def test_separate_output_is_not_counted_twice(tmp_path: Path) -> None:
    path = tmp_path / "untied.gguf"
    tensors = [
        ("token_embd.weight", (256, 64), 12),
        ("output.weight", (256, 64), 12),
        ("output_norm.weight", (256,), 0),
    ]
    metadata = {"general.architecture": "llama", "llama.block_count": 1, "llama.embedding_length": 256}
    path.write_bytes(gguf({**metadata, "llama.context_length": 512}, tensors))
    untied = describe(path)
    assert (untied.tied_type, untied.tied_bytes) == ("", 0)
    assert dict(untied.matrix_bytes) == {"Q4_K": 256 * 64 // 256 * 144}


def test_what_compute_depends_on(model: ModelDescription) -> None:
    base = estimate(model, 2048).compute_bytes
    assert estimate(model, 2048, n_ubatch=256).compute_bytes < base
    assert estimate(model, 2048, filled=256).compute_bytes < base
    assert estimate(model, 2048, flash_attention=False).compute_bytes > base
    # A row of logits, and a cleared copy for each of 32 sequences.
    row = 4 * model.n_vocab
    assert estimate(model, 2048, n_sequences=1).compute_bytes == base - 31 * row
    assert estimate(model, 2048, n_outputs=40).compute_bytes == base + (39 + 8) * row
    # A GPU reserves the logits of a whole batch; their copies lie in main memory.
    assert estimate(model, 2048, offloaded=True).compute_bytes == base + (64 - 33) * row
    experts = replace(model, n_expert_used=4, n_ff_expert=512)
    assert estimate(experts, 2048).compute_bytes > base


@pytest.mark.parametrize("kv_type", list(KvType))
def test_largest_context_is_the_largest_that_fits(starter: Path, kv_type: KvType) -> None:
    description = describe(starter)
    for n_ctx in (2048, 4096, 8192, 32_512):
        exactly = -(-estimate(description, n_ctx, kv_type).needed_bytes // COMFORTABLE_SHARE)
        room = int(exactly) + 1
        assert largest_context(description, room, kv_type) == n_ctx
        assert largest_context(description, room - 1_000_000, kv_type) < max(n_ctx, 2049)


def test_largest_context_stays_within_training_and_cap(starter: Path, smollm2: Path) -> None:
    plenty = 10**12
    assert largest_context(describe(smollm2), plenty) == 8192
    assert largest_context(describe(starter), plenty) == 32_768
    assert largest_context(describe(starter), plenty, cap=10_000) == 9_984
    longer = replace(describe(starter), n_ctx_train=131_072)
    assert largest_context(longer, plenty) == 32_768
    assert largest_context(longer, plenty, cap=200_000) == 131_072


def test_little_memory_gives_a_small_window_or_none(starter: Path) -> None:
    description = describe(starter)
    least = estimate(description, 256).needed_bytes
    assert largest_context(description, least) == 256
    assert largest_context(description, least - 1) == 0
    assert largest_context(description, 0) == 0
    useful = estimate(description, 2048).needed_bytes
    assert largest_context(description, useful) == 2048  # tight, and still worth it


def test_verdict_at_its_borders(starter: Path) -> None:
    description = describe(starter)
    need = estimate(description, 4096).needed_bytes
    comfortable = int(need / COMFORTABLE_SHARE) + 1
    for available, level in (
        (comfortable, FitLevel.FITS),
        (comfortable - 2, FitLevel.TIGHT),
        (need, FitLevel.TIGHT),
        (need - 1, FitLevel.TOO_LARGE),
    ):
        verdict = judge(description, available, 4096)
        assert verdict.level is level
        assert (verdict.n_ctx, verdict.available_bytes) == (4096, available)


def test_verdict_speaks(starter: Path) -> None:
    description = describe(starter)
    need = gigabytes(estimate(description, 32_768).needed_bytes)
    verdict = judge(description, 16_000_000_000)
    assert (verdict.level, verdict.n_ctx) == (FitLevel.FITS, 32_768)
    assert verdict.sentence == f"Needs {need} of 16.0 GB free."
    small = judge(description, 500_000_000)
    assert (small.level, small.n_ctx) == (FitLevel.TOO_LARGE, 2048)
    assert small.sentence.endswith("but only 0.5 GB are free.")


def test_machine_memory_is_what_programs_can_have(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    limit, used = tmp_path / "memory.max", tmp_path / "memory.current"
    monkeypatch.setattr(memory, "_CGROUP_LIMIT", limit)
    monkeypatch.setattr(memory, "_CGROUP_USED", used)
    whole = machine_memory()
    assert 0 < whole.available_bytes <= whole.total_bytes
    limit.write_text("max\n")
    assert machine_memory().total_bytes == whole.total_bytes
    limit.write_text("1000000\n")
    used.write_text("400000\n")
    assert machine_memory() == memory.MachineMemory(1_000_000, 600_000)
    used.write_text("4000000\n")
    assert machine_memory().available_bytes == 0


def test_repacked_types_by_processor() -> None:
    assert {"Q4_K", "Q4_0"} <= repacked_types("x86_64") == repacked_types("AMD64")
    assert "Q6_K" not in repacked_types("x86_64")
    assert {"Q4_K", "Q6_K", "Q8_0"} <= repacked_types("arm64") == repacked_types("aarch64")
    assert repacked_types("riscv64") == frozenset()
