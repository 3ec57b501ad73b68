"""Which projector belongs to a model file, where only the file is known: one beside it, named so, of its width.

The rule is `engine.model.discovery`'s; this is for a model that is loaded before anybody has looked around. Reads
headers only, and none where no file beside it is named as projectors are.
"""

from __future__ import annotations

from pathlib import Path

from engine.errors import ModelFileError
from engine.model.description import ModelKind, describe

MAX_FILES = 16
"""Projectors in one folder; models that come with one have one to three (one for each precision)."""


def projector_beside(model: Path) -> Path | None:
    """The smallest file that fits, None where there is none. Reads the folder; blocks."""
    try:
        named = sorted(path for path in model.parent.glob("*.gguf") if "mmproj" in path.name.lower())[:MAX_FILES]
        if not named:
            return None
        text = describe(model)
    except (OSError, ModelFileError):
        return None  # The model itself will be refused with a sentence when it is loaded.
    if text.kind is not ModelKind.TEXT:
        return None
    fitting = []
    for path in named:
        try:
            description = describe(path)
        except ModelFileError:
            continue  # Damaged, or another program's half download: then the model does not see.
        if description.kind is ModelKind.PROJECTOR and description.n_embd in (0, text.n_embd):
            fitting.append(description)
    return min(fitting, key=lambda each: each.size_bytes).path if fitting else None
