"""Files on the disk as documents that a persona answers from. Blocks; knows no folder of a persona."""

from __future__ import annotations

import hashlib
from pathlib import Path

from app.limits import PERSONA_UNPACKED_BYTES
from app.personas.faults import telling
from app.personas.names import is_file_name, is_knowledge_name
from app.personas.persona import KnowledgeFile
from engine.errors import LimitError, PersonaError, sentence

_BLOCK = 1 << 20


def document_at(path: Path) -> KnowledgeFile:
    """A file as a document that a persona answers from. Blocks. Raises `PersonaError` or `LimitError`."""
    if not is_knowledge_name(path.name):
        template = (
            sentence("Hearth cannot answer from files like “{name}”.")
            if is_file_name(path.name)
            else sentence("“{name}” is no name that a file can have on every system. Rename it first.")
        )
        raise PersonaError(template, name=path.name)
    return knowledge_file(path)


def knowledge_file(path: Path, name: str = "") -> KnowledgeFile:
    """A document as a persona names it. Raises `PersonaError` for one that cannot be read, or is too large."""
    digest, size = hashlib.sha256(), 0
    with telling(path), path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            size += len(block)
            if size > PERSONA_UNPACKED_BYTES:
                raise LimitError(
                    sentence("The documents of a persona may be {limit} MB together at most."),
                    limit=PERSONA_UNPACKED_BYTES >> 20,
                )
    return KnowledgeFile(name or path.name, size, digest.hexdigest())
