"""Which earlier passages come back for a question, and which do not."""

from __future__ import annotations

import pytest

from app.recall import PASSAGE_CHARACTERS, PASSAGES, characters_for, out_of_window, recall, terms
from app.store.types import AttachmentPart, MessageState, Part, StoredMessage, TextPart
from engine.context.segments import Role
from engine.pages import PageState, PromptPage, PromptPlan, Region

FACTS = (
    "My sister is called Mara Ilves and builds violins in Tallinn.",
    "The budget for the kitchen is 14,300 euros, no more.",
    "We decided to paint the hallway sage green.",
    "My train to Lisbon leaves on 14 May at 6:40 from platform 9.",
    "I am allergic to walnuts and sesame.",
    "Mein Hund heißt Bruno und ist sieben Jahre alt.",
    "The password hint for the router is the name of our first boat.",
    "Our landlord Mr Alder wants the keys back by Friday.",
    "In Python I always use tabs, sorry about that.",
    "我的猫叫小白，今年三岁。",
)
TALK = (
    "How do I boil an egg?",
    "Put it into boiling water for seven minutes. Cool it in cold water afterwards so that it peels easily.",
    "Explain how a bicycle stays upright.",
    "A moving bicycle steers into the fall; the front wheel follows and brings the wheels back under the rider.",
    "Write a short poem about autumn.",
    "Leaves let go, the river carries gold, and evening comes early to the hills.",
    "What is a hash table?",
    "A hash table keeps keys in buckets that a function chooses; looking up takes constant time on average.",
    "Give me ideas for a birthday.",
    "A picnic by the river, a small concert at home, or a day of cooking together with friends.",
)


def message(number: int, *parts: Part | str, excluded: bool = False) -> StoredMessage:
    values = tuple(TextPart(part) if isinstance(part, str) else part for part in parts)
    role = Role.ASSISTANT if number % 2 else Role.USER
    return StoredMessage(f"m{number}", "c", None, role, values, MessageState.COMPLETE, 0.0, excluded=excluded)


MESSAGES = [message(number, text) for number, text in enumerate((*FACTS, *TALK, *TALK))]


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("What does my sister do for a living?", "violins"),
        ("What's my sister's name?", "Mara"),
        ("How much money may the kitchen cost?", "14,300"),
        ("When does my train to Lisbon leave?", "platform 9"),
        ("Can I eat walnut cake?", "walnuts"),
        ("Wie alt ist mein Hund?", "Bruno"),
        ("Who is the landlord and when does he want the keys?", "Alder"),
        ("What was the hint for the router's password?", "boat"),
        ("我的猫叫什么名字？", "小白"),
        ("Tabs or spaces in Python, what do I use?", "tabs"),
    ],
)
def test_a_fact_comes_back(question: str, wanted: str) -> None:
    assert any(wanted in part.text for part in recall(question, MESSAGES, max_characters=1800))


@pytest.mark.parametrize(
    "question",
    [
        "Write a haiku about snow.", "What is the capital of Norway?", "Thanks!", "Which planets have rings?",
        "Translate 'good morning' into Spanish.", "Now make it shorter.", "How do volcanoes form?", "Continue.",
        "Schreibe eine Mail an meinen Chef.", "Plan three days in Vienna by train.", "", "???",
    ],
)  # fmt: skip
def test_nothing_comes_back_where_nothing_fits(question: str) -> None:
    assert recall(question, MESSAGES, max_characters=1800) == ()


def test_a_passage_says_whose_it_is() -> None:
    (own,) = recall("Which platform is my Lisbon train?", MESSAGES, max_characters=1800)
    assert (own.message_id, own.origin, own.name) == ("m3", "assistant", "")
    file = message(
        40, AttachmentPart("lease.txt", "Heating is paid by the tenant. " * 3 + "Clause 7 forbids parrots.", 9)
    )
    (found,) = recall("What does clause 7 say about parrots?", [*MESSAGES, file], max_characters=1800)
    assert (found.message_id, found.origin, found.name) == ("m40", "document", "lease.txt")


def test_long_texts_come_back_in_pieces_and_within_their_room() -> None:
    letter = ". ".join(f"Sentence {n} is about {'otters and rivers' if n > 180 else 'mud'}" for n in range(200))
    parts = recall("otters in rivers", [*MESSAGES, message(40, letter), message(42, letter)], max_characters=1500)
    assert 1 <= len(parts) <= PASSAGES
    assert all(len(part.text) <= PASSAGE_CHARACTERS for part in parts)
    assert sum(len(part.text) for part in parts) <= 1500
    assert recall("otters in rivers", [message(40, letter)], max_characters=100) == ()


def test_words_are_compared_by_their_beginning() -> None:
    assert list(terms("Violins VIOLIN décidé")) == ["violin", "violin", "decide"]
    assert list(terms("a 9 小白猫")) == ["9", "小白", "白猫"]


def test_only_what_the_prompt_leaves_out_is_looked_through() -> None:
    path = [message(0, "a" * 300), message(1, "b"), message(2, "c", excluded=True), message(3, "d")]
    pages = tuple(
        PromptPage("user", 100, Region.OLDER, state, message_id=f"m{n}")
        for n, state in enumerate((PageState.OUT, PageState.NEXT_OUT, PageState.OUT, PageState.OUT))
    )
    plan = PromptPlan(pages, (), 0, 0, 4096, ("m0", "m2"))
    assert [each.id for each in out_of_window(path, plan)] == ["m0", "m3"]
    assert characters_for(plan, path[:1]) == round(4096 // 8 * 3.0)
