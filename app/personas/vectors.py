"""What a bundle says of the vectors of its documents that travel along. Knows no model; `rag.carried` checks them.

They are of no use to the persona but speed: its documents are found by meaning at once, where the same embedder serves.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.limits import PERSONA_EMBEDDINGS_BYTES, PERSONA_KNOWLEDGE_FILES
from app.personas.declared import Line, Number, Place, Several, Table, strict_json
from app.personas.document import SHA256
from app.personas.persona import Persona
from engine.errors import PersonaError, sentence

FOLDER = "embeddings/"
ABOUT_NAME, VECTORS_NAME = FOLDER + "embeddings.json", FOLDER + "vectors.bin"
NAMES = frozenset({ABOUT_NAME, VECTORS_NAME})
_DIGEST_BYTES = 16
_MOST_DIMENSIONS = 8192


@dataclass(frozen=True, slots=True)
class Embeddings:
    """`count` vectors of `dimensions` numbers, of the passages of `documents` (sha256, ascending), by an `embedder`."""

    embedder: str
    dimensions: int
    count: int
    documents: tuple[str, ...]

    @property
    def size_bytes(self) -> int:
        """Of vectors.bin: a digest of 16 bytes and numbers of 2 bytes in each row."""
        return self.count * (_DIGEST_BYTES + 2 * self.dimensions)

    def are_of(self, persona: Persona) -> bool:
        """Whether they are of just the documents that this persona has."""
        return bool(self.documents) and self.documents == documents_of(persona)


@dataclass(frozen=True, slots=True)
class Vectors:
    """What is said of them, and where they are."""

    about: Embeddings
    path: Path


EMBEDDINGS = Table(
    Embeddings,
    {
        "embedder": Line(least=1),
        "dimensions": Number(1, _MOST_DIMENSIONS, whole=True),
        "count": Number(1, PERSONA_EMBEDDINGS_BYTES, whole=True),
        "documents": Several(Line(64, pattern=SHA256), PERSONA_KNOWLEDGE_FILES),
    },
)


def kept_as(name: str) -> str:
    """What one of the two members is called beside the persona's documents."""
    return name.removeprefix(FOLDER)


def documents_of(persona: Persona) -> tuple[str, ...]:
    """The sha256 of each of its documents, ascending."""
    return tuple(sorted({each.sha256 for each in persona.knowledge}))


def read_about(data: bytes) -> Embeddings:
    """embeddings.json. Raises `PersonaError` or `LimitError`."""
    try:
        document = strict_json(data.decode("utf-8"))
    except ValueError:
        raise PersonaError(
            sentence("{file} is not written as it should be, so it cannot be read."), file=ABOUT_NAME
        ) from None
    about = EMBEDDINGS.read(document, Place(ABOUT_NAME))
    assert isinstance(about, Embeddings)
    return about
