"""What a context length would cost a model on this machine: the engine's estimate in the picker's words."""

from __future__ import annotations

from app.model_entry import ModelEntry
from app.ui.model_memory import MemoryUse
from engine.types import KvType


class FitJudge:
    """Answers from headers already read; loads nothing."""

    def memory(self, row: ModelEntry, n_ctx: int, kv_type: KvType) -> MemoryUse | None:
        return None

    def largest_context(self, row: ModelEntry, kv_type: KvType) -> int:
        return row.n_ctx
