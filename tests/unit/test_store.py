"""The conversation store on a real SQLite file."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest

from app.limits import BACKUPS_KEPT, TITLE_CHARACTERS
from app.store.database import APPLICATION_ID, newest_version
from app.store.store import ConversationStore
from app.store.types import (
    AttachmentPart,
    Draft,
    MessageState,
    MessageUsage,
    Part,
    ReasoningPart,
    StoredMessage,
    TextPart,
)
from engine.context.segments import Role
from engine.errors import StoreError, StoreNewerError, StoreReadOnlyError
from engine.types import SamplingParams


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "conversations.db"


@pytest.fixture
def store(path: Path, tmp_path: Path) -> ConversationStore:
    return ConversationStore.open(path, backups=tmp_path / "backups")


def say(store: ConversationStore, conversation: str, text: str, parent: str | None = None) -> StoredMessage:
    role = Role.USER if parent is None or store.message(parent).role is Role.ASSISTANT else Role.ASSISTANT
    return store.add_message(conversation, parent_id=parent, role=role, parts=(TextPart(text),))


def test_everything_of_a_message_comes_back_after_reopening(store: ConversationStore, path: Path) -> None:
    parts: tuple[Part, ...] = (
        ReasoningPart("hm", 1.5),
        TextPart("Grüße 👋"),
        AttachmentPart("notes.txt", "one\ntwo", 7, "text/plain"),
    )
    conversation = store.create_conversation(title="First", model="m", system_prompt="be brief")
    sampling = SamplingParams(temperature=0.1, stop=("END",), logit_bias=((1, -1.0),), dry_sequence_breakers=("x",))
    store.set_sampling(conversation.id, sampling)
    store.set_tags(conversation.id, ("b", "a", "b"))
    made = store.add_message(conversation.id, parent_id=None, role=Role.ASSISTANT, parts=parts, model="m")
    usage = MessageUsage(10, 5, 3, 2048, 0.5, 1.5, 2)
    store.update_message(made.id, usage=usage, state=MessageState.STOPPED, error="why", pinned=True)
    store.close()

    again = ConversationStore.open(path)
    message = again.path(conversation.id)[0]
    assert message.parts == parts
    assert (message.usage, message.state, message.error, message.pinned) == (usage, MessageState.STOPPED, "why", True)
    back = again.conversation(conversation.id)
    assert (back.title, back.sampling, back.tags, back.system_prompt) == ("First", sampling, ("b", "a"), "be brief")


def test_branches_are_numbered_and_remembered(store: ConversationStore) -> None:
    c = store.create_conversation().id
    question = say(store, c, "q")
    first = say(store, c, "first", question.id)
    follow = say(store, c, "more", first.id)
    second = say(store, c, "second", question.id)
    assert (second.position, second.siblings) == (2, 2)
    assert [m.text for m in store.path(c)] == ["q", "second"]
    assert store.siblings(first.id) == [first.id, second.id]

    store.select_sibling(first.id)
    assert [m.text for m in store.path(c)] == ["q", "first", "more"], "the leaf last seen below the branch"
    assert [(m.position, m.siblings) for m in store.path(c)] == [(1, 1), (1, 2), (1, 1)]

    other = say(store, c, "other", first.id)
    store.select_sibling(second.id)
    store.select_sibling(first.id)
    assert store.path(c)[-1].id == other.id
    store.select_sibling(follow.id)
    store.select_sibling(second.id)
    store.select_sibling(first.id)
    assert store.path(c)[-1].id == follow.id


def test_edited_first_message_is_a_sibling_at_the_root(store: ConversationStore) -> None:
    c = store.create_conversation().id
    old, new = say(store, c, "old"), say(store, c, "new")
    assert store.siblings(new.id) == [old.id, new.id]
    assert [m.text for m in store.path(c)] == ["new"]


def test_deleted_message_takes_its_branch_and_comes_back(store: ConversationStore) -> None:
    c = store.create_conversation().id
    question = say(store, c, "q")
    first = say(store, c, "first", question.id)
    say(store, c, "below", first.id)
    second = say(store, c, "second", question.id)
    store.delete_message(second.id)
    assert [m.text for m in store.path(c)] == ["q", "first", "below"]
    store.delete_message(first.id)
    assert [m.text for m in store.path(c)] == ["q"]
    assert store.search("below") == []
    store.restore_message(first.id)
    assert [m.text for m in store.path(c)] == ["q", "first", "below"]
    assert len(store.search("below")) == 1


def test_conversation_list_order_bin_and_archive(store: ConversationStore) -> None:
    a, b, c = (store.create_conversation(title=name).id for name in "abc")
    say(store, a, "newest now")
    store.set_pinned(b, True)
    assert [x.title for x in store.conversations()] == ["b", "a", "c"]
    store.set_archived(c, True)
    assert [x.title for x in store.conversations()] == ["b", "a"]
    assert [x.title for x in store.conversations(archived=True)] == ["c"]
    store.delete_conversation(b)
    assert [x.title for x in store.conversations()] == ["a"]
    store.restore_conversation(b)
    assert [x.title for x in store.conversations()] == ["b", "a"]
    store.delete_conversation(a)
    assert store.purge_deleted(time.time() + 1) == 1
    with pytest.raises(StoreError, match="not there any more"):
        store.conversation(a)
    assert store.search("newest") == []


def test_folders(store: ConversationStore) -> None:
    folder = store.create_folder(" Work ")
    conversation = store.create_conversation(folder_id=folder.id)
    store.rename_folder(folder.id, "Office")
    assert [f.name for f in store.folders()] == ["Office"]
    store.delete_folder(folder.id)
    assert store.conversation(conversation.id).folder_id is None


def test_automatic_title_never_replaces_a_persons_own(store: ConversationStore) -> None:
    c = store.create_conversation().id
    store.rename(c, "guess", automatic=True)
    store.rename(c, "better guess", automatic=True)
    assert store.conversation(c).title == "better guess"
    store.rename(c, "mine")
    store.rename(c, "guess again", automatic=True)
    assert store.conversation(c).title == "mine"


@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_title_cap(store: ConversationStore, extra: int) -> None:
    c = store.create_conversation(title="x" * (TITLE_CHARACTERS + extra))
    assert len(c.title) == TITLE_CHARACTERS + min(extra, 0)


def test_branch_into_a_new_conversation(store: ConversationStore) -> None:
    c = store.create_conversation(title="Origin").id
    question = say(store, c, "q")
    answer = say(store, c, "a", question.id)
    say(store, c, "later", answer.id)
    branch = store.branch_conversation(answer.id)
    assert [m.text for m in store.path(branch.id)] == ["q", "a"]
    assert branch.title == "Origin"
    assert [m.text for m in store.path(c)] == ["q", "a", "later"]


def test_drafts(store: ConversationStore) -> None:
    c = store.create_conversation().id
    draft = Draft("half a thou", (AttachmentPart("a.txt", "x", 1),))
    store.save_draft(c, draft)
    store.save_draft(None, Draft("new"))
    assert (store.draft(c), store.draft(None)) == (draft, Draft("new"))
    store.save_draft(c, Draft())
    assert store.draft(c) == Draft()


def test_growing_answer_of_a_dead_program_is_marked(store: ConversationStore, path: Path) -> None:
    c = store.create_conversation().id
    answer = store.add_message(
        c, parent_id=None, role=Role.ASSISTANT, parts=(TextPart("half"),), state=MessageState.STREAMING
    )
    store.close()
    again = ConversationStore.open(path)
    assert again.recover_interrupted() == 1
    assert again.message(answer.id).state is MessageState.INTERRUPTED
    assert again.message(answer.id).text == "half"
    assert len(again.search("half")) == 1
    assert again.recover_interrupted() == 0


def test_any_sqlite_tool_can_read_it(store: ConversationStore, path: Path) -> None:
    c = store.create_conversation(title="Readable").id
    say(store, c, "hello")
    store.close()
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT conversation, role, text FROM messages_readable").fetchall() == [
        ("Readable", "user", "hello")
    ]
    assert connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
    assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    connection.close()


def test_newer_database_is_read_and_refused_for_writing(store: ConversationStore, path: Path) -> None:
    c = store.create_conversation(title="kept").id
    store.close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {newest_version() + 1}")
    connection.close()
    newer = ConversationStore.open(path)
    assert newer.read_only
    assert "newer Hearth" in newer.read_only_reason
    assert newer.conversation(c).title == "kept"
    with pytest.raises(StoreNewerError):
        newer.rename(c, "no")


def test_read_only_file_is_read_and_refused_for_writing(store: ConversationStore, path: Path) -> None:
    c = store.create_conversation(title="kept").id
    store.close()
    # Root may write anything, so the file is opened the way an unwritable one is.
    from app.store.database import Database

    database = Database(path)
    database.read_only = True
    closed = ConversationStore(database)
    assert closed.conversation(c).title == "kept"
    with pytest.raises(StoreReadOnlyError, match="may not write"):
        closed.rename(c, "no")


def test_backups_roll_and_are_whole(store: ConversationStore, tmp_path: Path) -> None:
    store.create_conversation(title="saved")
    for _ in range(BACKUPS_KEPT + 2):
        newest = store.backup()
    kept = sorted((tmp_path / "backups").iterdir())
    assert len(kept) == BACKUPS_KEPT
    assert kept[-1] == newest
    copy = ConversationStore.open(newest)
    assert [c.title for c in copy.conversations()] == ["saved"]


def test_failed_operation_leaves_nothing_behind(store: ConversationStore) -> None:
    c = store.create_conversation().id
    with pytest.raises(StoreError, match="not there any more"):
        store.add_message(c, parent_id="no such message", role=Role.USER, parts=(TextPart("lost"),))
    assert store.path(c) == []
    assert store.search("lost") == []


def test_long_conversation_can_be_purged(store: ConversationStore, tmp_path: Path) -> None:
    """SQLite's cascades end after 1,000 levels; a path is as long as a person writes."""
    c = store.create_conversation().id
    store.save_draft(c, Draft("half"))
    with store._db.transaction():
        parent = None
        for _ in range(1200):
            parent = say(store, c, "word", parent).id
    assert len(store.path(c)) == 1200
    store.delete_conversation(c)
    assert store.purge_deleted(time.time() + 1) == 1
    assert [store._db.rows(f"SELECT 1 FROM {table}") for table in ("messages", "parts", "searchable", "drafts")] == [
        [], [], [], [],
    ]  # fmt: skip
    assert store.search("word") == []


def test_deleted_messages_are_purged_after_their_time(store: ConversationStore) -> None:
    c = store.create_conversation().id
    question = say(store, c, "q")
    gone = say(store, c, "gone", question.id)
    say(store, c, "below", gone.id)
    kept = say(store, c, "kept", question.id)
    store.delete_message(gone.id)
    store.purge_deleted(time.time() - 60)
    store.restore_message(gone.id)
    store.delete_message(gone.id)
    store.purge_deleted(time.time() + 1)
    with pytest.raises(StoreError):
        store.message(gone.id)
    assert [m.id for m in store.tree(c)] == [question.id, kept.id]


def test_deleting_a_branch_that_is_not_shown_leaves_the_path(store: ConversationStore) -> None:
    c = store.create_conversation().id
    question = say(store, c, "q")
    first = say(store, c, "first", question.id)
    say(store, c, "second", question.id)
    store.delete_message(first.id)
    assert [m.text for m in store.path(c)] == ["q", "second"]
    assert [(m.position, m.siblings) for m in store.path(c)] == [(1, 1), (1, 1)]


def test_restoring_does_not_bring_back_what_was_deleted_before(store: ConversationStore) -> None:
    c = store.create_conversation().id
    question = say(store, c, "q")
    answer = say(store, c, "a", question.id)
    early = say(store, c, "early", answer.id)
    say(store, c, "late", answer.id)
    store.delete_message(early.id)
    store.delete_message(answer.id)
    store.restore_message(answer.id)
    assert [m.text for m in store.tree(c)] == ["q", "a", "late"]
    assert [m.text for m in store.path(c)] == ["q", "a", "late"]


def test_nothing_is_added_below_what_is_deleted(store: ConversationStore) -> None:
    c, other = store.create_conversation().id, store.create_conversation().id
    question = say(store, c, "q")
    with pytest.raises(ValueError, match="another conversation"):
        store.add_message(other, parent_id=question.id, role=Role.USER, parts=())
    store.delete_message(question.id)
    with pytest.raises(StoreError, match="was deleted"):
        store.add_message(c, parent_id=question.id, role=Role.USER, parts=())


def test_branch_of_a_growing_answer_stands_still(store: ConversationStore) -> None:
    c = store.create_conversation().id
    question = say(store, c, "q")
    answer = store.add_message(
        c, parent_id=question.id, role=Role.ASSISTANT, parts=(TextPart("half"),), state=MessageState.STREAMING
    )
    branch = store.branch_conversation(answer.id)
    assert [m.state for m in store.path(branch.id)] == [MessageState.COMPLETE, MessageState.STOPPED]
    assert store.message(answer.id).state is MessageState.STREAMING
    assert store.recover_interrupted() == 1


def test_halves_of_surrogate_pairs_can_be_stored(store: ConversationStore) -> None:
    c = store.create_conversation(title="t\ud800", system_prompt="s\udfff").id
    store.set_tags(c, ("a\ud800",))
    store.save_draft(c, Draft("d\ud800", (AttachmentPart("n\ud800", "x\ud800", 1),)))
    message = say(store, c, "m\ud800")
    assert message.text == "m?"
    assert store.conversation(c).title == "t?"
    assert store.draft(c).attachments[0].text == "x?"


def test_words_of_a_newer_hearth_do_not_hide_a_message(store: ConversationStore) -> None:
    c = store.create_conversation().id
    message = say(store, c, "hello")
    store._db.write("UPDATE messages SET role = 'critic', state = 'dreaming' WHERE id = ?", (message.id,))
    store._db.write("UPDATE parts SET kind = 'poem'")
    store._db.write('UPDATE conversations SET sampling = \'{"temperature": 0.5, "mood": 1}\'')
    found = store.path(c)[0]
    assert (found.role, found.state, found.text) == (Role.TOOL, MessageState.COMPLETE, "hello")
    assert store.conversation(c).sampling == SamplingParams(temperature=0.5)


def test_long_path_is_read_quickly(store: ConversationStore) -> None:
    c = store.create_conversation().id
    messages = tuple(
        StoredMessage(
            str(n), "", str(n - 1) if n else None, Role.USER, (TextPart("word " * 40),), MessageState.COMPLETE, 1.0
        )
        for n in range(1000)
    )
    with store._db.transaction():
        ids = store._messages.add_tree(c, messages)
        store.select_sibling(ids["0"])
    took = []
    for _ in range(5):
        start = time.process_time()
        assert len(store.path(c)) == 1000
        took.append(time.process_time() - start)
    assert min(took) < 0.04, "10 ms were measured"


def test_closing_twice_is_harmless(store: ConversationStore) -> None:
    store.close()
    store.close()
