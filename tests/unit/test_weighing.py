"""Whether passages bear on a question: the rule, what the engine is asked for, and what becomes of the answer."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import pytest

from app.weighing import bears_on, is_in_doubt
from engine.context.segments import Origin, Role
from engine.types import GenerationRequest, ModelSpec
from rag.passages import Found, Passage, Way
from rag.types import Unit
from tests.unit.chat_bench import WAIT_S, Bench

QUESTION = "Who built the lighthouse of Norrholm?"
TEXT = "The lighthouse of Norrholm was built in 1847 by the engineer Ada Lindqvist."
FOUND = Found(
    Way.PASSAGES,
    (Passage(1, 1, 1, Path("/books/handbook.pdf"), "Handbook", Unit.PAGE, 3, "", 0, len(TEXT), 1, 1, "", "en", TEXT),),
    9,
    True,
    0.5,
)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path, ["Ada Lindqvist [1].", "Nobody knows."])
    bench.engine.load(ModelSpec(Path("fake.gguf"))).result(WAIT_S)
    yield bench
    bench.close()


def ask(bench: Bench, monkeypatch: pytest.MonkeyPatch, found: Found, question: str = QUESTION) -> tuple[str, str]:
    """The answer, and by which way it says it came about."""

    def search(*_arguments: object, **_more: object) -> Future[Found]:
        future: Future[Found] = Future()
        future.set_result(found)
        return future

    monkeypatch.setattr(bench.services.documents, "search", search)
    conversation = bench.store(lambda store: store.create_conversation())
    bench.store(lambda store: store.set_collections(conversation.id, (1,)))
    _, answer = bench.ask(question, conversation.id)
    sources = bench.path(conversation.id)[-2].sources
    assert sources is not None
    return answer.text, sources.way


def scoring(bench: Bench) -> list[GenerationRequest]:
    return [request for request in bench.fake.requests if request.scores_question]


def test_passages_must_tell_of_the_question() -> None:
    assert is_in_doubt(0.5, QUESTION) and not is_in_doubt(0.66, QUESTION)
    assert not is_in_doubt(0.5, "Wer baute die Brücke über den Fluss?"), "not measured"
    assert bears_on(-20.0, -40.0) and not bears_on(-36.0, -40.0)
    assert bears_on(-5.9, -10.0), "two words cannot gain more"


def test_passages_that_make_the_question_no_likelier_do_not_answer_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.fake.question_logprobs = [-40.0, -39.0]  # alone, and behind the passages
    assert ask(bench, monkeypatch, FOUND) == ("Your documents do not say.", Way.NOTHING)
    alone, with_passages = scoring(bench)
    assert len(bench.fake.requests) == 2, "no answer was asked for"
    assert TEXT in with_passages.messages[-1].text and TEXT not in alone.messages[-1].text
    for request in (alone, with_passages):
        assert request.prefill_only and request.messages[-1].role is Role.USER
        assert [each.text for each in request.messages[-1].segments if each.origin is Origin.USER] == [QUESTION]


def test_passages_that_make_it_likelier_are_answered_from(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.fake.question_logprobs = [-40.0, -12.0]
    assert ask(bench, monkeypatch, FOUND) == ("Ada Lindqvist [1].", Way.PASSAGES)
    assert len(scoring(bench)) == 2 and len(bench.fake.requests) == 3
    assert bench.fake.requests[-1].messages == scoring(bench)[1].messages, "what was read is read once"


@pytest.mark.parametrize(
    ("found", "question"),
    [
        (replace(FOUND, confidence=0.7), QUESTION),
        (replace(FOUND, by_meaning=False), QUESTION),
        (replace(FOUND, way=Way.WHOLE), QUESTION),
        (FOUND, "Wer hat den Leuchtturm für Norrholm gebaut?"),
    ],
    ids=["sure", "words only", "whole documents", "another language"],
)
def test_the_model_is_asked_in_doubt_only(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, found: Found, question: str
) -> None:
    assert ask(bench, monkeypatch, found, question)[0] == "Ada Lindqvist [1]."
    assert scoring(bench) == []


def test_a_model_that_does_not_say_answers(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ask(bench, monkeypatch, FOUND) == ("Ada Lindqvist [1].", Way.PASSAGES)
    assert len(scoring(bench)) == 2


def test_who_wants_other_answers_too_gets_them(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.services.settings.override("documents.only", False)
    bench.fake.question_logprobs = [-40.0, -39.0]
    assert ask(bench, monkeypatch, FOUND)[0] == "Ada Lindqvist [1]."
    assert scoring(bench) == []
