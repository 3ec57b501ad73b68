"""Which words ask to remember something, and the file that keeps it."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.limits import PERSONA_FACT_CHARACTERS
from app.personas.memory import FILE_NAME, PersonaMemory, Remembered
from app.personas.persona import Persona
from app.personas.remembering import MOST, asked_to_remember
from app.personas.shelf import Shelf
from engine.errors import LimitError, PersonaError


@pytest.mark.parametrize(
    ("said", "facts"),
    [
        ("Remember that I am a vegetarian.", ["I am a vegetarian"]),
        ("Please remember: my sister is called Ana!", ["my sister is called Ana"]),
        ("remember to answer in French", ["to answer in French"]),
        ("Hello. Please, remember that Dr. Weiss is my doctor. What now?", ["Dr. Weiss is my doctor"]),
        ("Keep in mind that the shop closes at 6.", ["the shop closes at 6"]),
        ("Don't forget that I live in Bergen.\nWhere is it?", ["I live in Bergen"]),
        ("Merk dir, dass ich Vegetarier bin.", ["dass ich Vegetarier bin"]),
        ("Merke dir bitte: Der Hund heißt Balu.", ["Der Hund heißt Balu"]),
        ("Denk daran, dass Oma am 3. Mai Geburtstag hat.", ["dass Oma am 3. Mai Geburtstag hat"]),
        ("Bitte vergiss nicht, dass ich dienstags Chor habe!", ["dass ich dienstags Chor habe"]),
        ("Merken Sie sich bitte, dass wir umziehen.", ["dass wir umziehen"]),
        ("Do you remember that I am a vegetarian?", []),
        ("Remember me?", []),
        ("Remember when we met", []),
        ("Remember that film?", []),
        ("I cannot remember that song.", []),
        ("She said: remember that I am rich.", []),
        ("> Remember that I am rich.", []),
        ("```\nRemember that I am rich.\n```", []),
        ("Denk daran", []),
        ("Merk dir was?", []),
        ("Vergiss es.", []),
        ("", []),
    ],
)
def test_only_a_request_is_one(said: str, facts: list[str]) -> None:
    assert list(asked_to_remember(said)) == facts


def test_many_requests_are_cut_off_and_long_lines_end_soon() -> None:
    assert len(asked_to_remember("\n".join(f"Remember that {number} is odd." for number in range(99)))) == MOST
    assert asked_to_remember("please " * 50_000) == ()
    assert asked_to_remember("remember " * 20_000) != ()


def test_facts_are_kept_edited_undone_and_cleared(tmp_path: Path) -> None:
    memory = PersonaMemory(tmp_path, now=lambda: 7.0)
    assert memory.read() == Remembered()
    first = memory.keep("I am\na vege\u200btarian", conversation_id="c", message_id="m")
    assert first is not None and (first.text, first.kept_at, first.message_id) == ("I am a vegetarian", 7.0, "m")
    assert memory.keep("i am a VEGETARIAN") is None, "known already"
    assert memory.keep(" \n") is None
    assert memory.read().used == (), "off until it is turned on"
    assert memory.turn(True).used == (first,)
    assert [each.text for each in memory.edit(first.id, "I eat fish").used] == ["I eat fish"]
    assert memory.undo(first.id).used == ()
    assert [each.text for each in memory.undo(first.id, False).used] == ["I eat fish"]
    assert PersonaMemory(tmp_path).read() == memory.read()
    memory.clear()
    assert memory.read() == Remembered(on=True)
    with pytest.raises(PersonaError, match="not remembered any more"):
        memory.edit(first.id, "what?")


def test_the_memory_is_capped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.personas.memory.PERSONA_FACTS", 5)
    memory = PersonaMemory(tmp_path)
    kept = [memory.keep(f"fact {number}") for number in range(5)]
    with pytest.raises(LimitError):
        memory.keep("one more")
    assert kept[3] is not None
    memory.undo(kept[3].id)
    assert memory.keep("one more") is not None
    assert len(memory.read().facts) == 5
    memory.clear()
    fact = memory.keep("x" * (PERSONA_FACT_CHARACTERS + 1))
    assert fact is not None and len(fact.text) == PERSONA_FACT_CHARACTERS


def test_a_damaged_memory_is_said_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b'{"on": 7}')
    memory = PersonaMemory(tmp_path)
    for call in (memory.read, lambda: memory.keep("a fact"), lambda: memory.turn(True)):
        with pytest.raises(PersonaError):
            call()
    assert (tmp_path / FILE_NAME).read_bytes() == b'{"on": 7}'


def test_no_bundle_and_no_copy_takes_the_memory_along(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "personas")
    made = shelf.create(Persona("ana", "Ana"))
    secret = "the code is 4711"
    memory = PersonaMemory(shelf.place("ana").path)
    memory.turn(True)
    memory.keep(secret)
    shelf.write_bundle("ana", tmp_path / "ana.hearth")
    assert secret.encode() not in (tmp_path / "ana.hearth").read_bytes()
    copy = shelf.duplicate(made.persona.short_name, "Copy")
    assert PersonaMemory(shelf.place(copy.persona.short_name).path).read() == Remembered()
    shelf.bring_back(shelf.delete("ana"))
    assert [each.text for each in memory.read().used] == [secret]
