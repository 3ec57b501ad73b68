"""The personas that come with Hearth: read from the package, put on the person's shelf, and kept up with the app.

What the person has changed, or deleted, stays as the person wants it. Each lies in a folder of `gallery`, as a version
of a persona does on the shelf, but without sizes and hashes; a folder named by a language inside holds what is said
otherwise in it. Knows no window and no model. Any thread; blocks on the disk.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from app.i18n import language
from app.personas.document import INSTRUCTIONS_NAME, TOML_NAME, fingerprint, read_persona
from app.personas.faults import telling
from app.personas.folder import ICON, Shelved
from app.personas.persona import KnowledgeFile, Persona
from app.personas.shelf import Shelf
from app.personas.trust import Origin, Trust
from engine.atomic_write import atomic_write
from engine.errors import HearthError

GALLERY = Path(__file__).with_name("gallery")
ORDER = (
    "hearth-guide", "plain-explainer", "writing-coach", "meeting-notes",
    "contract-reader", "spanish-tutor", "code-reviewer", "story-master",
)  # fmt: skip
"""As the gallery shows them."""
_KNOWLEDGE = "knowledge"
_LEDGER, _LOCK = ".gallery.json", ".gallery.lock"
_PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A persona of Hearth's own and its files, by sha256."""

    persona: Persona
    files: Mapping[str, bytes]

    @property
    def icon(self) -> bytes:
        """A PNG file."""
        return self.files[self.persona.icon_sha256]


def offers() -> tuple[BuiltIn, ...]:
    """All of them, in the window's language."""
    return tuple(read_built_in(GALLERY / name, language()) for name in ORDER)


def icon_of_hearth(sha256: str) -> bytes | None:
    """The PNG file with this hash, if it is one that comes with Hearth: no stranger's."""
    return next((each.icon for each in offers() if each.persona.icon_sha256 == sha256), None)


@cache
def read_built_in(folder: Path, spoken: str) -> BuiltIn:
    """One folder of the gallery. What `spoken` (ISO 639-1) has no words for stays English."""
    own = folder / spoken
    toml = (folder / TOML_NAME).read_bytes()
    persona = read_persona(toml, (folder / INSTRUCTIONS_NAME).read_bytes())
    if (own / TOML_NAME).is_file():
        read: dict[str, Any] = tomllib.loads((own / TOML_NAME).read_text("utf-8"))
        said: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in read.items()}
        persona = replace(persona, **said)
    icon = (folder / ICON).read_bytes()
    files = {hashlib.sha256(icon).hexdigest(): icon}
    knowledge: list[KnowledgeFile] = []
    documents = own / _KNOWLEDGE if (own / _KNOWLEDGE).is_dir() else folder / _KNOWLEDGE
    for path in sorted(documents.iterdir()) if documents.is_dir() else ():
        data = path.read_bytes()
        sha256 = hashlib.sha256(data).hexdigest()
        files[sha256] = data
        knowledge.append(KnowledgeFile(path.name, len(data), sha256))
    persona = replace(persona, icon_sha256=next(iter(files)), knowledge=tuple(knowledge))
    return BuiltIn(persona, files)


def put_on(shelf: Shelf) -> bool:
    """See that the built-in personas are on the shelf as this Hearth has them; whether anything was changed.

    Raises `PersonaError` where the disk refuses. Another program that does so at the same time is left to it.
    """
    changed = False
    with suppress(Timeout), telling(shelf.folder):
        shelf.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with FileLock(shelf.folder / _LOCK, timeout=_PATIENCE_S):
            ledger = _ledger(shelf)
            before = dict(ledger)
            for each in offers():
                changed |= _keep_up(shelf, each, ledger)
            if ledger != before:
                atomic_write(shelf.folder / _LEDGER, json.dumps(ledger, indent=1, sort_keys=True).encode())
    return changed


def add(shelf: Shelf, built_in: BuiltIn) -> Shelved:
    """Put one on the shelf that was deleted, or another copy of it. Raises `PersonaError`."""
    accepted = (fingerprint(built_in.persona),)
    return shelf.create(built_in.persona, built_in.files, Trust(Origin.BUILT_IN, accepted=accepted))


def _keep_up(shelf: Shelf, built_in: BuiltIn, ledger: dict[str, str]) -> bool:
    """`ledger` holds the fingerprint of what was put there last, by short name."""
    name, wanted = built_in.persona.short_name, fingerprint(built_in.persona)
    given = ledger.get(name)
    if given == wanted:
        return False
    if (shelf.folder / name).exists():
        try:
            present = shelf.get(name)
        except HearthError:
            return False  # damaged: the listing says so
        if present.trust.origin is not Origin.BUILT_IN or present.fingerprint not in (given, wanted):
            return False  # a persona of the person's own, or changed by the person
        if present.fingerprint != wanted:
            folder = shelf.place(name)
            folder.set_trust(present.trust.accepting(wanted))
            folder.save(built_in.persona, present.number, built_in.files)
    elif given is None:
        add(shelf, built_in)
    ledger[name] = wanted
    return True


def _ledger(shelf: Shelf) -> dict[str, str]:
    """Empty where it cannot be read: what is there already is then recognised by its fingerprint."""
    try:
        read = json.loads((shelf.folder / _LEDGER).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return {key: value for key, value in read.items() if isinstance(value, str)} if isinstance(read, dict) else {}
