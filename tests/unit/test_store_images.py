"""Images in the store: kept, named, found, swept away, exported and brought back."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.store.database import Database
from app.store.exporting import to_html, to_json, to_markdown
from app.store.images import KEPT_UNUSED_S, ImageFolder
from app.store.importing import import_file, import_with
from app.store.recovery import open_or_recover
from app.store.store import ConversationStore
from app.store.types import AttachmentPart, Draft, ImagePart, TextPart
from engine.cancel import CancelToken
from engine.context.segments import Role
from engine.errors import AttachmentError, StoreError
from tests.unit.images import png


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ConversationStore]:
    store = ConversationStore.open(tmp_path / "c.db", backups=tmp_path / "backups")
    yield store
    store.close()


def image(folder: ImageFolder, name: str = "cat.png", tint: tuple[int, int, int] = (255, 0, 0)) -> ImagePart:
    data = png(tint=tint)
    return ImagePart(name, folder.put(data, "image/png"), len(data), 32, 32)


def ask(store: ConversationStore, *parts: ImagePart | TextPart | AttachmentPart) -> str:
    conversation_id = store.create_conversation().id
    store.add_message(conversation_id, parent_id=None, role=Role.USER, parts=parts)
    return conversation_id


def age(store: ConversationStore) -> None:
    """Let every file be older than what may still be in a composer."""
    before = time.time() - KEPT_UNUSED_S - 60
    for path in store.images.folder.iterdir():
        os.utime(path, (before, before))


def files(store: ConversationStore) -> set[str]:
    return {path.stem for path in store.images.folder.iterdir()}


def test_an_image_comes_back_as_it_was(store: ConversationStore) -> None:
    part = image(store.images)
    conversation_id = ask(store, TextPart("What is it?"), part)
    [message] = store.path(conversation_id)
    assert message.parts == (TextPart("What is it?"), part)
    assert message.text == "What is it?"
    assert store.images.read(part) == png()
    ref = store.images.ref(part)
    assert ref is not None
    assert hashlib.sha256(ref.path.read_bytes()).hexdigest() == ref.sha256 == part.sha256
    assert ref.path.stat().st_mode & 0o077 == 0


def test_the_same_image_is_kept_once(store: ConversationStore) -> None:
    assert image(store.images).sha256 == image(store.images, "again.png").sha256
    assert len(files(store)) == 1


def test_the_bytes_are_on_the_disk_before_a_message_can_name_them(
    store: ConversationStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("app.store.images.atomic_write", full)
    with pytest.raises(StoreError, match="No space left"):
        image(store.images)


def test_what_is_not_the_image_that_was_kept_is_not_read(store: ConversationStore) -> None:
    part = image(store.images)
    path = store.images.path(part)
    assert path is not None
    path.write_bytes(b"something else")
    assert store.images.read(part) is None
    path.unlink()
    assert store.images.read(part) is None
    assert store.images.ref(part) is None


@pytest.mark.parametrize("sha256", ["", "../../../etc/passwd", "A" * 64, "0" * 63])
def test_no_name_leads_out_of_the_folder(store: ConversationStore, sha256: str) -> None:
    assert store.images.path(ImagePart("x", sha256, 1, 1, 1)) is None
    assert store.images.path(ImagePart("x", "0" * 64, 1, 1, 1, "image/../x")) is None


def test_a_draft_keeps_its_images(store: ConversationStore) -> None:
    draft = Draft("half", (AttachmentPart("a.txt", "x", 1), image(store.images)))
    store.save_draft(None, draft)
    assert store.draft(None) == draft
    age(store)
    store.purge_deleted(time.time())
    assert len(files(store)) == 1
    store.save_draft(None, Draft())
    store.purge_deleted(time.time())
    assert files(store) == set()


def test_an_image_goes_with_the_last_message_that_names_it(store: ConversationStore) -> None:
    red, blue = image(store.images), image(store.images, "sky.png", (0, 0, 255))
    one, two = ask(store, red), ask(store, red, blue)
    age(store)
    store.delete_conversation(two)
    store.purge_deleted(time.time() - 60)
    assert files(store) == {red.sha256, blue.sha256}, "in the bin"
    store.purge_deleted(time.time() + 1)
    assert files(store) == {red.sha256}
    store.delete_conversation(one)
    store.purge_deleted(time.time() + 1)
    assert files(store) == set()


def test_what_was_attached_a_moment_ago_stays(store: ConversationStore) -> None:
    part = image(store.images)
    store.purge_deleted(time.time())
    assert files(store) == {part.sha256}
    age(store)
    image(store.images)  # attached again
    store.purge_deleted(time.time())
    assert files(store) == {part.sha256}
    age(store)
    store.purge_deleted(time.time())
    assert files(store) == set()


def test_a_backup_keeps_its_images(store: ConversationStore) -> None:
    part = image(store.images)
    conversation_id = ask(store, part)
    backup = store.backup()
    store.delete_conversation(conversation_id)
    age(store)
    store.purge_deleted(time.time() + 1)
    assert files(store) == {part.sha256}
    store.restore_backup(backup)
    [message] = store.path(conversation_id)
    assert store.images.read(message.parts[0]) == png()  # type: ignore[arg-type]


def test_a_branch_shares_the_image(store: ConversationStore) -> None:
    part = image(store.images)
    [message] = store.path(ask(store, part))
    branch = store.branch_conversation(message.id)
    assert store.path(branch.id)[0].parts == (part,)
    assert len(files(store)) == 1


def test_an_image_is_found_by_its_name(store: ConversationStore) -> None:
    conversation_id = ask(store, TextPart("What is it?"), image(store.images, "lighthouse at dusk.png"))
    for query in ("lighthouse", "dusk", "what"):
        assert [hit.conversation_id for hit in store.search(query)] == [conversation_id]


def test_a_database_without_images_learns_of_them(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    old = Database(path)
    old.migrate(2)
    with old.transaction():
        old.write("INSERT INTO conversations (id, created_at, updated_at, active_leaf) VALUES ('c', 1, 1, 'm')")
        old.write(
            "INSERT INTO messages (id, conversation_id, role, state, created_at)"
            " VALUES ('m', 'c', 'user', 'complete', 1)"
        )
        old.write("INSERT INTO parts (message_number, position, kind, text) VALUES (1, 0, 'text', 'Hello')")
        old.write("INSERT INTO drafts VALUES ('c', 'half', '[]')")
    old.close()
    store = ConversationStore.open(path)
    assert [message.text for message in store.path("c")] == ["Hello"]
    assert store.draft("c") == Draft("half")
    part = image(store.images)
    store.add_message("c", parent_id="m", role=Role.USER, parts=(part,))
    assert store.path("c")[-1].parts == (part,)
    store.close()
    assert len(list((tmp_path / "backups").glob("*.db"))) == 1


def test_another_program_reads_the_name(store: ConversationStore, tmp_path: Path) -> None:
    ask(store, image(store.images))
    with sqlite3.connect(tmp_path / "c.db") as connection:
        assert connection.execute("SELECT kind, text FROM parts").fetchall() == [("image", "[image: cat.png]")]
    connection.close()


def test_a_salvaged_database_still_has_its_images(tmp_path: Path) -> None:
    path = tmp_path / "c.db"
    store = ConversationStore.open(path)
    part = image(store.images)
    conversation_id = ask(store, TextPart("What is it?"), part)
    store.close()
    raw = bytearray(path.read_bytes())
    raw[:100] = bytes(100)
    path.write_bytes(raw)
    store, report = open_or_recover(path)
    assert report is not None
    assert store.path(conversation_id)[0].parts == (TextPart("What is it?"), part)
    assert store.search("cat")
    store.close()


def test_exports_hold_the_image_or_name_it(store: ConversationStore) -> None:
    part = image(store.images, "<cat>.png")
    conversation_id = ask(store, TextPart("What is it?"), part)
    given = store.conversation(conversation_id), store.tree(conversation_id)
    assert "**Image: <cat>.png**" in to_markdown(*given, store.images.read)
    page = to_html(*given, store.images.read)
    assert f"src='data:image/png;base64,{base64.b64encode(png()).decode()}'" in page
    assert "&lt;cat&gt;.png" in page
    assert "<cat>" not in page
    assert "<img" not in to_html(*given)
    [raw] = json.loads(to_json(*given, store.images.read))["conversations"][0]["messages"][0]["parts"][1:]
    assert base64.b64decode(raw["data"]) == png()


def test_an_export_brings_its_images_along(store: ConversationStore, tmp_path: Path) -> None:
    part = image(store.images)
    conversation_id = ask(store, TextPart("What is it?"), part)
    file = tmp_path / "export.json"
    file.write_text(to_json(store.conversation(conversation_id), store.tree(conversation_id), store.images.read))
    (tmp_path / "other").mkdir()
    other = ConversationStore.open(tmp_path / "other" / "c.db")

    def take(data: bytes, name: str) -> ImagePart:
        return ImagePart(name, other.images.put(data, "image/png"), len(data), 32, 32)

    import_with(other.adopt, file, lambda _done, _total: None, CancelToken(), take)
    [made] = other.conversations()
    assert other.path(made.id)[0].parts == (TextPart("What is it?"), part)
    assert other.images.read(part) == png()
    other.close()


def test_an_image_that_is_none_comes_in_by_its_name(store: ConversationStore, tmp_path: Path) -> None:
    conversation_id = ask(store, image(store.images))
    file = tmp_path / "export.json"
    file.write_text(to_json(store.conversation(conversation_id), store.tree(conversation_id), store.images.read))

    def refuse(_data: bytes, _name: str) -> ImagePart:
        raise AttachmentError("no image")

    lost = ImagePart("cat.png", "", 0, 32, 32)
    for number, how in enumerate((refuse, None)):
        (tmp_path / str(number)).mkdir()
        other = ConversationStore.open(tmp_path / str(number) / "c.db")
        if how is None:
            import_file(other, file, lambda _done, _total: None, CancelToken())
        else:
            import_with(other.adopt, file, lambda _done, _total: None, CancelToken(), how)
        assert other.path(other.conversations()[0].id)[0].parts == (lost,)
        assert other.images.read(lost) is None
        other.close()


def test_half_a_file_of_a_dead_program_goes_too(store: ConversationStore) -> None:
    image(store.images)
    shutil.copy(next(store.images.folder.iterdir()), store.images.folder / ".abc.png.x8f3")
    age(store)
    store.purge_deleted(time.time())
    assert files(store) == set()
