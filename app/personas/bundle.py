"""A persona as one `.hearth` file: what is in it, and how it is written. ARCHITECTURE.md's appendix specifies it.

The same persona, files and key give the same bytes on every machine: members in a fixed order, of one date, and not
packed unless only that keeps the bundle within its cap (packers differ from machine to machine). Knows no shelf.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from app.limits import PERSONA_BUNDLE_BYTES, PERSONA_BUNDLE_MEMBERS, PERSONA_UNPACKED_BYTES
from app.personas.declared import Line, Named, Number, Place, Table, strict_json
from app.personas.document import (
    INSTRUCTIONS_NAME,
    SHA256,
    TOML_NAME,
    instructions_bytes,
    toml_bytes,
)
from app.personas.faults import telling
from app.personas.names import is_knowledge_name
from app.personas.persona import Persona
from app.personas.signing import Signature
from app.personas.vectors import ABOUT_NAME, EMBEDDINGS, NAMES, VECTORS_NAME, Vectors
from engine.errors import LimitError, PersonaError, sentence

SUFFIX = ".hearth"
FORMAT = "hearth-persona"
VERSION = 1
MANIFEST_NAME, SIGNATURE_NAME, ICON_NAME = "manifest.json", "signature", "icon.png"
KNOWLEDGE = "knowledge/"
_DATE = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_MODE = 0o100600 << 16
_DIRECTORY_BYTES = 1024
"""What a member takes besides its bytes, at most."""


@dataclass(frozen=True, slots=True)
class Member:
    """What the manifest says of a member: the sha256 of its bytes, in hex, and how many they are."""

    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """Every member but the manifest itself and its signature, by name."""

    format: str
    version: int
    members: Mapping[str, Member]


def is_member_name(name: str) -> bool:
    """Whether the manifest may name a member so."""
    if name.startswith(KNOWLEDGE):
        return is_knowledge_name(name.removeprefix(KNOWLEDGE))
    return name in (TOML_NAME, INSTRUCTIONS_NAME, ICON_NAME) or name in NAMES


MANIFEST = Table(
    Manifest,
    {
        "format": Line(pattern=FORMAT),
        "version": Number(1, 1_000, whole=True),
        "members": Named(
            Table(
                Member,
                {"sha256": Line(64, pattern=SHA256), "size_bytes": Number(0, PERSONA_UNPACKED_BYTES, whole=True)},
            ),
            Line(allowed=is_member_name),
            PERSONA_BUNDLE_MEMBERS,
        ),
    },
)
SIGNATURE = Table(Signature, {"public_key": Line(64, pattern=SHA256), "signature": Line(128, pattern="[0-9a-f]{128}")})

Sign = Callable[[bytes], Signature]
"""`Keys.sign`."""
Find = Callable[[str], bytes]
"""The bytes of a file of the persona, by their sha256. Raises `PersonaError` where they are lost."""


def write_bundle(
    file: BinaryIO, persona: Persona, find: Find, sign: Sign | None = None, vectors: Vectors | None = None
) -> None:
    """Write the bundle of a persona. Raises `PersonaError` or `LimitError`; what was written is then of no use.

    Where it would be too large with `vectors`, which only save time, they stay behind.
    """
    members = members_of(persona, find)
    if vectors is not None:
        together = sum(map(len, members.values())) + vectors.about.size_bytes
        if together + _DIRECTORY_BYTES * (len(members) + 4) <= PERSONA_BUNDLE_BYTES:
            members |= _vector_members(vectors)
    manifest = manifest_bytes(members)
    everything = {**members, MANIFEST_NAME: manifest}
    if sign is not None:
        everything[SIGNATURE_NAME] = json_bytes(asdict(sign(manifest)))
    stored = sum(len(data) + _DIRECTORY_BYTES for data in everything.values()) <= PERSONA_BUNDLE_BYTES
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in everything.items():
            info = zipfile.ZipInfo(name, _DATE)
            info.create_system, info.external_attr = _UNIX, _MODE
            info.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    if file.tell() > PERSONA_BUNDLE_BYTES:
        raise LimitError(
            sentence("“{name}” is too large for a bundle: {limit} MB are the most."),
            name=persona.name,
            limit=PERSONA_BUNDLE_BYTES >> 20,
        )


def members_of(persona: Persona, find: Find) -> dict[str, bytes]:
    """The members that a persona makes, but for manifest and signature, in their order."""
    members = {TOML_NAME: toml_bytes(persona), INSTRUCTIONS_NAME: instructions_bytes(persona)}
    if persona.icon_sha256:
        members[ICON_NAME] = _checked(find(persona.icon_sha256), persona.icon_sha256, ICON_NAME)
    for each in sorted(persona.knowledge, key=lambda file: file.name):
        members[KNOWLEDGE + each.name] = _checked(find(each.sha256), each.sha256, each.name)
    return members


def _vector_members(vectors: Vectors) -> dict[str, bytes]:
    with telling(vectors.path):
        return {ABOUT_NAME: json_bytes(EMBEDDINGS.write(vectors.about)), VECTORS_NAME: vectors.path.read_bytes()}


def manifest_bytes(members: Mapping[str, bytes]) -> bytes:
    """manifest.json of these members."""
    described = {name: Member(hashlib.sha256(data).hexdigest(), len(data)) for name, data in members.items()}
    return json_bytes(MANIFEST.write(Manifest(FORMAT, VERSION, described)))


def read_json(data: bytes, table: Table, name: str) -> object:
    """manifest.json or the signature, as what `table` makes. Raises `PersonaError` or `LimitError`."""
    try:
        document = strict_json(data.decode("utf-8"))
    except ValueError:
        raise PersonaError(
            sentence("{file} is not written as it should be, so it cannot be read."), file=name
        ) from None
    return table.read(document, Place(name))


def json_bytes(value: object) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode("utf-8")


def bundle_name(persona: Persona, folder: Path) -> Path:
    """Where a bundle goes that is to lie in `folder`."""
    return folder / f"{persona.short_name}{SUFFIX}"


def _checked(data: bytes, sha256: str, name: str) -> bytes:
    if hashlib.sha256(data).hexdigest() != sha256:
        raise PersonaError(sentence("“{name}” was changed on the disk. Add it to the persona again."), name=name)
    return data
