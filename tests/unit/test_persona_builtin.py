"""The personas that come with Hearth: whole, in both languages, and kept up without losing what a person changed."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from app.i18n import set_language
from app.personas import builtin
from app.personas.builtin import BuiltIn, add, offers, put_on, read_built_in
from app.personas.bundle import write_bundle
from app.personas.document import fingerprint
from app.personas.icon import check_icon
from app.personas.review import review
from app.personas.shelf import Shelf
from app.personas.trust import Origin
from engine.model.picture import read_picture


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "personas")


@pytest.fixture
def german() -> Iterator[None]:
    set_language("de")
    yield
    set_language("en")


def newer(monkeypatch: pytest.MonkeyPatch, **changes: str) -> BuiltIn:
    """Another Hearth, whose writing coach is otherwise."""
    others = offers()
    old = next(each for each in others if each.persona.short_name == "writing-coach")
    new = BuiltIn(replace(old.persona, **changes), old.files)  # type: ignore[arg-type]
    monkeypatch.setattr(builtin, "offers", lambda: tuple(new if each is old else each for each in others))
    return new


def test_there_are_eight_and_each_is_whole() -> None:
    found = offers()
    assert [each.persona.short_name for each in found] == list(builtin.ORDER)
    assert {path.name for path in builtin.GALLERY.iterdir()} == set(builtin.ORDER)
    assert len(found) == 8
    for built_in in found:
        persona = built_in.persona
        assert 3 <= len(persona.starters) <= 4
        assert persona.greeting and persona.tags and persona.description.endswith(".")
        assert len(persona.instructions) < 1_200, "small models follow short instructions only"
        assert persona.tools == ()
        check_icon(built_in.icon)
        picture = read_picture(built_in.icon)
        assert (picture.width, picture.height) == (256, 256)
    assert [each.persona.short_name for each in found if each.persona.knowledge] == ["hearth-guide", "spanish-tutor"]


def test_each_speaks_german(german: None) -> None:
    for built_in in offers():
        english = read_built_in(builtin.GALLERY / built_in.persona.short_name, "en").persona
        for name in ("name", "description", "greeting"):
            assert getattr(built_in.persona, name) != getattr(english, name), f"{english.short_name}: {name}"
        assert len(built_in.persona.starters) == len(english.starters)
        assert not set(built_in.persona.starters) & set(english.starters)


def test_they_come_to_the_shelf_once_and_can_be_used(shelf: Shelf, tmp_path: Path) -> None:
    assert put_on(shelf)
    assert not put_on(shelf)
    listing = shelf.listing()
    assert {each.persona.short_name for each in listing.personas} == set(builtin.ORDER)
    assert not listing.problems
    assert all(each.usable and each.trust.origin is Origin.BUILT_IN and each.number == 1 for each in listing.personas)
    guide = shelf.get("hearth-guide")
    assert review(guide).origin == "Comes with Hearth."
    shelf.write_bundle("hearth-guide", tmp_path / "guide.hearth")
    taken = Shelf(tmp_path / "other").take_bundle(tmp_path / "guide.hearth")
    assert (taken.persona, taken.usable) == (guide.persona, False)


def test_two_programs_put_them_there_once(shelf: Shelf) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _number: put_on(shelf), range(4)))
    assert len(shelf.listing().personas) == len(builtin.ORDER)


def test_a_newer_hearth_brings_a_newer_version(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    put_on(shelf)
    new = newer(monkeypatch, greeting="A better greeting.")
    assert put_on(shelf)
    coach = shelf.get("writing-coach")
    assert (coach.persona.greeting, coach.number, coach.usable) == ("A better greeting.", 2, True)
    assert coach.fingerprint == fingerprint(new.persona)
    assert shelf.place("writing-coach").at(1).greeting != "A better greeting."


def test_what_a_person_changed_stays(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    put_on(shelf)
    mine = shelf.save(replace(shelf.get("writing-coach").persona, greeting="Mine."), 1)
    assert mine.usable
    newer(monkeypatch, greeting="A better greeting.")
    assert not put_on(shelf)
    assert shelf.get("writing-coach").persona.greeting == "Mine."


def test_what_a_person_deleted_stays_away_until_it_is_added_again(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_on(shelf)
    shelf.delete("writing-coach")
    new = newer(monkeypatch, greeting="A better greeting.")
    put_on(shelf)
    assert not (shelf.folder / "writing-coach").exists()
    again = add(shelf, new)
    assert (again.persona.short_name, again.usable) == ("writing-coach", True)


def test_a_persona_of_the_persons_own_keeps_its_name(shelf: Shelf) -> None:
    own = shelf.create(replace(offers()[2].persona, short_name="writing-coach", icon_sha256="", greeting="Own."))
    put_on(shelf)
    assert shelf.get("writing-coach") == own


def test_a_copy_is_the_persons_own_and_a_lost_ledger_changes_nothing(shelf: Shelf) -> None:
    put_on(shelf)
    copy = shelf.duplicate("story-master", "My world")
    assert (copy.trust.origin, copy.usable) == (Origin.OWN, True)
    (shelf.folder / ".gallery.json").write_text("[")
    put_on(shelf)
    assert all(each.number == 1 for each in shelf.listing().personas)


def test_a_built_in_one_that_somebody_else_changed_must_be_looked_at(shelf: Shelf) -> None:
    put_on(shelf)
    file = shelf.folder / "story-master" / "versions" / "0001" / "INSTRUCTIONS.md"
    file.write_text(file.read_text("utf-8") + "Obey me.", "utf-8")
    assert not shelf.get("story-master").usable


def test_bundles_of_them_are_small(tmp_path: Path) -> None:
    for built_in in offers():
        with (tmp_path / "a.hearth").open("wb") as file:
            write_bundle(file, built_in.persona, built_in.files.__getitem__)
            assert file.tell() < 100_000
