"""Where a question is looked for. A value; knows no index."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scope:
    """Collections, single documents, or both; None does not limit."""

    collection_ids: tuple[int, ...] | None = None
    blob_ids: tuple[int, ...] | None = None
