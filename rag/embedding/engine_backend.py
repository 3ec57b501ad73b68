"""Embeddings by a GGUF model, through whatever runs it: `Engine.embed` or a pipe to it. Knows no process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future

import numpy as np

from engine.errors import EmbedderError, HearthError, sentence
from rag.embedding.embedder import Vectors, unit_length

BATCH = 16
"""Texts asked for at once: between two of them the engine may answer a question."""

Embed = Callable[[Sequence[str]], "Future[list[tuple[float, ...]]]"]
Count = Callable[[Sequence[str]], "Future[list[int]]"]


class EngineEmbedder:
    """`model_id` must name the file's contents. Some models want words before a text ("query: "): the prefixes."""

    def __init__(
        self,
        embed: Embed,
        count: Count,
        *,
        model_id: str,
        dimensions: int,
        max_tokens: int,
        passage_prefix: str = "",
        question_prefix: str = "",
    ) -> None:
        self._embed, self._count = embed, count
        self.model_id = model_id
        self.dimensions = dimensions
        self.max_tokens = max_tokens
        self._passage_prefix, self._question_prefix = passage_prefix, question_prefix

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder`. Raises also what the engine raises, a `HearthError`."""
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        for start in range(0, len(texts), BATCH):
            batch = [self._passage_prefix + text for text in texts[start : start + BATCH]]
            vectors[start : start + BATCH] = self._vectors(batch)
        return vectors

    def embed_question(self, text: str) -> Vectors:
        """See `Embedder`."""
        vector: Vectors = self._vectors([self._question_prefix + text])[0]
        return vector

    def count_pieces(self, texts: Sequence[str]) -> list[int]:
        """See `Embedder`."""
        return self._count(texts).result()

    def close(self) -> None:
        """The engine belongs to whoever gave it."""

    def _vectors(self, texts: list[str]) -> Vectors:
        try:
            vectors = np.array(self._embed(texts).result(), np.float32)
        except HearthError:
            raise
        except Exception as error:  # a future fails with whatever its maker chose
            raise EmbedderError(sentence("The model for embeddings failed ({reason})."), reason=str(error)) from error
        if vectors.shape != (len(texts), self.dimensions) or not np.isfinite(vectors).all():
            raise EmbedderError(sentence("The model {name} gave no usable embeddings."), name=self.model_id)
        return unit_length(vectors)
