"""What every embedder can do: make vectors of texts, and count how many word pieces it sees in them.

Vectors of two embedders are comparable only where their `model_id` is the same: it names weights and arithmetic.
Knows no model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
"""Of shape (texts, dimensions) or (dimensions,), each vector of length 1."""


class Embedder(Protocol):
    """Every method may be called from any thread; all raise `EmbedderError` where the model fails."""

    @property
    def model_id(self) -> str: ...

    @property
    def dimensions(self) -> int: ...

    @property
    def max_tokens(self) -> int:
        """Word pieces of a text that are seen, its frame ([CLS], [SEP]) included; what is behind them is not."""
        ...

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """One vector for each text, in their order: shape (texts, dimensions)."""
        ...

    def embed_question(self, text: str) -> Vectors:
        """The vector that is near those of passages that answer: shape (dimensions,). Never waits for passages."""
        ...

    def count_pieces(self, texts: Sequence[str]) -> list[int]:
        """Word pieces of each text, without the frame and uncut."""
        ...

    def close(self) -> None:
        """Give memory and threads back; calls under way are finished first."""
        ...


def unit_length(vectors: NDArray[Any]) -> Vectors:
    """The same directions with length 1; a vector of zeros stays one."""
    vectors = vectors.astype(np.float32, copy=False)
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), np.float32)
