"""A persona's documents in the library: a collection of its own that holds those of its present version.

Chats that remember an older version with other documents have a collection of these, made when the first of them asks;
what both hold is read once, as the library knows documents by their bytes. These collections are not among those of a
conversation, but asked beside them, and go with the persona. Blocks on the disk and on the library's process, which is
started where there are documents only.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from app.documents_care import PERSONA, VERSION, persona_of
from rag.client import LibraryClient

if TYPE_CHECKING:
    from app.personas.folder import PersonaFolder, Shelved
    from app.personas.persona import Persona
    from app.personas.shelf import Shelf


class PersonaDocuments:
    """Any thread but the window's and the store's. `library` is the folder of the library."""

    def __init__(self, shelf: Callable[[], Shelf], documents: LibraryClient, library: Path) -> None:
        self._shelf = shelf
        self._documents = documents
        self._database = library / "library.db"
        self._lock = threading.Lock()
        self._given: dict[tuple[str, str], int] = {}
        """What the library was given in this run: the collection, by short name and what names its documents."""

    def collection(self, shelved: Shelved) -> int | None:
        """The collection with exactly the documents of this version, which may still be read; None where it has none.

        Raises `PersonaError` for a lost file, `LibraryError` where the library refuses.
        """
        persona = shelved.persona
        if not persona.knowledge:
            return None
        key = (persona.short_name, _named(persona))
        with self._lock:
            if key not in self._given:
                folder = self._shelf().place(persona.short_name)
                given = self._give(persona, folder, owner_of(persona, present=folder.present().persona))
                # What held the documents of the version before holds those of this one now.
                self._given = {each: number for each, number in self._given.items() if number != given}
                self._given[key] = given
            return self._given[key]

    def forget(self, short_name: str) -> None:
        """Take its documents out of the library: it is gone."""
        with self._lock:
            self._given = {key: number for key, number in self._given.items() if key[0] != short_name}
            if self._database.exists():
                for each in self._documents.collections().result():
                    if each.owner.startswith(PERSONA) and persona_of(each.owner) == short_name:
                        self._documents.remove_collection(each.id).result()

    def _give(self, persona: Persona, folder: PersonaFolder, owner: str) -> int:
        collection = next((each for each in self._documents.collections().result() if each.owner == owner), None)
        if collection is None:
            collection = self._documents.add_collection(persona.name, owner).result()
        wanted = {path.absolute() for path in folder.documents(persona)}
        there = {source.path: source for source in self._documents.sources(collection.id).result()}
        for path in there.keys() - wanted:
            self._documents.remove_source(there[path].id).result()
        missing = sorted(wanted - there.keys())
        for path in missing:
            self._documents.add(collection.id, path).result()
        if missing:
            from app.persona_vectors import carry  # noqa: PLC0415  # a start does without

            carry(self._documents, collection.id, folder, persona)
        return collection.id


def owner_of(persona: Persona, *, present: Persona) -> str:
    """Of the collection with the documents of a version: the persona, and which documents where they are others."""
    owner = PERSONA + persona.short_name
    return owner if _named(persona) == _named(present) else f"{owner}{VERSION}{_named(persona)}"


def _named(persona: Persona) -> str:
    """The same for the same documents under the same names."""
    lines = "\n".join(sorted(f"{each.sha256} {each.name}" for each in persona.knowledge))
    return hashlib.sha256(lines.encode()).hexdigest()[:16]
