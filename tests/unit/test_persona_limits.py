"""Every cap of a persona at one below, at it, and one above."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from app.limits import (
    PERSONA_BUNDLE_BYTES,
    PERSONA_BUNDLE_MEMBERS,
    PERSONA_BUNDLE_SMALL,
    PERSONA_DOCUMENT_BYTES,
    PERSONA_ICON_BYTES,
    PERSONA_ICON_SIDE,
    PERSONA_KEYED_ENTRIES,
    PERSONA_KNOWLEDGE_FILES,
    PERSONA_LINE_CHARACTERS,
    PERSONA_LIST_ITEMS,
    PERSONA_MANIFEST_BYTES,
    PERSONA_TEXT_CHARACTERS,
    PERSONA_UNPACKED_BYTES,
)
from app.personas.bundle import members_of
from app.personas.bundle_reading import read_bundle
from app.personas.document import instructions_bytes, read_persona, toml_bytes
from app.personas.icon import check_icon
from app.personas.persona import KeyedEntry, KnowledgeFile, Persona
from engine.errors import LimitError, PersonaError
from tests.unit.hostile_bundles import GOOD, good_members, listed, zipped
from tests.unit.images import png, png_claiming

LEAST = Persona("a", "A")


def files(count: int, size: int = 0) -> tuple[KnowledgeFile, ...]:
    return tuple(KnowledgeFile(f"{number}.md", size, "0" * 64) for number in range(count))


@pytest.mark.parametrize(
    ("make", "most"),
    [
        (lambda n: replace(LEAST, instructions="a" * n), PERSONA_TEXT_CHARACTERS),
        (lambda n: replace(LEAST, greeting="a" * n), PERSONA_TEXT_CHARACTERS),
        (lambda n: replace(LEAST, author="a" * n), PERSONA_LINE_CHARACTERS),
        (lambda n: replace(LEAST, tags=("a",) * n), PERSONA_LIST_ITEMS),
        (lambda n: replace(LEAST, keyed=(KeyedEntry(("a",), "b"),) * n), PERSONA_KEYED_ENTRIES),
        (lambda n: replace(LEAST, knowledge=files(n)), PERSONA_KNOWLEDGE_FILES),
    ],
)  # fmt: skip
@pytest.mark.parametrize("step", [-1, 0, 1])
def test_caps_of_what_a_persona_says(make: object, most: int, step: int) -> None:
    assert callable(make)
    persona = make(most + step)

    def write() -> None:
        toml_bytes(persona)
        instructions_bytes(persona)

    if step < 1:
        write()
    else:
        with pytest.raises(LimitError):
            write()


@pytest.mark.parametrize("step", [-1, 0, 1])
def test_cap_of_all_documents_together(step: int) -> None:
    half = PERSONA_UNPACKED_BYTES // 2
    persona = replace(LEAST, knowledge=(*files(1, half), KnowledgeFile("b.md", half + step, "1" * 64)))
    if step < 1:
        toml_bytes(persona)
    else:
        with pytest.raises(LimitError):
            toml_bytes(persona)


@pytest.mark.parametrize("step", [-1, 0, 1])
def test_cap_of_the_files_of_a_persona(step: int) -> None:
    toml = toml_bytes(LEAST) + b"#"
    toml += b"a" * (PERSONA_DOCUMENT_BYTES - len(toml) + step)
    if step < 1:
        assert read_persona(toml, b"") == LEAST
    else:
        with pytest.raises(LimitError):
            read_persona(toml, b"")


@pytest.mark.parametrize("step", [-1, 0, 1])
def test_caps_of_the_icon(step: int) -> None:
    side = PERSONA_ICON_SIDE + step
    padding = PERSONA_ICON_BYTES + step - len(png_claiming(8, 8))
    for icon in (png(side, 1), png(1, side), png_claiming(8, 8, bytes(padding))):
        if step < 1:
            check_icon(icon)
        else:
            with pytest.raises(LimitError):
                check_icon(icon)


@pytest.mark.parametrize("step", [-1, 0, 1])
def test_caps_of_a_bundle(tmp_path: Path, step: int) -> None:
    """One below and at a cap another reason is found, or none: the files are otherwise wrong."""
    path = tmp_path / "a.hearth"
    many = {f"knowledge/{number}.md": b"" for number in range(PERSONA_BUNDLE_MEMBERS + step)}
    path.write_bytes(zipped(many))
    with pytest.raises(LimitError if step == 1 else PersonaError, match="too many" if step == 1 else "holds no"):
        read_bundle(path)
    manifest = b"{}" + b" " * (PERSONA_MANIFEST_BYTES - 2 + step)
    path.write_bytes(zipped({**good_members(), "manifest.json": manifest}))
    with pytest.raises(LimitError if step == 1 else PersonaError, match="too large" if step == 1 else "is missing"):
        read_bundle(path)
    empty = len(zipped({"knowledge/a.md": b""}))
    path.write_bytes(zipped({"knowledge/a.md": bytes(PERSONA_BUNDLE_BYTES - empty + step)}))
    with pytest.raises(LimitError if step == 1 else PersonaError, match="too large" if step == 1 else "holds no"):
        read_bundle(path)


@pytest.mark.parametrize("step", [-1, 0, 1])
def test_small_members_may_be_packed_tighter(tmp_path: Path, step: int) -> None:
    data = b"a" * (PERSONA_BUNDLE_SMALL + step)
    sha256 = hashlib.sha256(data).hexdigest()
    persona = replace(GOOD, icon_sha256="", knowledge=(KnowledgeFile("a.txt", len(data), sha256),))
    path = tmp_path / "a.hearth"
    path.write_bytes(listed(members_of(persona, lambda _sha256: data), method=8))
    if step < 1:
        assert read_bundle(path).persona == persona
    else:
        with pytest.raises(LimitError):
            read_bundle(path)
