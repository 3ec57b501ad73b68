"""How fast this computer's memory is, by all cores at once: a probe after STREAM (McCalpin, 1995).

The triad is a[i] = b[i] + s * c[i]; it counts 24 bytes an element, as STREAM does, though most processors also read a
before they write it. Reading alone, the sum of b[i] * c[i], is nearer to what a model does, which writes next to
nothing. numpy lets go of the interpreter while it computes, so threads run side by side. Knows no model.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from app.bench.report import MemorySpeed

ARRAY_BYTES = 96 << 20
"""Each of three arrays: several times what the caches of a desktop hold."""
BLOCK = 8192
"""Elements at a time. The triad's two steps meet in the nearest cache, and no library starts threads for so few."""
ROUNDS = 5
_BYTES = 8
_FACTOR = 3.0

Floats = NDArray[np.float64]
Work = Callable[[slice], None]


def probe_memory(n_threads: int | None = None, *, array_bytes: int = ARRAY_BYTES, rounds: int = ROUNDS) -> MemorySpeed:
    """The best of some rounds: other programs can only make it slower. Blocks for about a second."""
    n_threads = n_threads or os.cpu_count() or 1
    size = max(BLOCK * n_threads, array_bytes // _BYTES)
    a, b, c = np.zeros(size), np.ones(size), np.ones(size)

    def triad(part: slice) -> None:
        for start in range(part.start, part.stop, BLOCK):
            block = slice(start, min(start + BLOCK, part.stop))
            np.multiply(c[block], _FACTOR, out=a[block])
            np.add(a[block], b[block], out=a[block])

    def read(part: slice) -> None:
        for start in range(part.start, part.stop, BLOCK):
            block = slice(start, min(start + BLOCK, part.stop))
            np.dot(b[block], c[block])

    edges = np.linspace(0, size, n_threads + 1).astype(int).tolist()
    parts = [slice(low, high) for low, high in itertools.pairwise(edges)]
    with ThreadPoolExecutor(n_threads, thread_name_prefix="memory") as pool:
        return MemorySpeed(
            read=2 * _BYTES * size / _quickest(pool, read, parts, rounds),
            triad=3 * _BYTES * size / _quickest(pool, triad, parts, rounds),
        )


def _quickest(pool: ThreadPoolExecutor, work: Work, parts: list[slice], rounds: int) -> float:
    """Seconds of the best round, after one that does not count: pages are only there once they were touched."""
    found = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        list(pool.map(work, parts))
        found.append(time.perf_counter() - began)
    return min(found[1:])
