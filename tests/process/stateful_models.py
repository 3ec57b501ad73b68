"""Tiny models with random weights whose memory is not a plain KV cache: recurrent, hybrid, with a sliding window.

As llama.cpp's `src/models/{mamba,falcon-h1,gemma3}.cpp` read them. They talk nonsense in printable letters, and what
they write depends on everything that they have read, so that a wrong state shows. A letter is a token.
"""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.unit.gguf_writing import gguf_of_arrays

N_WIDTH, N_INNER, N_LAYERS, N_HEADS = 64, 128, 2, 4
N_STATE, N_CONV, N_RANK = 64, 4, 8
HEAD_WIDTH = N_WIDTH // N_HEADS
SLIDING_WINDOW = 64
"""In tokens, of the first layer; the second sees everything."""
CONTROLS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
CHATML = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
Arrays = dict[str, Any]


def mamba() -> bytes:
    """Every layer keeps a state of fixed size, and nothing else (Mamba, Gu and Dao 2023)."""
    random = np.random.default_rng(11)
    arrays = _ends(random)
    for layer in range(N_LAYERS):
        at = f"blk.{layer}."
        arrays |= {
            f"{at}attn_norm.weight": np.ones(N_WIDTH, "f4"),
            f"{at}ssm_in.weight": _matrix(random, 2 * N_INNER, N_WIDTH),
            f"{at}ssm_conv1d.weight": _matrix(random, N_INNER, N_CONV),
            f"{at}ssm_conv1d.bias": np.zeros(N_INNER, "f4"),
            f"{at}ssm_x.weight": _matrix(random, N_RANK + 2 * N_STATE, N_INNER),
            f"{at}ssm_dt.weight": _matrix(random, N_INNER, N_RANK),
            f"{at}ssm_dt.bias": np.full(N_INNER, -2.0, "f4"),
            f"{at}ssm_a": -random.uniform(0.001, 0.02, (N_INNER, N_STATE)).astype("f4"),
            f"{at}ssm_d": np.full(N_INNER, 0.2, "f4"),
            f"{at}ssm_out.weight": _matrix(random, N_WIDTH, N_INNER),
        }
    return gguf_of_arrays(_metadata("mamba") | _ssm("mamba", rank=N_RANK), arrays)


def falcon_h1() -> bytes:
    """Every layer has attention and a state beside it (Falcon-H1, with Mamba-2's layers)."""
    random = np.random.default_rng(12)
    arrays = _ends(random)
    n_convolved = N_INNER + 2 * N_STATE
    for layer in range(N_LAYERS):
        at = f"blk.{layer}."
        arrays |= _attention(random, at) | _feed_forward(random, at)
        arrays[f"{at}ffn_norm"] = arrays.pop(f"{at}ffn_norm.weight")  # so named by this one's converter
        arrays |= {
            f"{at}ssm_in.weight": _matrix(random, N_INNER + n_convolved + N_HEADS, N_WIDTH),
            f"{at}ssm_conv1d.weight": _matrix(random, n_convolved, N_CONV),
            f"{at}ssm_conv1d.bias": np.zeros(n_convolved, "f4"),
            f"{at}ssm_dt.bias": np.full(N_HEADS, -1.0, "f4"),
            f"{at}ssm_a": -random.uniform(0.002, 0.05, (N_HEADS, 1)).astype("f4"),
            f"{at}ssm_d": np.ones((N_HEADS, 1), "f4"),
            f"{at}ssm_norm.weight": np.ones((1, N_INNER), "f4"),
            f"{at}ssm_out.weight": _matrix(random, N_WIDTH, N_INNER),
        }
    grouped = {"falcon-h1.ssm.group_count": 1}
    return gguf_of_arrays(_metadata("falcon-h1") | _ssm("falcon-h1", rank=N_HEADS) | grouped, arrays)


def gemma3() -> bytes:
    """The first layer sees the last `SLIDING_WINDOW` tokens, the second all of them."""
    random = np.random.default_rng(13)
    arrays = _ends(random)
    for layer in range(N_LAYERS):
        at = f"blk.{layer}."
        arrays |= _attention(random, at) | _feed_forward(random, at)
        for name in ("post_attention_norm", "post_ffw_norm"):
            arrays[f"{at}{name}.weight"] = np.full(N_WIDTH, 4.0, "f4")
        for name in ("attn_q_norm", "attn_k_norm"):
            arrays[f"{at}{name}.weight"] = np.full(HEAD_WIDTH, 2.0, "f4")
    window = {
        "gemma3.attention.sliding_window": SLIDING_WINDOW,
        "gemma3.attention.sliding_window_pattern": 2,
    }
    return gguf_of_arrays(_metadata("gemma3") | window, arrays)


MODELS: dict[str, Callable[[], bytes]] = {"mamba": mamba, "falcon-h1": falcon_h1, "gemma3": gemma3}


def _metadata(architecture: str) -> dict[str, Any]:
    heads = 0 if architecture == "mamba" else N_HEADS
    own: dict[str, Any] = {
        "block_count": N_LAYERS,
        "context_length": 2048,
        "embedding_length": N_WIDTH,
        "feed_forward_length": N_INNER if heads else 0,
        "attention.head_count": heads,
        "attention.head_count_kv": heads,
        "attention.layer_norm_rms_epsilon": 1e-6,
    }
    tokens = _tokens()
    return {
        "general.architecture": architecture,
        "general.type": "model",
        "general.name": f"Random {architecture}",
        "general.file_type": 0,
        **{f"{architecture}.{key}": value for key, value in own.items()},
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "smollm",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [3 if token in CONTROLS else 1 for token in tokens],
        "tokenizer.ggml.merges": [],
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.ggml.add_bos_token": False,
        "tokenizer.chat_template": CHATML,
    }


def _ssm(architecture: str, *, rank: int) -> dict[str, Any]:
    sizes = {"conv_kernel": N_CONV, "inner_size": N_INNER, "state_size": N_STATE, "time_step_rank": rank}
    return {f"{architecture}.ssm.{key}": value for key, value in sizes.items()}


def _tokens() -> list[str]:
    """The controls and a token for each byte, spelled as GPT-2 spells bytes: unprintable ones from U+0100 on."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    return [*CONTROLS, *(chr(byte) for byte in plain), *(chr(256 + place) for place in range(len(others)))]


def _ends(random: Any) -> Arrays:
    """Input and output. Whatever is no letter is never the likeliest, so answers read back as the same tokens."""
    tokens = _tokens()
    output = random.standard_normal((len(tokens), N_WIDTH)).astype("f4")
    output[[token not in string.ascii_letters for token in tokens]] = 0
    return {
        "token_embd.weight": random.standard_normal((len(tokens), N_WIDTH)).astype("f4"),
        "output_norm.weight": np.ones(N_WIDTH, "f4"),
        "output.weight": output,
    }


def _matrix(random: Any, n_out: int, n_in: int) -> Any:
    return (random.standard_normal((n_out, n_in)) * 2 / np.sqrt(n_in)).astype("f4")


def _attention(random: Any, at: str) -> Arrays:
    matrices = {f"{at}{name}.weight": _matrix(random, N_WIDTH, N_WIDTH) for name in ("attn_q", "attn_k", "attn_v")}
    return {
        f"{at}attn_norm.weight": np.ones(N_WIDTH, "f4"),
        **matrices,
        f"{at}attn_output.weight": _matrix(random, N_WIDTH, N_WIDTH),
    }


def _feed_forward(random: Any, at: str) -> Arrays:
    return {
        f"{at}ffn_norm.weight": np.ones(N_WIDTH, "f4"),
        f"{at}ffn_gate.weight": _matrix(random, N_INNER, N_WIDTH),
        f"{at}ffn_up.weight": _matrix(random, N_INNER, N_WIDTH),
        f"{at}ffn_down.weight": _matrix(random, N_WIDTH, N_INNER),
    }
