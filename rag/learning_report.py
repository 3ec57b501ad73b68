"""How far the passages are learned, as a value that travels to the window. No behaviour."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LearningReport:
    """The choice of embedder that serves, and the one that is to take its place; "" where there is none.

    Of `n_all` passages, `n_left` have no vector yet: of the coming one, or else of the one that serves.
    """

    serving: str
    coming: str
    n_left: int
    n_all: int
