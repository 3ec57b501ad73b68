"""Personas that are being written: kept on the disk while they are, so that nothing is lost however the program ends.

A file for each in a folder that the shelf does not look at. Any thread; blocks on the disk. Knows no window.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from app.personas.declared import Place, strict_json
from app.personas.document import PERSONA
from app.personas.faults import telling
from app.personas.folder import Given
from app.personas.persona import Persona
from engine.atomic_write import atomic_write
from engine.errors import LimitError, PersonaError

FOLDER = ".drafts"
"""In the folder of the shelf."""
_SCHEMA = 1
_NEW = ".new"
"""Of a persona that is on no shelf yet; no short name is like it."""
_UNNAMED = "-"
"""Stands for a name that is not given yet, which no file of a persona may lack."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A persona as it is being written.

    `before` is the number of the saved version it was begun from, 0 for a new persona. `given` are files that it
    names and its folder may lack, by sha256.
    """

    persona: Persona
    before: int = 0
    given: Given = field(default_factory=dict)


def new_persona() -> Persona:
    """An empty one. Its short name is chosen when it is put on the shelf."""
    return Persona(short_name="persona", name="")


class DraftFolder:
    """The drafts beside the personas in `shelf_folder`."""

    def __init__(self, shelf_folder: Path) -> None:
        self._folder = shelf_folder / FOLDER

    def keep(self, short_name: str, draft: Draft) -> None:
        """Keep the draft of a persona, "" for a new one. Raises `PersonaError` where the disk refuses."""
        path = self._path(short_name)
        with telling(path):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            atomic_write(path, _bytes(draft))

    def find(self, short_name: str) -> Draft | None:
        """What was kept and neither saved nor thrown away; None also for what cannot be read."""
        try:
            return _read(self._path(short_name).read_bytes())
        except (OSError, ValueError, PersonaError, LimitError):
            return None

    def forget(self, short_name: str) -> None:
        """It was saved, or thrown away. Raises `PersonaError`."""
        path = self._path(short_name)
        with telling(path):
            path.unlink(missing_ok=True)

    def _path(self, short_name: str) -> Path:
        return self._folder / f"{short_name or _NEW}.json"


def _bytes(draft: Draft) -> bytes:
    persona = draft.persona
    named = persona if persona.name else replace(persona, name=_UNNAMED)
    return json.dumps(
        {
            "schema": _SCHEMA,
            "before": draft.before,
            "persona": PERSONA.write(named),
            "instructions": persona.instructions,
            "paths": {sha256: str(each) for sha256, each in draft.given.items() if isinstance(each, Path)},
            "bytes": {
                sha256: base64.b64encode(each).decode("ascii")
                for sha256, each in draft.given.items()
                if isinstance(each, bytes)
            },
        },
        ensure_ascii=False,
    ).encode("utf-8", "replace")


def _read(data: bytes) -> Draft:
    """Raises `ValueError`, `PersonaError` or `LimitError`."""
    said = strict_json(data.decode("utf-8"))
    if not isinstance(said, dict) or said.get("schema") != _SCHEMA:
        raise ValueError("no draft")
    persona: Persona = PERSONA.read(said.get("persona"), Place("draft"))
    instructions, before = said.get("instructions"), said.get("before")
    if not isinstance(instructions, str) or not isinstance(before, int):
        raise ValueError("no draft")
    given: dict[str, Path | bytes] = {sha256: Path(path) for sha256, path in _texts(said.get("paths"))}
    given |= {sha256: base64.b64decode(text, validate=True) for sha256, text in _texts(said.get("bytes"))}
    name = "" if persona.name == _UNNAMED else persona.name
    return Draft(replace(persona, name=name, instructions=instructions), before, given)


def _texts(value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, Mapping):
        return ()
    return tuple((key, text) for key, text in value.items() if isinstance(key, str) and isinstance(text, str))
