"""Vectors that travel with a persona's documents, between its folder and the library. Knows no window.

Any thread; what it asks of the library ends later.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from app.personas.folder import PersonaFolder
from app.personas.persona import Persona
from app.personas.vectors import Embeddings, documents_of
from rag.carried_file import CarriedFile
from rag.client import LibraryClient


def carry(documents: LibraryClient, collection_id: int, folder: PersonaFolder, persona: Persona) -> None:
    """Offer the library what travelled along with these documents, after they were added to the collection."""
    vectors = folder.vectors(persona)
    if vectors is not None:
        about = vectors.about
        documents.carry(collection_id, CarriedFile(vectors.path.absolute(), about.embedder, about.dimensions))


def keep(documents: LibraryClient, collection_id: int, folder: PersonaFolder, persona: Persona) -> Embeddings:
    """Have the vectors of the collection travel with the persona. Blocks; raises `LibraryError` while some lack."""
    with tempfile.TemporaryDirectory(prefix="hearth-") as place:
        path = Path(place) / "vectors.bin"
        written = documents.write_vectors(collection_id, path).result()
        about = Embeddings(written.embedder, written.dimensions, written.count, documents_of(persona))
        folder.set_vectors(about, path.read_bytes())
    return about
