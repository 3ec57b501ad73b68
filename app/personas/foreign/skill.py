"""Skills as personas, and back: SKILL.md and the files beside it. Knows values, no folder.

Follows the Agent Skills specification (agentskills.io/specification; anthropics/skills): `name` is a slug of at most 64
characters, `description` says when to use it, `metadata` maps texts to texts. What a skill would run or fetch is
never run or fetched here: its files are documents. A name that is no slug is kept in `metadata` as `hearth-name`.
"""

from __future__ import annotations

from typing import Any

from app.i18n import tr
from app.personas.foreign import front_matter
from app.personas.foreign.documents import Document, at, put, under, without
from app.personas.foreign.fields import Field, a_line, give, line, persona_of, take, text, values_of
from app.personas.foreign.imported import Files, Format, Imported, knowledge_files, plain_names
from app.personas.names import is_file_name, is_short_name, short_name_of
from app.personas.persona import Persona

NAME = "skill"
FILE = "SKILL.md"
_UNNAMED = "unnamed"
_OWN_NAME = ("metadata", "hearth-name")


def read_skill(skill: str, files: Files, name: str) -> Imported:
    """The persona of a SKILL.md and its other files, which have paths from its folder. Raises `PersonaError`."""
    front, body = front_matter.split(skill, name)
    values, rest = take(_ALL, front)
    sources, kept, notes = plain_names(files)
    moved: Document = {ours: source for ours, source in sources.items() if ours != source}
    slug = at(front, ("name",))
    persona = persona_of(
        values,
        short_name=slug if isinstance(slug, str) and is_short_name(slug) else short_name_of(values["name"]),
        instructions=body,
        knowledge=knowledge_files(kept),
        extensions={NAME: {"front_matter": rest, "files": moved} if moved else {"front_matter": rest}},
    )
    if at(front, ("allowed-tools",)):
        notes = (*notes, tr("It uses tools that Hearth does not have."))
    return Imported(persona, Format.SKILL, knowledge=kept, notes=notes)


def skill_of(persona: Persona, files: Files) -> Files:
    """The files of a skill, SKILL.md first, under paths that are safe below any folder. `files` are the persona's."""
    extension = under(persona.extensions, NAME) or {}
    front = extension.get("front_matter")
    # Both are required, and come first when somebody looks.
    document: Document = front if isinstance(front, dict) else {"name": persona.short_name, "description": ""}
    document = give(_ALL, document, values_of(persona))
    if not isinstance(front, dict) and not at(document, ("description",)):
        document = put(document, ("description",), persona.name)
    moved = under(extension, "files") or {}
    skill = front_matter.joined(document, persona.instructions)
    return ((FILE, skill.encode("utf-8")), *((_path(name, moved.get(name)), data) for name, data in files))


def _path(name: str, source: object) -> str:
    """Where the file lay, if that is a path that says what it is on every system."""
    if not isinstance(source, str):
        return name
    parts = source.split("/")
    harmless = all(is_file_name(part) for part in parts) and len(parts) <= 8 and parts[-1].casefold() != FILE.casefold()
    return source if harmless else name


def _spoken(slug: str) -> str:
    """ "contract-reader" as "Contract reader"."""
    words = a_line(slug.replace("-", " ").replace("_", " "))
    return words[:1].upper() + words[1:]


def _read_name(document: Document) -> str:
    slug = at(document, ("name",))
    return a_line(at(document, _OWN_NAME)) or _spoken(slug if isinstance(slug, str) else "") or _spoken(_UNNAMED)


def _write_name(document: Document, name: Any) -> Document:
    slug = short_name_of(name)
    document = put(without(document, _OWN_NAME), ("name",), slug)
    return document if _read_name(document) == name else put(document, _OWN_NAME, name)


def _drop_name(document: Document) -> Document:
    return without(without(document, ("name",)), _OWN_NAME)


_ALL = (
    Field("name", _read_name, _write_name, _drop_name),
    text("description", "description"),
    line("licence", "license"),
    line("author", "metadata", "author"),
    line("version", "metadata", "version", default="1"),
)
