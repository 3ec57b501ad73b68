"""What a context length would cost a model on this machine: the engine's estimate in the picker's words."""

from __future__ import annotations

from app.i18n import tr
from app.model_entry import Fit, ModelEntry
from app.ui.model_memory import MemoryUse
from engine.model.fit import judge, kv_cache_bytes, largest_context
from engine.model.memory import machine_memory
from engine.types import KvType


class FitJudge:
    """Answers from headers already read; loads nothing. The free memory is what it was when this was made.

    What the loaded model holds comes back when another one takes its place, so it counts as free.
    """

    def __init__(self, held_bytes: int = 0) -> None:
        self._available = machine_memory().available_bytes + held_bytes

    def memory(self, row: ModelEntry, n_ctx: int, kv_type: KvType) -> MemoryUse | None:
        """As `MemoryJudge`."""
        if row.description is None:
            return None
        verdict = judge(row.description, self._available, n_ctx, kv_type)
        need = verdict.estimate
        return MemoryUse(
            weights_bytes=need.weights_bytes,
            kv_bytes=need.kv_bytes,
            compute_bytes=need.compute_bytes + need.tables_bytes,
            available_bytes=self._available,
            fit=Fit(verdict.level.value),
            sentence=tr(verdict.template, **verdict.fields),
        )

    def kv_bytes(self, row: ModelEntry, n_ctx: int, kv_type: KvType) -> int:
        """As `MemoryJudge`."""
        return kv_cache_bytes(row.description, n_ctx, kv_type) if row.description is not None else 0

    def largest_context(self, row: ModelEntry, kv_type: KvType) -> int:
        """As `MemoryJudge`."""
        return largest_context(row.description, self._available, kv_type) if row.description is not None else 0
