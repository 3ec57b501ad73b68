"""One line of the list of models: one that is here, on another computer, or to fetch, or a file that cannot be used.

Values only; see `app.models` for where they come from.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from engine.model.catalogue import CatalogueModel
from engine.model.description import ModelDescription


class Fit(StrEnum):
    """Whether a model fits into this machine's memory, now."""

    FITS = "fits"
    TIGHT = "tight"
    TOO_LARGE = "too_large"
    UNKNOWN = "unknown"


class Availability(StrEnum):
    """What can be done with an entry."""

    ELSEWHERE = "elsewhere"
    """Another computer runs it: what is asked leaves this one."""
    HERE = "here"
    TO_FETCH = "to_fetch"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """`path` is None for what is not on this computer, `description` also for what cannot be used.

    `host` is the other computer of one that is ELSEWHERE. `sources` are the programs it was found in. `n_ctx` is the
    context window it would be loaded with, `n_cells` the tokens of all chats it would then remember, `memory_bytes`
    what it would need (0: unknown). Sentences are translated; `problem` is for BROKEN only.
    """

    key: str
    name: str
    availability: Availability
    path: Path | None = None
    sources: tuple[str, ...] = ()
    size_bytes: int = 0
    quantisation: str = ""
    architecture: str = ""
    n_params: int = 0
    n_ctx_train: int = 0
    n_ctx: int = 0
    n_cells: int = 0
    memory_bytes: int = 0
    licence: str = ""
    good_for: str = ""
    fit: Fit = Fit.UNKNOWN
    fit_sentence: str = ""
    loaded: bool = False
    is_default: bool = False
    recommended: bool = False
    """The starter for this machine."""
    problem: str = ""
    description: ModelDescription | None = None
    catalogue: CatalogueModel | None = None
    host: str = ""
