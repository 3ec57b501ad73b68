"""Search over titles and messages: any text is a safe query, in any script."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.store.store import ConversationStore
from app.store.types import TextPart
from engine.context.segments import Role

TEXTS = {
    "english": "The elephants were running across the plain.",
    "german": "Die Straßenbahn fährt über die Brücke.",
    "chinese": "我昨天去了东京塔看日落。",
    "japanese": "東京都に住んでいます。",
    "code": "Use os.path.join('a', 'b') and C++ templates.",
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ConversationStore:
    store = ConversationStore.open(tmp_path_factory.mktemp("search") / "c.db")
    for name, text in TEXTS.items():
        conversation = store.create_conversation(title=f"About {name}")
        store.add_message(conversation.id, parent_id=None, role=Role.USER, parts=(TextPart(text),))
    return store


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("run", "english"),
        ("elephant runn", "english"),
        ("brucke", "german"),
        ("Straßenb", "german"),
        ("raßenb", "german"),
        ("东京塔", "chinese"),
        ("日落", "chinese"),
        ("東京都", "japanese"),
        ("path.join", "code"),
        ("About jap", "japanese"),
    ],
)
def test_finds(store: ConversationStore, query: str, found: str) -> None:
    assert f"About {found}" in [hit.title for hit in store.search(query)]


def test_title_comes_before_message_and_marks_show_the_match(store: ConversationStore) -> None:
    hits = store.search("english")
    assert hits[0].message_id is None
    start, end = hits[0].marks[0]
    assert hits[0].snippet[start:end].lower() == "english"
    hit = store.search("running")[0]
    assert [hit.snippet[a:b] for a, b in hit.marks] == ["running"]


def test_nothing_is_found_for_what_is_not_there(store: ConversationStore) -> None:
    assert store.search("zebra") == []
    assert store.search("   ") == []
    assert store.search("“”!?") == []


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    query=st.text(max_size=60) | st.sampled_from(['"', "a* OR b", "NEAR(", "col:x", "-", "a AND", "^b", "{x}", "%_\\"])
)
def test_any_text_is_a_query(store: ConversationStore, query: str) -> None:
    for hit in store.search(query):
        assert all(0 <= start <= end <= len(hit.snippet) for start, end in hit.marks)


def test_growing_answer_is_found_once_it_is_whole(tmp_path: Path) -> None:
    from app.store.types import MessageState

    store = ConversationStore.open(tmp_path / "c.db")
    c = store.create_conversation().id
    answer = store.add_message(c, parent_id=None, role=Role.ASSISTANT, parts=(), state=MessageState.STREAMING)
    store.update_message(answer.id, parts=(TextPart("growing words"),))
    assert store.search("growing") == []
    store.update_message(answer.id, state=MessageState.COMPLETE)
    assert len(store.search("growing")) == 1
    store.update_message(answer.id, parts=(TextPart("other words"),))
    assert store.search("growing") == []
    assert len(store.search("other")) == 1
