"""The vectors of the library in memory, to be searched exactly. A cache: the store is the truth, nothing is on disk.

FAISS, inner product (cosine, as vectors have length 1). Few vectors are kept in 16 bits, as they are stored. Of many,
8-bit codes: half the memory, and half the time. How far a code can be off is known (Cauchy and Schwarz), so all that
could be among the nearest are read as they are stored, 140 for 64 of a million, and compared by that. One OpenMP
thread: two took three to six times as long when anything else ran. Knows no text and no SQL.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.embedding.embedder import Vectors

Ids = NDArray[np.int64]
Stored = NDArray[np.float16] | NDArray[np.float32]
Read = Callable[[Ids], tuple[Ids, Stored]]
"""The vectors of some ids, exactly as they were added, with their ids; without those that are no more."""
MAX_ID = 1 << 31
"""Ids are those of rows, counted from 1: which are there is kept, and passed to FAISS, as one bit or byte for each."""
FEW = 200_000
"""Vectors; of so many it is as quick to look at 16 bits as to look at 8 and to read."""
_AT_ONCE = 8192
_LARGEST = 127
"""Of a code."""
_WIDEST = 6.0
"""Standard deviations of a component that codes reach at least."""
_ROUNDING = 1e-4
"""Of a product of two vectors of length 1, in 32 bits, and more."""
_WIDER = 8
"""Codes for each result that are looked at, and how many more each time where that may have left one out."""


class VectorIndex:
    """Every method may be called from any thread; they wait for each other."""

    def __init__(self, dimensions: int, read: Read, *, few: int = FEW) -> None:
        import faiss  # noqa: PLC0415  # takes 0.2 s and its own OpenMP; only the library's process needs it

        self._faiss: Any = faiss
        self.dimensions = dimensions
        self._read = read
        self._few = few
        self._index = self._empty(faiss.ScalarQuantizer.QT_fp16)
        self._has_codes = False
        self._step = 0.0
        """Of the codes; 0 as long as there is none."""
        self._most_off = self._longest = 0.0
        """Of all vectors that were ever here: the distance to what its code stands for, and the length of that."""
        self._holds = np.zeros(1024, np.bool_)
        self._lock = threading.RLock()

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
                if not self._has_codes and len(self) + len(numbers) > self._few:
                    self._change_to_codes()
                added = np.ascontiguousarray(vectors[new], np.float32)
                self._index.add_with_ids(self._codes(added) if self._has_codes else added, numbers)
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
        question = np.asarray(vector, np.float32).reshape(self.dimensions)
        n_there, selector = len(self), None
        if allowed is not None:
            allowed = allowed[(allowed >= 0) & (allowed < MAX_ID)]
            n_there = min(n_there, len(allowed))
            selector = self._selector(allowed) if n_there else None
        k = min(k, n_there)
        if k <= 0:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        with self._lock:
            if not self._has_codes:
                return self._nearest(question, k, selector)
        n_codes, left_out = min(_WIDER * k, n_there), True
        while left_out:
            ids, at_most = self._by_codes(question, n_codes, selector)
            first, cosines = self._exact(question, ids[:k])
            least = cosines.min(initial=np.inf)
            left_out = len(ids) == n_codes < n_there and bool(at_most[-1] >= least)
            n_codes = min(_WIDER * n_codes, n_there)
        others, more = self._exact(question, ids[k:][at_most[k:] >= least])
        found, scores = np.concatenate((first, others)), np.concatenate((cosines, more))
        best = np.argsort(-scores, kind="stable")[:k]
        return found[best], scores[best]

    def _empty(self, kind: int) -> Any:
        flat = self._faiss.IndexScalarQuantizer(self.dimensions, kind, self._faiss.METRIC_INNER_PRODUCT)
        return self._faiss.IndexIDMap(flat)

    def _change_to_codes(self) -> None:
        """There are many from now on."""
        old, self._index = self._index, self._empty(self._faiss.ScalarQuantizer.QT_8bit_direct_signed)
        ids = self._faiss.vector_to_array(old.id_map)
        for start in range(0, len(ids), _AT_ONCE):
            some = ids[start : start + _AT_ONCE]
            self._index.add_with_ids(self._codes(old.index.reconstruct_n(start, len(some))), some)
        self._has_codes = True

    def _nearest(self, question: Vectors, k: int, selector: Any) -> tuple[Ids, Vectors]:
        """As FAISS finds them; fewer where there are fewer."""
        self._faiss.omp_set_num_threads(1)  # holds for the thread that calls
        parameters = None if selector is None else self._faiss.SearchParameters(sel=selector)
        scores, ids = self._index.search(np.ascontiguousarray(question).reshape(1, -1), k, params=parameters)
        there = ids[0] >= 0
        return ids[0][there], scores[0][there]

    def _codes(self, vectors: Vectors) -> Vectors:
        """Whole numbers for vectors, (n, dimensions), as FAISS takes them; notes how far off they are."""
        if not self._step:
            self._step = max(_WIDEST / self.dimensions**0.5, float(np.abs(vectors).max())) / _LARGEST
        codes: Vectors = np.clip(np.rint(vectors / self._step), -_LARGEST, _LARGEST)
        stand_for = codes * self._step
        self._most_off = max(self._most_off, float(np.linalg.norm(vectors - stand_for, axis=1).max()))
        self._longest = max(self._longest, float(np.linalg.norm(stand_for, axis=1).max()))
        return codes

    def _by_codes(self, question: Vectors, n: int, selector: Any) -> tuple[Ids, Vectors]:
        """The ids of the `n` nearest by their codes, best first, and what their cosines are at most."""
        step = max(float(np.abs(question).max()), 1e-9) / _LARGEST
        codes = np.rint(question / step)  # FAISS multiplies whole numbers only
        with self._lock:
            ids, products = self._nearest(codes, n, selector)
            # q.x - q'.x' = q.(x - x') + (q - q').x', where q' and x' are what the codes stand for.
            length, off = np.linalg.norm(question), np.linalg.norm(question - codes * step)
            margin = length * self._most_off + off * self._longest + _ROUNDING * length * self._longest
            at_most: Vectors = products * (step * self._step) + margin
        return ids, at_most

    def _exact(self, question: Vectors, ids: Ids) -> tuple[Ids, Vectors]:
        """The ids that are still stored, and their cosines."""
        if not len(ids):
            return ids, np.empty(0, np.float32)
        found, vectors = self._read(ids)
        return found, vectors.astype(np.float32) @ question

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
