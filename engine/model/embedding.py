"""Texts to vectors in a llama.cpp context that was made for it: several texts a batch, each its own sequence.

Knows tokens and vectors, no files, and not what the vectors are for. Runs in the worker process only.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from typing import Any

from engine.errors import HearthError, sentence
from engine.model.llama_library import lib
from engine.model.vocabulary import Vocabulary

MAX_SEQUENCES = 64
"""Texts in one batch."""
_DIGITS = 7
"""Decimals that are kept of a number: finer than any weight file is, and half as long on its way as JSON."""


class EmbeddingError(Exception):
    """llama.cpp failed to compute a batch (a bug or a device fault)."""


class Embedder:
    """Turns texts into vectors of length 1. One thread only, except `count`."""

    def __init__(self, context: Any, model: Any, vocabulary: Vocabulary, *, n_window: int) -> None:
        """`context` has `embeddings` on and a pooling; `n_window` is the most tokens that one text may have."""
        self._context = context
        self._memory = lib.llama_get_memory(context)
        self._compute = lib.llama_decode if self._memory else lib.llama_encode
        self._vocabulary = vocabulary
        self._before, self._after = vocabulary.frame()
        self._n_window = n_window
        self._n_batch: int = lib.llama_n_batch(context)
        self._n_sequences: int = lib.llama_n_seq_max(context)
        self.size: int = lib.llama_model_n_embd_out(model)
        """Numbers in a vector."""
        self.beats = 0
        """Counts batches; a watcher sees by it that work goes on."""
        self._make_batch()

    def _make_batch(self) -> None:
        """One batch for all work, its arrays owned by Python."""
        size = self._n_batch
        self._token = (ctypes.c_int32 * size)()
        self._position = (ctypes.c_int32 * size)()
        self._sequence = (ctypes.c_int32 * size)()
        outputs = (ctypes.c_int8 * size)(*([1] * size))
        counts = (ctypes.c_int32 * size)(*([1] * size))
        ids = (ctypes.POINTER(ctypes.c_int32) * size)()
        step = ctypes.sizeof(ctypes.c_int32)
        for index in range(size):
            ids[index] = ctypes.cast(ctypes.byref(self._sequence, index * step), ctypes.POINTER(ctypes.c_int32))
        self._batch = lib.llama_batch(0, self._token, None, self._position, counts, ids, outputs)

    def count(self, texts: Sequence[str]) -> tuple[int, ...]:
        """Tokens of each text, as content and uncut. Any thread."""
        return tuple(len(self._vocabulary.tokenize(text, special=False)) for text in texts)

    def embed(self, texts: Sequence[str], cancelled: Callable[[], bool] = lambda: False) -> list[tuple[float, ...]]:
        """A vector of length 1 and `size` numbers for each text, in their order.

        A text longer than the window is cut at its end, the closing token kept; an empty one gets the vector of the
        vocabulary's own opening and closing tokens. What spells a control token is text. `cancelled` is asked between
        batches. Raises `CancelledError`, `HearthError` for a model that yields no numbers, `EmbeddingError`.
        """
        prompts = [self._tokens(text) for text in texts]
        vectors: list[tuple[float, ...]] = [()] * len(prompts)
        for batch in packed([len(prompt) for prompt in prompts], self._n_batch, self._n_sequences):
            if cancelled():
                raise CancelledError
            self._evaluate([prompts[index] for index in batch])
            for sequence, index in enumerate(batch):
                vectors[index] = self._vector(sequence)
        return vectors

    def _tokens(self, text: str) -> list[int]:
        room = max(0, self._n_window - len(self._before) - len(self._after))
        tokens = self._before + self._vocabulary.tokenize(text, special=False)[:room] + self._after
        return tokens or [self._vocabulary.filler]

    def _evaluate(self, prompts: Sequence[Sequence[int]]) -> None:
        if self._memory:
            lib.llama_memory_clear(self._memory, False)
        start = 0
        for sequence, tokens in enumerate(prompts):
            end = start + len(tokens)
            self._token[start:end] = list(tokens)
            self._position[start:end] = list(range(len(tokens)))
            self._sequence[start:end] = [sequence] * len(tokens)
            start = end
        self._batch.n_tokens = start
        result = self._compute(self._context, self._batch)
        self.beats += 1
        if result != 0:
            raise EmbeddingError(f"llama.cpp returned {result}")

    def _vector(self, sequence: int) -> tuple[float, ...]:
        pointer = lib.llama_get_embeddings_seq(self._context, sequence)
        if not pointer:
            raise EmbeddingError("llama.cpp returned no vector")
        vector = pointer[: self.size]
        length = math.hypot(*vector)
        if not (math.isfinite(length) and length > 0):
            raise HearthError(sentence("The model gave no usable numbers for a text. Its file may be damaged."))
        return tuple(round(number / length, _DIGITS) for number in vector)


def packed(lengths: Sequence[int], n_tokens: int, n_texts: int) -> Iterator[list[int]]:
    """The indices of texts, in batches of at most `n_tokens` tokens and `n_texts` texts, longest texts first.

    Like lengths come together, so that few batches are needed. Every index comes once; none of `lengths` may be
    above `n_tokens`.
    """
    batch: list[int] = []
    used = 0
    for index in sorted(range(len(lengths)), key=lambda index: -lengths[index]):
        if batch and (used + lengths[index] > n_tokens or len(batch) == n_texts):
            yield batch
            batch, used = [], 0
        batch.append(index)
        used += lengths[index]
    if batch:
        yield batch
