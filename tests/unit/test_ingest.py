"""What waits is read, one file after another, whatever happens to the files, the reader, the disk and the program."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.errors import EmbedderError, StoreError
from rag import ingest as ingest_module
from rag.embedding.fake import FakeEmbedder
from rag.events import EmbeddingProgress, FilesChanged, LibraryEvent, LibraryNotice, ReadingProgress
from rag.library import Library
from rag.scope import Scope
from rag.store import documents, shelf, vectors
from rag.store.types import FileState, StoredFile
from tests.unit.library_shelf import PATIENCE_S, Gate, Paragraphs, TextReader, bytes_of, library, refuse

EVERYTHING = Scope()


class Bench:
    """A library on a folder of text files, a reader that does what it is told, and what was told about it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.docs = folder / "docs"
        self.docs.mkdir(parents=True)
        self.reader = TextReader()
        self.events: list[LibraryEvent] = []
        self.library = library(folder / "library", self.reader, self.events)
        self.collection = self.library.add_collection("Books").id

    def again(self) -> None:
        """As after another start of the program."""
        self.library.close()
        self.reader = TextReader()
        self.library = library(self.folder / "library", self.reader, self.events)

    def write(self, name: str, text: str) -> Path:
        path = self.docs / name
        path.write_text(text)
        return path

    def change(self, name: str, text: str) -> None:
        """The clock of the disk may be too coarse to tell two writes apart."""
        path = self.docs / name
        before = path.stat().st_mtime_ns
        path.write_text(text)
        os.utime(path, ns=(before + 1_000_000_000, before + 1_000_000_000))

    def settle(self) -> None:
        assert self.library.wait_until_idle(PATIENCE_S)

    def file(self, name: str) -> StoredFile:
        return next(each for each in self.library.files() if each.path.name == name)

    def found(self, words: str) -> list[str]:
        """The names of the files that hold these words."""
        numbers = [number for number, _score in self.library.retriever.ranked(words, EVERYTHING)]
        return sorted({each.path.name for each in self.library.retriever.passages(numbers, EVERYTHING).values()})


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.library.close()


def test_what_waits_is_read_and_told(bench: Bench) -> None:
    bench.write("whale.txt", "A whale.\fA ship.\fA storm.")
    bench.write("cat.txt", "A cat.")
    bench.library.add(bench.collection, bench.docs)
    assert bench.file("whale.txt").state is FileState.WAITING
    bench.library.begin()
    bench.settle()
    whale = bench.file("whale.txt")
    assert (whale.state, whale.n_pages, whale.n_chunks, whale.title) == (FileState.READ, 3, 3, "whale")
    assert bench.found("ship") == ["whale.txt"]
    assert ReadingProgress(whale.id, 1, 3) in bench.events
    assert FilesChanged((whale.id,)) in bench.events
    assert whale.blob_id is not None
    page = bench.library.page(whale.blob_id, 2)
    assert page is not None
    assert page.text == "A ship."


def test_a_failure_is_that_files_own(bench: Bench) -> None:
    def bug(_path: Path) -> None:
        raise ZeroDivisionError

    bench.reader.before = {"b.txt": refuse, "c.txt": bug}
    for name in ("a.txt", "b.txt", "c.txt", "d.txt"):
        bench.write(name, f"A whale in {name}.")
    bench.library.add(bench.collection, bench.docs)
    bench.library.begin()
    bench.settle()
    faults = {file.path.name: file.fault.template if file.fault else "" for file in bench.library.files()}
    assert faults["b.txt"] == "“{name}” is damaged."
    assert "error in Hearth" in faults["c.txt"]
    assert bench.found("whale") == ["a.txt", "d.txt"]


def test_a_failed_file_is_read_once_more_when_asked_or_changed(bench: Bench) -> None:
    bench.reader.before = {"a.txt": refuse, "b.txt": refuse}
    bench.write("a.txt", "A whale.")
    bench.write("b.txt", "A whale.\n")
    bench.library.add(bench.collection, bench.docs)
    bench.library.begin()
    bench.settle()
    bench.reader.before.clear()
    bench.library.look_at_all()
    bench.settle()
    assert bench.found("whale") == [], "what did not change is not tried again by itself"
    bench.library.retry(bench.file("a.txt").id)
    bench.settle()
    assert bench.found("whale") == ["a.txt"]
    bench.change("b.txt", "A whale, again.")
    bench.library.look_at_all()
    bench.settle()
    assert bench.found("whale") == ["a.txt", "b.txt"]


def test_equal_files_are_read_once(bench: Bench) -> None:
    for name in ("a.txt", "b.txt", "c.txt"):
        bench.write(name, "The same whale.")
    bench.write("d.md", "The same whale.")
    bench.library.add(bench.collection, bench.docs)
    bench.library.begin()
    bench.settle()
    assert sorted(path.name for path in bench.reader.read_paths) == ["a.txt", "d.md"], "suffixes say how to read"
    assert len({file.blob_id for file in bench.library.files()}) == 2


def test_a_rescan_of_what_stayed_reads_nothing(bench: Bench) -> None:
    for number in range(20):
        bench.write(f"{number}.txt", f"Whale {number}.")
    bench.library.add(bench.collection, bench.docs)
    bench.library.begin()
    bench.settle()
    bench.again()
    bench.library.begin()
    assert not bench.library.look_at_all()
    bench.settle()
    assert bench.reader.read_paths == []


def test_a_changed_file_serves_until_the_new_reading_is_in(bench: Bench) -> None:
    gate = Gate()
    bench.write("a.txt", "An old whale.")
    bench.library.add(bench.collection, bench.docs)
    bench.library.begin()
    bench.settle()
    bench.reader.before["a.txt"] = gate
    bench.change("a.txt", "A young shark.")
    bench.library.look_at_all()  # unless the watch was quicker
    assert gate.reached.wait(PATIENCE_S)
    assert bench.found("whale") == ["a.txt"]
    assert bench.file("a.txt").state is FileState.WAITING
    gate.opened.set()
    bench.settle()
    assert bench.found("whale") == []
    assert bench.found("shark") == ["a.txt"]
    assert b"whale" not in bytes_of(bench.folder / "library")


def test_a_file_that_is_changed_while_it_is_read_is_read_again(bench: Bench) -> None:
    changes = iter(["A second whale.\fEnd.", "A third whale.\fEnd."])
    bench.write("a.txt", "A first whale.\fEnd.")

    def change(_path: Path) -> None:
        if text := next(changes, ""):
            bench.change("a.txt", text)

    bench.reader.before["a.txt"] = change
    bench.library.add(bench.collection, bench.docs)
    bench.library.begin()
    bench.settle()
    assert bench.found("third") == ["a.txt"]
    assert bench.found("first second") == []
    assert not bench.library.look_at_all(), "what was read is what lies there"


def test_a_file_that_never_stops_changing_is_a_sentence(bench: Bench) -> None:
    count = iter(range(100))
    bench.write("log.txt", "Line.\fEnd.")
    bench.reader.before["log.txt"] = lambda _path: bench.change("log.txt", f"Line {next(count)}.\fEnd.")
    # By itself: a folder is watched, and each change has its files looked at once more.
    bench.library.add(bench.collection, bench.docs / "log.txt")
    bench.library.begin()
    for _ in range(20):  # the look at the beginning may have found one of the changes
        bench.settle()
        if bench.file("log.txt").fault is not None:
            break
    fault = bench.file("log.txt").fault
    assert fault is not None
    assert "again and again" in fault.template


def test_removed_while_it_is_read(bench: Bench) -> None:
    gate = Gate()
    bench.reader.before["a.txt"] = gate
    bench.write("a.txt", "A secretwhale.\fA secretship.")
    bench.write("b.txt", "A cat.")
    source = bench.library.add(bench.collection, bench.docs / "a.txt")
    bench.library.add(bench.collection, bench.docs / "b.txt")
    bench.library.begin()
    assert gate.reached.wait(PATIENCE_S)
    bench.library.remove_source(source.id)
    gate.opened.set()
    bench.settle()
    assert [file.path.name for file in bench.library.files()] == ["b.txt"]
    assert b"secret" not in bytes_of(bench.folder / "library")


def test_removed_at_the_last_moment(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the last look whether it is still wanted, and before it is put in."""
    bench.write("a.txt", "A secretwhale.")
    source = bench.library.add(bench.collection, bench.docs / "a.txt")
    look_at = ingest_module.look_at
    n_looks = 0

    def remove(path: Path) -> object:
        nonlocal n_looks
        n_looks += 1
        if n_looks == 2:
            shelf.remove_source(bench.library.database, source.id)
        return look_at(path)

    monkeypatch.setattr(ingest_module, "look_at", remove)
    bench.library.begin()
    bench.settle()
    assert n_looks == 2
    assert b"secretwhale" not in bytes_of(bench.folder / "library")


def test_swept_between_reading_and_keeping(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal bytes were known when they were looked for, and are gone when they are needed."""
    bench.write("a.txt", "A whale.")
    bench.write("b.txt", "A whale.")
    source = bench.library.add(bench.collection, bench.docs / "a.txt")
    bench.library.begin()
    bench.settle()
    look_at = ingest_module.look_at
    removals = [source.id]
    n_looks = 0

    def remove(path: Path) -> object:
        nonlocal n_looks
        n_looks += 1
        if n_looks == 2 and removals:
            shelf.remove_source(bench.library.database, removals.pop())
            documents.sweep(bench.library.database)
        return look_at(path)

    monkeypatch.setattr(ingest_module, "look_at", remove)
    bench.library.add(bench.collection, bench.docs / "b.txt")
    bench.settle()
    assert bench.found("whale") == ["b.txt"]
    assert bench.file("b.txt").state is FileState.READ


def test_closing_while_reading_loses_nothing(bench: Bench) -> None:
    gate = Gate()
    bench.reader.before["b.txt"] = gate
    bench.write("a.txt", "A whale.")
    bench.write("b.txt", "A ship.\fA storm.")
    bench.library.add(bench.collection, bench.docs)
    bench.library.begin()
    assert gate.reached.wait(PATIENCE_S)
    closing = threading.Thread(target=bench.library.close)
    closing.start()
    while not bench.library._ingest._closed:
        closing.join(0.01)
    gate.opened.set()
    closing.join(PATIENCE_S)
    assert not closing.is_alive()
    bench.again()
    assert {file.path.name: file.state for file in bench.library.files()} == {
        "a.txt": FileState.READ,
        "b.txt": FileState.WAITING,
    }
    bench.library.begin()
    bench.settle()
    assert [path.name for path in bench.reader.read_paths] == ["b.txt"]
    assert bench.found("storm") == ["b.txt"]


def test_a_full_disk_is_no_files_fault(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    put = documents.put
    fail = [True]

    def full(*arguments: object, **named: object) -> int:
        if fail[0]:
            raise StoreError("The disk is full.")
        return put(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(ingest_module.documents, "put", full)
    told = threading.Event()
    events = bench.events
    bench.library._ingest._publish = lambda event: (events.append(event), told.set())[0]  # type: ignore[func-returns-value]
    bench.write("a.txt", "A whale.\fA ship.")
    bench.library.add(bench.collection, bench.docs)
    bench.library.begin()
    while LibraryNotice("The disk is full.") not in events:
        told.clear()
        assert told.wait(PATIENCE_S)
    assert bench.file("a.txt").state is FileState.WAITING
    fail[0] = False
    bench.library._ingest.wake()
    bench.settle()
    assert bench.found("whale") == ["a.txt"]


def test_the_longest_document(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_module, "MOST_CHARACTERS", 10)
    for name, n in (("less.txt", 9), ("most.txt", 10), ("more.txt", 11)):
        bench.write(name, "x" * n)
    bench.library.add(bench.collection, bench.docs)
    bench.library.begin()
    bench.settle()
    states = {file.path.name: file.state for file in bench.library.files()}
    assert states == {"less.txt": FileState.READ, "most.txt": FileState.READ, "more.txt": FileState.FAILED}


def test_a_question_waits_for_what_was_just_added(bench: Bench) -> None:
    gate = Gate()
    bench.library.begin()
    bench.settle()
    bench.reader.before["a.txt"] = gate
    bench.write("a.txt", "A whale swims.")
    bench.library.add(bench.collection, bench.docs)
    assert gate.reached.wait(PATIENCE_S)
    answers: list[int] = []

    def ask() -> None:
        found = bench.library.search("whale", EVERYTHING, most_characters=1000, wait_s=PATIENCE_S)
        answers.append(len(found.passages))

    asking = threading.Thread(target=ask)
    asking.start()
    assert bench.library.search("whale", EVERYTHING, most_characters=1000).passages == ()
    gate.opened.set()
    asking.join(PATIENCE_S)
    assert answers == [1]


def test_pasted_text_goes_with_its_file(bench: Bench) -> None:
    source = bench.library.add_text(bench.collection, "Notes", "A pastedwhale.")
    same = bench.library.add_text(bench.library.add_collection("Other").id, "Notes", "A pastedwhale.")
    bench.library.begin()
    bench.settle()
    assert len(bench.found("pastedwhale")) == 1
    bench.library.remove_source(source.id)
    assert same.path.is_file()
    bench.library.remove_source(same.id)
    assert not same.path.exists()
    assert not same.path.parent.exists()
    assert b"pastedwhale" not in bytes_of(bench.folder / "library")


@pytest.mark.parametrize(
    ("name", "file"),
    [("Notes", "Notes.txt"), ("Über Öl: was? ../x", "Über Öl was .. x.txt"), ("CON", "CON_.txt"), ("…", "_.txt")],
)
def test_pasted_text_is_cited_by_its_name(bench: Bench, name: str, file: str) -> None:
    bench.library.add_text(bench.collection, name, "A pastedwhale.")
    bench.library.begin()
    bench.settle()
    (passage,) = bench.library.search("pastedwhale", EVERYTHING, most_characters=1000).passages
    assert passage.path.name == file


def test_removing_a_collection_removes_what_only_it_holds(bench: Bench) -> None:
    bench.write("a.txt", "A whale.")
    bench.write("b.txt", "A ship.")
    other = bench.library.add_collection("Other").id
    bench.library.add(bench.collection, bench.docs)
    bench.library.add(other, bench.docs / "b.txt")
    bench.library.begin()
    bench.settle()
    bench.library.remove_collection(bench.collection)
    assert bench.found("whale ship") == ["b.txt"]
    assert [each.name for each in bench.library.collections()] == ["Other"]


# Vectors


class Counting(FakeEmbedder):
    """Counts the passages it is given; fails when told to."""

    def __init__(self, name: str = "fake") -> None:
        super().__init__()
        self.model_id = name
        self.texts: list[str] = []
        self.fault: Exception | None = None

    def embed_passages(self, texts: object) -> np.ndarray:  # type: ignore[type-arg, override]
        assert isinstance(texts, list)
        if self.fault is not None:
            raise self.fault
        self.texts += texts
        return super().embed_passages(texts)


def with_embedder(bench: Bench, load: Callable[[], FakeEmbedder]) -> None:
    bench.library.close()
    bench.library = Library(
        bench.folder / "library", bench.reader, Paragraphs(), bench.events.append, load_embedder=load
    )


def test_only_changed_text_is_embedded_again(bench: Bench) -> None:
    embedder = Counting()
    with_embedder(bench, lambda: embedder)
    bench.write("a.txt", "A whale.\n\nA ship.\n\nA storm.")
    bench.library.add(bench.collection, bench.docs)
    bench.library.begin()
    bench.settle()
    assert sorted(embedder.texts) == ["a\nA ship.", "a\nA storm.", "a\nA whale."]
    assert bench.file("a.txt").n_unembedded == 0
    assert bench.events.count(EmbeddingProgress(0, 3)) >= 1
    embedder.texts.clear()
    bench.change("a.txt", "A whale.\n\nA new ship.\n\nA storm.")
    bench.library.look_at_all()
    bench.settle()
    assert embedder.texts == ["a\nA new ship."]
    assert bench.library.meaning.n_vectors() == 3
    embedder.texts.clear()
    bench.change("a.txt", "A storm.\n\nA whale.")
    bench.library.look_at_all()
    bench.settle()
    assert embedder.texts == []
    assert bench.library.meaning.n_vectors() == 2, "the old ones serve the new places, the rest is gone"
    (best, _score), *_rest = bench.library.meaning.search("A whale.", 5, None)
    assert "whale" in bench.library.retriever.passages([best], EVERYTHING)[best].text


def test_removed_passages_are_not_found_by_meaning(bench: Bench) -> None:
    with_embedder(bench, Counting)
    bench.write("a.txt", "A whale.")
    bench.write("b.txt", "A cat.")
    source = bench.library.add(bench.collection, bench.docs / "a.txt")
    bench.library.add(bench.collection, bench.docs / "b.txt")
    bench.library.begin()
    bench.settle()
    assert len(bench.library.meaning.search("whale", 5, None)) == 2
    bench.library.remove_source(source.id)
    assert len(bench.library.meaning.search("whale", 5, None)) == 1
    assert bench.library.database.row("SELECT count(*) FROM vector") == (1,)


def test_another_model_embeds_all_again_and_nothing_is_mixed(bench: Bench) -> None:
    with_embedder(bench, lambda: Counting("one"))
    bench.write("a.txt", "A whale.\n\nA ship.")
    bench.library.add(bench.collection, bench.docs)
    bench.library.begin()
    bench.settle()
    other = Counting("two")
    with_embedder(bench, lambda: other)
    bench.library.begin()
    bench.settle()
    assert len(other.texts) == 2
    assert bench.library.meaning.n_vectors() == 2


def test_without_an_embedder_words_are_found(bench: Bench) -> None:
    def none() -> FakeEmbedder:
        raise EmbedderError("No model.")

    with_embedder(bench, none)
    bench.write("a.txt", "A whale.")
    bench.library.add(bench.collection, bench.docs)
    bench.library.begin()
    bench.settle()
    assert LibraryNotice("No model.") in bench.events
    assert bench.found("whale") == ["a.txt"]
    assert bench.file("a.txt").n_unembedded == 1


def test_an_embedder_that_fails_is_told_and_tried_again(bench: Bench) -> None:
    embedder = Counting()
    embedder.fault = EmbedderError("It broke.")
    with_embedder(bench, lambda: embedder)
    bench.write("a.txt", "A whale.")
    bench.library.add(bench.collection, bench.docs)
    bench.library.begin()
    bench.settle()
    assert LibraryNotice("It broke.") in bench.events
    assert bench.file("a.txt").n_unembedded == 1
    embedder.fault = None
    bench.write("b.txt", "A ship.")
    bench.library.look_at_all()
    bench.settle()
    assert {file.n_unembedded for file in bench.library.files()} == {0}


def test_what_comes_while_the_index_is_filled_is_in_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Words that have their vector from another document, and are put in just then."""
    with_embedder(bench, Counting)
    bench.write("a.txt", "A whale.")
    bench.library.add(bench.collection, bench.docs)
    bench.library.begin()
    bench.settle()
    bench.again()
    meaning = bench.library.meaning
    of_chunks = vectors.of_chunks
    second: list[threading.Thread] = []

    def slow(*arguments: object) -> Iterator[object]:
        blocks = list(of_chunks(*arguments))  # type: ignore[arg-type]
        if not second:
            bench.write("b.txt", "A whale.\n\nA ship.")
            (bench.docs / "a").mkdir()
            (bench.docs / "b.txt").rename(bench.docs / "a" / "a.txt")
            second.append(threading.Thread(target=bench.library._ingest.start))
            bench.library.look_at_all()
            stored = threading.Event()
            on_stored = bench.library._ingest._on_stored

            def tell(span: tuple[int, int]) -> None:
                stored.set()
                on_stored(span)

            bench.library._ingest._on_stored = tell
            second[0].start()
            assert stored.wait(PATIENCE_S)
        yield from blocks

    monkeypatch.setattr("rag.meaning.vectors.of_chunks", slow)
    embedder = Counting()
    meaning.use(embedder, vectors.embedder_id(bench.library.database, embedder.model_id, embedder.dimensions))
    assert bench.library._ingest.wait_until_idle(PATIENCE_S)
    assert meaning.n_vectors() == 2, "that of the whale, at both of its places"


# Several programs on one folder


def test_one_reads_the_other_follows_and_takes_over(bench: Bench) -> None:
    with_embedder(bench, Counting)
    bench.library.begin()
    bench.settle()
    reader, events = TextReader(), list[LibraryEvent]()
    second = Library(bench.folder / "library", reader, Paragraphs(), events.append, load_embedder=Counting)
    try:
        second.begin()
        assert bench.library.reads
        assert not second.reads
        bench.write("a.txt", "A whale.\n\nA ship.")
        source = second.add(bench.collection, bench.docs / "a.txt")
        assert second.wait_until_idle(PATIENCE_S)
        assert reader.read_paths == []
        assert [path.name for path in bench.reader.read_paths] == ["a.txt"]
        assert second.meaning.n_vectors() == 2
        assert len(second.search("whale", EVERYTHING, most_characters=5, wait_s=PATIENCE_S).passages) == 1
        assert FilesChanged() in events
        bench.library.remove_source(source.id)
        assert second._charge.wait(lambda: second.meaning.n_vectors() == 0, PATIENCE_S)
        bench.library.close()
        assert second._charge.wait(lambda: second.reads, PATIENCE_S)
        bench.write("b.txt", "A cat.")
        second.add(bench.collection, bench.docs / "b.txt")
        assert second.wait_until_idle(PATIENCE_S)
        assert [path.name for path in reader.read_paths] == ["b.txt"]
        assert second.meaning.n_vectors() == 1
    finally:
        second.close()


def test_begin_looks_at_all_sources_and_goes_on_watching(bench: Bench) -> None:
    bench.write("a.txt", "A whale.")
    bench.library.add(bench.collection, bench.docs)
    bench.library.begin()
    bench.settle()
    bench.again()
    bench.write("b.txt", "A ship.")
    bench.library.begin()
    assert bench.library._charge.wait(lambda: bench.found("ship") == ["b.txt"], PATIENCE_S)
    bench.write("c.txt", "A storm.")
    (bench.docs / "a.txt").unlink()
    assert bench.library._charge.wait(lambda: bench.found("storm whale") == ["c.txt"], PATIENCE_S)
