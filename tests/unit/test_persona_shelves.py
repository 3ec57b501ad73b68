"""Folders of bundles as a shop window: what is offered, searched, refused with a sentence, and never waited for."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from app.personas import shelves
from app.personas.shelf import Shelf
from app.personas.shelves import LocalShelf, Offer, matching, tags_of
from app.personas.signing import Keys, key_words
from engine.errors import LimitError
from tests.unit.hostile_bundles import FILES, GOOD, hostile_bundles


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three bundles: one signed, one in a folder inside."""
    own = Shelf(tmp_path / "own")
    place = tmp_path / "share"
    (place / "more").mkdir(parents=True)
    for name, where, tags in (
        ("Boat keeper", place, ("boats", "Club")),
        ("Cook", place / "more", ("Food",)),
        ("Swimmer", place, ("club", "water")),
    ):
        made = own.create(replace(GOOD, name=name, short_name=name.lower().replace(" ", "-"), tags=tags), FILES)
        path = where / f"{made.persona.short_name}.hearth"
        own.write_bundle(made.persona.short_name, path, Keys(tmp_path / "config").sign if name == "Cook" else None)
    return place


def names(offers: tuple[Offer, ...]) -> list[str]:
    return [each.name for each in offers]


def test_bundles_are_offered_with_what_they_say(folder: Path, tmp_path: Path) -> None:
    found = LocalShelf([folder, folder]).found()
    assert names(found) == ["Boat keeper", "Cook", "Swimmer"]
    boats, cook, _swimmer = found
    assert (boats.description, boats.author, boats.tags) == (GOOD.description, GOOD.author, ("boats", "Club"))
    assert (boats.n_documents, boats.signed_by, boats.fault) == (1, "", None)
    assert boats.icon.startswith(b"\x89PNG")
    assert cook.signed_by == key_words(Keys(tmp_path / "config").own_public_key())
    assert cook.path == folder / "more" / "cook.hearth"


def test_offers_are_found_by_words_and_tags(folder: Path) -> None:
    found = LocalShelf([folder]).found()
    assert names(matching(found, "KEEP boat")) == ["Boat keeper"]
    assert names(matching(found, "keep dragons")) == []
    assert names(matching(found, tags=["CLUB"])) == ["Boat keeper", "Swimmer"]
    assert names(matching(found, "water", ["club"])) == ["Swimmer"]
    assert matching(found) == found
    assert [tag.casefold() for tag in tags_of(found)] == ["club", "boats", "food", "water"]


def test_the_documents_are_not_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bundle whose document was changed is refused when it is imported, and not before."""
    path = folder / "swimmer.hearth"
    path.write_bytes(path.read_bytes().replace(b"Ms Fjord", b"Mr Fjord"))
    assert "Swimmer" in names(LocalShelf([folder]).found())


def test_hostile_bundles_are_named_with_their_reason(tmp_path: Path) -> None:
    place = tmp_path / "share"
    place.mkdir()
    hostile = list(hostile_bundles(tmp_path))
    for number, each in enumerate(hostile):
        (place / f"{number:03}.hearth").write_bytes(each.data)
    found = LocalShelf([place], patience_s=60).found()
    assert len(found) == len(hostile) > 60
    refused = {each.path.stem for each in found if each.fault is not None}
    kept = [each for number, each in enumerate(hostile) if f"{number:03}" not in refused]
    # What only the bytes of documents show is found when these are read.
    assert len(kept) <= 12, [each.name for each in kept]
    assert not [path for path in tmp_path.rglob("*") if path.name in ("evil.txt", "setup.py")]


def test_what_a_bundle_says_is_cleaned(tmp_path: Path) -> None:
    own = Shelf(tmp_path / "own")
    own.create(replace(GOOD, description="Good\u202e evil\n\n" + "a" * 9_999), FILES)
    own.write_bundle("boat-keeper", tmp_path / "a.hearth")
    (offer,) = [each for each in LocalShelf([tmp_path]).found() if each.path.name == "a.hearth"]
    assert offer.description.startswith("Good evil a")
    assert len(offer.description) <= 500


def test_a_folder_that_is_gone_is_a_sentence_and_the_others_are_there(folder: Path, tmp_path: Path) -> None:
    found = LocalShelf([tmp_path / "gone", folder]).found()
    assert names(found)[:3] == ["Boat keeper", "Cook", "Swimmer"]
    assert "is not there just now" in str(found[3].fault)


def test_a_share_that_does_not_answer_holds_nobody_up(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = tmp_path / "slow"
    slow.mkdir()
    let_go, begun = threading.Event(), []
    look = shelves._bundles

    def hanging(place: Path, *, deeper: bool) -> object:
        if place == slow:
            begun.append(place)
            let_go.wait()
        return look(place, deeper=deeper)

    monkeypatch.setattr(shelves, "_bundles", hanging)
    shelf = LocalShelf([slow, folder], patience_s=0.2)
    for _ in range(2):
        found = shelf.found()
        assert "does not answer" in str(found[-1].fault)
        assert len(found) >= 1
    assert begun == [slow], "one look at a time"
    let_go.set()


def test_links_and_other_things_are_passed_over(folder: Path, tmp_path: Path) -> None:
    if os.name == "posix":
        (folder / "link.hearth").symlink_to(folder / "swimmer.hearth")
        (folder / "loop").symlink_to(folder, target_is_directory=True)
        os.mkfifo(folder / "pipe.hearth")
    (folder / "folder.hearth").mkdir()
    (folder / ".hidden.hearth").write_bytes(b"")
    (folder / "notes.txt").write_text("")
    assert names(LocalShelf([folder]).found()) == ["Boat keeper", "Cook", "Swimmer"]


@pytest.mark.parametrize("step", [-1, 0, 1])
def test_cap_of_bundles(folder: Path, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    monkeypatch.setattr(shelves, "PERSONA_SHELF_BUNDLES", 3 - step)
    found = LocalShelf([folder]).found()
    assert len([each for each in found if each.fault is None]) == min(3, 3 - step)
    assert any(isinstance(each.fault, LimitError) for each in found) == (step == 1)


def test_a_changed_bundle_is_read_again_and_others_are_not(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = LocalShelf([folder])
    shelf.found()
    read = []
    head = shelves.read_head
    monkeypatch.setattr(shelves, "read_head", lambda path: (read.append(path), head(path))[1])
    path = folder / "swimmer.hearth"
    path.write_bytes(path.read_bytes() + b" ")
    assert shelf.found()[-1].fault is not None
    assert read == [path]
