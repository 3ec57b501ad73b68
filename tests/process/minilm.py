"""all-MiniLM-L6-v2 twice: written as a GGUF file, and computed in plain NumPy to compare with.

The file is as llama.cpp's `conversion/bert.py` makes it (F16 matrices); the reference follows BERT (Devlin et al. 2018)
and its WordPiece from the float32 weights, and shares no code with llama.cpp.
"""

from __future__ import annotations

import json
import math
import struct
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests.minilm_weights import VOCABULARY, WEIGHTS, minilm_folder
from tests.unit.gguf_writing import gguf_of_arrays

N_LAYERS, N_HEADS, N_WIDTH, N_POSITIONS, EPSILON = 6, 12, 384, 512, 1e-12
_CONTROLS = {"[PAD]": "padding", "[UNK]": "unknown", "[CLS]": "cls", "[SEP]": "seperator", "[MASK]": "mask"}
_MATRICES = {
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "output.LayerNorm": "layer_output_norm",
}
_PARTS = ("weight", "bias")


def read_safetensors(path: Path) -> dict[str, Any]:
    """Float32 arrays by name: eight bytes of length, a JSON table, then the numbers."""
    raw = path.read_bytes()
    (length,) = struct.unpack_from("<Q", raw)
    arrays = {}
    for name, entry in json.loads(raw[8 : 8 + length]).items():
        if entry.get("dtype") == "F32":
            start, end = (8 + length + offset for offset in entry["data_offsets"])
            arrays[name] = np.frombuffer(raw[start:end], "<f4").reshape(entry["shape"])
    return arrays


def write_gguf(target: Path) -> None:
    """The model as a GGUF file."""
    weights = read_safetensors(minilm_folder() / WEIGHTS)
    words = (minilm_folder() / VOCABULARY).read_text("utf-8").splitlines()
    metadata: dict[str, Any] = {
        "general.architecture": "bert",
        "general.type": "model",
        "general.name": "all-MiniLM-L6-v2",
        "general.license": "apache-2.0",
        "general.file_type": 1,
        "bert.block_count": N_LAYERS,
        "bert.context_length": N_POSITIONS,
        "bert.embedding_length": N_WIDTH,
        "bert.feed_forward_length": 4 * N_WIDTH,
        "bert.attention.head_count": N_HEADS,
        "bert.attention.layer_norm_epsilon": EPSILON,
        "bert.attention.causal": False,
        "bert.pooling_type": 1,
        "tokenizer.ggml.model": "bert",
        "tokenizer.ggml.pre": "default",
        "tokenizer.ggml.token_type_count": 2,
        "tokenizer.ggml.tokens": [_spelled(word) for word in words],
        "tokenizer.ggml.token_type": [3 if word in _CONTROLS else 1 for word in words],
    }
    metadata |= {f"tokenizer.ggml.{name}_token_id": words.index(word) for word, name in _CONTROLS.items()}
    metadata["tokenizer.ggml.bos_token_id"] = words.index("[CLS]")
    tables = {"word_embeddings": "token_embd", "position_embeddings": "position_embd"}
    arrays = {f"{ours}.weight": weights[f"embeddings.{theirs}.weight"] for theirs, ours in tables.items()}
    arrays["token_embd.weight"] = arrays["token_embd.weight"].astype("f2")
    arrays["token_types.weight"] = weights["embeddings.token_type_embeddings.weight"]
    arrays |= {f"token_embd_norm.{part}": weights[f"embeddings.LayerNorm.{part}"] for part in _PARTS}
    for layer in range(N_LAYERS):
        for theirs, ours in _MATRICES.items():
            for part in _PARTS:
                array = weights[f"encoder.layer.{layer}.{theirs}.{part}"]
                arrays[f"blk.{layer}.{ours}.{part}"] = array.astype("f2") if array.ndim == 2 else array
    target.write_bytes(gguf_of_arrays(metadata, arrays))


def _spelled(word: str) -> str:
    """A word begins with a visible space in llama.cpp's spelling, and the rest of a word does not with "##"."""
    if word in _CONTROLS:
        return word
    return word.removeprefix("##") if word.startswith("##") else "\u2581" + word


class Reference:
    """The same model in NumPy, one text at a time."""

    def __init__(self) -> None:
        self._weights = read_safetensors(minilm_folder() / WEIGHTS)
        words = (minilm_folder() / VOCABULARY).read_text("utf-8").splitlines()
        self._numbers = {word: number for number, word in enumerate(words)}

    def tokens(self, text: str) -> list[int]:
        """BERT's uncased WordPiece, without its [CLS] and [SEP]."""
        plain = unicodedata.normalize("NFD", text.lower())
        spaced = "".join(f" {c} " if _stands_alone(c) else c for c in plain if unicodedata.category(c) != "Mn")
        return [self._numbers[piece] for word in spaced.split() for piece in self._pieces(word)]

    def _pieces(self, word: str) -> list[str]:
        pieces: list[str] = []
        rest = word
        while rest:
            prefix = "##" if pieces else ""
            end = next((end for end in range(len(rest), 0, -1) if prefix + rest[:end] in self._numbers), 0)
            if not end:
                return ["[UNK]"]
            pieces.append(prefix + rest[:end])
            rest = rest[end:]
        return pieces

    def embed(self, text: str) -> Any:
        """The mean of the tokens' vectors, of length 1."""
        tokens = [self._numbers["[CLS]"], *self.tokens(text)[: N_POSITIONS - 2], self._numbers["[SEP]"]]
        w = self._weights
        hidden = w["embeddings.word_embeddings.weight"][tokens]
        hidden = hidden + w["embeddings.position_embeddings.weight"][: len(tokens)]
        hidden = hidden + w["embeddings.token_type_embeddings.weight"][0]
        hidden = self._norm(hidden, "embeddings.LayerNorm")
        for layer in range(N_LAYERS):
            hidden = self._layer(hidden, f"encoder.layer.{layer}.")
        mean = hidden.mean(axis=0)
        return mean / np.linalg.norm(mean)

    def _layer(self, hidden: Any, at: str) -> Any:
        n_tokens, head = len(hidden), N_WIDTH // N_HEADS

        def heads(name: str) -> Any:
            return self._linear(hidden, f"{at}attention.self.{name}").reshape(n_tokens, N_HEADS, head).swapaxes(0, 1)

        scores = heads("query") @ heads("key").swapaxes(1, 2) / math.sqrt(head)
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        seen = (scores / scores.sum(axis=-1, keepdims=True)) @ heads("value")
        seen = self._linear(seen.swapaxes(0, 1).reshape(n_tokens, N_WIDTH), f"{at}attention.output.dense")
        hidden = self._norm(hidden + seen, f"{at}attention.output.LayerNorm")
        inner = self._linear(hidden, f"{at}intermediate.dense")
        inner = inner * 0.5 * (1 + np.vectorize(math.erf)(inner / math.sqrt(2)))
        return self._norm(hidden + self._linear(inner, f"{at}output.dense"), f"{at}output.LayerNorm")

    def _linear(self, x: Any, name: str) -> Any:
        return x @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]

    def _norm(self, x: Any, name: str) -> Any:
        centred = x - x.mean(axis=-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + EPSILON)
        return scaled * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]


def _stands_alone(character: str) -> bool:
    """Punctuation, ASCII symbols and Chinese characters are words of their own."""
    if character.isascii():
        return not (character.isalnum() or character.isspace())
    return unicodedata.category(character).startswith("P") or "\u4e00" <= character <= "\u9fff"


def cosine(left: Sequence[float], right: Sequence[float]) -> float:
    return float(np.dot(left, right) / (np.linalg.norm(left) * np.linalg.norm(right)))
