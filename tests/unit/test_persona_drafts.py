"""Personas that are being written: what is kept comes back whole, and what cannot be read is no draft."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from app.personas.drafts import FOLDER, Draft, DraftFolder, new_persona
from app.personas.editing import open_persona, save_persona, whole
from app.personas.knowledge import document_at
from app.personas.persona import KeyedEntry, Persona
from app.personas.shelf import Shelf
from engine.errors import LimitError, PersonaError

POET = Persona("poet", "Poet", instructions="Rhyme.\u2028\r\nAlways.", keyed=(KeyedEntry(("rain",), "Wet."),))


def test_a_draft_comes_back_as_it_was_kept(tmp_path: Path) -> None:
    drafts = DraftFolder(tmp_path)
    draft = Draft(POET, 3, {"a" * 64: tmp_path / "ä b.md", "b" * 64: b"\x89PNG\x00"})
    drafts.keep("poet", draft)
    assert drafts.find("poet") == draft
    assert drafts.find("") is None
    drafts.forget("poet")
    drafts.forget("poet")
    assert drafts.find("poet") is None


def test_a_new_persona_needs_no_name_yet(tmp_path: Path) -> None:
    drafts = DraftFolder(tmp_path)
    draft = Draft(replace(new_persona(), instructions="Half a thought"))
    drafts.keep("", draft)
    assert drafts.find("") == draft


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff", b'{"schema": 2}', b'{"schema": 1, "persona": {}}'])
def test_what_cannot_be_read_is_no_draft(tmp_path: Path, data: bytes) -> None:
    drafts = DraftFolder(tmp_path)
    drafts.keep("poet", Draft(POET))
    (tmp_path / FOLDER / "poet.json").write_bytes(data)
    assert drafts.find("poet") is None


def test_saving_ends_the_draft_and_the_shelf_does_not_see_it(tmp_path: Path) -> None:
    shelf, drafts = Shelf(tmp_path), DraftFolder(tmp_path)
    drafts.keep("", Draft(replace(POET, name="")))
    assert shelf.listing().personas == ()
    with pytest.raises(PersonaError):
        save_persona(shelf, "", Draft(replace(POET, name="")))
    assert drafts.find("") is not None
    made = save_persona(shelf, "", Draft(replace(POET, name="Rain poet")))
    assert (made.persona.short_name, made.number) == ("rain-poet", 1)
    assert drafts.find("") is None
    opened = open_persona(shelf, "rain-poet")
    assert (opened.saved.before, opened.kept) == (1, None)


def test_a_version_from_elsewhere_is_not_written_over_unasked(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.create(POET)
    mine = replace(open_persona(shelf, "poet").saved, persona=replace(POET, instructions="Mine"))
    shelf.save(replace(POET, instructions="Theirs"), 1)
    with pytest.raises(PersonaError):
        save_persona(shelf, "poet", mine)
    assert save_persona(shelf, "poet", mine, over=True).number == 3


def test_all_files_of_a_draft_are_found(tmp_path: Path) -> None:
    shelf, text = Shelf(tmp_path / "shelf"), tmp_path / "notes.md"
    text.write_text("Thirty days", encoding="utf-8")
    file = document_at(text)
    shelf.create(replace(POET, knowledge=(file,)), {file.sha256: text})
    other = b"png"
    sha256 = hashlib.sha256(other).hexdigest()
    draft = Draft(replace(POET, knowledge=(file,), icon_sha256=sha256), 1, {sha256: other})
    found = whole(shelf, "poet", draft)
    assert found[sha256] == other
    kept = found[file.sha256]
    assert isinstance(kept, Path)
    assert kept.read_text(encoding="utf-8") == "Thirty days"


def test_documents_are_refused_by_name_and_absence(tmp_path: Path) -> None:
    (tmp_path / "run.exe").write_bytes(b"MZ")
    for name in ("run.exe", "gone.md"):
        with pytest.raises((PersonaError, LimitError)):
            document_at(tmp_path / name)
