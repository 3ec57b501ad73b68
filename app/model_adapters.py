"""A person's LoRA adapters: which files with which weight, for which model. Kept as texts in the settings.

One text an adapter: weight, model file, adapter file, with " | " between. Reads headers, loads nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from app.settings import Settings
from engine.errors import ModelFileError, sentence
from engine.model.adapter_file import check_belongs, read_adapter
from engine.types import Adapter

KEY = "model.adapters"
BETWEEN = " | "
MAX_WEIGHT = 2.0
"""Twice as strong as trained; more makes nonsense of most models."""


def adapters_of(model: Path, settings: Settings) -> tuple[Adapter, ...]:
    """The adapters of a model file, in the order they were added. A text that makes no sense is passed over."""
    found = [_parsed(text) for text in settings.texts(KEY)]
    return tuple(each[1] for each in found if each is not None and each[0] == model)


def set_adapters(model: Path, adapters: Sequence[Adapter], settings: Settings) -> None:
    """Keep these for a model; other models' stay. In force when it is loaded the next time."""
    others = [text for text in settings.texts(KEY) if (parsed := _parsed(text)) is None or parsed[0] != model]
    texts = [BETWEEN.join((f"{adapter.scale:.2f}", str(model), str(adapter.path))) for adapter in adapters]
    settings.set(KEY, (*others, *texts))


def check_adapter(adapter: Path, model: Path) -> None:
    """Raise `ModelFileError`, with a sentence, unless the file is an adapter for this model."""
    if BETWEEN in str(adapter) or BETWEEN in str(model):
        raise ModelFileError(
            sentence("{name} lies in a folder with “|” in its name. Rename the folder."), name=adapter.name
        )
    check_belongs(read_adapter(adapter), model)


def _parsed(text: str) -> tuple[Path, Adapter] | None:
    parts = text.split(BETWEEN)
    if len(parts) != 3:
        return None
    try:
        scale = float(parts[0])
    except ValueError:
        return None
    return (Path(parts[1]), Adapter(Path(parts[2]), scale)) if 0 <= scale <= MAX_WEIGHT else None
