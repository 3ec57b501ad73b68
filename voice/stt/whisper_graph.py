"""Whisper as two ONNX graphs, made from the published weights: one that hears, one that says the next token.

Why it is made here: whisper.cpp's published library multiplies with what all processors have in common, onnxruntime
with what this one can. Follows Radford et al. 2022 and OpenAI's `whisper.model`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.onnx_file import CONTRIBUTED, Graph
from engine.onnx_session import EIGHT_BITS
from voice.stt.ggml_weights import WhisperWeights

MEL, TOKENS, MASK, FIRST = "mel", "tokens", "mask", "first"
_OPSET = 18
_EPSILON = 1e-5
_FLOAT = 1


def hearing_graph(weights: WhisperWeights) -> bytes:
    """From `MEL` (1, bands, 2n) to each decoder layer's keys (1, heads, width, n) and values (1, heads, n, width)."""
    return _Builder(weights).hearing()


def saying_graph(weights: WhisperWeights, *, largest: int) -> bytes:
    """From `TOKENS` (1, t) behind p others to the scores of the next one, (1, vocabulary), and to what is kept.

    `FIRST` (1,) is p, `MASK` (t, p + t) what is added to the scores of attention. Then, for each layer, what was kept
    of the p tokens (keys and values, (1, heads, p, width)), and what was heard. Outputs: the scores, then what to keep.
    `largest` is the largest 8-bit weight, see `engine.onnx_session`.
    """
    return _Builder(weights, largest).saying()


class _Builder:
    def __init__(self, weights: WhisperWeights, largest: int = EIGHT_BITS) -> None:
        self._weights = weights
        self._largest = largest
        self._graph = Graph(_OPSET)
        self._per_head = weights.n_width // weights.n_heads

    def hearing(self) -> bytes:
        graph, n_width = self._graph, self._weights.n_width
        hidden = graph.input(MEL, "float32", [1, self._weights.n_bands, "frames"])
        for number, stride in ((1, 1), (2, 2)):
            kernel, bias = (self._tensor(f"encoder.conv{number}.{part}") for part in ("weight", "bias"))
            hidden = graph.node(
                "Conv", hidden, graph.weight(kernel), graph.weight(bias.reshape(n_width)),
                kernel_shape=[3], pads=[1, 1], strides=[stride],
            )  # fmt: skip
            hidden = graph.node("Gelu", hidden, domain=CONTRIBUTED)
        hidden = graph.node("Transpose", hidden, perm=[0, 2, 1])
        length = graph.node("Slice", graph.node("Shape", hidden), self._ints(1), self._ints(2))
        places = graph.weight(self._tensor("encoder.positional_embedding"))
        hidden = graph.node("Add", hidden, graph.node("Slice", places, self._ints(0), length, self._ints(0)))
        for layer in range(self._weights.n_layers):
            at = f"encoder.blocks.{layer}."
            normal = self._norm(hidden, f"{at}attn_ln")
            parts = [self._linear(f"{at}attn.{part}", normal) for part in ("query", "key", "value")]
            seen = graph.node("MultiHeadAttention", *parts, domain=CONTRIBUTED, num_heads=self._weights.n_heads)
            hidden = graph.node("Add", hidden, self._linear(f"{at}attn.out", seen))
            hidden = self._fed_forward(hidden, at)
        hidden = self._norm(hidden, "encoder.ln_post")
        for layer in range(self._weights.n_layers):
            at = f"decoder.blocks.{layer}.cross_attn."
            keys = self._heads(self._linear(f"{at}key", hidden), perm=[0, 2, 3, 1])
            graph.output(keys, "float32", [1, self._weights.n_heads, self._per_head, "heard"])
            values = self._heads(self._linear(f"{at}value", hidden))
            graph.output(values, "float32", [1, self._weights.n_heads, "heard", self._per_head])
        return graph.file()

    def saying(self) -> bytes:
        graph, weights = self._graph, self._weights
        tokens = graph.input(TOKENS, "int64", [1, "tokens"])
        first = graph.input(FIRST, "int64", [1])
        mask = graph.input(MASK, "float32", ["tokens", "all"])
        kept: list[int | str] = [1, weights.n_heads, "before", self._per_head]
        inputs = [
            (
                graph.input(f"keys {layer}", "float32", kept),
                graph.input(f"values {layer}", "float32", kept),
                graph.input(f"heard keys {layer}", "float32", [1, weights.n_heads, self._per_head, "heard"]),
                graph.input(f"heard values {layer}", "float32", [1, weights.n_heads, "heard", self._per_head]),
            )
            for layer in range(weights.n_layers)
        ]
        words, scale = self._rounded(self._tensor("decoder.token_embedding.weight"))
        word = graph.node("Cast", graph.node("Gather", graph.weight(words), tokens), to=_FLOAT)
        word = graph.node("Mul", word, graph.node("Gather", graph.weight(scale[:, None]), tokens))
        count = graph.node("Slice", graph.node("Shape", tokens), self._ints(1), self._ints(2))
        places = graph.weight(self._tensor("decoder.positional_embedding"))
        end = graph.node("Add", first, count)
        hidden = graph.node("Add", word, graph.node("Slice", places, first, end, self._ints(0)))
        to_keep = []
        for layer, (old_keys, old_values, heard_keys, heard_values) in enumerate(inputs):
            at = f"decoder.blocks.{layer}."
            normal = self._norm(hidden, f"{at}attn_ln")
            key, value = (self._heads(self._quick(f"{at}attn.{part}", normal)) for part in ("key", "value"))
            keys, values = graph.node("Concat", old_keys, key, axis=2), graph.node("Concat", old_values, value, axis=2)
            to_keep += [keys, values]
            turned = graph.node("Transpose", keys, perm=[0, 1, 3, 2])
            hidden = graph.node("Add", hidden, self._attended(f"{at}attn.", normal, turned, values, mask))
            normal = self._norm(hidden, f"{at}cross_attn_ln")
            attended = self._attended(f"{at}cross_attn.", normal, heard_keys, heard_values)
            hidden = self._fed_forward(graph.node("Add", hidden, attended), at, quick=True)
        hidden = self._norm(hidden, "decoder.ln")
        last = graph.node("Gather", hidden, graph.weight(np.array(-1, np.int64)), axis=1)
        scores = graph.node(
            "DynamicQuantizeMatMul", last, graph.weight(np.ascontiguousarray(words.T)), graph.weight(scale),
            domain=CONTRIBUTED,
        )  # fmt: skip
        graph.output(scores, "float32", [1, weights.n_vocabulary])
        for value in to_keep:
            graph.output(value, "float32", [1, weights.n_heads, "all", self._per_head])
        return graph.file()

    def _attended(self, at: str, hidden: str, keys: str, values: str, mask: str = "") -> str:
        graph = self._graph
        query = self._heads(self._quick(f"{at}query", hidden, scale=self._per_head**-0.5))
        scores = graph.node("MatMul", query, keys)
        if mask:
            scores = graph.node("Add", scores, mask)
        seen = graph.node("MatMul", graph.node("Softmax", scores, axis=-1), values)
        seen = graph.node("Transpose", seen, perm=[0, 2, 1, 3])
        seen = graph.node("Reshape", seen, self._ints(1, -1, self._weights.n_width))
        return self._quick(f"{at}out", seen)

    def _heads(self, value: str, perm: tuple[int, ...] | list[int] = (0, 2, 1, 3)) -> str:
        graph = self._graph
        parted = graph.node("Reshape", value, self._ints(1, -1, self._weights.n_heads, self._per_head))
        return str(graph.node("Transpose", parted, perm=list(perm)))

    def _fed_forward(self, hidden: str, at: str, *, quick: bool = False) -> str:
        linear = self._quick if quick else self._linear
        up = linear(f"{at}mlp.0", self._norm(hidden, f"{at}mlp_ln"))
        down = linear(f"{at}mlp.2", self._graph.node("Gelu", up, domain=CONTRIBUTED))
        return str(self._graph.node("Add", hidden, down))

    def _linear(self, name: str, value: str) -> str:
        """In 32 bits."""
        graph = self._graph
        matrix = graph.weight(np.ascontiguousarray(self._tensor(f"{name}.weight").T))
        return str(graph.node("Add", graph.node("MatMul", value, matrix), graph.weight(self._bias(name))))

    def _quick(self, name: str, value: str, scale: float = 1.0) -> str:
        """In eight bits, for a few tokens at a time."""
        graph = self._graph
        rounded, scales = self._rounded(self._tensor(f"{name}.weight") * np.float32(scale))
        matrix, bias = graph.weight(np.ascontiguousarray(rounded.T)), graph.weight(self._bias(name) * np.float32(scale))
        return str(
            graph.node("DynamicQuantizeMatMul", value, matrix, graph.weight(scales), "", bias, domain=CONTRIBUTED)
        )

    def _norm(self, value: str, name: str) -> str:
        parts = (self._graph.weight(self._tensor(f"{name}.{part}")) for part in ("weight", "bias"))
        return str(self._graph.node("LayerNormalization", value, *parts, axis=-1, epsilon=_EPSILON))

    def _bias(self, name: str) -> NDArray[np.float32]:
        """Keys have none."""
        found = self._weights.tensors.get(f"{name}.bias")
        if found is None:
            return np.zeros(self._weights.tensors[f"{name}.weight"].shape[0], np.float32)
        return found.astype(np.float32).reshape(-1)

    def _tensor(self, name: str) -> NDArray[np.float32]:
        return self._weights.tensors[name].astype(np.float32)

    def _ints(self, *values: int) -> str:
        return self._graph.weight(np.array(values, np.int64))

    def _rounded(self, matrix: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
        """Rows of eight bits, and the scale of each."""
        scale = np.maximum(np.abs(matrix).max(axis=1), 1e-9).astype(np.float32) / np.float32(self._largest)
        return np.rint(matrix / scale[:, None]).astype(np.int8), scale
