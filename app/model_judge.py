"""How a model would sit in this machine's memory, by the settings in force. Loads nothing."""

from __future__ import annotations

from dataclasses import dataclass

from app.i18n import tr
from app.model_entry import Fit
from app.settings import Settings
from engine.model import fit
from engine.model.description import ModelDescription
from engine.types import KvType


@dataclass(frozen=True, slots=True)
class Judgement:
    """`n_ctx` is the context window to load with, `sentence` the verdict in words, translated."""

    fit: Fit
    sentence: str
    n_ctx: int
    memory_bytes: int


def judge(description: ModelDescription, settings: Settings, available_bytes: int) -> Judgement:
    """The verdict for one model, if `available_bytes` were free for it."""
    verdict = fit.judge(
        description,
        available_bytes,
        settings.integer("model.n_ctx") or None,
        KvType(settings.text("model.kv_type")),
    )
    return Judgement(
        Fit(verdict.level.value),
        tr(verdict.template, **verdict.fields),
        verdict.n_ctx,
        verdict.estimate.needed_bytes,
    )
