"""Captions of both sides: what is sure, what was heard, and in whatever order it comes."""

from __future__ import annotations

from dataclasses import replace

from app.events import MessageAdded, MessageFinished, Streamed
from app.store.types import MessageState, StoredMessage, TextPart, UnspokenPart
from app.ui.voice_exchange import Caption, Exchange
from app.voice_events import HeardSoFar, HeardText, SpokenSoFar
from engine.context.segments import Role
from engine.types import TextDelta
from voice.turn_events import TextStatus

QUESTION = "What time is it?"


def message(name: str, role: Role, text: str, parent: str | None = None) -> StoredMessage:
    return StoredMessage(name, "c", parent, role, (TextPart(text),) if text else (), MessageState.COMPLETE, 0.0)


ASKED = message("q", Role.USER, QUESTION)
ANSWER = message("a", Role.ASSISTANT, "", "q")


def asked() -> Exchange:
    exchange = Exchange()
    exchange.hear(HeardText(QUESTION, TextStatus.COMMITTED))
    exchange.take(MessageAdded(ASKED))
    exchange.take(MessageAdded(ANSWER))
    return exchange


def stream(exchange: Exchange, text: str) -> None:
    exchange.take(Streamed("c", "a", TextDelta("a", text)))


def test_stable_words_stay_and_the_question_becomes_one() -> None:
    exchange = Exchange()
    exchange.hear(HeardSoFar("What", "thyme"))
    assert exchange.captions == (Caption(True, "What", " thyme"),)
    exchange.hear(HeardText(QUESTION, TextStatus.PROVISIONAL))
    assert exchange.captions == (Caption(True, "What", QUESTION[4:]),)
    exchange.hear(HeardText(QUESTION, TextStatus.WITHDRAWN))
    assert exchange.captions == (Caption(True, "What", QUESTION[4:]),)
    exchange.hear(HeardText(QUESTION, TextStatus.COMMITTED))
    exchange.take(MessageAdded(ASKED))
    assert exchange.captions == (Caption(True, QUESTION),)


def test_words_that_came_to_nothing_go() -> None:
    exchange = Exchange()
    exchange.hear(HeardSoFar("", "hm"))
    exchange.settle()
    assert exchange.captions == ()
    exchange.hear(HeardText("half a question", TextStatus.RESCUED))
    assert exchange.captions == ()


def test_of_an_answer_what_was_spoken_is_firm_until_it_is_over() -> None:
    exchange = asked()
    stream(exchange, "It is **noon**. Time ")
    stream(exchange, "to eat.")
    assert exchange.captions[1] == Caption(False, "", "It is noon. Time to eat.")
    exchange.spoken(SpokenSoFar("a", len("It is **noon**. ")))
    assert exchange.captions[1] == Caption(False, "It is noon. ", "Time to eat.")
    exchange.spoken(SpokenSoFar("a", 3))
    assert exchange.captions[1].firm == "It is noon. "
    exchange.settle()
    stream(exchange, " Now.")
    assert exchange.captions[1] == Caption(False, "It is noon. Time to eat. Now.")


def test_an_interrupted_answer_shows_where() -> None:
    exchange = asked()
    stream(exchange, "It is noon. Time to eat.")
    exchange.hear(HeardSoFar("", "stop"))
    parts = (TextPart("It is noon."), UnspokenPart(" Time to eat."))
    exchange.stored([ASKED, replace(ANSWER, parts=parts)])
    exchange.settle()
    assert exchange.captions[1] == Caption(False, "It is noon.", " Time to eat.", is_cut=True)


def test_what_is_typed_is_shown_whole_and_so_is_its_answer() -> None:
    exchange = Exchange()
    exchange.take(MessageAdded(ASKED))
    exchange.take(MessageAdded(ANSWER))
    stream(exchange, "Noon.")
    assert exchange.captions == (Caption(True, QUESTION), Caption(False, "Noon."))
    exchange.take(MessageFinished(message("a", Role.ASSISTANT, "Noon, I think.", "q")))
    assert exchange.captions[1] == Caption(False, "Noon, I think.")


def test_a_message_that_is_quicker_than_its_words_is_not_shown_twice() -> None:
    exchange = Exchange()
    exchange.hear(HeardSoFar("What", "time"))
    exchange.take(MessageAdded(ASKED))
    exchange.hear(HeardText(QUESTION, TextStatus.COMMITTED))
    exchange.take(MessageAdded(ANSWER))
    stream(exchange, "Noon.")
    assert exchange.captions == (Caption(True, QUESTION), Caption(False, "", "Noon."))


def test_only_the_last_ones_are_kept() -> None:
    exchange = Exchange()
    for number in range(30):
        exchange.take(MessageAdded(message(f"m{number}", Role.USER, f"{number}")))
    assert [caption.firm for caption in exchange.captions] == [str(number) for number in range(22, 30)]
