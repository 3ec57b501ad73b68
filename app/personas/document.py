"""A persona as its two files: persona.toml, and INSTRUCTIONS.md with the front matter that SKILL.md folders have.

Equal personas are equal bytes. Reading is strict: whatever is not declared here is an error with a sentence. Knows no
folder and no bundle.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import tomli_w

from app.limits import (
    PERSONA_DOCUMENT_BYTES,
    PERSONA_KEYED_ENTRIES,
    PERSONA_KNOWLEDGE_FILES,
    PERSONA_UNPACKED_BYTES,
)
from app.personas.declared import Choice, Flag, JsonText, Line, Named, Number, Place, Rule, Several, Table, Text, shown
from app.personas.names import FILE_NAME_CHARACTERS, SHORT_NAME, is_knowledge_name, is_short_name, same_file
from app.personas.persona import Adapter, KeyedEntry, KnowledgeFile, Persona, Sampling, SpeechStyle, Thinking
from engine.errors import LimitError, PersonaError, sentence

SCHEMA = 1
"""Of persona.toml."""
TOML_NAME = "persona.toml"
INSTRUCTIONS_NAME = "INSTRUCTIONS.md"
SHA256 = "[0-9a-f]{64}"
_SKILL_DESCRIPTION = 1024
"""Characters that SKILL.md allows."""
_EXTENSION_CHARACTERS = 1_000_000

SAMPLING: Mapping[str, Number] = MappingProxyType(
    {
        "temperature": Number(0.0, 2.0),
        "top_p": Number(0.0, 1.0),
        "top_k": Number(0, 1_000, whole=True),
        "min_p": Number(0.0, 1.0),
        "repeat_penalty": Number(0.5, 2.0),
        "max_tokens": Number(1, 1_000_000, whole=True),
    }
)
"""As the settings of the same names."""
_SPEECH: Mapping[str, Rule] = MappingProxyType(
    {"voice": Line(), "language": Line(3, pattern="(?:[a-z]{2,3})?"), "speed": Number(0.5, 2.0)}
)
_KEYED: Mapping[str, Rule] = MappingProxyType(
    {
        "keys": Several(Text(1_000)),
        "text": Text(),
        "also": Several(Text(1_000)),
        "name": Line(),
        "enabled": Flag(),
        "constant": Flag(),
        "case_sensitive": Flag(),
        "order": Number(-(10**9), 10**9, whole=True),
        "extensions": JsonText(_EXTENSION_CHARACTERS, table=True),
    }
)
_KNOWLEDGE: Mapping[str, Rule] = MappingProxyType(
    {
        "name": Line(FILE_NAME_CHARACTERS, least=1, allowed=is_knowledge_name),
        "size_bytes": Number(0, PERSONA_UNPACKED_BYTES, whole=True),
        "sha256": Line(64, pattern=SHA256),
    }
)
PERSONA = Table(
    Persona,
    MappingProxyType(
        {
            "short_name": Line(pattern=SHORT_NAME, allowed=is_short_name),
            "name": Line(least=1),
            "description": Text(),
            "greeting": Text(),
            "greetings": Several(Text()),
            "starters": Several(Text(2_000)),
            "tags": Several(Line(least=1)),
            "author": Line(),
            "licence": Line(),
            "version": Line(),
            "changelog": Text(),
            "models": Several(Line(least=1)),
            "thinking": Choice(Thinking),
            "tools": Several(Line(least=1)),
            "icon_sha256": Line(64, pattern=f"(?:{SHA256})?"),
            "sampling": Table(Sampling, SAMPLING),
            "speech": Table(SpeechStyle, _SPEECH),
            "adapter": Table(Adapter, {"sha256": Line(64, pattern=SHA256), "weight": Number(-4.0, 4.0)}),
            "keyed": Several(Table(KeyedEntry, _KEYED), PERSONA_KEYED_ENTRIES),
            "knowledge": Several(Table(KnowledgeFile, _KNOWLEDGE), PERSONA_KNOWLEDGE_FILES),
            "documents_only": Flag(),
            "extensions": Named(JsonText(_EXTENSION_CHARACTERS), Line(40, pattern="[A-Za-z0-9][A-Za-z0-9_.-]*")),
        }
    ),
)
"""persona.toml, but for its `schema`; the instructions are a file of their own."""

_FRONT = re.compile(r"---\r?\n((?:[^\r\n]*\r?\n)*?)---(?:\r?\n|\Z)(?:\r?\n)?")
_FRONT_LINE = re.compile(r"(name|description)[ \t]*:[ \t]*(.*)")
_PART = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')[ \t]*"""
_LONG_KEY = re.compile(rf"""(?<![\w\-."' \t\\])[ \t]*(?:{_PART}\.[ \t]*){{16,}}{_PART}[=\]]""")
"""A dotted key that no persona has: tomllib takes the square of its parts. Possessive quantifiers would fit, but Python
3.11.2 finds less with them than there is. Nothing is looked at twice: a key begins behind none of its own signs.
"""


def toml_bytes(persona: Persona) -> bytes:
    """persona.toml. Raises `PersonaError` or `LimitError` for what would not be read back."""
    table = PERSONA.write(persona)
    assert isinstance(table, dict)
    _check(PERSONA.read(table, Place(TOML_NAME)))
    document = {"schema": SCHEMA, **table}
    text = tomli_w.dumps(document)
    if r"\r\n" not in text:  # which its readable form of several lines would not keep
        text = tomli_w.dumps(document, multiline_strings=True)
    return _capped(text.encode("utf-8"), TOML_NAME)


def instructions_bytes(persona: Persona) -> bytes:
    """INSTRUCTIONS.md. Raises `PersonaError` or `LimitError`."""
    text = Text().read(persona.instructions, Place(INSTRUCTIONS_NAME, "instructions"))
    description = " ".join(persona.description.split())[:_SKILL_DESCRIPTION] or persona.name
    quoted = json.dumps(description, ensure_ascii=False)
    front = f"---\nname: {persona.short_name}\ndescription: {quoted}\n---\n\n"
    return _capped((front + text).encode("utf-8"), INSTRUCTIONS_NAME)


def read_persona(toml: bytes, instructions: bytes) -> Persona:
    """The persona that two files say. Raises `PersonaError` or `LimitError`."""
    document = _parsed(_text(_capped(toml, TOML_NAME), TOML_NAME))
    place = Place(TOML_NAME)
    schema = document.pop("schema", None)
    if not isinstance(schema, int) or isinstance(schema, bool) or schema < 1:
        raise place.at("schema").missing() if schema is None else place.at("schema").wrong()
    if schema > SCHEMA:
        raise PersonaError(sentence("{file} was written by a newer Hearth. Use that one."), file=TOML_NAME)
    persona: Persona = PERSONA.read(document, place)
    text = _body(_text(_capped(instructions, INSTRUCTIONS_NAME), INSTRUCTIONS_NAME), persona.short_name)
    text = Text().read(text, Place(INSTRUCTIONS_NAME, "instructions"))
    return _check(replace(persona, instructions=text))


def fingerprint(persona: Persona) -> str:
    """sha256, in hex, of all that a persona says and is given, files included; not of its short name here.

    What a person has looked at and accepted is remembered by it.
    """
    nameless = toml_bytes(replace(persona, short_name="persona"))
    return hashlib.sha256(nameless + b"\0" + persona.instructions.encode("utf-8")).hexdigest()


def _check(persona: Persona) -> Persona:
    """What no single value says."""
    names = {same_file(file.name) for file in persona.knowledge}
    if len(names) < len(persona.knowledge):
        raise PersonaError(sentence("Two of the documents in {file} have the same name."), file=TOML_NAME)
    if sum(file.size_bytes for file in persona.knowledge) > PERSONA_UNPACKED_BYTES:
        raise LimitError(
            sentence("The documents of a persona may be {limit} MB together at most."),
            limit=PERSONA_UNPACKED_BYTES >> 20,
        )
    return persona


def _parsed(text: str) -> dict[str, object]:
    damaged = PersonaError(sentence("{file} is not written as it should be, so it cannot be read."), file=TOML_NAME)
    if _LONG_KEY.search(text):
        raise damaged
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError, OverflowError):
        raise damaged from None


def _body(text: str, short_name: str) -> str:
    """The instructions without their front matter, of which Hearth believes only what persona.toml says too."""
    front = _FRONT.match(text)
    if front is None:
        return text
    for line in front[1].splitlines():
        found = _FRONT_LINE.fullmatch(line)
        if found is None:
            raise Place(INSTRUCTIONS_NAME).at(line.partition(":")[0]).unknown()
        if found[1] == "name" and found[2].strip().strip("\"'") != short_name:
            raise PersonaError(
                sentence("{file} is of another persona: “{name}”."), file=INSTRUCTIONS_NAME, name=shown(found[2])
            )
    return text[front.end() :]


def _text(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise PersonaError(sentence("{file} is not text in UTF-8."), file=name) from None


def _capped(data: bytes, name: str) -> bytes:
    if len(data) > PERSONA_DOCUMENT_BYTES:
        raise LimitError(
            sentence("{file} is too large: {limit} MB are the most."), file=name, limit=PERSONA_DOCUMENT_BYTES >> 20
        )
    return data
