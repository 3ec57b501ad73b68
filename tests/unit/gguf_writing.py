"""Write small GGUF files for tests, right ones and wrong ones. Independent of the reader under test."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Tensor = tuple[str, Sequence[int], int]
"""Name, shape, ggml type number (0: F32, 1: F16, 8: Q8_0, 12: Q4_K)."""
BLOCKS = {0: (1, 4), 1: (1, 2), 8: (32, 34), 12: (256, 144)}


@dataclass(frozen=True)
class Typed:
    """A value with its GGUF type number and `struct` code, where Python's type does not tell."""

    number: int
    code: str
    value: Any


def text(value: str | bytes) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(raw)) + raw


def value(item: Any) -> bytes:
    """Type number and content of a metadata value."""
    if isinstance(item, Typed):
        return struct.pack("<I", item.number) + struct.pack("<" + item.code, item.value)
    if isinstance(item, bool):
        return struct.pack("<I?", 7, item)
    if isinstance(item, int):
        return struct.pack("<II", 4, item)
    if isinstance(item, float):
        return struct.pack("<If", 6, item)
    if isinstance(item, str | bytes):
        return struct.pack("<I", 8) + text(item)
    if all(isinstance(element, str) for element in item):
        return struct.pack("<IIQ", 9, 8, len(item)) + b"".join(text(element) for element in item)
    if all(isinstance(element, float) for element in item):
        return struct.pack("<IIQ", 9, 6, len(item)) + struct.pack(f"<{len(item)}f", *item)
    return struct.pack("<IIQ", 9, 5, len(item)) + struct.pack(f"<{len(item)}i", *item)


def gguf(
    metadata: Mapping[Any, Any],
    tensors: Sequence[Tensor] = (),
    *,
    version: int = 3,
    fill: int = 0,
    contents: Mapping[str, bytes] | None = None,
) -> bytes:
    """A whole file, its tensors' bytes all `fill`, or those that `contents` has under a tensor's name."""
    alignment = metadata.get("general.alignment", 32)
    head = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(metadata))
    head += b"".join(text(key) + value(item) for key, item in metadata.items())
    offset = 0
    body = []
    for name, shape, kind in tensors:
        elements, size = BLOCKS[kind]
        n_bytes = size
        for length in shape:
            n_bytes *= length
        n_bytes //= elements
        head += text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)
        content = bytes([fill]) * n_bytes if contents is None else contents[name]
        assert len(content) == n_bytes, name
        body.append(content + bytes([fill]) * (-n_bytes % alignment))
        offset += len(body[-1])
    if tensors:
        head += bytes(-len(head) % alignment)
    return head + b"".join(body)


def gguf_of_arrays(metadata: Mapping[Any, Any], arrays: Mapping[str, Any]) -> bytes:
    """A whole file with real weights: NumPy arrays of float32 or float16, in NumPy's order of dimensions."""
    kinds = {"float32": 0, "float16": 1}
    tensors = [(name, array.shape[::-1], kinds[array.dtype.name]) for name, array in arrays.items()]
    return gguf(metadata, tensors, contents={name: array.tobytes() for name, array in arrays.items()})


def tiny_model(name: str = "Tiny", *, fill: int = 0, architecture: str = "llama", **changes: Any) -> bytes:
    """A model small enough to make by the hundred, with every field that a description needs.

    `changes` replace metadata, with "__" for "."; None leaves a key out.
    """
    metadata: dict[str, Any] = {
        "general.architecture": architecture,
        "general.type": "model",
        "general.name": name,
        "general.license": "apache-2.0",
        "general.languages": ["en", "de"],
        "general.file_type": 15,
        f"{architecture}.block_count": 2,
        f"{architecture}.context_length": 2048,
        f"{architecture}.embedding_length": 256,
        f"{architecture}.feed_forward_length": 512,
        f"{architecture}.attention.head_count": 4,
        f"{architecture}.attention.head_count_kv": 2,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.tokens": [f"t{number}" for number in range(64)],
        "tokenizer.chat_template": "{% for message in messages %}{{ message['content'] }}{% endfor %}",
    }
    metadata |= {key.replace("__", "."): item for key, item in changes.items()}
    metadata = {key: item for key, item in metadata.items() if item is not None}
    tensors: list[Tensor] = [("token_embd.weight", (256, 64), 12), ("output_norm.weight", (256,), 0)]
    for layer in range(2):
        tensors += [(f"blk.{layer}.attn_q.weight", (256, 256), 12), (f"blk.{layer}.ffn_up.weight", (256, 512), 12)]
    return gguf(metadata, tensors, fill=fill)


def projector(n_embd: int = 256) -> bytes:
    """The `mmproj` file of a model of that width."""
    metadata = {"general.architecture": "clip", "general.type": "mmproj", "clip.vision.projection_dim": n_embd}
    return gguf(metadata, [("mm.0.weight", (256, 256), 1)])
