"""What is loaded beside a model (projector, draft model, adapters), and the memory it takes. From headers alone."""

from __future__ import annotations

from pathlib import Path

from engine.errors import ModelFileError
from engine.model.description import describe
from engine.model.fit import estimate
from engine.types import ModelSpec

DRAFT_WINDOW = 4_096
"""Tokens that room is kept for in a draft model's own KV cache."""


def company_bytes(spec: ModelSpec) -> int:
    """Memory for all of them. A file that cannot be read counts nothing: whoever loads it says what is wrong."""
    projector = (spec.projector,) if spec.projector is not None else ()
    files = (*projector, *(adapter.path for adapter in spec.adapters))
    return sum(_file_bytes(path) for path in files) + _draft_bytes(spec.draft_path)


def _file_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _draft_bytes(path: Path | None) -> int:
    if path is None:
        return 0
    try:
        return estimate(describe(path), DRAFT_WINDOW, n_sequences=1).needed_bytes
    except ModelFileError:
        return 0
