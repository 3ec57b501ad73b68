"""Pages as a person reads them: folding, places, words, and asking the engine."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.memory_pages import PromptWords, WhyOut, words_of
from app.memory_view import Remembered, read_memory, remembered, view_of_plan, view_of_start
from app.prompt_source import PromptSource
from app.settings import Settings
from app.store.store import ConversationStore
from app.store.types import TextPart
from engine.context.segments import Origin, PromptMessage, Role, Segment, Trust
from engine.errors import HearthError
from engine.fake import FakeEngine
from engine.pages import CacheEntry, CacheReport, PageState, PromptPage, PromptPlan, Region, RegionUse
from engine.types import Started

MESSAGES = (
    PromptMessage(Role.SYSTEM, (Segment("Be kind.", Origin.PERSONA),)),
    PromptMessage(
        Role.USER,
        (
            Segment("Attached file ", Origin.APP),
            Segment("a.txt", Origin.DOCUMENT, Trust.UNTRUSTED, "a.txt"),
            Segment(":\n<<<\n", Origin.APP),
            Segment("All about radiators", Origin.DOCUMENT, Trust.UNTRUSTED, "a.txt"),
            Segment("\n>>>\n", Origin.APP),
            Segment("What is this?", Origin.USER),
        ),
        "m1",
    ),
)
PAGES = (
    PromptPage("app", 3, Region.SYSTEM),
    PromptPage("persona", 10, Region.SYSTEM),
    PromptPage("app", 4, Region.SYSTEM),
    PromptPage("user", 90, Region.OLDER, PageState.OUT, "m0"),
    PromptPage("app", 2, Region.RECENT, message_id="m1"),
    PromptPage("document", 5, Region.RECENT, message_id="m1", label="a.txt"),
    PromptPage("app", 1, Region.RECENT, message_id="m1"),
    PromptPage("document", 40, Region.RECENT, message_id="m1", label="a.txt"),
    PromptPage("app", 1, Region.RECENT, message_id="m1"),
    PromptPage("user", 6, Region.RECENT, message_id="m1"),
    PromptPage("app", 7, Region.RECENT),
)


def test_template_words_join_their_neighbours_and_nothing_is_lost() -> None:
    plan = PromptPlan(PAGES, (), 79, 17, 256)
    view = view_of_plan(plan, words_of(MESSAGES), reserve=64)
    shown = [(page.origin, page.label, page.start, page.tokens, page.format_tokens) for page in view.pages]
    assert shown == [
        ("persona", "", 0, 17, 7),
        ("document", "a.txt", 17, 48, 3),
        ("user", "", 65, 14, 8),
        ("user", "", -1, 90, 0),
    ]
    assert dict(view.by_origin) == {"app": 18, "persona": 10, "document": 45, "user": 6}
    assert sum(tokens for _, tokens in view.by_origin) == plan.prompt_tokens
    assert view.pages[1].text == "All about radiators"
    assert view.pages[-1].state is PageState.OUT
    assert view.reserve == 64


def test_a_start_knows_what_is_kept_for_the_answer() -> None:
    started = Started("r", 79, 17, 256, 1, pages=PAGES, regions=(RegionUse(Region.ANSWER, 0, 50),))
    view = view_of_start(started, words_of(MESSAGES))
    assert (view.cached_tokens, view.read_tokens, view.reserve) == (17, 17, 50)
    assert view.pages[0].text == "Be kind."


def test_a_prompt_of_template_words_alone_is_one_page() -> None:
    view = view_of_plan(PromptPlan((PromptPage("app", 5, Region.SYSTEM),), (), 5, 0, 64), PromptWords())
    assert [(page.origin, page.tokens) for page in view.pages] == [("app", 5)]
    assert view_of_plan(PromptPlan((), (), 0, 0, 64), PromptWords()).pages == ()


def test_two_messages_of_one_kind_stay_two_pages() -> None:
    pages = (
        PromptPage("user", 5, Region.RECENT, message_id="m1"),
        PromptPage("user", 6, Region.RECENT, message_id="m2"),
    )
    assert len(view_of_plan(PromptPlan(pages, (), 11, 0, 64), PromptWords()).pages) == 2


def test_why_a_page_is_out() -> None:
    old = (
        PromptMessage(Role.USER, (Segment("Old", Origin.USER),), "m0", excluded=True),
        PromptMessage(Role.USER, (Segment("Older", Origin.USER),), "m8", excluded=True),
    )
    words = words_of((*old, *MESSAGES), ["m0"])
    more = (PromptPage("user", 3, Region.OLDER, PageState.OUT, each) for each in ("m8", "m9"))
    started = Started("r", 79, 17, 256, 1, pages=(*PAGES, *more))
    out = [(page.message_id, page.why_out) for page in view_of_start(started, words).pages if page.start < 0]
    assert out == [("m0", WhyOut.PERSON), ("m8", WhyOut.SUMMARY), ("m9", WhyOut.ROOM)]


def test_what_else_is_remembered() -> None:
    entries = (
        CacheEntry("old", 100, True, False, 90.0),
        CacheEntry("here", 500, False, True, 0.0),
        CacheEntry("both", 300, False, False, 5.0),
        CacheEntry("both", 280, True, False, 50.0),
        CacheEntry("", 12, False, False, 1.0),
    )
    report = CacheReport(entries, 0, 0, 0, 0)
    assert remembered(report, but="here") == [
        Remembered("both", 300, True, True),
        Remembered("old", 100, False, True),
    ]


def test_asking_the_engine(tmp_path: Path) -> None:
    engine = FakeEngine()
    store = ConversationStore.open(tmp_path / "conversations.db")
    conversation = store.create_conversation(system_prompt="Be kind.")
    parent = None
    for words in ("One", "Two", "Three"):
        message = store.add_message(conversation.id, parent_id=parent, role=Role.USER, parts=(TextPart(words),))
        told = store.add_message(conversation.id, parent_id=message.id, role=Role.ASSISTANT, parts=(TextPart("Yes"),))
        parent = told.id
    first, second = store.path(conversation.id)[:2]
    store.add_summary(conversation.id, first.id, second.id, "It began with one.")
    store.update_message(store.path(conversation.id)[2].id, excluded=True)
    source = PromptSource.read(store, conversation.id)
    with ThreadPoolExecutor(1) as pool:
        view = read_memory(engine, pool, source, Settings()).result(10)
        assert [(page.origin, page.text, page.start >= 0) for page in view.pages] == [
            ("persona", "Be kind.", True),
            ("summary", "It began with one.", True),
            ("assistant", "Yes", True),
            ("user", "Three", True),
            ("assistant", "Yes", True),
            ("user", "One", False),
            ("assistant", "Yes", False),
            ("user", "Two", False),
        ]
        assert [page.why_out for page in view.pages[-3:]] == [WhyOut.SUMMARY, WhyOut.SUMMARY, WhyOut.PERSON]
        engine.unload().result(10)
        with pytest.raises(HearthError):
            read_memory(engine, pool, source, Settings()).result(10)
    store.close()
    engine.close()
