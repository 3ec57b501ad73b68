"""Summaries in idle time: when, of what, how they stand in prompts, and what the person does with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path

import pytest

from app.events import Notice, PathChanged, SummaryAdded, SummaryChanged
from app.prompting import prompt_messages
from app.store.types import AttachmentPart, MessageState, RecallPart, StoredMessage, Summary, TextPart
from app.summaries import clean_summary, cut_of
from engine.context.segments import Origin, Role, Trust
from engine.fake import FakeAnswer, FakeEngine
from engine.pages import PageState, PromptPage, PromptPlan, Region
from engine.types import GenerationRequest
from tests.unit.chat_bench import WAIT_S, Bench

MakeBench = Callable[..., Bench]
NEARLY_FULL = FakeAnswer("word " * 300, prompt_tokens=3500)
SUMMARY = "Mara builds violins in Tallinn; the kitchen may cost 14,300 euros."


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[MakeBench]:
    made: list[Bench] = []

    def make(script: Sequence[FakeAnswer | str] = (), **options: object) -> Bench:
        made.append(Bench(tmp_path, script, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for each in made:
        each.close()


def talk(b: Bench, turns: int) -> str:
    conversation_id, _ = b.ask("question 0")
    for n in range(1, turns):
        b.ask(f"question {n}", conversation_id)
    return conversation_id


def summarised(b: Bench) -> tuple[str, Summary]:
    """A conversation of six turns, the first ones of them summarised."""
    conversation_id = talk(b, 6)
    event = b.events.wait(lambda event: isinstance(event, SummaryAdded))
    assert isinstance(event, SummaryAdded)
    b.path(conversation_id)  # the store's thread has done with it
    return conversation_id, event.summary


def script() -> list[FakeAnswer | str]:
    return [*(["word " * 300] * 5), NEARLY_FULL, SUMMARY]


def test_a_nearly_full_window_has_its_older_turns_summarised(bench: MakeBench) -> None:
    b = bench(script())
    conversation_id, summary = summarised(b)
    path = b.path(conversation_id)
    assert summary.text == SUMMARY
    covered = [m.id for m in path].index(summary.last_message_id) + 1
    assert summary.first_message_id == path[0].id and 4 <= covered <= len(path) - 4
    assert len(path) == 12, "nothing is deleted"
    wish = next(r for r in b.fake.requests if r.request_id.startswith("summary-"))
    assert wish.background and wish.cache_key == conversation_id
    # The conversation's own beginning, so that what is in the cache is used, and only what is to be summarised.
    assert [m.message_id for m in wish.messages[:-1]] == [m.id for m in path[:covered]]
    warm = next(r for r in b.fake.requests if r.prefill_only)
    assert warm.background and warm.cache_key == conversation_id


def test_the_next_prompt_has_the_summary_in_the_messages_place(bench: MakeBench) -> None:
    b = bench([*script(), "fine"])
    conversation_id, summary = summarised(b)
    _, answer = b.ask("What now?", conversation_id)
    request = next(r for r in b.fake.requests if r.request_id == answer.id)
    path = b.path(conversation_id)
    covered = [m.id for m in path].index(summary.last_message_id) + 1
    assert all(m.excluded for m in request.messages[:covered])
    said = request.messages[covered]
    assert [s.origin for s in said.segments] == [Origin.APP, Origin.SUMMARY]
    assert said.segments[1].text == SUMMARY and said.message_id == summary.id
    assert not any(m.excluded for m in request.messages[covered:])
    warm = next(r for r in b.fake.requests if r.prefill_only)
    assert request.messages[: len(warm.messages)] == warm.messages, "what was read ahead is its beginning"


@pytest.mark.parametrize("policy", ["drop_oldest", "stop"])
def test_no_summary_unless_it_is_wanted(bench: MakeBench, policy: str) -> None:
    b = bench(script())
    b.services.settings.override("chat.overflow", policy)
    conversation_id = talk(b, 6)
    b.store(lambda store: store.summaries(conversation_id))
    assert not [r for r in b.fake.requests if r.background]
    b.chat.summarise_now(conversation_id).result(WAIT_S)
    b.events.wait(lambda event: isinstance(event, SummaryAdded))


def test_a_short_chat_has_nothing_to_summarise(bench: MakeBench) -> None:
    b = bench()
    conversation_id = talk(b, 2)
    b.chat.summarise_now(conversation_id).result(WAIT_S)
    b.events.wait(lambda event: isinstance(event, Notice) and "nothing to summarise" in event.text)


def test_a_summary_is_edited_and_undone(bench: MakeBench) -> None:
    b = bench(script())
    conversation_id, summary = summarised(b)
    assert b.chat.edit_summary(summary.id, " Mara. ").result(WAIT_S).text == "Mara."
    undone = b.chat.undo_summary(summary.id).result(WAIT_S)
    assert undone.undone and [e.summary.id for e in b.events.of(SummaryChanged)] == [summary.id] * 2
    _, answer = b.ask("And now?", conversation_id)
    request = next(r for r in b.fake.requests if r.request_id == answer.id)
    assert not any(m.excluded for m in request.messages)
    assert b.chat.summaries(conversation_id).result(WAIT_S) == [undone], "no other is made after it"
    b.chat.undo_summary(summary.id, False).result(WAIT_S)
    with pytest.raises(ValueError, match="words"):
        b.chat.edit_summary(summary.id, "  ")


def test_a_later_summary_covers_the_earlier_one_and_more(bench: MakeBench) -> None:
    b = bench([*script(), "prefilled", *(["word " * 300] * 6)])
    conversation_id, first = summarised(b)
    for n in range(5):
        b.ask(f"more {n}", conversation_id)
    b.events.until(lambda: len(b.events.of(SummaryAdded)) == 2)
    second = b.events.of(SummaryAdded)[1].summary
    path = [m.id for m in b.path(conversation_id)]
    assert second.first_message_id == first.first_message_id
    assert path.index(second.last_message_id) > path.index(first.last_message_id)
    wish = [r for r in b.fake.requests if r.request_id.startswith("summary-")][1]
    assert first.id in [m.message_id for m in wish.messages], "it builds on the first"


def test_a_pinned_message_stays_word_for_word(bench: MakeBench) -> None:
    b = bench([*script(), "fine"])
    conversation_id, _ = summarised(b)
    first = b.path(conversation_id)[0]
    assert b.chat.set_pinned(first.id, True).result(WAIT_S).pinned
    assert PathChanged(conversation_id) in b.events.events
    _, answer = b.ask("What now?", conversation_id)
    request = next(r for r in b.fake.requests if r.request_id == answer.id)
    assert not request.messages[0].excluded and request.messages[1].excluded


def test_an_evicted_message_is_out_until_it_is_let_in(bench: MakeBench) -> None:
    b = bench()
    conversation_id = talk(b, 2)
    first = b.path(conversation_id)[0]
    b.chat.set_pinned(first.id, True).result(WAIT_S)
    out = b.chat.evict(first.id).result(WAIT_S)
    assert out.excluded and not out.pinned
    _, answer = b.ask("Now?", conversation_id)
    request = next(r for r in b.fake.requests if r.request_id == answer.id)
    assert [m.excluded for m in request.messages] == [True, False, False, False, False]
    assert not b.chat.evict(first.id, False).result(WAIT_S).excluded
    b.chat.evict(first.id).result(WAIT_S)
    assert not b.chat.set_pinned(first.id, True).result(WAIT_S).excluded


# Recall


class Forgetful(FakeEngine):
    """Says of every conversation that its first two messages do not fit."""

    def plan(self, request: GenerationRequest) -> Future[PromptPlan]:
        plan = super().plan(request).result()
        gone = tuple(m.message_id for m in request.messages[:2]) if len(request.messages) > 4 else ()
        future: Future[PromptPlan] = Future()
        future.set_result(PromptPlan(plan.pages, (), plan.prompt_tokens, 0, plan.n_ctx, gone))
        return future


LONG = "The river runs past the old mill, and nobody remembers who built it. " * 90
FACT = "My sister is called Mara Ilves and builds violins in Tallinn."


def forgetful(bench: MakeBench, *, recalls: bool = True) -> tuple[Bench, str]:
    b = bench(engine=Forgetful([LONG, LONG, "Mara."]))
    b.services.settings.override("chat.recall", recalls)
    conversation_id, _ = b.ask(FACT)
    b.ask("Tell me about the mill.", conversation_id)
    b.ask("What does my sister build?", conversation_id)
    return b, conversation_id


def test_what_a_question_needs_comes_back_into_it_and_stays(bench: MakeBench) -> None:
    b, conversation_id = forgetful(bench)
    path = b.path(conversation_id)
    part = path[4].parts[0]
    assert part == RecallPart(path[0].id, FACT, "user")
    asked = b.fake.requests[-1].messages[-1]
    assert asked.text == f"From earlier in this conversation, by me:\n<<<\n{FACT}\n>>>\n\nWhat does my sister build?"
    assert [(s.origin, bool(s.label)) for s in asked.segments][1] == (Origin.USER, True)
    b.ask("Thanks", conversation_id)
    assert b.fake.requests[-1].messages[4] == asked, "prompts only grow at their end"
    b.chat.edit(path[4].id, "Never mind").result(WAIT_S)
    b.finished(conversation_id)
    assert b.path(conversation_id)[4].parts == (TextPart("Never mind"),)


def test_nothing_comes_back_with_recall_switched_off(bench: MakeBench) -> None:
    b, conversation_id = forgetful(bench, recalls=False)
    assert b.path(conversation_id)[4].parts == (TextPart("What does my sister build?"),)


# Values


def stored(number: int, *parts: TextPart | AttachmentPart | RecallPart, **fields: bool) -> StoredMessage:
    role = Role.ASSISTANT if number % 2 else Role.USER
    return StoredMessage(f"m{number}", "c", None, role, parts, MessageState.COMPLETE, 0.0, **fields)  # type: ignore[arg-type]


def test_a_summary_of_untrusted_text_is_untrusted(bench: MakeBench) -> None:
    b = bench()
    conversation = b.store(lambda store: store.create_conversation())
    summary = Summary("s", "c", "m0", "m1", "x\u202ey", 0.0)
    plain = [stored(0, TextPart("q")), stored(1, TextPart("a")), stored(2, TextPart("next"))]
    with_file = [stored(0, TextPart("q"), AttachmentPart("f", "t", 1)), *plain[1:]]
    with_recall = [stored(0, RecallPart("m", "t", "document", "f"), TextPart("q")), *plain[1:]]
    for path, trust in ((plain, Trust.TRUSTED), (with_file, Trust.UNTRUSTED), (with_recall, Trust.UNTRUSTED)):
        messages = prompt_messages(conversation, path, b.services.settings, summary)
        assert [m.message_id for m in messages] == ["m0", "m1", "s", "m2"]
        assert messages[2].segments[1].trust is trust
        assert messages[2].segments[1].text == ("xy" if trust is Trust.UNTRUSTED else "x\u202ey")
    assert [m.message_id for m in prompt_messages(conversation, plain[:1], b.services.settings, summary)] == ["m0"]


def plan_of(tokens: Sequence[int], n_ctx: int) -> PromptPlan:
    pages = tuple(
        PromptPage("user", count, Region.OLDER, PageState.IN_WINDOW, f"m{n}") for n, count in enumerate(tokens)
    )
    return PromptPlan(pages, (), sum(tokens), 0, n_ctx)


@pytest.mark.parametrize(
    ("tokens", "covered", "wanted", "cut"),
    [
        ([100] * 12, 0, False, 6),  # no more than can be read at once, beside the wish and the summary
        ([20] * 12 + [600, 20, 20, 20], 0, False, 12),
        ([10] * 12, 0, False, 0),  # not worth its while
        ([10] * 12, 0, True, 8),
        ([100] * 4, 0, True, 0),  # the last two turns always stay
        ([100] * 12, 8, False, 8),
        ([100] * 20, 8, False, 14),  # no more than can be read at once
    ],
)
def test_where_a_summary_ends(tokens: list[int], covered: int, wanted: bool, cut: int) -> None:
    path = [stored(n, TextPart("x")) for n in range(len(tokens))]
    n_ctx = 1000 if len(tokens) < 20 else 1050
    assert cut_of(path, covered, plan_of(tokens, n_ctx), wanted=wanted) == cut


@pytest.mark.parametrize(
    ("answer", "whole", "summary"),
    [
        ("**Summary:** Mara builds violins in Tallinn.", True, "Mara builds violins in Tallinn."),
        ("Summary of our conversation:\nMara builds violins.", True, "Mara builds violins."),
        ("Mara builds violins. The kitchen may co", False, "Mara builds violins."),
        ("In summary she builds violins and cellos.", True, "In summary she builds violins and cellos."),
        ("ok", True, ""),
    ],
)
def test_what_the_model_wrote_is_cleaned(answer: str, whole: bool, summary: str) -> None:
    assert clean_summary(answer, whole=whole) == summary
