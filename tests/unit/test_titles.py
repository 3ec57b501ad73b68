"""Automatic titles: what is made of a model's words, when one is asked for, and that a person's own one stays."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from app.store.types import AttachmentPart, Conversation
from app.titles import TITLE_LENGTH, clean_title, provisional_title
from engine.fake import FakeAnswer
from engine.types import FinishReason
from tests.unit.chat_bench import WAIT_S, Bench


@pytest.mark.parametrize(
    ("answer", "title"),
    [
        ("Sourdough for beginners", "Sourdough for beginners"),
        ('"Sourdough for beginners"', "Sourdough for beginners"),
        ("**Title:** Sourdough.", "Sourdough"),
        ("Title: “Sourdough”", "Sourdough"),
        ("Titel: Brot backen", "Brot backen"),
        ("# Sourdough\n\nIt is about bread.", "Sourdough"),
        ("- Sourdough", "Sourdough"),
        ("\n\n  Sour \t dough  ", "Sour dough"),
        ("The title is: C++ templates", "C++ templates"),
        ("Title fights in boxing", "Title fights in boxing"),
        ("パンの焼き方", "パンの焼き方"),
        ("", ""),
        ("...", ""),
        ("!", ""),
    ],
)
def test_clean_title(answer: str, title: str) -> None:
    assert clean_title(answer) == title


def test_a_long_title_ends_at_a_word() -> None:
    title = clean_title("word " * 40)
    assert len(title) <= TITLE_LENGTH
    assert title.endswith("word…")
    assert len(clean_title("x" * 200)) <= TITLE_LENGTH


@pytest.mark.parametrize(
    ("question", "names", "title"),
    [
        ("How do I bake bread?", [], "How do I bake bread?"),
        ("\n\n# Bread\nplease", [], "Bread"),
        ("```python\nprint()\n```", [], "```python"),
        ("", ["notes.txt"], "notes.txt"),
        ("???", [], "???"),
        ("---\nwhy", [], "why"),
    ],
)
def test_provisional_title(question: str, names: Sequence[str], title: str) -> None:
    assert provisional_title(question, names) == title


def titled(bench: Bench, conversation_id: str, title: str) -> Conversation:
    bench.events.until(lambda: bench.store(lambda store: store.conversation(conversation_id)).title == title)
    return bench.store(lambda store: store.conversation(conversation_id))


def test_the_first_words_stand_in_at_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    conversation_id, _answer = bench.ask("How do I bake bread with sourdough?")
    conversation = bench.store(lambda store: store.conversation(conversation_id))
    bench.close()
    assert (conversation.title, conversation.title_is_automatic) == ("How do I bake bread with sourdough?", True)
    assert len(bench.fake.requests) == 1, "with automatic titles off, the model is not asked"


def test_the_model_gives_a_title_after_the_first_answer(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ["Mix and wait.", '"Baking bread"', "And again."], titles=True)
    conversation_id, _answer = bench.ask("How do I bake bread with sourdough?")
    conversation = titled(bench, conversation_id, "Baking bread")
    bench.ask("And then?", conversation_id)
    bench.close()
    assert conversation.title_is_automatic
    asked = bench.fake.requests
    assert [request.background for request in asked] == [False, True, False], "asked once"
    # The question and its answer stand first, so that the cache of the conversation serves the title too.
    assert [message.text for message in asked[1].messages[:2]] == [
        "How do I bake bread with sourdough?",
        "Mix and wait.",
    ]
    assert (asked[1].sampling.temperature, asked[1].thinking) == (0.0, False)


def test_a_persons_own_title_is_never_replaced(tmp_path: Path) -> None:
    bench = Bench(tmp_path, titles=True)
    conversation = bench.store(lambda store: store.create_conversation(title="Mine"))
    bench.ask("How do I bake bread with sourdough?", conversation.id)
    title = bench.store(lambda store: store.conversation(conversation.id)).title
    bench.close()
    assert title == "Mine"
    assert len(bench.fake.requests) == 1


def test_a_name_given_while_the_model_thinks_wins(tmp_path: Path) -> None:
    import threading

    gate = threading.Event()
    bench = Bench(tmp_path, ["Mix.", FakeAnswer("Baking bread", gate=gate)], titles=True)
    conversation_id, _answer = bench.ask("How do I bake bread with sourdough?")
    bench.store(lambda store: store.rename(conversation_id, "Mine"))
    gate.set()
    # The title request is answered before this one; its result is then on the store's thread before our question.
    bench.ask("And?", conversation_id)
    title = bench.store(lambda store: store.conversation(conversation_id)).title
    bench.close()
    assert title == "Mine"


def test_a_useless_title_leaves_the_first_words_and_is_tried_again(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ["Mix.", "...", "Bake.", "Baking bread"], titles=True)
    conversation_id, _answer = bench.ask("How do I bake bread with sourdough?")
    bench.ask("And?", conversation_id)
    assert titled(bench, conversation_id, "Baking bread").title == "Baking bread"
    bench.close()


def test_a_title_that_was_cut_off_is_not_taken(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ["Mix.", FakeAnswer("Bak", reason=FinishReason.CANCELLED), "Bake.", ""], titles=True)
    conversation_id, _answer = bench.ask("How do I bake bread with sourdough?")
    bench.ask("And?", conversation_id)
    title = bench.store(lambda store: store.conversation(conversation_id)).title
    bench.close()
    assert title == "How do I bake bread with sourdough?"


def test_an_attachment_alone_gives_its_name(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    conversation_id = bench.chat.send(None, "", [AttachmentPart("notes.txt", "x", 1)]).result(WAIT_S)
    bench.finished(conversation_id)
    title = bench.store(lambda store: store.conversation(conversation_id)).title
    bench.close()
    assert title == "notes.txt"


def test_a_short_question_names_its_chat_itself(tmp_path: Path) -> None:
    bench = Bench(tmp_path, titles=True)
    conversation_id, _answer = bench.ask("hi")
    title = bench.store(lambda store: store.conversation(conversation_id)).title
    bench.close()
    assert title == "hi"
    assert len(bench.fake.requests) == 1
