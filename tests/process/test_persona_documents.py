"""A persona's documents in the library of a real process: asked, taken out with the persona, and back with it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.documents_care import PERSONA, VERSION
from app.personas.persona import KnowledgeFile, Persona
from tests.unit.chat_bench import WAIT_S
from tests.unit.persona_bench import PersonaBench

pytestmark = pytest.mark.beside

HANDBOOK = b"# Fees\n\nThe rowing club of Norrholm asks 240 crowns a year.\n"
SHA256 = hashlib.sha256(HANDBOOK).hexdigest()
KEEPER = Persona(
    "keeper", "Keeper", instructions="You keep boats.", knowledge=(KnowledgeFile("fees.md", len(HANDBOOK), SHA256),)
)
QUESTION = "What does the rowing club of Norrholm ask?"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[PersonaBench]:
    made = PersonaBench(tmp_path, ["240 crowns a year [1]."] * 4)
    yield made
    made.close()


def test_documents_come_and_go_with_the_persona(bench: PersonaBench) -> None:
    bench.make(KEEPER, {SHA256: HANDBOOK})

    def owners() -> list[str]:
        return [each.owner for each in bench.services.documents.collections().result(WAIT_S)]

    def found(question: str) -> list[str]:
        _, answer = bench.talk(question, conversation_id)
        sources = bench.path(conversation_id)[-2].sources
        assert answer.text
        return [Path(each.path).name for each in sources.passages] if sources is not None else []

    conversation_id, _ = bench.talk(QUESTION, persona="keeper")
    assert bench.conversation(conversation_id).collections == (), "they are the persona's, not the chat's"
    sources = bench.path(conversation_id)[-2].sources
    assert sources is not None and [Path(each.path).name for each in sources.passages] == ["fees.md"]
    assert "fees.md" in bench.prompt()[-1]
    assert owners() == [PERSONA + "keeper"]
    deleted = bench.personas.delete("keeper").result(WAIT_S)
    assert owners() == []
    assert found("And what does the rowing club ask now?") == []
    bench.personas.bring_back(deleted).result(WAIT_S)
    assert found("What are the fees of the rowing club?") == ["fees.md"]
    assert owners() == [PERSONA + "keeper"]


def test_a_chat_keeps_the_documents_of_the_version_that_it_remembers(bench: PersonaBench) -> None:
    newer = HANDBOOK.replace(b"240", b"310")
    sha256 = hashlib.sha256(newer).hexdigest()

    def seen(conversation_id: str) -> str:
        sources = bench.path(conversation_id)[-2].sources
        assert sources is not None
        return " ".join(each.text for each in sources.passages)

    bench.make(KEEPER, {SHA256: HANDBOOK})
    old, _ = bench.talk(QUESTION, persona="keeper")
    changed = replace(KEEPER, knowledge=(KnowledgeFile("fees.md", len(newer), sha256),))
    bench.personas.call(lambda shelf: shelf.save(changed, 1, {sha256: newer})).result(WAIT_S)
    new, _ = bench.talk(QUESTION, persona="keeper")
    assert "310 crowns" in seen(new) and "240" not in seen(new)
    bench.talk("Say once more what the rowing club of Norrholm asks.", old)
    assert "240 crowns" in seen(old) and "310" not in seen(old)
    owners = sorted(each.owner for each in bench.services.documents.collections().result(WAIT_S))
    assert owners[0] == PERSONA + "keeper"
    assert owners[1].startswith(f"{PERSONA}keeper{VERSION}")
    bench.personas.update(old).result(WAIT_S)
    bench.talk("And what does the rowing club of Norrholm ask now?", old)
    assert "310 crowns" in seen(old)
    bench.personas.delete("keeper").result(WAIT_S)
    assert bench.services.documents.collections().result(WAIT_S) == ()
