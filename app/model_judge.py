"""How a model would sit in this machine's memory, by the settings in force. Loads nothing."""

from __future__ import annotations

from dataclasses import dataclass

from app.head_start import spec_by_settings
from app.i18n import tr
from app.model_entry import Fit
from app.settings import Settings
from engine.model import fit
from engine.model.companions import company_bytes
from engine.model.description import ModelDescription
from engine.types import FlashAttention


@dataclass(frozen=True, slots=True)
class Judgement:
    """`n_ctx` is the context window to load with, `n_cells` what the KV cache would hold of all chats together.

    `sentence` is the verdict in words, translated.
    """

    fit: Fit
    sentence: str
    n_ctx: int
    n_cells: int
    memory_bytes: int


def judge(description: ModelDescription, settings: Settings, available_bytes: int) -> Judgement:
    """The verdict for one model, if `available_bytes` were free for it and what is loaded beside it."""
    spec = spec_by_settings(description.path, settings, None)
    verdict = fit.judge(
        description,
        max(0, available_bytes - company_bytes(spec)),
        settings.integer("model.n_ctx") or None,
        spec.kv_type,
        flash_attention=spec.flash_attention is not FlashAttention.OFF,
    )
    return Judgement(
        Fit(verdict.level.value),
        tr(verdict.template, **verdict.fields),
        verdict.n_ctx,
        verdict.n_cells,
        verdict.estimate.needed_bytes,
    )
