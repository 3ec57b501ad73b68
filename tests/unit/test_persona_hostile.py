"""Bundles from strangers: each refused with its reason, nothing of it kept, and nothing written outside the shelf."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.personas.bundle_reading import read_bundle
from app.personas.shelf import Shelf
from engine.errors import HearthError, LimitError, PersonaError
from tests.unit.hostile_bundles import GOOD, good_members, hostile_bundles, listed

_watched: list[str] | None = None


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if _watched is None:
        return
    if event == "open":
        path, mode, flags = arguments
        writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        writes = writes or (isinstance(mode, str) and set(mode) & set("wax+"))
        if writes and not isinstance(path, int):  # a number is a file that was opened before
            _watched.append(str(path))
    elif event in ("os.mkdir", "os.rename", "os.link", "os.symlink"):
        _watched.extend(str(each) for each in arguments[:2] if isinstance(each, str | os.PathLike))


@contextmanager
def written() -> Iterator[list[str]]:
    """The paths that this process opens for writing, makes or renames."""
    global _watched
    _watched = paths = []
    try:
        yield paths
    finally:
        _watched = None


@pytest.fixture(scope="module", autouse=True)
def _hook() -> None:
    sys.addaudithook(_watch)  # cannot be taken away again, so it looks only while it is asked to


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_every_hostile_bundle_is_refused_with_its_reason_and_leaves_nothing(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "personas")
    bundle = tmp_path / "stranger.hearth"
    bundle.touch()
    shelf.folder.mkdir()
    outside, wrong, names = [], [], []
    for hostile in hostile_bundles(tmp_path / "keys"):
        names.append(hostile.name)
        bundle.write_bytes(hostile.data)
        before = tree(tmp_path)
        with written() as paths:
            try:
                shelf.take_bundle(bundle)
            except (PersonaError, LimitError) as error:
                if hostile.reason not in str(error) or "\n" in str(error) or len(str(error)) > 300:
                    wrong.append((hostile.name, str(error)))
            else:
                wrong.append((hostile.name, "was taken"))
        outside += [path for path in paths if not Path(path).is_relative_to(shelf.folder)]
        assert tree(tmp_path) == before, hostile.name
    assert wrong == []
    assert outside == []
    assert len(names) == len(set(names)) >= 60


def test_the_good_bundle_is_taken_and_its_writing_is_seen(tmp_path: Path) -> None:
    """The control of the test above: its watch sees what is written, and the bundle itself is no reason to refuse."""
    bundle = tmp_path / "good.hearth"
    bundle.write_bytes(listed(good_members()))
    shelf = Shelf(tmp_path / "personas")
    with written() as paths:
        taken = shelf.take_bundle(bundle)
        (tmp_path / "elsewhere").write_bytes(b"x")
    assert taken.persona == GOOD
    assert str(tmp_path / "elsewhere") in paths
    assert any("files" in path for path in paths)


@pytest.mark.parametrize("seed", range(4))
def test_random_damage_is_refused_or_changes_nothing(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    whole = listed(good_members())
    bundle = tmp_path / "damaged.hearth"
    n_refused = 0
    for _ in range(150):
        spoiled = bytearray(whole)
        for _ in range(chance.choice((1, 1, 2, 20))):
            spoiled[chance.randrange(len(spoiled))] = chance.randrange(256)
        bundle.write_bytes(spoiled[: chance.choice((len(spoiled), len(spoiled), chance.randrange(len(spoiled))))])
        try:
            assert read_bundle(bundle).persona == GOOD
        except HearthError:
            n_refused += 1
    assert n_refused > 75


@pytest.mark.skipif(os.name != "posix", reason="named pipes")
def test_only_plain_files_are_opened(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.hearth"
    os.mkfifo(pipe)
    for path in (pipe, tmp_path, tmp_path / "not-there.hearth"):
        with pytest.raises(PersonaError):
            Shelf(tmp_path / "personas").take_bundle(path)
    assert tree(tmp_path / "personas") == set()
