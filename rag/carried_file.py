"""A file of vectors that travels with documents, and what is said of it. `rag.carried` writes and reads it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class CarriedFile:
    """A file of vectors, and the embedder by its `model_id` that they are said to be of."""

    path: Path
    embedder: str
    dimensions: int


@dataclass(frozen=True, slots=True)
class WrittenVectors:
    """What was written to a file."""

    embedder: str
    dimensions: int
    count: int
