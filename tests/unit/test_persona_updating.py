"""An imported persona as the next version of one on the shelf: whose, and what stays decided."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.personas.folder import Shelved
from app.personas.importing import take
from app.personas.shelf import Shelf
from app.personas.signing import Keys
from app.personas.updating import update, updated_by
from tests.unit.hostile_bundles import FILES, GOOD, HANDBOOK

NEWER = replace(GOOD, version="2", instructions="You keep the boats, and the oars.")


@pytest.fixture
def author(tmp_path: Path) -> Shelf:
    made = Shelf(tmp_path / "author")
    made.create(GOOD, FILES)
    return made


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "mine")


def send(author: Shelf, shelf: Shelf, folder: Path, keys: Keys | None = None) -> Shelved:
    file = folder / "boats.hearth"
    author.write_bundle("boat-keeper", file, keys.sign if keys is not None else None)
    return take(shelf, file).shelved


def test_a_newer_one_of_the_same_key_becomes_the_next_version(author: Shelf, shelf: Shelf, tmp_path: Path) -> None:
    keys = Keys(tmp_path / "keys")
    first = shelf.accept(send(author, shelf, tmp_path, keys))
    assert updated_by(shelf, first) is None
    same = send(author, shelf, tmp_path, keys)
    assert updated_by(shelf, same) is None, "it is the same"
    shelf.delete(same.persona.short_name)
    author.save(NEWER, 1)
    taken = send(author, shelf, tmp_path, keys)
    assert taken.persona.short_name == "boat-keeper-2"
    old = updated_by(shelf, taken)
    assert old == first
    new = update(shelf, old, taken)
    assert (new.persona, new.number, new.usable) == (NEWER, 2, False), "nobody has looked at it yet"
    assert [each.persona.short_name for each in shelf.listing().personas] == ["boat-keeper"]
    assert shelf.get("boat-keeper", 1).usable, "chats with the old version go on"
    assert shelf.place("boat-keeper").file(GOOD.knowledge[0].sha256, "handbook.md").read_bytes() == HANDBOOK
    assert shelf.accept(new).usable


def test_one_that_was_looked_at_already_can_be_used_at_once(author: Shelf, shelf: Shelf, tmp_path: Path) -> None:
    first = shelf.accept(send(author, shelf, tmp_path))
    author.save(NEWER, 1)
    taken = shelf.accept(send(author, shelf, tmp_path))
    assert updated_by(shelf, taken) == first, "nobody signed either"
    assert update(shelf, first, taken).usable


def test_another_authors_updates_nothing(author: Shelf, shelf: Shelf, tmp_path: Path) -> None:
    send(author, shelf, tmp_path, Keys(tmp_path / "keys"))
    author.save(NEWER, 1)
    for keys in (None, Keys(tmp_path / "others")):
        assert updated_by(shelf, send(author, shelf, tmp_path, keys)) is None


def test_nobody_updates_what_is_the_persons_own(author: Shelf, shelf: Shelf, tmp_path: Path) -> None:
    shelf.create(GOOD, FILES)
    author.save(NEWER, 1)
    assert updated_by(shelf, send(author, shelf, tmp_path)) is None
