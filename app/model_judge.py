"""How a model would sit in this machine's memory, by the settings in force. Loads nothing."""

from __future__ import annotations

from dataclasses import dataclass

from app.model_entry import Fit
from app.settings import Settings
from engine.model.description import ModelDescription


@dataclass(frozen=True, slots=True)
class Judgement:
    """`n_ctx` is the context window to load with, `sentence` the verdict in words, translated."""

    fit: Fit
    sentence: str
    n_ctx: int
    memory_bytes: int


def judge(description: ModelDescription, settings: Settings) -> Judgement:
    """The verdict for one model."""
    wanted = settings.integer("model.n_ctx")
    return Judgement(Fit.UNKNOWN, "", wanted or min(description.n_ctx_train, 8192), 0)
