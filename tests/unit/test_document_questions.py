"""Which questions are looked up, and with which words."""

from __future__ import annotations

import pytest

from app.document_questions import is_looked_up, leans, search_words
from app.store.types import MessageState, StoredMessage, TextPart
from engine.context.segments import Role


def message(text: str, role: Role = Role.USER) -> StoredMessage:
    return StoredMessage("m", "c", None, role, (TextPart(text),), MessageState.COMPLETE, 0.0)


@pytest.mark.parametrize(
    "text",
    ["hi", "Hello!", "Hello there", "thanks", "Thank you very much!", "ok, thanks a lot", "Yes please", "no",
     "Danke schön!", "Guten Morgen", "Merci beaucoup", "¡Gracias!", "Good morning everyone", "Great job, thank you",
     "👍", "?!", "", "  \n"],
)  # fmt: skip
def test_small_talk_is_not(text: str) -> None:
    assert not is_looked_up(text)


@pytest.mark.parametrize(
    "text",
    ["How long is the warranty?", "hello world program", "no refunds policy", "ok explain DNS", "Yes, install guide?",
     "Great Britain population", "Good morning routine", "Was kostet das?", "蓝鲸多重?", "price",
     "Ja oder nein: Garantie?",
     "thanks to whom was it built?", "Hi, how do I cancel my subscription?", "hey jude lyrics"],
)  # fmt: skip
def test_questions_are(text: str) -> None:
    assert is_looked_up(text)


@pytest.mark.parametrize(
    "text",
    ["Translate it into German.", "Please translate your last answer into French", "Make it shorter", "shorten that",
     "Say that in simpler words", "In German, please", "Go on", "Rewrite this as a table", "Put it in one sentence",
     "Übersetze das auf Englisch", "Bitte kürze das", "Weiter!",
     "Explain that again in simple words", "Traduis en anglais"],
)  # fmt: skip
def test_what_is_to_be_done_with_the_answer_is_not(text: str) -> None:
    assert not is_looked_up(text, answered=True)
    assert is_looked_up(text), "before there is an answer it is a question like any other"


@pytest.mark.parametrize(
    "text",
    ["Translate the chapter on fees into German", "Explain that clause about noise", "Continue to which station?",
     "Summarise it for the board of directors", "In German law, what is a deposit?", "Put it in which drawer?",
     "Repeat prescriptions: how long are they valid?", "Make it clear who pays the rent"],
)  # fmt: skip
def test_questions_that_begin_alike_are(text: str) -> None:
    assert is_looked_up(text, answered=True)


@pytest.mark.parametrize(
    "question",
    ["And in 2021?", "Who wrote it?", "What does it cost?", "Why?", "How do I do that?", "And for Germany?",
     "Where can I buy them?", "Wer hat es geschrieben?", "Und dann?", "Was kostet sie?", "Et pourquoi?", "为什么?"],
)  # fmt: skip
def test_follow_ups_lean_on_what_was_said(question: str) -> None:
    assert leans(question)


@pytest.mark.parametrize(
    "question",
    ["How do I cancel my subscription online?", "What are the steps that lead to a kernel panic in Debian systems?",
     "Is there a way to reset the admin password on Debian?", "Wie installiere ich das Paket auf dem Server neu?",
     "¿Cuánto cuesta el seguro médico en España y Portugal?", "Comment installer un paquet sur Debian stable ?",
     "蓝鲸的体重大约是多少吨?"],
)  # fmt: skip
def test_whole_questions_do_not(question: str) -> None:
    assert not leans(question)


def test_a_follow_up_is_looked_for_with_the_question_before() -> None:
    path = [message("How long is the warranty for whales?"), message("Two years [1].", Role.ASSISTANT)]
    assert search_words([*path, message("And for calves?")]) == "How long is the warranty for whales?\nAnd for calves?"
    whole = "How do I cancel my subscription online?"
    assert search_words([*path, message(whole)]) == whole
    assert search_words([message("And then?")]) == "And then?"


def test_a_row_of_follow_ups_goes_back_to_the_question_that_they_lean_on() -> None:
    path = [
        message("How long is the warranty for whales?"), message("Two years.", Role.ASSISTANT),
        message("Why?"), message("Because.", Role.ASSISTANT), message("And for calves?"),
    ]  # fmt: skip
    assert search_words(path) == "How long is the warranty for whales?\nWhy?\nAnd for calves?"
