"""Import of other programs' exports, and the way out and back in of our own."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from app import limits
from app.store import exporting
from app.store.importing import ImportResult, import_file
from app.store.store import ConversationStore
from app.store.types import AttachmentPart, ReasoningPart, TextPart
from engine.cancel import CancelToken
from engine.context.segments import Role
from engine.errors import ImportFormatError, LimitError

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
    assert [m.text for m in path] == ["What do I take to Norway?", "A warm coat."]
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


def test_own_export_comes_back_with_every_branch(store: ConversationStore, tmp_path: Path) -> None:
    c = store.create_conversation(title="Tree", system_prompt="be kind")
    q = store.add_message(
        c.id, parent_id=None, role=Role.USER, parts=(TextPart("q"), AttachmentPart("n.txt", "inside", 6))
    )
    store.add_message(c.id, parent_id=q.id, role=Role.ASSISTANT, parts=(ReasoningPart("r", 2.0), TextPart("one")))
    store.add_message(c.id, parent_id=q.id, role=Role.ASSISTANT, parts=(TextPart("two"),))
    file = tmp_path / "own.json"
    file.write_text(exporting.to_json(store.conversation(c.id), store.tree(c.id)), "utf-8")
    assert bring(store, file).skipped_duplicates == 1, "it is still here"

    other = ConversationStore.open(tmp_path / "other.db")
    assert bring(other, file).imported == 1
    copy = other.conversations()[0]
    assert (copy.title, copy.system_prompt) == ("Tree", "be kind")
    assert [m.parts for m in other.tree(copy.id)] == [m.parts for m in store.tree(c.id)]
    assert [m.text for m in other.path(copy.id)] == ["q", "two"]


def test_markdown_and_html(store: ConversationStore) -> None:
    c = store.create_conversation(title="<b>Title</b>")
    text = "**bold** <script>alert(1)</script> ![x](file:///etc/passwd)"
    store.add_message(c.id, parent_id=None, role=Role.USER, parts=(TextPart(text), AttachmentPart("a.md", "```\nx", 5)))
    store.add_message(c.id, parent_id=store.path(c.id)[0].id, role=Role.ASSISTANT, parts=(ReasoningPart("why"),))
    conversation, path = store.conversation(c.id), store.path(c.id)
    markdown = exporting.to_markdown(conversation, path)
    assert text in markdown
    assert "````\n```\nx\n````" in markdown
    page = exporting.to_html(conversation, path)
    assert "<strong>bold</strong>" in page
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;b&gt;Title" in page


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
