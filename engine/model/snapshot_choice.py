"""An entry of the shelf's index, and which entry has most in common with a prompt. Pure: no files, no llama.cpp."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.model.prefix_tree import common_prefix


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An entry of the index. `tokens` in the order of their positions; `used_at` in seconds since 1970."""

    path: Path
    key: str
    variant: str
    tokens: array[int] = field(compare=False, repr=False)
    state_bytes: int
    used_at: float = field(compare=False)

    def goes_on_from(self, older: Snapshot) -> bool:
        """Whether it makes `older` needless: same key, same variant, the same tokens or more."""
        return (
            (older.key, older.variant) == (self.key, self.variant)
            and older.path != self.path
            and self.tokens[: len(older.tokens)] == older.tokens
        )


def choose(
    snapshots: Iterable[Snapshot], tokens: Sequence[int], variant: str, *, whole: bool
) -> tuple[Snapshot, int] | None:
    """The one that shares most tokens with `tokens` from the beginning, and how many; None if none does.

    With `whole` only one whose tokens all are there. Of several the smallest, then the last used.
    """
    wanted = array("i", tokens)
    best: tuple[Snapshot, int] | None = None
    for snapshot in snapshots:
        if snapshot.variant != variant:
            continue
        common = common_prefix(snapshot.tokens, wanted)
        if common == 0 or (whole and common < len(snapshot.tokens)):
            continue
        if best is None or _rank(snapshot, common) > _rank(*best):
            best = snapshot, common
    return best


def _rank(snapshot: Snapshot, common: int) -> tuple[int, int, float]:
    return common, -len(snapshot.tokens), snapshot.used_at
