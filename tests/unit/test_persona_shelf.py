"""The shelf: versions, copies, deletions and their undo, import and export, two programs, and damage."""

from __future__ import annotations

import io
import os
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from app.limits import PERSONA_BUNDLE_BYTES
from app.personas.bundle import members_of, write_bundle
from app.personas.bundle_reading import read_bundle
from app.personas.importing import take
from app.personas.knowledge import knowledge_file
from app.personas.persona import Persona
from app.personas.shelf import Shelf
from app.personas.signing import AUTHORS_NAME, KEY_NAME, Author, Keys, key_words
from app.personas.trust import Origin, Trust, read_trust, trust_bytes
from engine.errors import LimitError, PersonaError
from tests.unit.hostile_bundles import FILES, GOOD, HANDBOOK, good_members, listed


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "personas")


def names(shelf: Shelf) -> list[str]:
    return [each.persona.short_name for each in shelf.listing().personas]


def bundle(path: Path) -> Path:
    path.write_bytes(listed(good_members()))
    return path


def test_a_persona_is_kept_whole(shelf: Shelf) -> None:
    assert shelf.listing().personas == ()
    made = shelf.create(GOOD, FILES)
    assert made.persona == GOOD
    assert (made.number, made.usable, made.trust.origin) == (1, True, Origin.OWN)
    assert shelf.get("boat-keeper") == shelf.find("boat KEEPER") == made
    folder = shelf.place("boat-keeper")
    assert folder.file(GOOD.knowledge[0].sha256, "handbook.md").read_bytes() == HANDBOOK
    if os.name == "posix":
        assert all(path.stat().st_mode & 0o077 == 0 for path in shelf.folder.rglob("*"))


def test_equal_short_names_get_a_number(shelf: Shelf) -> None:
    for _ in range(3):
        shelf.create(GOOD, FILES)
    assert names(shelf) == ["boat-keeper", "boat-keeper-2", "boat-keeper-3"]
    assert shelf.get("boat-keeper-3").persona == replace(GOOD, short_name="boat-keeper-3")
    with pytest.raises(PersonaError):
        shelf.find("Boat keeper")  # three have that name


def test_versions_are_kept_compared_and_restored(shelf: Shelf) -> None:
    shelf.create(GOOD, FILES)
    changed = replace(GOOD, instructions="You keep the oars.\n\nAnswer briefly.", greeting="Hi!")
    assert shelf.save(changed, 1).number == 2
    assert shelf.save(changed, 2).number == 2, "nothing is different"
    difference = shelf.difference("boat-keeper", 1, 2).splitlines()
    assert {'-greeting = "Ahoy!"', '+greeting = "Hi!"', "-You keep the boats.", "+You keep the oars."} <= set(
        difference
    )
    assert " Answer briefly." in difference
    assert shelf.difference("boat-keeper", 2, 2) == ""
    assert shelf.restore("boat-keeper", 1).persona == GOOD
    assert [each.number for each in shelf.versions("boat-keeper")] == [3, 2, 1]
    assert shelf.place("boat-keeper").at(2) == changed
    with pytest.raises(PersonaError):
        shelf.restore("boat-keeper", 9)


def test_of_two_that_save_at_once_one_is_told(shelf: Shelf) -> None:
    shelf.create(GOOD, FILES)

    def save(number: int) -> str:
        try:
            return shelf.save(replace(GOOD, greeting=f"Hello {number}"), 1).persona.greeting
        except PersonaError as error:
            assert "meanwhile" in str(error)
            return ""

    with ThreadPoolExecutor(8) as pool:
        saved = [text for text in pool.map(save, range(8)) if text]
    assert len(saved) == 1
    assert [each.number for each in shelf.versions("boat-keeper")] == [2, 1]


def test_two_programs_that_make_the_same_one_both_have_it(shelf: Shelf) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _number: shelf.create(GOOD, FILES).persona.short_name, range(12)))
    assert sorted(made) == sorted(names(shelf))
    assert len(set(made)) == 12
    assert not [path for path in shelf.folder.iterdir() if path.name.startswith(".")]


def test_a_duplicate_stands_alone(shelf: Shelf) -> None:
    shelf.create(GOOD, FILES)
    copy = shelf.duplicate("boat-keeper", "Boat keeper (copy)")
    shelf.delete("boat-keeper")
    assert copy.persona.short_name == "boat-keeper-copy"
    assert copy.number == 1
    copied = shelf.place("boat-keeper-copy")
    assert copied.file(GOOD.knowledge[0].sha256, "handbook.md").read_bytes() == HANDBOOK


def test_a_deletion_is_undone(shelf: Shelf) -> None:
    shelf.create(GOOD, FILES)
    shelf.save(replace(GOOD, greeting="Hi"), 1)
    deleted = shelf.delete("boat-keeper")
    assert names(shelf) == []
    assert shelf.deleted() == (deleted,)
    shelf.create(GOOD, FILES)
    assert shelf.bring_back(deleted).persona.short_name == "boat-keeper-2"
    assert len(shelf.versions("boat-keeper-2")) == 2
    for gone in (lambda: shelf.bring_back(deleted), lambda: shelf.delete("nobody"), lambda: shelf.delete("../x")):
        with pytest.raises(PersonaError):
            gone()


def test_sweeping_takes_what_is_old(shelf: Shelf) -> None:
    shelf.create(GOOD, FILES)
    young, old = shelf.duplicate("boat-keeper", "Young"), shelf.duplicate("boat-keeper", "Old")
    aside = [shelf.delete(each.persona.short_name) for each in (young, old)]
    left = shelf.folder / ".new-x"
    left.mkdir()
    ago = time.time() - 31 * 24 * 3600
    for path in (aside[1].folder, left):
        os.utime(path, (ago, ago))
    shelf.sweep()
    assert shelf.deleted() == (aside[0],)
    assert names(shelf) == ["boat-keeper"]
    assert not left.exists()


def test_a_damaged_folder_is_named_and_the_others_are_there(shelf: Shelf) -> None:
    for name in ("One", "Two", "Three"):
        shelf.create(replace(GOOD, name=name, short_name=name.lower()), FILES)
    (shelf.folder / "two" / "versions" / "0001" / "persona.toml").write_bytes(b"\xff")
    (shelf.folder / "three" / "versions" / "0001" / "INSTRUCTIONS.md").unlink()
    (shelf.folder / "empty").mkdir()
    (shelf.folder / "a file").touch()
    listing = shelf.listing()
    assert [each.persona.name for each in listing.personas] == ["One"]
    assert [problem.short_name for problem in listing.problems] == ["empty", "three", "two"]
    assert all(problem.short_name in str(problem.error) for problem in listing.problems)


def test_an_older_version_of_a_damaged_one_can_be_restored(shelf: Shelf) -> None:
    shelf.create(GOOD, FILES)
    shelf.save(replace(GOOD, greeting="Hi"), 1)
    (shelf.folder / "boat-keeper" / "versions" / "0002" / "persona.toml").write_bytes(b"=")
    assert shelf.restore("boat-keeper", 1).persona == GOOD


def test_missing_or_changed_files_are_named(shelf: Shelf, tmp_path: Path) -> None:
    with pytest.raises(PersonaError, match=r"handbook\.md"):
        shelf.create(GOOD, {sha256: data for sha256, data in FILES.items() if data != HANDBOOK})
    with pytest.raises(PersonaError, match=r"changed on the disk"):
        shelf.create(GOOD, {**FILES, GOOD.knowledge[0].sha256: b"other"})
    assert names(shelf) == []
    assert list(shelf.folder.iterdir()) == []
    shelf.create(GOOD, FILES)
    file = shelf.place("boat-keeper").file(GOOD.knowledge[0].sha256, "handbook.md")
    file.write_bytes(b"other")
    with pytest.raises(PersonaError, match=r"changed on the disk"):
        shelf.write_bundle("boat-keeper", tmp_path / "a.hearth")
    file.unlink()
    with pytest.raises(PersonaError, match="was lost"):
        shelf.write_bundle("boat-keeper", tmp_path / "a.hearth")
    assert not list(tmp_path.glob("*.hearth*"))


def test_documents_are_named_by_their_bytes(tmp_path: Path) -> None:
    path = tmp_path / "handbook.md"
    path.write_bytes(HANDBOOK)
    assert knowledge_file(path) == GOOD.knowledge[0]
    with pytest.raises(PersonaError):
        knowledge_file(tmp_path / "none.md")


def test_an_imported_one_waits_for_a_look_and_grants_nothing(shelf: Shelf, tmp_path: Path) -> None:
    taken = take(shelf, bundle(tmp_path / "Boats.HEARTH")).shelved
    assert taken.persona == GOOD
    assert not taken.usable
    assert (taken.trust.source, taken.trust.granted) == ("Boats.HEARTH", ())
    assert not shelf.duplicate("boat-keeper", "Copy").usable
    seen = shelf.accept(taken)
    assert seen.usable
    assert shelf.duplicate("boat-keeper", "Second copy").usable
    assert shelf.grant("boat-keeper", "calculator", True).trust.granted == ("calculator",)
    assert shelf.grant("boat-keeper", "calculator", False).trust.granted == ()
    assert shelf.save(replace(GOOD, greeting="Mine"), 1).usable, "the person's own change"
    toml = shelf.folder / "boat-keeper" / "versions" / "0002" / "persona.toml"
    toml.write_bytes(toml.read_bytes().replace(b"Mine", b"Yours"))
    assert not shelf.get("boat-keeper").usable, "somebody else's change"


def test_export_is_byte_equal_and_comes_back(shelf: Shelf, tmp_path: Path) -> None:
    shelf.create(GOOD, FILES)
    other = Shelf(tmp_path / "other machine")
    keys = Keys(tmp_path / "config")
    paths = [tmp_path / f"{number}.hearth" for number in range(3)]
    shelf.write_bundle("boat-keeper", paths[0], keys.sign)
    taken = other.take_bundle(paths[0])
    other.write_bundle("boat-keeper", paths[1], keys.sign)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert taken.trust.public_key == keys.own_public_key()
    shelf.write_bundle("boat-keeper", paths[2])
    assert paths[2].read_bytes() != paths[0].read_bytes()
    assert read_bundle(paths[2]).public_key == ""
    with zipfile.ZipFile(paths[0]) as archive:
        infos = archive.infolist()
    assert {(info.date_time, info.compress_type, info.create_system) for info in infos} == {
        ((1980, 1, 1, 0, 0, 0), 0, 3)
    }
    assert infos[0].filename == "persona.toml"


def test_only_what_is_too_large_otherwise_is_packed(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_bytes(b"".join(b"Line %d of a long document, with nothing in it.\n" % n for n in range(500_000)))
    file = knowledge_file(path)
    persona = Persona("long", "Long", knowledge=(file,))
    packed = io.BytesIO()
    write_bundle(packed, persona, lambda _sha256: path.read_bytes())
    assert packed.tell() < PERSONA_BUNDLE_BYTES < file.size_bytes
    path.write_bytes(os.urandom(PERSONA_BUNDLE_BYTES))
    persona = replace(persona, knowledge=(knowledge_file(path),))
    with pytest.raises(LimitError):
        write_bundle(io.BytesIO(), persona, lambda _sha256: path.read_bytes())


def test_a_key_is_made_once_and_is_the_persons_alone(tmp_path: Path) -> None:
    with ThreadPoolExecutor(6) as pool:
        made = set(pool.map(lambda _number: Keys(tmp_path / "config").sign(b"m").public_key, range(6)))
    assert len(made) == 1
    assert [path.name for path in (tmp_path / "config").iterdir()] == [KEY_NAME]
    if os.name == "posix":
        assert (tmp_path / "config" / KEY_NAME).stat().st_mode & 0o777 == 0o600
    assert len(key_words(made.pop()).split()) == 12
    (tmp_path / "config" / KEY_NAME).write_text("no key")
    with pytest.raises(PersonaError):
        Keys(tmp_path / "config").sign(b"m")


def test_authors_are_trusted_on_first_use(tmp_path: Path) -> None:
    mine, theirs, third = (Keys(tmp_path / name) for name in "abc")
    key, other = (keys.sign(b"m").public_key for keys in (theirs, third))
    mine.sign(b"m")
    assert mine.author("", "Ana") is Author.UNSIGNED
    assert mine.author(mine.own_public_key(), "me") is Author.OWN
    assert mine.author(key, "Ana") is Author.NEW
    mine.remember(key, "Ana")
    assert mine.author(key, "Ana") is Author.KNOWN
    assert mine.author(other, "ANA") is Author.OTHER
    assert mine.author(other, "Bob") is Author.NEW
    (tmp_path / "a" / AUTHORS_NAME).write_text("[1]")
    assert mine.author(key, "Ana") is Author.NEW


def test_what_was_decided_is_read_back_and_damage_grants_nothing() -> None:
    trust = Trust(Origin.OWN, "a", "0" * 64, ("1" * 64,), ("x",))
    assert read_trust(trust_bytes(trust)) == trust
    for damaged in (
        b"",
        b"\xff",
        b'{"origin": "own", "x": 1}',
        b'{"granted": 7}',
        b'{"source": "' + b"a" * 999 + b'"}',
    ):
        assert read_trust(damaged) == Trust()
    assert not Trust().allows("0" * 64)


def test_a_file_of_no_known_program_is_refused(shelf: Shelf, tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    path.write_text("{}")
    with pytest.raises(PersonaError, match="none of the kinds"):
        take(shelf, path)
    assert names(shelf) == []


def test_members_are_in_a_fixed_order() -> None:
    assert list(members_of(GOOD, FILES.__getitem__)) == [
        "persona.toml", "INSTRUCTIONS.md", "icon.png", "knowledge/handbook.md",
    ]  # fmt: skip
