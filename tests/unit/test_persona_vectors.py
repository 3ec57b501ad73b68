"""Vectors in a bundle: kept with the documents they are of, written again byte for byte, refused where they misfit."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from app.limits import PERSONA_EMBEDDINGS_BYTES
from app.personas import bundle
from app.personas.bundle_reading import read_bundle, read_head
from app.personas.document import fingerprint
from app.personas.folder import PersonaFolder
from app.personas.in_use import PersonaInUse
from app.personas.shelf import Shelf
from app.personas.vectors import ABOUT_NAME, VECTORS_NAME, Embeddings, documents_of
from app.prompting import prompt_messages
from app.settings import Settings
from app.store.types import Conversation, MessageState, SourcePassage, SourcesPart, StoredMessage, TextPart
from engine.context.segments import Role
from engine.errors import LimitError, PersonaError
from rag.passages import Way
from tests.unit.hostile_bundles import FILES, GOOD, Members, good_members, listed

ABOUT = Embeddings("model one", 8, 3, documents_of(GOOD))
DATA = bytes(range(96))
assert ABOUT.size_bytes == len(DATA)


def members(about: object = None, data: bytes | None = DATA) -> Members:
    said: dict[str, object] = {
        "embedder": ABOUT.embedder, "dimensions": 8, "count": 3, "documents": list(ABOUT.documents),
    }  # fmt: skip
    said |= about if isinstance(about, dict) else {}
    made = {**good_members(), ABOUT_NAME: json.dumps(said).encode()}
    return made if data is None else {**made, VECTORS_NAME: data}


def test_they_come_along_and_are_written_again_byte_for_byte(tmp_path: Path) -> None:
    first, second = Shelf(tmp_path / "a"), Shelf(tmp_path / "b")
    made = first.create(GOOD, FILES)
    first.write_bundle("boat-keeper", tmp_path / "plain.hearth")
    first.place("boat-keeper").set_vectors(ABOUT, DATA)
    first.write_bundle("boat-keeper", tmp_path / "a.hearth")
    taken = second.take_bundle(tmp_path / "a.hearth")
    assert taken.fingerprint == made.fingerprint == fingerprint(GOOD), "they are not what somebody has looked at"
    vectors = second.place("boat-keeper").vectors(taken.persona)
    assert vectors is not None
    assert (vectors.about, vectors.path.read_bytes()) == (ABOUT, DATA)
    second.write_bundle("boat-keeper", tmp_path / "b.hearth")
    assert (tmp_path / "a.hearth").read_bytes() == (tmp_path / "b.hearth").read_bytes()
    assert (tmp_path / "a.hearth").read_bytes() != (tmp_path / "plain.hearth").read_bytes()
    assert read_head(tmp_path / "a.hearth").persona == GOOD


def test_those_of_other_documents_stay_behind(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.create(GOOD, FILES)
    folder = shelf.place("boat-keeper")
    folder.set_vectors(ABOUT, DATA)
    other = replace(GOOD, knowledge=())
    assert folder.vectors(GOOD) is not None
    assert folder.vectors(other) is None
    (folder.files / "vectors.bin").write_bytes(DATA[1:])
    assert folder.vectors(GOOD) is None
    (folder.files / "embeddings.json").write_bytes(b"{")
    assert folder.vectors(GOOD) is None
    assert PersonaFolder(tmp_path / "none").vectors(GOOD) is None


def test_where_they_would_be_too_much_the_bundle_goes_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf(tmp_path)
    shelf.create(GOOD, FILES)
    shelf.place("boat-keeper").set_vectors(ABOUT, DATA)
    fits = sum(map(len, good_members().values())) + len(DATA) + 1024 * (len(good_members()) + 4)
    for most in (fits, fits - 1):
        monkeypatch.setattr(bundle, "PERSONA_BUNDLE_BYTES", most)
        shelf.write_bundle("boat-keeper", tmp_path / f"{most}.hearth")
    with (
        zipfile.ZipFile(tmp_path / f"{fits}.hearth") as with_them,
        zipfile.ZipFile(tmp_path / f"{fits - 1}.hearth") as bare,
    ):
        assert set(with_them.namelist()) - set(bare.namelist()) == {ABOUT_NAME, VECTORS_NAME}


WRONG: dict[str, Callable[[], Members]] = {
    "one without the other": lambda: members(data=None),
    "the other without the one": lambda: {k: v for k, v in members().items() if k != ABOUT_NAME},
    "too short": lambda: members(data=DATA[:-1]),
    "too long": lambda: members(data=DATA + b"\0"),
    "none": lambda: members({"count": 0}, b""),
    "fewer than said": lambda: members({"count": 2}),
    "another length": lambda: members({"dimensions": 7}),
    "no number": lambda: members({"dimensions": "8"}),
    "half a vector": lambda: members({"count": 1.5}),
    "endless": lambda: members({"dimensions": 10**30}),
    "other documents": lambda: members({"documents": ["0" * 64]}),
    "no documents": lambda: members({"documents": []}),
    "documents twice": lambda: members({"documents": [ABOUT.documents[0]] * 2}),
    "no hash": lambda: members({"documents": ["../evil"]}),
    "an unknown key": lambda: members({"code": "x"}),
    "no name of a model": lambda: members({"embedder": ""}),
    "a hidden name": lambda: members({"embedder": "a\u202eb"}),
    "a code file": lambda: {**members(), "embeddings/run.py": b"x"},
    "a pickle": lambda: {**members(), "embeddings/vectors.pkl": b"x"},
    "a folder up": lambda: {**members(), "embeddings/../evil.txt": b"x"},
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_does_not_fit_is_refused_whole(tmp_path: Path, wrong: str) -> None:
    path = tmp_path / "a.hearth"
    path.write_bytes(listed(WRONG[wrong]()))
    with pytest.raises((PersonaError, LimitError)):
        Shelf(tmp_path / "shelf").take_bundle(path)
    assert not list((tmp_path / "shelf").iterdir())
    assert not (tmp_path / "evil.txt").exists()


@pytest.mark.parametrize("step", [-1, 0, 1])
def test_cap_of_the_vectors(tmp_path: Path, step: int) -> None:
    """Rows of 32 bytes."""
    count = PERSONA_EMBEDDINGS_BYTES // 32 + step
    path = tmp_path / "a.hearth"
    path.write_bytes(listed(members({"count": count}, bytes(32 * count))))
    if step < 1:
        read_bundle(path)
    else:
        with pytest.raises(LimitError):
            read_bundle(path)


@pytest.mark.parametrize("only", [True, False])
def test_passages_are_all_there_is_or_a_help(only: bool) -> None:
    """As the persona says whose they are."""
    passage = SourcePassage("/x/handbook.md", "Handbook", "text", 1, "", 1, 1, "", "It opens at seven.", 1, 0, 18, 0.9)
    parts = (SourcesPart(Way.PASSAGES.value, (passage,)), TextPart("When?"))
    question = StoredMessage("m", "c", None, Role.USER, parts, MessageState.COMPLETE, 0.0)
    conversation = Conversation("c", "", True, 0.0, 0.0)
    persona = PersonaInUse(replace(GOOD, documents_only=only))
    text = prompt_messages(conversation, [question], Settings(), persona=persona)[-1].text
    assert "It opens at seven." in text
    assert ("say that my documents do not say" in text) == only
