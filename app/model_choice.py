"""Which model is meant, and which one is used when nobody says. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from app.model_entry import Availability, Fit, ModelEntry
from engine.errors import ModelFileError, sentence

_RANK = {Fit.FITS: 0, Fit.UNKNOWN: 1, Fit.TIGHT: 2, Fit.TOO_LARGE: 3}


def choose_default(here: Sequence[ModelEntry], last_used: Path | None) -> ModelEntry | None:
    """The model used last; else the largest of ours that fits well, else of all; else what comes closest."""
    for entry in here:
        if entry.path == last_used:
            return entry
    ranked = sorted(here, key=lambda entry: (_RANK[entry.fit], entry.catalogue is None, -entry.size_bytes))
    return ranked[0] if ranked and ranked[0].fit is not Fit.TOO_LARGE else None


def find_entry(entries: Sequence[ModelEntry], wanted: str) -> ModelEntry:
    """The entry that a person names: exactly, or by a part of its name that fits one model only.

    Models that are here win over those to fetch. Raises `ModelFileError` with a sentence for none or several.
    """
    usable = [entry for entry in entries if entry.availability is not Availability.BROKEN]
    for group in (
        [entry for entry in usable if entry.availability is Availability.HERE],
        [entry for entry in usable if entry.availability is Availability.TO_FETCH],
    ):
        exact = [entry for entry in group if _plain(wanted) in _names(entry)]
        found = exact or [entry for entry in group if any(_plain(wanted) in name for name in _names(entry))]
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(entry.name for entry in found)
            raise ModelFileError(sentence("“{wanted}” could be any of these: {names}."), wanted=wanted, names=names)
    raise ModelFileError(
        sentence("There is no model called “{wanted}”. `hearth models` lists them all."), wanted=wanted
    )


def _names(entry: ModelEntry) -> tuple[str, ...]:
    names = [entry.name]
    if entry.path is not None:
        names += [entry.path.name, entry.path.stem]
    if entry.catalogue is not None:
        names += [entry.catalogue.id, entry.catalogue.file_name]
    return tuple(_plain(name) for name in names)


def _plain(name: str) -> str:
    """Without the differences that people do not care about: "Qwen2.5 Coder" is "qwen2.5-coder"."""
    return "-".join(name.casefold().replace("_", "-").split())
