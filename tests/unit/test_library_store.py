"""library.db: whole documents or nothing, equal bytes once, and nothing left of what was removed."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import apsw
import numpy as np
import pytest

from engine.errors import DocumentError, LibraryError, StoreDamagedError, StoreError, StoreNewerError, sentence
from rag.store import database as database_module
from rag.store import documents, shelf, vectors
from rag.store.database import APPLICATION_ID, LibraryDatabase, migration_files
from rag.store.documents import ReadPage
from rag.store.lexical import LexicalSearch
from rag.store.types import CollectionSummary, FileState, FoundFile, SourceKind, StoredFile
from rag.types import Chunk, DocumentInfo, Heading, Hidden, HiddenReason, Page, Unit
from tests.unit.library_shelf import bytes_of, put, stored


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "library.db"


@pytest.fixture
def database(path: Path) -> Iterator[LibraryDatabase]:
    opened = LibraryDatabase(path)
    yield opened
    opened.close()


def found(database: LibraryDatabase, words: str) -> list[int]:
    return [number for number, _score in LexicalSearch(database).search(words, 10)]


# The file


def test_it_is_durable_named_and_migrated(database: LibraryDatabase, path: Path) -> None:
    assert database.row("PRAGMA journal_mode") == ("wal",)
    assert database._writer.pragma("synchronous") == 2
    assert database._writer.pragma("secure_delete") == 1
    assert database.row("PRAGMA user_version") == (int(migration_files()[-1].name[:4]),)
    assert database.row("PRAGMA application_id") == (APPLICATION_ID,)
    database.forget_deleted()
    assert path.read_bytes()[68:72] == b"HRTL"


def test_opening_it_again_changes_nothing(database: LibraryDatabase, path: Path) -> None:
    _source, (file,) = stored(database, Path("/books/a.txt"))
    put(database, file.id, "A whale.")
    again = LibraryDatabase(path)
    assert found(again, "whale") == [1]
    again.close()


def test_each_migration_is_whole_or_undone(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "0001_first.sql").write_text(migration_files()[0].read_text())
    (folder / "0002_broken.sql").write_text("CREATE TABLE halfway (id); SELECT no_such_function();")
    monkeypatch.setattr(database_module, "MIGRATIONS", folder)
    with pytest.raises(apsw.SQLError):
        LibraryDatabase(path)
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("PRAGMA user_version").fetchone() == (1,)
        assert not raw.execute("SELECT 1 FROM sqlite_schema WHERE name = 'halfway'").fetchall()
    (folder / "0002_broken.sql").write_text("CREATE TABLE halfway (id);")
    opened = LibraryDatabase(path)
    assert opened.row("SELECT count(*) FROM halfway") == (0,)
    opened.close()


def test_files_of_an_older_library_are_read_again_and_serve_until_then(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = tmp_path / "migrations"
    older.mkdir()
    for migration in migration_files()[:4]:
        (older / migration.name).write_text(migration.read_text())
    with monkeypatch.context() as patch:
        patch.setattr(database_module, "MIGRATIONS", older)
        opened = LibraryDatabase(path)
        _source, (file,) = stored(opened, Path("/books/a.txt"))
        put(opened, file.id, "A whale.")
        assert shelf.waiting(opened) is None
        opened.close()
    opened = LibraryDatabase(path)
    waiting = shelf.waiting(opened)
    assert waiting is not None
    assert waiting.id == file.id
    assert found(opened, "whale") == [1]
    opened.close()


def test_a_newer_file_is_refused(path: Path) -> None:
    LibraryDatabase(path).close()
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA user_version = 9999")
    with pytest.raises(StoreNewerError, match="Update Hearth"):
        LibraryDatabase(path)


def test_the_database_of_another_program_is_left_alone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("CREATE TABLE songs (name)")
    with pytest.raises(StoreError, match="another program"):
        LibraryDatabase(path)
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("SELECT name FROM sqlite_schema").fetchall() == [("songs",)]


def test_what_is_no_database_is_damaged(path: Path) -> None:
    path.write_bytes(b"This is no database." * 1000)
    with pytest.raises(StoreDamagedError, match="built anew"):
        LibraryDatabase(path)


def test_damage_in_the_middle_is_a_sentence(path: Path) -> None:
    opened = LibraryDatabase(path)
    _source, (file,) = stored(opened, Path("/books/a.txt"))
    put(opened, file.id, *(f"Page {n}. " + "words and words " * 300 for n in range(20)))
    opened.forget_deleted()
    opened.close()
    data = bytearray(path.read_bytes())
    data[8192:] = os.urandom(len(data) - 8192)
    path.write_bytes(data)
    with pytest.raises(StoreDamagedError):
        LibraryDatabase(path).rows("SELECT * FROM page JOIN chunk ON chunk.page_id = page.id")


def test_a_full_disk_is_a_sentence_and_keeps_what_was_there(database: LibraryDatabase) -> None:
    _source, (first, second) = stored(database, Path("/books/a.txt"), Path("/books/b.txt"))
    put(database, first.id, "A whale.")
    (n_pages,) = database.row("PRAGMA page_count") or (0,)
    database._writer.execute(f"PRAGMA max_page_count = {n_pages + 2}")
    with pytest.raises(StoreError, match="disk is full"):
        put(database, second.id, *("no room " * 2000 for _ in range(40)))
    assert found(database, "room") == []
    database._writer.execute(f"PRAGMA max_page_count = {n_pages + 10_000}")
    put(database, second.id, "Now there is room.")
    assert len(found(database, "room")) == 1


def test_a_writer_that_is_in_the_way_is_a_sentence(path: Path, database: LibraryDatabase) -> None:
    database._writer.set_busy_timeout(20)
    with closing(apsw.Connection(str(path))) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="could not be used"):
            shelf.add_collection(database, "no")
    assert shelf.add_collection(database, "yes").name == "yes"


def test_what_another_program_commits_is_noticed_once(path: Path, database: LibraryDatabase) -> None:
    shelf.add_collection(database, "ours")
    assert not database.changed_elsewhere()
    other = LibraryDatabase(path)
    shelf.add_collection(other, "theirs")
    other.close()
    assert database.changed_elsewhere()
    assert not database.changed_elsewhere()


# Documents


def test_a_document_is_one_transaction(path: Path, database: LibraryDatabase) -> None:
    _source, (file,) = stored(database, Path("/books/a.txt"))
    seen: list[int] = []

    def look() -> None:
        row = database.row("SELECT (SELECT count(*) FROM blob) + (SELECT count(*) FROM page)")
        seen.append(row[0] if row else -1)

    with pytest.raises(RuntimeError, match="in the middle"), database.transaction():
        put(database, file.id, "A whale.", "A ship.")
        other = threading.Thread(target=look)
        other.start()
        other.join()
        raise RuntimeError("in the middle")
    assert seen == [0]
    assert found(database, "whale ship") == []
    kept = shelf.file(database, file.id)
    assert kept is not None
    assert kept.state is FileState.WAITING
    put(database, file.id, "A whale.", "A ship.")
    assert len(found(database, "whale ship")) == 2


def test_what_was_read_comes_back_as_it_was(database: LibraryDatabase) -> None:
    _source, (file,) = stored(database, Path("/books/a.txt"))
    page = Page(
        3, "Chapter\n\nA “whale” \U0001f433 swims.", "iii", 40, (Heading(0, 1, "Chapter"),),
        (Hidden(HiddenReason.TINY, "buy it now"), Hidden(HiddenReason.COVERED, "whale")),
    )  # fmt: skip
    with database.transaction():
        blob_id = documents.put(
            database, b"d", DocumentInfo("Moby", Unit.CHAPTER, "x"),
            [ReadPage(page, (Chunk(3, 9, 27, 42, 42, "Chapter", "en"),))], language="en",
        )  # fmt: skip
        documents.give(database, file.id, blob_id, found=FoundFile(file.path, 7, 8))
    back = documents.page(database, blob_id, 3)
    assert back == Page(page.number, page.text, page.label, page.first_line, page.headings)
    assert documents.page(database, blob_id, 1) is None
    assert list(documents.pages(database, blob_id)) == [back]
    assert [(each.page, each.hidden) for each in documents.hidden_words(database, blob_id)] == [
        (3, page.hidden[0]), (3, page.hidden[1]),
    ]  # fmt: skip
    (listed,) = shelf.files(database)
    assert listed.n_hidden == 4, "words, not places"
    assert (listed.title, listed.unit, listed.n_pages, listed.n_chunks) == ("Moby", Unit.CHAPTER, 1, 1)
    assert (listed.size, listed.mtime_ns, listed.state) == (7, 8, FileState.READ)


def test_equal_bytes_are_kept_once_until_the_last_file_goes(database: LibraryDatabase) -> None:
    source, (first, second) = stored(database, Path("/books/a.txt"), Path("/books/b.txt"))
    blob_id = put(database, first.id, "A whale.", digest=b"same")
    assert documents.find_blob(database, b"same") == blob_id
    with database.transaction():
        assert documents.give(database, second.id, blob_id, found=FoundFile(second.path, 1, 1))
    assert len(found(database, "whale")) == 1
    shelf.take_look(database, source.id, [FoundFile(second.path, 1, 1)])
    assert documents.sweep(database) == []
    assert len(found(database, "whale")) == 1
    shelf.take_look(database, source.id, [])
    assert documents.sweep(database) == [(1, 2)]
    assert found(database, "whale") == []


def test_a_file_that_is_gone_is_given_nothing(database: LibraryDatabase) -> None:
    _source, (file,) = stored(database, Path("/books/a.txt"))
    blob_id = put(database, file.id, "A whale.")
    assert not documents.give(database, file.id + 1, blob_id, found=FoundFile(file.path, 1, 1))


def test_changed_text_keeps_the_vectors_of_what_stayed(database: LibraryDatabase) -> None:
    _source, (file,) = stored(database, Path("/books/a.txt"))
    put(database, file.id, "A whale.\n\nA ship.\n\nA storm.")
    embedder = vectors.embedder_id(database, "m", 2)
    waiting = vectors.without_vector(database, embedder, after=0, limit=10)
    assert [each.text for _id, each in waiting] == ["t\nA whale.", "t\nA ship.", "t\nA storm."]
    vectors.put(database, embedder, [each.digest for _id, each in waiting], np.eye(3, 2, dtype=np.float32))
    assert vectors.n_without(database, embedder) == 0
    blob_id = put(database, file.id, "Before all that, a boat.\n\nA whale.\n\nA storm.")
    assert [each.text for _id, each in vectors.without_vector(database, embedder, after=0, limit=10)] == [
        "t\nBefore all that, a boat."
    ]
    assert documents.sweep(database) == [(1, 4)]
    assert vectors.n_without_by_blob(database, embedder) == {blob_id: 1}
    assert database.row("SELECT count(*) FROM vector") == (2,), "that of the ship is gone"
    blocks = list(vectors.of_chunks(database, embedder, 2))
    assert [ids.tolist() for ids, _vectors in blocks] == [[5, 6]]
    assert blocks[0][1].tolist() == [[1, 0], [0, 0]]
    assert vectors.chunk_ids(database, embedder).tolist() == [5, 6]


def test_embedders_do_not_share_vectors(database: LibraryDatabase) -> None:
    _source, (file,) = stored(database, Path("/books/a.txt"))
    put(database, file.id, "A whale.")
    one = vectors.embedder_id(database, "one", 2)
    ((_number, words),) = vectors.without_vector(database, one, after=0, limit=10)
    vectors.put(database, one, [words.digest], np.ones((1, 2), np.float32))
    two = vectors.embedder_id(database, "two", 2)
    assert vectors.n_without(database, two) == 1
    assert vectors.embedder_id(database, "one", 2) == one
    other_length = vectors.embedder_id(database, "one", 3)
    assert vectors.n_without(database, other_length) == 1
    vectors.forget_other_embedders(database, two)
    assert database.rows("SELECT name FROM embedder") == [("two",)]


def test_no_vector_is_kept_for_words_that_are_gone(database: LibraryDatabase) -> None:
    embedder = vectors.embedder_id(database, "m", 2)
    vectors.put(database, embedder, [b"gone"], np.ones((1, 2), np.float32))
    assert database.row("SELECT count(*) FROM vector") == (0,)


# Removing

SECRETS = ("Zanzibarquux", "Quetzalcoatlus", "秘密的鲸鱼故事", "hiddenwhisper", "secretsection", "secrettitle")


def put_secrets(database: LibraryDatabase, file_id: int) -> None:
    text = "The Zanzibarquux met a Quetzalcoatlus.\n\n秘密的鲸鱼故事在这里。" + "\n\nAnd more words to fill it." * 200
    page = Page(1, text, hidden=(Hidden(HiddenReason.TINY, "hiddenwhisper"),))
    cut = tuple(Chunk(1, at, min(at + 60, len(text)), 1, 1, "secretsection") for at in range(0, len(text), 60))
    with database.transaction():
        blob_id = documents.put(
            database, b"s", DocumentInfo("secrettitle", Unit.PAGE, "x"), [ReadPage(page, cut)], language="en"
        )
        documents.give(database, file_id, blob_id, found=FoundFile(Path("/books/secretfile.txt"), 1, 1))


def is_there(word: str, folder: Path) -> bool:
    """FTS5 keeps words in small letters and without their common beginnings, so their later letters are looked for."""
    data = bytes_of(folder)
    return any(form.encode() in data for form in (word, word.lower(), word.lower()[3:]))


def test_nothing_is_left_of_what_was_removed(database: LibraryDatabase, tmp_path: Path) -> None:
    source, (file,) = stored(database, Path("/books/secretfile.txt"))
    collection = shelf.add_collection(database, "Others")
    kept_source = shelf.add_source(database, collection.id, SourceKind.FILE, Path("/kept.txt"), "kept")
    shelf.take_look(database, kept_source.id, [FoundFile(Path("/kept.txt"), 1, 1)])
    (kept,) = shelf.files(database, source_id=kept_source.id)
    put(database, kept.id, "A whale that stays.", title="kept")
    put_secrets(database, file.id)
    embedder = vectors.embedder_id(database, "m", 2)
    rows = vectors.without_vector(database, embedder, after=0, limit=1000)
    mark = np.full((len(rows), 2), 0.123, np.float32)
    vectors.put(database, embedder, [each.digest for _id, each in rows], mark)
    for word in (*SECRETS, "secretfile"):
        assert is_there(word, tmp_path), f"{word} is found where it is"

    shelf.remove_source(database, source.id)
    gone = documents.sweep(database)

    assert database.has_forgotten
    assert len(gone) == 1
    for word in (*SECRETS, "secretfile"):
        assert not is_there(word, tmp_path), word
    assert database.row("SELECT count(*) FROM vector") == (1,)
    assert len(found(database, "whale stays")) == 1
    database._writer.execute("INSERT INTO words (words) VALUES ('integrity-check')")
    database._writer.execute("INSERT INTO letters (letters) VALUES ('integrity-check')")


def test_deleting_without_overwriting_would_be_noticed(database: LibraryDatabase, tmp_path: Path) -> None:
    database._writer.execute("PRAGMA secure_delete = OFF")
    source, (file,) = stored(database, Path("/books/secretfile.txt"))
    put_secrets(database, file.id)
    shelf.remove_source(database, source.id)
    documents.sweep(database)
    assert any(is_there(word, tmp_path) for word in SECRETS)


def test_a_reader_in_the_way_puts_off_forgetting_only(path: Path, database: LibraryDatabase, tmp_path: Path) -> None:
    source, (file,) = stored(database, Path("/books/secretfile.txt"))
    put_secrets(database, file.id)
    with closing(apsw.Connection(str(path))) as other:
        other.execute("BEGIN")
        assert other.execute("SELECT count(*) FROM page").fetchone() == (1,)
        shelf.remove_source(database, source.id)
        assert documents.sweep(database)
        assert not database.has_forgotten
        assert found(database, "Zanzibarquux") == []
        assert is_there("Zanzibarquux", tmp_path)
    assert documents.sweep(database) == []
    assert database.has_forgotten
    assert not is_there("Zanzibarquux", tmp_path)


def test_after_a_kill_the_next_sweep_forgets(path: Path, database: LibraryDatabase, tmp_path: Path) -> None:
    source, (file,) = stored(database, Path("/books/secretfile.txt"))
    put_secrets(database, file.id)
    shelf.remove_source(database, source.id)
    again = LibraryDatabase(path)
    assert not again.has_forgotten
    documents.sweep(again)
    assert again.has_forgotten
    assert not is_there("Zanzibarquux", tmp_path)
    again.close()


# The shelf


def test_a_look_finds_what_came_went_and_changed(database: LibraryDatabase) -> None:
    source, (a, b) = stored(database, Path("/books/a.txt"), Path("/books/b.txt"))
    put(database, a.id, "A whale.")
    put(database, b.id, "A ship.")
    same = [FoundFile(Path("/books/a.txt"), 1, 1), FoundFile(Path("/books/b.txt"), 1, 1)]
    assert not shelf.take_look(database, source.id, same)
    changes = shelf.take_look(
        database, source.id, [FoundFile(Path("/books/b.txt"), 1, 2), FoundFile(Path("/books/c.txt"), 1, 1)]
    )
    assert (changes.changed, changes.removed, len(changes.added)) == ((b.id,), (a.id,), 1)
    states = {file.path.name: (file.state, file.n_chunks) for file in shelf.files(database)}
    assert states == {"b.txt": (FileState.WAITING, 1), "c.txt": (FileState.WAITING, 0)}, "what was read still serves"
    waiting = shelf.waiting(database)
    assert waiting is not None
    assert waiting.id == b.id


def test_a_look_at_a_source_that_was_removed_changes_nothing(database: LibraryDatabase) -> None:
    source, _files = stored(database)

    def vanishing() -> Iterator[FoundFile]:
        shelf.remove_source(database, source.id)
        yield FoundFile(Path("/books/a.txt"), 1, 1)

    assert not shelf.take_look(database, source.id, vanishing())
    assert shelf.files(database) == []


def test_two_looks_at_once_add_a_file_once(path: Path, database: LibraryDatabase) -> None:
    source, _files = stored(database)
    other = LibraryDatabase(path)

    def meanwhile() -> Iterator[FoundFile]:
        yield FoundFile(Path("/books/a.txt"), 1, 1)
        shelf.take_look(other, source.id, [FoundFile(Path("/books/a.txt"), 1, 1)])

    assert shelf.take_look(database, source.id, meanwhile()).added == ()
    assert len(shelf.files(database)) == 1
    other.close()


def test_a_fault_is_kept_as_a_sentence_to_be_translated(database: LibraryDatabase) -> None:
    _source, (file,) = stored(database, Path("/books/a.txt"))
    put(database, file.id, "A whale.")
    shelf.set_failed(database, file.id, DocumentError(sentence("“{name}” is damaged."), name="a.txt"))
    (failed,) = shelf.files(database, state=FileState.FAILED)
    assert failed.fault is not None
    assert failed.fault.template == "“{name}” is damaged."
    assert failed.n_chunks == 0
    shelf.retry(database, file.id)
    (waiting,) = shelf.files(database, state=FileState.WAITING)
    assert waiting.fault is None


def test_collections_have_one_name_each(database: LibraryDatabase) -> None:
    one = shelf.add_collection(database, "Books")
    assert shelf.add_collection(database, "books").id == one.id
    two = shelf.add_collection(database, "Papers")
    own = shelf.add_collection(database, "Books", owner="chat 1")
    assert own.id not in (one.id, two.id)
    with pytest.raises(LibraryError, match="There is a collection"):
        shelf.rename_collection(database, two.id, "BOOKS")
    shelf.rename_collection(database, two.id, "Articles")
    assert [each.name for each in shelf.collections(database)] == ["Articles", "Books", "Books"]
    shelf.remove_collection(database, one.id)
    with pytest.raises(LibraryError, match="no collection"):
        shelf.rename_collection(database, one.id, "x")
    with pytest.raises(LibraryError, match="no collection"):
        shelf.add_source(database, one.id, SourceKind.FILE, Path("/a"), "a")
    with pytest.raises(LibraryError, match="no more"):
        shelf.remove_source(database, 99)


def test_words_are_counted_anew_when_the_library_changes(database: LibraryDatabase) -> None:
    source, (a, b) = stored(database, Path("/books/a.txt"), Path("/books/b.txt"))
    put(database, a.id, "A whale.\n\nA whale and a ship.\n\nA whale again.")
    search = LexicalSearch(database)
    assert search.n_holding("whale", 2) == 2
    assert search.n_holding("whale") == 3, "more than were counted before"
    assert search.n_holding("whale", 1) == 1
    assert search.n_holding("shark") == 0
    put(database, b.id, "A whale and a shark.")
    assert (search.n_holding("whale"), search.n_holding("shark"), search.n_chunks()) == (4, 1, 4)
    shelf.take_look(database, source.id, [FoundFile(Path("/books/b.txt"), 1, 1)])
    documents.sweep(database)
    assert search.n_holding("whale") == 1


@pytest.mark.parametrize("question", ["田中", "電球の値段"])
def test_words_of_two_letters_are_found(database: LibraryDatabase, question: str) -> None:
    _source, (file,) = stored(database, Path("/books/a.txt"))
    put(database, file.id, "港の管理人は田中一郎さんで、電球が切れ、駐車禁止です。", "別の話です。")
    assert found(database, question) == [1]
    assert found(database, "中田") == []


def test_files_are_listed_a_part_at_a_time(database: LibraryDatabase) -> None:
    books, notes = shelf.add_collection(database, "Books"), shelf.add_collection(database, "Notes")
    for collection in (books, notes):
        source = shelf.add_source(database, collection.id, SourceKind.FOLDER, Path("/books"), "books")
        shelf.take_look(database, source.id, [FoundFile(Path(f"/books/{number:02}.txt"), 1, 1) for number in range(25)])
    for scope in (None, [books.id], [notes.id, books.id]):
        everything = shelf.files(database, collection_ids=scope)
        listed: list[StoredFile] = []
        while part := shelf.files(
            database, collection_ids=scope, limit=7,
            after=(str(listed[-1].path), listed[-1].id) if listed else None,
        ):  # fmt: skip
            assert len(part) <= 7
            listed += part
        assert listed == everything
    # What goes or comes between two parts neither repeats a file nor leaves one out.
    first = shelf.files(database, limit=10)
    with database.transaction():
        database.write("DELETE FROM file WHERE path = '/books/00.txt'")
    rest = shelf.files(database, after=(str(first[-1].path), first[-1].id))
    assert len(rest) == 40
    assert not {file.id for file in first} & {file.id for file in rest}
    plan = " ".join(
        str(row[-1])
        for row in database.rows(
            "EXPLAIN QUERY PLAN SELECT id FROM file WHERE (path, id) > ('', 0) ORDER BY path, id LIMIT 5"
        )
    )
    assert "file_path" in plan
    assert "TEMP B-TREE" not in plan


def test_collections_are_summed_up(database: LibraryDatabase) -> None:
    source, files = stored(database, Path("/books/a.txt"), Path("/books/b.txt"), Path("/books/c.txt"))
    put(database, files[0].id, "A whale.\n\nA ship.", "A storm.")
    shelf.set_failed(database, files[1].id, LibraryError("No."))
    shelf.add_collection(database, "Empty")
    assert shelf.summaries(database) == [
        CollectionSummary(source.collection_id, "Books", "", 3, 1, 1, 1, 2, 3),
        CollectionSummary(2, "Empty", "", 0, 0, 0, 0, 0, 0),
    ]


def test_a_list_is_known_by_its_outline_and_read_by_rows(database: LibraryDatabase) -> None:
    books = shelf.add_collection(database, "Books")
    paper = shelf.add_source(database, books.id, SourceKind.FOLDER, Path("/paper"), "paper")
    note = shelf.add_source(database, books.id, SourceKind.FILE, Path("/note.txt"), "note.txt")
    empty = shelf.add_source(database, books.id, SourceKind.FOLDER, Path("/empty"), "empty")
    shelf.take_look(database, paper.id, [FoundFile(Path(f"/paper/{number:02}.txt"), 1, 1) for number in range(20)])
    shelf.take_look(database, note.id, [FoundFile(Path("/note.txt"), 1, 1)])
    files = shelf.files(database, source_id=paper.id)
    for number in (3, 17):
        shelf.set_failed(database, files[number].id, LibraryError("No."))
    outline = shelf.outline(database, books.id)
    assert [(each.source.name, each.n_files, each.n_waiting, each.n_failed) for each in outline] == [
        ("empty", 0, 0, 0), ("note.txt", 1, 1, 0), ("paper", 20, 18, 2),
    ]  # fmt: skip
    assert shelf.outline(database, 99) == []

    found = shelf.rows(database, [(paper.id, 18, 9), (empty.id, 0, 5), (note.id, 0, 1), (paper.id, 2, 2)])
    assert [file.path.name for file in found] == ["18.txt", "19.txt", "note.txt", "02.txt", "03.txt"]
    position = shelf.position(database, files[17].id)
    assert position is not None
    assert (position.source_id, position.place, position.path.name) == (paper.id, 17, "17.txt")
    assert shelf.rows(database, [(paper.id, position.place, 1)]) == [shelf.file(database, files[17].id)]
    assert shelf.position(database, 999) is None

    def next_failed(source_id: int, path: str) -> int:
        failed = shelf.next_failed(database, books.id, source_id, path)
        return -1 if failed is None else failed.place

    assert [next_failed(paper.id, f"/paper/{name}.txt") for name in ("00", "03", "17")] == [3, 17, 3]
    assert next_failed(note.id, "/note.txt") == next_failed(0, "") == 3
    shelf.retry_failed(database, paper.id)
    assert next_failed(paper.id, "") == -1
    assert shelf.outline(database, books.id)[2].n_waiting == 20
