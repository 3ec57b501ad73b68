"""Which projectors belong to a model file, where only the file is known: those beside it, named so, of its width.

The rule is `engine.model.discovery`'s; this is for a model that is loaded before anybody has looked around. Reads
beginnings of headers only, and nothing where no file beside it is named as projectors are.
"""

from __future__ import annotations

from pathlib import Path

from engine.errors import ModelFileError
from engine.model.description import ModelKind, describe
from engine.model.gguf import read_width

MAX_FILES = 16
"""Projectors in one folder; models that come with one have one to three (one for each precision)."""


def projectors_beside(model: Path) -> tuple[Path, ...]:
    """The files that fit, smallest first. Reads the folder; blocks, a millisecond where there is none."""
    try:
        named = sorted(path for path in model.parent.glob("*.gguf") if "mmproj" in path.name.lower())[:MAX_FILES]
        width = read_width(model) if named else 0
    except (OSError, ModelFileError):
        return ()  # The model itself will be refused with a sentence when it is loaded.
    if not width:
        return ()
    fitting = []
    for path in named:
        try:
            description = describe(path)
        except ModelFileError:
            continue  # Damaged, or another program's half download: then the model does not see.
        if description.kind is ModelKind.PROJECTOR and description.n_embd in (0, width):
            fitting.append(description)
    return tuple(each.path for each in sorted(fitting, key=lambda each: each.size_bytes))


def projector_beside(model: Path) -> Path | None:
    """The smallest file that fits, None where there is none. Blocks as `projectors_beside`."""
    return next(iter(projectors_beside(model)), None)
