"""What a switch of persona costs, on the real engine and a real model: its own prefix once, then nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.personas.persona import Persona, Sampling
from app.store.types import MessageUsage
from engine.worker.client import EngineClient
from tests.process.test_cli_real import PATIENCE_S
from tests.unit.chat_bench import WAIT_S, Bench

ONE_TOKEN = 1
"""Read again in any case: the first word of the answer needs it."""


def persona(name: str, trade: str) -> Persona:
    rules = "\n".join(f"{number}. {trade} number {number} is kept in shed {number * 7}." for number in range(1, 9))
    drawn = Sampling(temperature=0, max_tokens=4)
    return Persona(name, name.title(), instructions=f"You look after every {trade}.\n\n{rules}", sampling=drawn)


@pytest.fixture
def bench(tmp_path: Path, smollm2: Path) -> Iterator[Bench]:
    made = Bench(tmp_path, engine=EngineClient())
    # One thread: two that wait for each other crawl on a busy machine.
    made.services.settings.override("model.n_threads", 1)
    made.services.settings.override("model.n_ctx", 2048)
    made.services.models.load(smollm2).result(PATIENCE_S)
    for each in (persona("boats", "boat"), persona("bees", "hive")):
        made.services.personas.call(lambda shelf, each=each: shelf.create(each)).result(WAIT_S)  # type: ignore[misc]
    yield made
    made.close()


def read(usage: MessageUsage | None) -> int:
    assert usage is not None
    return usage.prompt_tokens - usage.cached_tokens


def test_the_second_time_a_persona_answers_its_prefix_costs_nothing(bench: Bench) -> None:
    question = "Where is the first one?"
    conversation_id = bench.chat.send(None, question, persona="boats").result(WAIT_S)
    answer = bench.finished(conversation_id)
    assert answer.usage is not None
    cold = read(answer.usage)
    assert cold == answer.usage.prompt_tokens > 100

    def switched_to(short_name: str) -> int:
        bench.services.personas.choose(conversation_id, short_name).result(WAIT_S)
        shown = bench.path(conversation_id)[-1]
        bench.chat.regenerate(shown.id).result(WAIT_S)
        return read(bench.finished(conversation_id).usage)

    first = switched_to("bees")
    assert cold // 2 < first <= cold, "its own prefix, once"
    assert [switched_to(name) for name in ("boats", "bees")] == [ONE_TOKEN] * 2

    other = bench.chat.send(None, question, persona="boats").result(WAIT_S)
    assert read(bench.finished(other).usage) <= ONE_TOKEN, "conversations share what a persona says"
    another = bench.chat.send(None, "And the last?", persona="bees").result(WAIT_S)
    assert read(bench.finished(another).usage) < 20, "only the question is new"


def test_what_was_said_meanwhile_is_read_once_by_the_other(bench: Bench) -> None:
    """The words of a turn are read anew behind another prefix; the prefix itself is not."""
    conversation_id = bench.chat.send(None, "Where is the first one?", persona="boats").result(WAIT_S)
    bench.finished(conversation_id)
    bench.services.personas.choose(conversation_id, "bees").result(WAIT_S)
    bench.chat.send(conversation_id, "And where are you?").result(WAIT_S)
    bench.finished(conversation_id)
    bench.services.personas.choose(conversation_id, "boats").result(WAIT_S)
    bench.chat.send(conversation_id, "And the second one?").result(WAIT_S)
    assert read(bench.finished(conversation_id).usage) < 60, "the turns since then, and no word of the prefix"
