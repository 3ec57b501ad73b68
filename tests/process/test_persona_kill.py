"""The shelf when the program is killed at any moment: what is there is whole, and what was said to be done is there."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from app.personas.folder import files_of
from app.personas.shelf import Shelf
from tests.unit.hostile_bundles import GOOD, good_members, listed

pytestmark = pytest.mark.beside

KILLS = 12
_CHILD = """
import sys
from dataclasses import replace
from pathlib import Path
from app.personas.shelf import Shelf

shelf, number = Shelf(Path(sys.argv[1])), 0
while True:
    made = shelf.take_bundle(Path(sys.argv[2]))
    print("made", made.persona.short_name, flush=True)
    saved = shelf.save(replace(made.persona, greeting=f"Hello {number}"), made.number)
    print("saved", saved.persona.short_name, saved.persona.greeting, flush=True)
    shelf.delete(shelf.duplicate(saved.persona.short_name, "Copy").persona.short_name)
    number += 1
"""


def test_killed_at_any_moment_the_shelf_is_whole(tmp_path: Path) -> None:
    bundle = tmp_path / "a.hearth"
    bundle.write_bytes(listed(good_members()))
    shelf = Shelf(tmp_path / "personas")
    chance = random.Random(7)
    said: list[str] = []
    for _ in range(KILLS):
        child = subprocess.Popen(
            [sys.executable, "-c", _CHILD, str(shelf.folder), str(bundle)], stdout=subprocess.PIPE, encoding="utf-8"
        )
        assert child.stdout is not None
        said += [child.stdout.readline() for _ in range(chance.randrange(1, 8))]
        for _ in range(chance.randrange(30_000)):
            pass  # somewhere within the next step
        child.kill()
        said += child.stdout.read().splitlines()
        child.wait()
        child.stdout.close()
    listing = shelf.listing()
    assert listing.problems == ()
    there = {each.persona.short_name: each.persona for each in listing.personas}
    for line in said:
        verb, short_name, *greeting = line.split(maxsplit=2)
        assert short_name in there
        assert verb == "made" or there[short_name].greeting == greeting[0].strip()
    for short_name, persona in there.items():
        for sha256, name in files_of(persona):
            assert shelf.place(short_name).file(sha256, name).stat().st_size > 0
    assert {persona.knowledge for persona in there.values()} == {GOOD.knowledge}
    assert len(said) > KILLS
