"""Passages by meaning: the embedder of the present, and the index in memory that is filled from the store.

Any thread. The store's vectors are the truth; nothing of the index is kept on disk.
"""

from __future__ import annotations

import threading

import numpy as np

from rag.embedding.embedder import Embedder
from rag.index import VectorIndex
from rag.store import vectors
from rag.store.database import LibraryDatabase
from rag.store.documents import PassageRange
from rag.store.lexical import Allowed


class MeaningIndex:
    """Finds nothing until `use` has given it an embedder."""

    def __init__(self, database: LibraryDatabase) -> None:
        self._database = database
        self._lock = threading.RLock()
        self._embedder: Embedder | None = None
        self._embedder_id = 0
        self._index: VectorIndex | None = None

    def use(self, embedder: Embedder, embedder_id: int) -> None:
        """Search with this embedder from now on; fills the index with its vectors. The old one serves until then."""
        index = VectorIndex(embedder.dimensions)
        with self._lock:  # what comes or goes meanwhile waits, and is then done to this index
            for ids, found in vectors.of_chunks(self._database, embedder_id, embedder.dimensions):
                index.add(ids, found)
            self._embedder, self._embedder_id, self._index = embedder, embedder_id, index

    def take(self, span: PassageRange) -> None:
        """Take in what vectors the chunks of these ids have by now."""
        with self._lock:
            if self._index is None or self._embedder is None:
                return
            for ids, found in vectors.of_chunks(self._database, self._embedder_id, self._embedder.dimensions, span):
                self._index.add(ids, found)

    def remove(self, spans: list[PassageRange]) -> None:
        """These chunks are no more."""
        with self._lock:
            if self._index is not None:
                for first, stop in spans:
                    self._index.remove(np.arange(first, stop, dtype=np.int64))

    def catch_up(self) -> None:
        """Take in, and forget, what another program has put into the store or deleted."""
        with self._lock:
            if self._index is None:
                return
            held = self._index.ids()
            stored = vectors.chunk_ids(self._database, self._embedder_id)
            self._index.remove(np.setdiff1d(held, stored, assume_unique=True))
            missing = np.setdiff1d(stored, held, assume_unique=True)
            if len(missing):
                self.take((int(missing[0]), int(missing[-1]) + 1))

    def search(self, question: str, k: int, allowed: Allowed | None) -> list[tuple[int, float]]:
        """As `rag.retrieval.MeaningSearch`."""
        embedder, index = self._embedder, self._index
        if embedder is None or index is None or not len(index) or (allowed is not None and not allowed):
            return []
        within = None
        if allowed is not None:
            within = np.concatenate([np.arange(first, stop, dtype=np.int64) for first, stop in allowed.spans])
        ids, scores = index.search(embedder.embed_question(question), k, within)
        return list(zip(ids.tolist(), scores.tolist(), strict=True))

    def n_vectors(self) -> int:
        return 0 if self._index is None else len(self._index)

    def close(self) -> None:
        with self._lock:
            if self._embedder is not None:
                self._embedder.close()
            self._embedder = self._index = None
