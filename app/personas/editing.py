"""Changing a persona: opened with what was not saved the last time, saved as its next version. Knows no window.

Blocks on the disk; any thread.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from app.personas.drafts import Draft, DraftFolder, new_persona
from app.personas.folder import ICON, Given, Shelved, files_of
from app.personas.names import short_name_of
from app.personas.shelf import Shelf
from engine.errors import PersonaError, sentence


@dataclass(frozen=True, slots=True)
class Opened:
    """A persona as it is saved (`shelved` None: it is new), and `kept`, what was written and never saved."""

    shelved: Shelved | None
    saved: Draft
    kept: Draft | None = None
    icon: bytes = b""
    """The PNG file of the saved one."""


def open_persona(shelf: Shelf, short_name: str) -> Opened:
    """Open one, or with "" a new one. Raises `PersonaError`, also for one that nobody has looked at yet."""
    kept = DraftFolder(shelf.folder).find(short_name)
    if not short_name:
        return Opened(None, Draft(new_persona()), kept)
    shelved = shelf.get(short_name).checked()
    saved = Draft(shelved.persona, shelved.number)
    return Opened(shelved, saved, None if kept is None else _in_place(kept, short_name), icon_bytes(shelf, shelved))


def save_persona(shelf: Shelf, short_name: str, draft: Draft, *, over: bool = False) -> Shelved:
    """Put a draft on the shelf: as the next version of a persona, or with "" as a new one. It is no draft any more.

    `over`: also where it was saved elsewhere since the draft was begun. Raises `PersonaError` or `LimitError`.
    """
    if not draft.persona.name:
        raise PersonaError(sentence("A persona needs a name."))
    if short_name:
        before = shelf.get(short_name).number if over else draft.before
        shelved = shelf.save(replace(draft.persona, short_name=short_name), before, draft.given)
    else:
        named = replace(draft.persona, short_name=short_name_of(draft.persona.name))
        shelved = shelf.create(named, draft.given)
    DraftFolder(shelf.folder).forget(short_name)
    return shelved


def whole(shelf: Shelf, short_name: str, draft: Draft) -> Given:
    """All files of a draft: those it was given, and those that lie in the persona's folder."""
    found: dict[str, Path | bytes] = dict(draft.given)
    if short_name:
        folder = shelf.place(short_name)
        for sha256, name in files_of(draft.persona):
            with suppress(PersonaError):  # saving says so
                found.setdefault(sha256, folder.file(sha256, name))
    return found


def icon_bytes(shelf: Shelf, shelved: Shelved) -> bytes:
    """The PNG file of its icon; b"" where it has none or it is lost."""
    persona = shelved.persona
    if not persona.icon_sha256:
        return b""
    try:
        return shelf.place(persona.short_name).file(persona.icon_sha256, ICON).read_bytes()
    except (PersonaError, OSError):
        return b""


def _in_place(kept: Draft, short_name: str) -> Draft:
    return replace(kept, persona=replace(kept.persona, short_name=short_name))
