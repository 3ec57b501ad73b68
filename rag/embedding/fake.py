"""FakeEmbedder: deterministic and readable, for tests and demonstrations. Each word points in a direction of its own.

Texts that share words are near each other, in proportion to what they share; nothing else is known of meaning.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from zlib import crc32

import numpy as np

from rag.embedding.embedder import Vectors, unit_length

_WORD = re.compile(r"\w+")


class FakeEmbedder:
    """A word counts as one piece. The vector of a text without words is the first direction."""

    max_tokens = 256

    def __init__(self, *, dimensions: int = 64) -> None:
        self.dimensions = dimensions
        self.model_id = f"fake {dimensions}"

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder`."""
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        for vector, text in zip(vectors, texts, strict=True):
            for word in _words(text)[: self.max_tokens]:
                vector[crc32(word.encode()) % self.dimensions] += 1
            if not vector.any():
                vector[0] = 1
        return unit_length(vectors)

    def embed_question(self, text: str) -> Vectors:
        """See `Embedder`."""
        vector: Vectors = self.embed_passages([text])[0]
        return vector

    def count_pieces(self, texts: Sequence[str]) -> list[int]:
        """See `Embedder`."""
        return [len(_words(text)) for text in texts]

    def close(self) -> None:
        """Holds nothing."""


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())
