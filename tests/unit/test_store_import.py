"""Import of other programs' exports, and the way out and back in of our own."""

from __future__ import annotations

import json
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from app import limits
from app.store import exporting
from app.store.foreign import ForeignConversation
from app.store.importing import ImportResult, import_file, import_with
from app.store.store import ConversationStore
from app.store.types import AttachmentPart, Conversation, MessageState, MessageUsage, ReasoningPart, TextPart
from engine.cancel import CancelToken
from engine.context.segments import Role
from engine.errors import ImportFormatError, LimitError
from engine.types import SamplingParams

DATA = Path(__file__).parent.parent / "data" / "imports"


@pytest.fixture
def store(tmp_path: Path) -> ConversationStore:
    return ConversationStore.open(tmp_path / "c.db")


def bring(store: ConversationStore, path: Path) -> ImportResult:
    return import_file(store, path, lambda done, total: None, CancelToken())


def titles(store: ConversationStore) -> dict[str, str]:
    return {c.title: c.id for c in store.conversations()}


def test_chatgpt(store: ConversationStore) -> None:
    result = bring(store, DATA / "chatgpt.json")
    assert (result.imported, result.skipped_duplicates, len(result.problems)) == (2, 0, 1)
    assert "Broken" in result.problems[0]
    bread = titles(store)["Baking bread"]
    path = store.path(bread)
    assert [m.role for m in path] == [Role.USER, Role.ASSISTANT], "the steps of one answer are one message"
    assert path[0].text == "[Image, not part of the export]\n\nHow long does sourdough rise?"
    assert path[1].parts == (
        ReasoningPart("It depends on warmth."),
        TextPart("Eight to twelve hours, in a cool room."),  # the hidden direction override is gone
    )
    assert path[1].model == "o3"
    assert len(store.siblings(path[1].id)) == 2, "the other answer is kept as a branch"
    assert store.conversation(bread).updated_at == 1700000100.25
    code = store.path(titles(store)["Sorting"])[-1].text
    assert code == "```python\nprint(sorted([3, 1, 2]))\n```"


def test_open_webui(store: ConversationStore) -> None:
    result = bring(store, DATA / "open-webui.json")
    assert (result.imported, result.problems) == (1, ())
    conversation = store.conversation(titles(store)["Packing list"])
    path = store.path(conversation.id)
    assert path[0].text == "[File, not part of the export: plan.pdf]\n\nWhat do I take to Norway?"
    assert path[1].parts == (ReasoningPart("It is cold there.\nWet, too.", 4.0), TextPart("A warm coat."))
    assert (path[-1].position, path[-1].siblings) == (1, 2)
    assert conversation.tags == ("travel",)
    assert conversation.created_at == 1710000000


def test_the_same_file_again_adds_nothing(store: ConversationStore) -> None:
    bring(store, DATA / "chatgpt.json")
    again = bring(store, DATA / "chatgpt.json")
    assert (again.imported, again.skipped_duplicates) == (0, 2)
    assert len(store.conversations()) == 2
    store.delete_conversation(titles(store)["Sorting"])
    assert bring(store, DATA / "chatgpt.json").imported == 1, "what was thrown away may come again"


def test_zip(store: ConversationStore, tmp_path: Path) -> None:
    archive = tmp_path / "export.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.write(DATA / "chatgpt.json", "conversations.json")
        file.writestr("user.json", "{}")
    assert bring(store, archive).imported == 2


def test_own_export_comes_back_whole(store: ConversationStore, tmp_path: Path) -> None:
    c = store.create_conversation(title="Tree", system_prompt="be kind\n", model="m")
    store.set_sampling(c.id, SamplingParams(temperature=0.1, seed=5, stop=("END",), logit_bias=((1, -1.5),)))
    store.set_tags(c.id, ("one", "two"))
    store.set_pinned(c.id, True)
    q = store.add_message(
        c.id, parent_id=None, role=Role.USER, parts=(TextPart("  q\n"), AttachmentPart("n.txt", "inside\n", 6))
    )
    parts = (ReasoningPart("r", 2.0), TextPart("one"))
    first = store.add_message(c.id, parent_id=q.id, role=Role.ASSISTANT, parts=parts, model="m")
    store.update_message(first.id, usage=MessageUsage(1, 2, 3, 4, 0.5, 0.25, 1), pinned=True)
    second = store.add_message(c.id, parent_id=q.id, role=Role.ASSISTANT, parts=(TextPart("two"),))
    store.update_message(second.id, state=MessageState.FAILED, error="why")
    store.add_message(c.id, parent_id=first.id, role=Role.USER, parts=(TextPart("below the first"),))
    store.select_sibling(second.id)
    file = tmp_path / "own.json"
    file.write_text(exporting.to_json(store.conversation(c.id), store.tree(c.id)), "utf-8")
    assert bring(store, file).skipped_duplicates == 1, "it is still here"

    other = ConversationStore.open(tmp_path / "other.db")
    assert bring(other, file).imported == 1
    copy, origin = other.conversations()[0], store.conversation(c.id)
    assert replace(copy, id="", active_leaf="") == replace(origin, id="", active_leaf="")
    before, after = store.tree(c.id), other.tree(copy.id)
    same = {"id": "", "conversation_id": "", "parent_id": ""}
    assert [replace(m, **same) for m in after] == [replace(m, **same) for m in before]
    ids = {old.id: new.id for old, new in zip(before, after, strict=True)}
    assert [m.parent_id for m in after] == [ids.get(m.parent_id or "") for m in before]
    assert [m.text for m in other.path(copy.id)] == ["  q\n", "two"]
    file.write_text(exporting.to_json(copy, after), "utf-8")
    assert bring(other, file).skipped_duplicates == 1
    other.close()


@pytest.mark.parametrize(
    "change",
    [
        {"sampling": {"temperature": "hot"}},
        {"sampling": {"stop": [1]}},
        {"sampling": {"logit_bias": [["a", "b"]]}},
        {"sampling": {"max_tokens": True}},
        {"messages": [{"id": "a", "parent_id": None, "role": "wizard", "created_at": 0, "parts": []}]},
        {"messages": [{"id": "a", "parent_id": None, "role": "user", "created_at": 0, "parts": [{"kind": "text"}]}]},
        {
            "messages": [
                {"id": "a", "parent_id": None, "role": "user", "created_at": 0, "parts": [], "usage": {"n_ctx": 1e300}}
            ]
        },
        {"title": 5, "tags": 5, "messages": [5]},
    ],
)
def test_own_export_with_impossible_values_is_named(
    store: ConversationStore, tmp_path: Path, change: dict[str, object]
) -> None:
    entry = {
        "id": "x", "title": "Odd", "created_at": 1, "updated_at": 1, "system_prompt": "", "tags": [],
        "active_leaf": None, "messages": [],
    }  # fmt: skip
    file = tmp_path / "odd.json"
    file.write_text(json.dumps({"conversations": [entry | change]}))
    result = bring(store, file)
    assert (result.imported, len(result.problems)) == (0, 1)


def chatgpt_of(*texts: object, **fields: object) -> dict[str, object]:
    """A ChatGPT conversation whose messages follow one another."""
    mapping = {
        str(number): {
            "id": str(number),
            "parent": str(number - 1) if number else None,
            "message": {
                "author": {"role": "user" if number % 2 == 0 else "assistant"},
                "create_time": number + 1,
                "content": {"content_type": "text", "parts": [text]},
            },
        }
        for number, text in enumerate(texts)
    }
    return {"id": "x", "title": "t", "current_node": str(len(texts) - 1), "mapping": mapping} | fields


def bring_json(store: ConversationStore, tmp_path: Path, *entries: object) -> ImportResult:
    file = tmp_path / "given.json"
    file.write_text(json.dumps(entries))
    return bring(store, file)


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        (1700000000, 1700000000.0),
        (1700000000123, 1700000000.123),
        (1700000000123456789, 1700000000.123456789),
        (-5, None),
        (1e308, None),
        ("yesterday", None),
        (10**30, None),
        (None, None),
        (True, 1.0),
    ],
)
def test_times_of_any_kind(store: ConversationStore, tmp_path: Path, given: object, seconds: float | None) -> None:
    assert bring_json(store, tmp_path, chatgpt_of("a", create_time=given, update_time=given)).imported == 1
    [conversation] = store.conversations()
    if seconds is None:
        assert abs(conversation.created_at - time.time()) < 60
    else:
        assert conversation.created_at == pytest.approx(seconds)


def test_what_utf8_or_sql_cannot_hold(store: ConversationStore, tmp_path: Path) -> None:
    file = tmp_path / "odd.json"
    entry = json.dumps(chatgpt_of("TEXT", title="TITLE", id="ID", is_archived="TITLE"))
    odd = {"TEXT": r"a\ud800b\u0000c", "TITLE": r"t\udfff\u0000\u202e", "ID": r"i\ud800\u0000"}
    for name, value in odd.items():
        entry = entry.replace(name, value)
    file.write_text(f"[{entry}]")
    assert bring(store, file).imported == 1
    [conversation] = store.conversations()
    assert conversation.title == "t"
    assert store.path(conversation.id)[0].text in ("abc", "a�bc")
    assert bring(store, file).skipped_duplicates == 1


@pytest.mark.parametrize("content", ["[" * 100_000, '{"a":' * 100_000, "[[" * 50_000 + "]]" * 50_000, "[" + "9" * 9999])
def test_deep_and_endless_json_is_refused(store: ConversationStore, tmp_path: Path, content: str) -> None:
    file = tmp_path / "deep.json"
    file.write_text(content)
    with pytest.raises((ImportFormatError, LimitError)):
        result = bring(store, file)
        raise ImportFormatError(" ".join(result.problems) or "silence")
    assert store.conversations() == []


def test_deep_tree_is_imported(store: ConversationStore, tmp_path: Path) -> None:
    texts = [f"turn {number}" for number in range(3000)]
    assert bring_json(store, tmp_path, chatgpt_of(*texts)).imported == 1
    assert [m.text for m in store.path(store.conversations()[0].id)] == texts


def test_conversation_cap(store: ConversationStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.store.importing.IMPORT_CONVERSATION_CHARACTERS", 300_000)
    small = [chatgpt_of("x" * 100_000, id=str(number)) for number in range(5)]
    assert bring_json(store, tmp_path, *small).imported == 5, "the cap is for one conversation, not for the file"
    with pytest.raises(LimitError, match="more than"):
        bring_json(store, tmp_path, chatgpt_of("x" * 1_000_000, id="large"))
    assert len(store.conversations()) == 5


def test_import_from_another_thread(store: ConversationStore) -> None:
    with ThreadPoolExecutor(1) as pool:
        result = import_with(
            lambda entry: pool.submit(store.adopt, entry).result(),
            DATA / "chatgpt.json",
            lambda done, total: None,
            CancelToken(),
        )
    assert result.imported == 2


def test_progress_reaches_its_end(store: ConversationStore, tmp_path: Path) -> None:
    archive = tmp_path / "export.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for part in range(3):
            entries = [chatgpt_of("x" * 90_000, id=f"{part}-{number}") for number in range(3)]
            file.writestr(f"export/conversations-{part:03}.json", json.dumps(entries))
        file.writestr("__MACOSX/._conversations.txt", b"\0")
    seen: list[tuple[int, int]] = []
    result = import_file(store, archive, lambda done, total: seen.append((done, total)), CancelToken())
    assert result.imported == 9
    assert seen == sorted(seen)
    assert seen[-1][0] == seen[-1][1] > 0


def test_damaged_zip_is_refused(store: ConversationStore, tmp_path: Path) -> None:
    archive = tmp_path / "export.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("conversations.json", json.dumps([chatgpt_of(str(number)) for number in range(200)]))
    data = bytearray(archive.read_bytes())
    data[60:90] = b"\xff" * 30
    archive.write_bytes(data)
    with pytest.raises(ImportFormatError, match="not an export"):
        bring(store, archive)


def test_missing_file_is_a_sentence(store: ConversationStore, tmp_path: Path) -> None:
    with pytest.raises(ImportFormatError, match="cannot be read"):
        bring(store, tmp_path / "gone.json")


def test_cancel_keeps_what_came_in(store: ConversationStore, tmp_path: Path) -> None:
    cancel = CancelToken()

    def adopt(entry: ForeignConversation) -> Conversation | None:
        if len(store.conversations()) == 2:
            cancel.cancel()
        return store.adopt(entry)

    file = tmp_path / "many.json"
    file.write_text(json.dumps([chatgpt_of("a", id=str(number)) for number in range(10)]))
    assert import_with(adopt, file, lambda done, total: None, cancel).imported == 3
    assert len(store.conversations()) == 3


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"{}", b"[1, 2", b'[{"a": 1}', b"\xff\xfe[]", b'{"conversations": 1}']
)
def test_what_is_no_export_is_refused_or_named(store: ConversationStore, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "x.json"
    file.write_bytes(content)
    try:
        result = bring(store, file)
    except ImportFormatError as error:
        assert "x.json" in str(error)
    else:
        assert result.imported == 0
    assert store.conversations() == []


def test_truncated_export_keeps_what_was_whole(store: ConversationStore, tmp_path: Path) -> None:
    whole = (DATA / "chatgpt.json").read_bytes()
    file = tmp_path / "cut.json"
    file.write_bytes(whole[: len(whole) - 200])
    result = bring(store, file)
    assert result.imported == 1
    assert any("is damaged" in problem for problem in result.problems)


def test_cycles_in_the_tree_do_not_hang(store: ConversationStore, tmp_path: Path) -> None:
    node = {"message": None, "children": []}
    raw = [{"title": "loop", "id": "l", "current_node": "a", "mapping": {
        "a": {**node, "id": "a", "parent": "b"}, "b": {**node, "id": "b", "parent": "a"},
    }}]  # fmt: skip
    file = tmp_path / "loop.json"
    file.write_text(json.dumps(raw))
    assert bring(store, file).imported == 0


def test_zip_bomb_is_refused(store: ConversationStore, tmp_path: Path) -> None:
    archive = tmp_path / "bomb.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("conversations.json", b"[" + b" " * 20_000_000 + b"]")
    with pytest.raises(LimitError, match="too large"):
        bring(store, archive)


@pytest.mark.parametrize(("extra", "refused"), [(-1, False), (0, False), (1, True)])
def test_message_cap(
    store: ConversationStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, extra: int, refused: bool
) -> None:
    monkeypatch.setattr("app.store.foreign.IMPORT_MESSAGES", 10)
    messages = {
        str(n): {"id": str(n), "parentId": None, "role": "user", "content": "x", "timestamp": 1}
        for n in range(10 + extra)
    }
    raw = [{"id": "1", "title": "t", "chat": {"history": {"messages": messages, "currentId": None}}}]
    file = tmp_path / "many.json"
    file.write_text(json.dumps(raw))
    result = bring(store, file)
    assert (result.imported == 0, bool(result.problems)) == (refused, refused)


def test_cancel_stops_between_conversations(store: ConversationStore) -> None:
    cancel = CancelToken()
    cancel.cancel()
    assert import_file(store, DATA / "chatgpt.json", lambda done, total: None, cancel).imported == 0


def test_file_cap(store: ConversationStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert limits.IMPORT_FILE_BYTES > 0
    size = (DATA / "chatgpt.json").stat().st_size
    monkeypatch.setattr("app.store.importing.IMPORT_FILE_BYTES", size)
    assert bring(store, DATA / "chatgpt.json").imported == 2
    monkeypatch.setattr("app.store.importing.IMPORT_FILE_BYTES", size - 1)
    with pytest.raises(LimitError):
        bring(store, DATA / "chatgpt.json")
