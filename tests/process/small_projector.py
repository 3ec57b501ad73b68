"""A projector with random weights: the whole path of an image through mtmd, without any sense in what is seen.

A vision transformer of two layers with LLaVA's projector ("mlp"), as `tools/mtmd/clip.cpp` reads it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.unit.gguf_writing import gguf_of_arrays

N_WIDTH, N_INNER, N_LAYERS, N_HEADS = 64, 128, 2, 4
IMAGE_SIDE, PATCH_SIDE = 56, 14
N_PATCHES = (IMAGE_SIDE // PATCH_SIDE) ** 2


def small_projector(n_embd: int) -> bytes:
    """For a text model of that width. An image is 16 tokens."""
    random = np.random.default_rng(7)

    def matrix(*shape: int) -> Any:
        return (random.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))).astype("f4")

    metadata: dict[str, Any] = {
        "general.architecture": "clip",
        "general.type": "mmproj",
        "general.name": "Random eyes",
        "general.file_type": 0,
        "clip.has_vision_encoder": True,
        "clip.projector_type": "mlp",
        "clip.use_gelu": True,
        "clip.vision.image_size": IMAGE_SIDE,
        "clip.vision.patch_size": PATCH_SIDE,
        "clip.vision.embedding_length": N_WIDTH,
        "clip.vision.feed_forward_length": N_INNER,
        "clip.vision.block_count": N_LAYERS,
        "clip.vision.attention.head_count": N_HEADS,
        "clip.vision.attention.layer_norm_epsilon": 1e-5,
        "clip.vision.projection_dim": n_embd,
        "clip.vision.image_mean": [0.5, 0.5, 0.5],
        "clip.vision.image_std": [0.5, 0.5, 0.5],
    }
    arrays = {
        "v.patch_embd.weight": matrix(N_WIDTH, 3, PATCH_SIDE, PATCH_SIDE),
        "v.position_embd.weight": matrix(N_PATCHES, N_WIDTH),
        "mm.0.weight": matrix(n_embd, N_WIDTH),
        "mm.0.bias": np.zeros(n_embd, "f4"),
        "mm.2.weight": matrix(n_embd, n_embd),
        "mm.2.bias": np.zeros(n_embd, "f4"),
    }
    for layer in range(N_LAYERS):
        at = f"v.blk.{layer}."
        for name in ("attn_q", "attn_k", "attn_v", "attn_out"):
            arrays[f"{at}{name}.weight"] = matrix(N_WIDTH, N_WIDTH)
        for name in ("ln1", "ln2"):
            arrays[f"{at}{name}.weight"] = np.ones(N_WIDTH, "f4")
            arrays[f"{at}{name}.bias"] = np.zeros(N_WIDTH, "f4")
        arrays[f"{at}ffn_up.weight"] = matrix(N_INNER, N_WIDTH)
        arrays[f"{at}ffn_down.weight"] = matrix(N_WIDTH, N_INNER)
    return gguf_of_arrays(metadata, arrays)
