"""Write small LoRA adapters with random weights, in the form of llama.cpp's converter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tests.unit.gguf_writing import gguf_of_arrays

RANK = 4


def lora(
    weights: Mapping[str, tuple[int, int]], *, rank: int = RANK, size: float = 0.2, seed: int = 1, **changes: Any
) -> bytes:
    """An adapter of weights by name and (input, output) width. `changes` replace metadata, with "__" for "."."""
    random = np.random.default_rng(seed)
    arrays = {}
    for name, (wide, high) in weights.items():
        arrays[f"{name}.lora_a"] = random.normal(0, size, (rank, wide)).astype(np.float32)
        arrays[f"{name}.lora_b"] = random.normal(0, size, (high, rank)).astype(np.float32)
    metadata: dict[str, Any] = {
        "general.architecture": "llama",
        "general.type": "adapter",
        "general.name": "Random",
        "adapter.type": "lora",
        "adapter.lora.alpha": float(rank),
    }
    metadata |= {key.replace("__", "."): item for key, item in changes.items()}
    return gguf_of_arrays({key: item for key, item in metadata.items() if item is not None}, arrays)


def lora_for_smollm2(layers: int = 4, **how: Any) -> bytes:
    """Query and value projections of the first layers of SmolLM2-135M (576 wide, 3 of 9 heads have keys and values)."""
    weights = {}
    for layer in range(layers):
        weights[f"blk.{layer}.attn_q.weight"] = (576, 576)
        weights[f"blk.{layer}.attn_v.weight"] = (576, 192)
    return lora(weights, **how)
