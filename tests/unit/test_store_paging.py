"""What paging keeps in the store: summaries, recalled passages, excluded messages, and the migration to them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.store.database import newest_version
from app.store.exporting import to_json
from app.store.importing import import_file
from app.store.store import ConversationStore
from app.store.summaries import covered_by, newest_on
from app.store.types import AttachmentPart, MessageUsage, ReasoningPart, RecallPart, StoredMessage, TextPart
from engine.cancel import CancelToken
from engine.context.segments import Role
from engine.errors import StoreError

FIRST_RELEASE = Path(__file__).parents[1] / "data" / "stores" / "conversations-1.db"
"""Written by the first version of the store: two branches, an attachment, reasoning, a pin, usage."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ConversationStore]:
    store = ConversationStore.open(tmp_path / "conversations.db")
    yield store
    store.close()


def talk(store: ConversationStore, turns: int) -> tuple[str, list[StoredMessage]]:
    conversation_id = store.create_conversation(title="t").id
    parent = None
    for n in range(turns):
        parent = store.add_message(conversation_id, parent_id=parent, role=Role.USER, parts=(TextPart(f"q{n}"),)).id
        parent = store.add_message(conversation_id, parent_id=parent, role=Role.ASSISTANT, parts=(TextPart("a"),)).id
    return conversation_id, store.path(conversation_id)


def test_a_file_of_the_first_version_is_brought_up_to_date_and_whole(tmp_path: Path) -> None:
    path = tmp_path / "conversations.db"
    shutil.copyfile(FIRST_RELEASE, path)
    store = ConversationStore.open(path, backups=tmp_path / "backups")
    assert store._db.version() == newest_version() >= 2
    (conversation,) = store.conversations()
    question, first, second = store.tree(conversation.id)
    assert question.parts == (TextPart("Read this"), AttachmentPart("notes.txt", "Lina plays the cello.", 21))
    assert first.parts == (ReasoningPart("Hm", 1.5), TextPart("Lina plays the cello."))
    assert first.pinned and not first.excluded
    assert first.usage == MessageUsage(10, 5, 3, 2048, 0.5, 1.5, 0)
    assert [each.id for each in store.path(conversation.id)] == [question.id, second.id]
    assert store.summaries(conversation.id) == []
    store.add_summary(conversation.id, question.id, second.id, "S")
    assert store.update_message(first.id, excluded=True).excluded
    assert store.is_sound() and [hit.message_id for hit in store.search("cello")] == [first.id]
    assert len(list((tmp_path / "backups").iterdir())) == 1, "a copy was made before"
    store.close()


def test_summaries_are_kept_edited_undone_and_done_again(store: ConversationStore) -> None:
    conversation_id, path = talk(store, 3)
    made = store.add_summary(conversation_id, path[0].id, path[3].id, "They talked.")
    assert (made.text, made.edited, made.undone) == ("They talked.", False, False)
    assert store.edit_summary(made.id, "They agreed.").edited
    assert store.set_summary_undone(made.id, True).undone
    assert store.summaries(conversation_id) == [store.summary(made.id)]
    assert not store.set_summary_undone(made.id, False).undone
    assert [m.text for m in store.path(conversation_id)] == [m.text for m in path], "no message is touched"
    with pytest.raises(StoreError):
        store.summary("none")


def test_the_newest_summary_on_the_path_counts(store: ConversationStore) -> None:
    conversation_id, path = talk(store, 4)
    first = store.add_summary(conversation_id, path[0].id, path[1].id, "one")
    second = store.add_summary(conversation_id, path[0].id, path[3].id, "two")
    summaries = store.summaries(conversation_id)
    assert newest_on(path, summaries) == second
    assert covered_by(second, path) == tuple(path[:4])
    assert newest_on(path[:3], summaries) == first, "the second ends on another branch"
    assert newest_on(path[:1], summaries) is None
    store.set_summary_undone(second.id, True)
    assert newest_on(path, store.summaries(conversation_id)) == first
    assert covered_by(None, path) == ()


def test_a_branch_takes_its_summaries_along(store: ConversationStore) -> None:
    conversation_id, path = talk(store, 4)
    store.add_summary(conversation_id, path[0].id, path[1].id, "one")
    store.add_summary(conversation_id, path[0].id, path[5].id, "beyond the branch")
    branch = store.branch_conversation(path[3].id)
    copied = store.path(branch.id)
    (summary,) = store.summaries(branch.id)
    assert (summary.text, summary.first_message_id, summary.last_message_id) == ("one", copied[0].id, copied[1].id)


def test_what_is_thrown_away_for_good_takes_its_summary_along(store: ConversationStore) -> None:
    conversation_id, path = talk(store, 2)
    store.add_summary(conversation_id, path[0].id, path[1].id, "one")
    store.delete_conversation(conversation_id)
    assert store.purge_deleted(path[-1].created_at + 1_000_000) == 1
    assert store.summaries(conversation_id) == []


def test_recalled_passages_and_exclusion_survive_and_travel(store: ConversationStore, tmp_path: Path) -> None:
    conversation_id, path = talk(store, 2)
    recalled = RecallPart(path[0].id, "q0", "document", "notes.txt")
    question = store.update_message(path[2].id, parts=(recalled, TextPart("q1")), excluded=True)
    assert question.parts == (recalled, TextPart("q1")) and question.text == "q1"
    branch = store.branch_conversation(path[3].id)
    copied = store.path(branch.id)
    assert copied[2].parts[0] == RecallPart(copied[0].id, "q0", "document", "notes.txt")
    assert copied[2].excluded
    file = tmp_path / "export.json"
    file.write_text(to_json(store.conversation(conversation_id), store.tree(conversation_id)), "utf-8")
    store.delete_conversation(conversation_id)
    import_file(store, file, lambda _done, _total: None, CancelToken())
    (imported,) = [each for each in store.conversations() if each.id != branch.id]
    assert store.tree(imported.id)[2].parts[0] == RecallPart(
        store.tree(imported.id)[0].id, "q0", "document", "notes.txt"
    )
