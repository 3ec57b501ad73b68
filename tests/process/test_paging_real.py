"""Paging with a real model: what left the window is recalled, and what is summarised keeps its names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.events import SummaryAdded
from app.store.store import ConversationStore
from app.store.types import RecallPart, StoredMessage, TextPart
from engine.context.segments import Role
from engine.types import SamplingParams
from engine.worker.client import EngineClient
from tests.unit.chat_bench import WAIT_S, Bench

PATIENCE_S = 300.0
"""A prompt of 2,000 tokens is read in ten seconds by two free cores, and in minutes by busy ones."""
SHORT = SamplingParams(temperature=0.0, max_tokens=40)
FACT = "By the way, my sister Mara Ilves builds violins in Tallinn."
TOPICS = (
    "boiling eggs", "bicycle gears", "autumn leaves", "hash tables", "birthday picnics", "garden fences", "old maps",
    "bread crusts", "rain gutters", "train timetables", "wool socks", "window frames", "tea pots", "clock towers",
)  # fmt: skip


@pytest.fixture
def bench(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Bench]:
    made = Bench(tmp_path, engine=EngineClient())
    made.services.settings.override("model.n_ctx", 2048)
    model: Path = request.getfixturevalue(getattr(request, "param", "qwen_small"))
    made.services.models.load(model).result(PATIENCE_S)
    yield made
    made.close()


def talk(store: ConversationStore, turns: list[tuple[str, str]]) -> str:
    conversation_id = store.create_conversation(title="Long").id
    parent = None
    for question, answer in turns:
        parent = store.add_message(conversation_id, parent_id=parent, role=Role.USER, parts=(TextPart(question),)).id
        parent = store.add_message(conversation_id, parent_id=parent, role=Role.ASSISTANT, parts=(TextPart(answer),)).id
    return conversation_id


def long_talk() -> list[tuple[str, str]]:
    """29 turns of about 90 tokens, the fact in the first."""
    about = [
        (
            f"Tell me something about {TOPICS[n % len(TOPICS)]}, part {n}.",
            f"There is a lot to say about {TOPICS[n % len(TOPICS)]}. " + "They were made by hand for a long time, and "
            "people in many places had their own way to do it. Later came machines, and with them new shapes and new "
            "uses. Some still prefer the old way, because it lasts longer and can be mended at home.",
        )
        for n in range(28)
    ]
    return [(FACT, "That is a fine craft."), *about]


def ask(bench: Bench, conversation_id: str, question: str) -> StoredMessage:
    bench.chat.send(conversation_id, question, sampling=SHORT).result(WAIT_S)
    assert bench.chat.wait_until_idle(PATIENCE_S)
    return bench.path(conversation_id)[-1]


@pytest.mark.parametrize("recalls", [True, False])
def test_a_fact_that_left_the_window_is_recalled(bench: Bench, recalls: bool) -> None:
    bench.services.settings.override("chat.overflow", "drop_oldest")
    bench.services.settings.override("chat.recall", recalls)
    conversation_id = bench.store(lambda store: talk(store, long_talk()))
    answer = ask(bench, conversation_id, "What does my sister Mara build, and in which city?")
    question = bench.path(conversation_id)[-2]
    assert answer.usage is not None and answer.usage.dropped > 0 and answer.error == ""
    recalled = [part for part in question.parts if isinstance(part, RecallPart)]
    assert [FACT in part.text for part in recalled] == [True] * recalls
    known = "violin" in answer.text.lower() and "Tallinn" in answer.text
    assert known is recalls, answer.text
    if recalls:
        again = ask(bench, conversation_id, "Thank you, say goodbye.")
        assert again.usage is not None
        # The recalled passage stays at its turn, so that the next prompt only appends.
        assert again.usage.cached_tokens >= answer.usage.prompt_tokens


@pytest.mark.parametrize("bench", ["starter"], indirect=True)
def test_a_summary_of_real_turns_keeps_the_names(bench: Bench) -> None:
    turns = [
        ("My name is Oskar. I plan to redo the kitchen of our house in Leipzig.", "Good. What is your budget?"),
        ("14,300 euros, no more. My sister Mara will build the cupboards.", "Let Mara measure after the floor is in."),
        ("Which floor is cheap and warm?", "Cork costs 38 euros a square metre and is warm under bare feet."),
        ("Then we take cork. The water pipes must be done by Mr Alder first.", "Agreed: pipes by Mr Alder, then cork."),
        ("Which colour for the walls?", "Sage green would go well with cork."),
        ("I have to ask Lina about the colour.", "Then the colour stays open until Lina has decided."),
    ]
    conversation_id = bench.store(lambda store: talk(store, turns))
    bench.chat.summarise_now(conversation_id).result(WAIT_S)
    bench.events.until(lambda: bool(bench.events.of(SummaryAdded)), PATIENCE_S)
    summary = bench.events.of(SummaryAdded)[0].summary
    path = bench.path(conversation_id)
    assert (summary.first_message_id, summary.last_message_id) == (path[0].id, path[7].id)
    found = [name for name in ("Oskar", "Mara", "14,300", "cork", "Alder") if name.lower() in summary.text.lower()]
    assert len(found) >= 4, summary.text
    answer = ask(bench, conversation_id, "How much may the kitchen cost?")
    assert "14,300" in answer.text, answer.text
