"""A persona of the shelf as a file of another program. Blocks on the disk; knows no window."""

from __future__ import annotations

from pathlib import Path

from app.personas.folder import Shelved
from app.personas.foreign.formats import write
from app.personas.foreign.imported import Format
from app.personas.shelf import Shelf


def write_foreign(shelf: Shelf, shelved: Shelved, kind: Format, target: Path) -> None:
    """Write it to `target`, with its documents where the format has a place for them: a skill.

    Raises `PersonaError` where a file is missing or cannot be written.
    """
    persona = shelved.persona
    folder = shelf.place(persona.short_name)
    icon = folder.found(persona, persona.icon_sha256) if persona.icon_sha256 else None
    wanted = persona.knowledge if kind is Format.SKILL else ()
    write(persona, kind, target, icon, tuple((each.name, folder.found(persona, each.sha256)) for each in wanted))
