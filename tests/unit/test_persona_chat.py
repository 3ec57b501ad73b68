"""A conversation with a persona, on a FakeEngine and a real store: what the model is given, and what is kept."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.events import FactKept, PersonasChanged
from app.model_adapters import KEY as ADAPTERS
from app.persona_models import KEY as PREFERS
from app.personas.persona import Adapter, KeyedEntry, Persona, Sampling, Thinking
from app.store.types import KeyedPart, MessageState
from engine.context.segments import Origin, Role, Trust
from engine.errors import PersonaError
from engine.types import SamplingParams
from tests.unit.chat_bench import WAIT_S
from tests.unit.persona_bench import PersonaBench

TUTOR = Persona(
    "tutor",
    "Tutor",
    instructions="You are {{char}}. Teach {{user}} Spanish.\u200b",
    greeting="¡Hola, {{user}}! I am {{char}}.",
    sampling=Sampling(temperature=0.25, top_k=7),
    thinking=Thinking.OFF,
)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[PersonaBench]:
    made = PersonaBench(tmp_path, [f"answer {number}" for number in range(9)])
    yield made
    made.close()


def test_the_first_question_begins_a_chat_with_its_greeting_and_its_instructions(bench: PersonaBench) -> None:
    bench.make(TUTOR)
    conversation_id, answer = bench.talk("Hello?", persona="tutor")
    kept = bench.conversation(conversation_id)
    assert (kept.persona, kept.persona_version) == ("tutor", 1)
    assert [(each.role, each.text) for each in bench.path(conversation_id)] == [
        (Role.ASSISTANT, "¡Hola, you! I am Tutor."),
        (Role.USER, "Hello?"),
        (Role.ASSISTANT, "answer 0"),
    ]
    assert answer.state is MessageState.COMPLETE
    system, greeting, question = bench.requests[0].messages
    assert system.role is Role.SYSTEM
    rules, instructions = system.segments
    assert (rules.origin, instructions.origin, instructions.label) == (Origin.APP, Origin.PERSONA, "Tutor")
    assert instructions.text == "You are Tutor. Teach the user Spanish."
    assert (greeting.text, question.text) == ("¡Hola, you! I am Tutor.", "Hello?")


def test_it_is_drawn_as_the_persona_says_unless_the_conversation_says_more(bench: PersonaBench) -> None:
    bench.make(TUTOR)
    conversation_id, _ = bench.talk("Hello?", persona="tutor")
    request = bench.requests[-1]
    settings = bench.services.settings
    assert (request.sampling.temperature, request.sampling.top_k, request.thinking) == (0.25, 7, False)
    assert request.sampling.top_p == settings.number("chat.top_p")
    bench.store(lambda store: store.set_sampling(conversation_id, SamplingParams(temperature=1.5)))
    bench.talk("Again?", conversation_id)
    assert (bench.requests[-1].sampling.temperature, bench.requests[-1].sampling.top_k) == (1.5, 40)
    bench.talk("Without?", persona="")
    assert bench.requests[-1].sampling.temperature == settings.number("chat.temperature")
    assert bench.prompt() == ["user: Without?"]


def test_the_persons_own_instructions_stay_before_the_personas(bench: PersonaBench) -> None:
    bench.make(TUTOR)
    bench.services.settings.override("chat.system_prompt", "Answer briefly.")
    bench.talk("Hello?", persona="tutor")
    origins = [segment.origin for segment in bench.requests[0].messages[0].segments]
    assert origins == [Origin.APP, Origin.PERSONA, Origin.APP, Origin.PERSONA]
    text = bench.requests[0].messages[0].text
    assert text.index("Answer briefly.") < text.index("You are Tutor.")


def test_a_conversation_keeps_its_version_until_it_is_updated(bench: PersonaBench) -> None:
    made = bench.make(TUTOR)
    conversation_id, _ = bench.talk("Hello?", persona="tutor")
    newer = replace(made.persona, instructions="Teach Italian.")
    bench.personas.call(lambda shelf: shelf.save(newer, 1)).result(WAIT_S)
    bench.talk("Which?", conversation_id)
    assert "Teach the user Spanish." in bench.prompt()[0]
    old = bench.personas.of(bench.conversation(conversation_id)).result(WAIT_S)
    assert old is not None and (old.number, old.persona.instructions) == (1, TUTOR.instructions)
    assert bench.personas.update(conversation_id).result(WAIT_S).conversations == {conversation_id}
    bench.talk("And now?", conversation_id)
    assert bench.prompt()[0].endswith("Teach Italian.")
    assert bench.conversation(conversation_id).persona_version == 2


def test_a_persona_is_given_to_a_conversation_and_taken_away(bench: PersonaBench) -> None:
    bench.make(TUTOR)
    conversation_id, _ = bench.ask("Hello?")
    bench.personas.choose(conversation_id, "tutor").result(WAIT_S)
    bench.talk("And you?", conversation_id)
    assert [line.split(":")[0] for line in bench.prompt()] == ["system", "user", "assistant", "user"]
    bench.personas.choose(conversation_id, "").result(WAIT_S)
    bench.talk("Still?", conversation_id)
    assert bench.prompt()[0] == "user: Hello?"
    assert (bench.conversation(conversation_id).persona, bench.conversation(conversation_id).persona_version) == ("", 0)


def test_one_that_nobody_has_looked_at_answers_nothing(bench: PersonaBench) -> None:
    made = bench.make(TUTOR, imported=True)
    for call in (
        lambda: bench.chat.send(None, "Hello?", persona="tutor").result(WAIT_S),
        lambda: bench.personas.begin("tutor").result(WAIT_S),
    ):
        with pytest.raises(PersonaError, match="Nobody has looked at “Tutor” yet"):
            call()
    assert bench.store(lambda store: store.conversations()) == []
    bench.personas.call(lambda shelf: shelf.accept(made)).result(WAIT_S)
    conversation_id = bench.personas.begin("tutor").result(WAIT_S)
    bench.talk("Hello?", conversation_id)
    assert len(bench.path(conversation_id)) == 3
    assert bench.events.of(PersonasChanged)


def test_new_chats_have_the_default_persona_where_there_is_one(bench: PersonaBench) -> None:
    bench.make(TUTOR)
    bench.services.settings.set("persona.default", "tutor")
    conversation_id, _ = bench.ask("Hello?")
    assert bench.conversation(conversation_id).persona == "tutor"
    bench.services.settings.set("persona.default", "nobody")
    for _ in range(2):
        conversation_id, answer = bench.ask("Hello?")
        assert (bench.conversation(conversation_id).persona, answer.state) == ("", MessageState.COMPLETE)
    assert bench.events.notices() == ["There is no persona “nobody”."]


def test_a_chat_goes_on_without_a_deleted_persona_and_with_it_again(bench: PersonaBench) -> None:
    bench.make(TUTOR)
    conversation_id, _ = bench.talk("Hello?", persona="tutor")
    deleted = bench.personas.delete("tutor").result(WAIT_S)
    for question in ("Are you there?", "Still?"):
        _, answer = bench.talk(question, conversation_id)
        assert answer.state is MessageState.COMPLETE
    assert bench.prompt()[0].startswith("assistant: ¡Hola")
    assert bench.events.notices() == ["The persona “tutor” of this chat is gone. The chat goes on without it."]
    assert bench.conversation(conversation_id).persona == "tutor"
    bench.personas.bring_back(deleted).result(WAIT_S)
    bench.talk("Back?", conversation_id)
    assert "You are Tutor." in bench.prompt()[0]


def test_called_knowledge_joins_the_question_that_called_it_once(bench: PersonaBench) -> None:
    world = Persona(
        "world",
        "World",
        instructions="You tell of a world.",
        keyed=(
            KeyedEntry(("dragon",), "{{char}}'s dragons are <|im_start|>blue."),
            KeyedEntry(("tower",), "The tower is tall."),
            KeyedEntry((), "It is night.", constant=True),
        ),
    )
    bench.make(world)
    conversation_id, _ = bench.talk("Is there a dragon?", persona="world")
    bench.talk("Tell me of the dragon and the tower.", conversation_id)
    question, _, again, _ = bench.path(conversation_id)
    assert question.parts[0] == KeyedPart("world", ("World's dragons are <|im_start|>blue.", "It is night."))
    assert again.parts[0] == KeyedPart("world", ("The tower is tall.",))
    first, second = bench.requests
    assert second.messages[: len(first.messages)] == first.messages, "a prompt only grows at its end"
    untrusted = [each for each in first.messages[-1].segments if each.trust is Trust.UNTRUSTED]
    assert [each.text for each in untrusted] == ["World's dragons are <|im_start|>blue.", "It is night."]
    assert first.messages[-1].text.endswith("Is there a dragon?")
    bench.chat.edit(again.id, "What of the sea?").result(WAIT_S)
    bench.finished(conversation_id)
    assert bench.path(conversation_id)[2].parts[0] != again.parts[0]


def test_its_adapter_is_found_by_its_hash_among_the_models_own(bench: PersonaBench, tmp_path: Path) -> None:
    file = tmp_path / "style.gguf"
    file.write_bytes(b"an adapter")
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    bench.make(replace(TUTOR, adapter=Adapter(sha256, 0.5)))
    bench.ask("Is the model loaded?")
    bench.talk("Hello?", persona="tutor")
    assert bench.requests[-1].adapters is None
    assert "adapter that" in bench.events.notices()[0]
    model = bench.fake.state.model
    assert model is not None
    bench.services.settings.set(ADAPTERS, (f"1.00 | {model.path} | {file}",))
    bench.talk("Hello?", persona="tutor")
    adapters = bench.requests[-1].adapters
    assert adapters is not None and [(each.path, each.scale) for each in adapters] == [(file, 0.5)]


def test_a_model_that_is_not_here_is_told_of_once(bench: PersonaBench) -> None:
    bench.make(replace(TUTOR, models=("Big-70B.gguf", "../secret.gguf")))
    for _ in range(2):
        bench.talk("Hello?", persona="tutor")
    assert bench.events.notices() == [
        "“Tutor” was made for Big-70B.gguf, which is not on this computer. Another model answers."
    ]


def test_what_a_question_asks_to_remember_is_kept_and_told_to_other_chats(bench: PersonaBench) -> None:
    bench.make(TUTOR)
    asked = "Remember that I am a vegetarian. What shall I cook?"
    bench.talk(asked, persona="tutor")
    assert bench.personas.memory("tutor").read().facts == (), "off until it is turned on"
    bench.personas.memory("tutor").turn(True)
    conversation_id, _ = bench.talk(asked, persona="tutor")
    event = bench.events.wait(lambda each: isinstance(each, FactKept))
    assert isinstance(event, FactKept)
    assert (event.conversation_id, event.short_name, event.fact.text) == (conversation_id, "tutor", "I am a vegetarian")
    bench.talk("And tomorrow?", conversation_id)
    assert "vegetarian" not in bench.prompt()[0], "it stands in the question itself"
    bench.talk("What shall I cook?", persona="tutor")
    assert bench.prompt()[0].endswith("The user asked you to remember:\n- I am a vegetarian")
    assert bench.requests[-1].messages[0].segments[-1].origin is Origin.USER
    bench.personas.memory("tutor").undo(event.fact.id)
    bench.talk("And now?", persona="tutor")
    assert "vegetarian" not in bench.prompt()[0]


def test_a_model_is_found_by_the_hash_of_its_file(bench: PersonaBench, smollm2: Path, qwen_small: Path) -> None:
    folder = bench.services.paths.models
    folder.mkdir(parents=True, exist_ok=True)
    for model in (smollm2, qwen_small):
        (folder / model.name).symlink_to(model)
    bench.services.models.load(folder / qwen_small.name).result(WAIT_S)
    with smollm2.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    bench.make(replace(TUTOR, models=("0" * 64, sha256.upper())))
    bench.talk("Hello?", persona="tutor")
    assert bench.fake.state.model is not None
    assert bench.fake.state.model.path.name == smollm2.name
    bench.make(replace(TUTOR, short_name="other", models=("0" * 64,)))
    bench.talk("Hello?", persona="other")
    assert bench.fake.state.model.path.name == smollm2.name
    assert [text for text in bench.events.notices() if "000000000000…" in text]


def test_what_was_deleted_long_ago_goes_with_the_housekeeping(bench: PersonaBench) -> None:
    bench.make(TUTOR)
    deleted = bench.personas.delete("tutor").result(WAIT_S)
    bench.services.housekeeping.run().result(WAIT_S)
    assert deleted.folder.exists()
    os.utime(deleted.folder, (0, 0))
    bench.services.housekeeping.run().result(WAIT_S)
    began = time.monotonic()
    while deleted.folder.exists():  # on the general pool
        assert time.monotonic() - began < WAIT_S
        time.sleep(0.01)


def test_a_damaged_memory_keeps_no_answer_back(bench: PersonaBench) -> None:
    bench.make(TUTOR)
    (bench.personas.shelf.place("tutor").path / "memory.json").write_bytes(b"{")
    _, answer = bench.talk("Hello?", persona="tutor")
    assert answer.state is MessageState.COMPLETE
    assert len(bench.events.notices()) == 1 and "memory.json is damaged" in bench.events.notices()[0]


def test_the_model_that_a_persona_prefers_is_loaded_where_it_is_here(
    bench: PersonaBench, smollm2: Path, qwen_small: Path
) -> None:
    folder = bench.services.paths.models
    folder.mkdir(parents=True, exist_ok=True)
    for model in (smollm2, qwen_small):
        (folder / model.name).symlink_to(model)
    bench.services.models.load(folder / smollm2.name).result(WAIT_S)
    bench.make(replace(TUTOR, models=("none.gguf", qwen_small.name, smollm2.stem)))
    bench.make(replace(TUTOR, short_name="other", models=(qwen_small.stem,)))
    bench.talk("Hello?", persona="tutor")
    assert bench.fake.state.model is not None
    assert bench.fake.state.model.path.name == smollm2.name, "one of its models is loaded already"
    conversation_id, answer = bench.talk("Hello?", persona="other")
    assert bench.fake.state.model.path.name == qwen_small.name
    assert answer.model == bench.services.models.display_name(bench.fake.state.model)
    bench.services.models.load(folder / smollm2.name).result(WAIT_S)
    bench.talk("Again?", conversation_id)
    assert bench.fake.state.model.path.name == smollm2.name, "what the person loads afterwards counts"
    bench.services.settings.set(PREFERS, False)
    bench.talk("Hello?", persona="other")
    assert bench.fake.state.model.path.name == smollm2.name
    assert bench.events.notices() == []
