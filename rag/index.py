"""The vectors of the library in memory, to be searched exactly. A cache: the store is the truth, nothing is on disk.

FAISS, 16-bit floats, inner product (cosine, as vectors have length 1): 2 ms for 100,000 vectors and 22 for a million,
with 0.999 of what 32 bits find. One OpenMP thread: two took three to six times as long when anything else ran.
Knows no text and no SQL.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.embedding.embedder import Vectors

Ids = NDArray[np.int64]
Stored = NDArray[np.float16] | NDArray[np.float32]
MAX_ID = 1 << 31
"""Ids are those of rows, counted from 1: which are there is kept, and passed to FAISS, as one bit or byte for each."""


class VectorIndex:
    """Every method may be called from any thread; they wait for each other."""

    def __init__(self, dimensions: int) -> None:
        import faiss  # noqa: PLC0415  # takes 0.2 s and its own OpenMP; only the library's process needs it

        self._faiss: Any = faiss
        self.dimensions = dimensions
        flat = faiss.IndexScalarQuantizer(dimensions, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
        self._index: Any = faiss.IndexIDMap(flat)
        self._holds = np.zeros(1024, np.bool_)
        self._lock = threading.RLock()

    @staticmethod
    def rebuilt(dimensions: int, batches: Iterable[tuple[Ids, Stored]]) -> VectorIndex:
        """An index of what the store holds, read batch by batch."""
        index = VectorIndex(dimensions)
        for ids, vectors in batches:
            index.add(ids, vectors)
        return index

    def __len__(self) -> int:
        with self._lock:
            return int(self._index.ntotal)

    def __contains__(self, chunk_id: object) -> bool:
        with self._lock:
            return isinstance(chunk_id, int) and 0 <= chunk_id < len(self._holds) and bool(self._holds[chunk_id])

    def ids(self) -> Ids:
        """All ids, in their order."""
        with self._lock:
            return np.flatnonzero(self._holds)

    def add(self, ids: Ids, vectors: Stored) -> int:
        """Add vectors, (n, dimensions), all but those whose ids are there already. Returns how many were added.

        Raises `ValueError` for another shape, ids out of range, or the same id twice.
        """
        if vectors.shape != (len(ids), self.dimensions):
            raise ValueError(f"vectors of shape {vectors.shape} in an index of {self.dimensions} dimensions")
        if len(ids) == 0:
            return 0
        if ids.min() < 0 or ids.max() >= MAX_ID or len(np.unique(ids)) < len(ids):
            raise ValueError("ids out of range, or twice the same")
        with self._lock:
            self._reach(int(ids.max()))
            new = ~self._holds[ids]
            if new.any():
                numbers = np.ascontiguousarray(ids[new], np.int64)
                self._index.add_with_ids(np.ascontiguousarray(vectors[new], np.float32), numbers)
                self._holds[numbers] = True
            return int(new.sum())

    def remove(self, ids: Ids) -> int:
        """Forget vectors, in one pass over all; ids that are not there do not matter. Returns how many there were."""
        with self._lock:
            known = ids[(ids >= 0) & (ids < len(self._holds))]
            known = known[self._holds[known]]
            if len(known) == 0:
                return 0
            self._holds[known] = False
            return int(self._index.remove_ids(self._selector(known)))

    def search(self, vector: Vectors, k: int, allowed: Ids | None = None) -> tuple[Ids, Vectors]:
        """The ids of the `k` nearest and their cosines, best first; fewer if there are fewer.

        Only ids in `allowed` are looked at, in any order; None allows all.
        """
        query = np.ascontiguousarray(vector, np.float32).reshape(1, self.dimensions)
        selector = None
        if allowed is not None:
            allowed = allowed[(allowed >= 0) & (allowed < MAX_ID)]
            k = min(k, len(allowed))
            selector = self._selector(allowed) if k else None
        with self._lock:
            k = min(k, int(self._index.ntotal))
            if k <= 0:
                return np.empty(0, np.int64), np.empty(0, np.float32)
            self._faiss.omp_set_num_threads(1)  # holds for the thread that calls
            parameters = None if selector is None else self._faiss.SearchParameters(sel=selector)
            scores, ids = self._index.search(query, k, params=parameters)
        found = ids[0] >= 0
        return ids[0][found], scores[0][found]

    def _selector(self, ids: Ids) -> Any:
        """A bit for each id: quick to make and quick to ask."""
        bits = np.zeros(int(ids.max()) + 1, np.bool_)
        bits[ids] = True
        return self._faiss.IDSelectorBitmap(np.packbits(bits, bitorder="little"))

    def _reach(self, largest: int) -> None:
        if largest >= len(self._holds):
            longer = np.zeros(max(largest + 1, 2 * len(self._holds)), np.bool_)
            longer[: len(self._holds)] = self._holds
            self._holds = longer
