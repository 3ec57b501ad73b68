"""Take a persona from a file, whichever program wrote it: a `.hearth` bundle, or what `app.personas.foreign` reads.

All or nothing, and nothing of it may be used before the person has looked at it. Blocks; any thread.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from app.i18n import error_sentence
from app.personas.bundle import SUFFIX
from app.personas.declared import shown
from app.personas.folder import Shelved
from app.personas.foreign import formats
from app.personas.icon import check_icon
from app.personas.icon_scaling import scaled_icon
from app.personas.shelf import Shelf
from app.personas.trust import Origin, Trust
from engine.errors import LimitError, PersonaError


@dataclass(frozen=True, slots=True)
class Taken:
    """What was put on the shelf, and translated sentences on what could not come along."""

    shelved: Shelved
    notes: tuple[str, ...] = ()


def take(shelf: Shelf, path: Path) -> Taken:
    """Import a file or folder. Raises `HearthError` with the reason why it is refused."""
    if path.suffix.lower() == SUFFIX:
        return Taken(shelf.take_bundle(path))
    imported = formats.read(path)
    persona, notes = imported.persona, list(imported.notes)
    given: dict[str, Path | bytes] = {hashlib.sha256(data).hexdigest(): data for _name, data in imported.knowledge}
    if imported.icon is not None:
        try:
            icon = fitting_icon(imported.icon)
        except (PersonaError, LimitError) as error:
            notes.append(error_sentence(error))
        else:
            sha256 = hashlib.sha256(icon).hexdigest()
            given[sha256] = icon
            persona = replace(persona, icon_sha256=sha256)
    return Taken(shelf.create(persona, given, Trust(Origin.IMPORTED, shown(path.name))), tuple(notes))


def fitting_icon(picture: bytes) -> bytes:
    """The picture as an icon, made smaller where it is too large. Raises `PersonaError` or `LimitError`."""
    try:
        check_icon(picture)
    except LimitError:
        if (icon := scaled_icon(picture)) is not None:
            return icon
        raise
    return picture
