"""`hearth persona export`: a persona as a bundle, with the vectors of its documents, or as another program's file.

Knows no window.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from app.bootstrap import Start
from app.cli_chat import EXIT_OK
from app.cli_docs import LONGEST_S, open_library
from app.command_line import EXPORT_FORMATS, Arguments
from app.console import Console
from app.i18n import ntr, tr
from app.persona_documents import PersonaDocuments
from app.persona_vectors import keep
from app.personas.bundle import bundle_name
from app.personas.exporting import write_foreign
from app.personas.folder import Shelved
from app.personas.foreign import formats
from app.personas.foreign.imported import Format
from app.personas.shelf import Shelf
from app.personas.signing import Keys
from engine.errors import PersonaError, sentence

_FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "ccv3": Format.CARD_V3_PNG,
        "ccv3-json": Format.CARD_V3,
        "ccv2": Format.CARD_V2_PNG,
        "ccv2-json": Format.CARD_V2,
        "charx": Format.CHARX,
        "open-webui": Format.OPEN_WEBUI,
        "lm-studio": Format.LM_STUDIO,
        "jan": Format.JAN,
        "skill": Format.SKILL,
    }
)
assert tuple(_FORMATS) == EXPORT_FORMATS[1:]


def export(arguments: Arguments, shelf: Shelf, start: Start, console: Console) -> int:
    """Write the file. Raises `HearthError`."""
    shelved = shelf.find(arguments.wanted)
    persona = shelved.persona
    if arguments.export_format == EXPORT_FORMATS[0]:
        path = arguments.output or bundle_name(persona, Path())
        if path.is_dir():
            path = bundle_name(persona, path)
        if arguments.embeddings:
            _learn(shelved, shelf, start, console)
        shelf.write_bundle(persona.short_name, path, Keys(start.paths.config).sign if arguments.sign else None)
    else:
        path = _write_foreign(arguments, shelved, shelf, console)
    if console.json:
        console.record({"type": "exported", "short_name": persona.short_name, "file": str(path)})
    else:
        console.note(tr("Written: {path}", path=path))
    return EXIT_OK


def _learn(shelved: Shelved, shelf: Shelf, start: Start, console: Console) -> None:
    """Have the documents learned, if they are not, and their vectors travel along."""
    persona = shelved.persona
    if not persona.knowledge:
        raise PersonaError(sentence("“{name}” has no documents, so there is nothing to learn."), name=persona.name)
    with open_library(start, console) as library:
        collection = PersonaDocuments(lambda: shelf, library.client, start.paths.library).collection(shelved)
        assert collection is not None
        library.result(library.client.wait_until_idle(LONGEST_S))
        about = keep(library.client, collection, shelf.place(persona.short_name), persona)
    console.note(
        ntr(
            "{count} passage of its documents travels along as it was learned.",
            "{count} passages of its documents travel along as they were learned.",
            about.count,
        )
    )


def _write_foreign(arguments: Arguments, shelved: Shelved, shelf: Shelf, console: Console) -> Path:
    persona, kind = shelved.persona, _FORMATS[arguments.export_format]
    name = persona.short_name + formats.SUFFIXES[kind]
    path = arguments.output or Path(name)
    if path.is_dir() and kind is not Format.SKILL:
        path /= name
    write_foreign(shelf, shelved, kind, path)
    for missed in formats.left_out(persona, kind):
        console.note(missed)
    return path
