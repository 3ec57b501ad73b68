"""Recordings in the library: heard beside the documents, stored whole or not at all, whatever happens meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.cancel import CancelToken
from engine.errors import RecordingError, VoiceError, sentence
from rag.chunking import Chunker
from rag.events import LibraryEvent, ReadingProgress
from rag.library import Library
from rag.scope import Scope
from rag.store.types import FileState, StoredFile
from rag.types import DocumentInfo, Page, Unit
from tests.unit.library_shelf import PATIENCE_S, TextReader, bytes_of, refuse


@dataclass(frozen=True, slots=True)
class Line:
    start_s: float
    text: str


class WrittenEars:
    """Hears what is written in a file: a line every ten seconds. Does first what a test has put down for its name."""

    def __init__(self) -> None:
        self.before: dict[str, Callable[[CancelToken], object]] = {}
        self.names: list[str] = []
        self.resting = threading.Event()

    def hear(
        self, path: Path, *, on_progress: Callable[[float, float | None], None], cancel: CancelToken
    ) -> Iterator[Line]:
        self.resting.clear()
        self.names.append(path.name)
        lines = path.read_text("utf-8").splitlines()
        for number, line in enumerate(lines):
            if number == 0:
                self.before.get(path.name, lambda _cancel: None)(cancel)
            if cancel.cancelled:
                raise CancelledError
            yield Line(10.0 * number, line)
            on_progress(10.0 * (number + 1), 10.0 * len(lines))

    def rest(self) -> None:
        self.resting.set()


class Waiting:
    """Is heard until it is let go on, or cancelled."""

    def __init__(self) -> None:
        self.reached, self.go_on = threading.Event(), threading.Event()

    def __call__(self, cancel: CancelToken) -> None:
        cancel.on_cancel(self.go_on.set)
        self.reached.set()
        assert self.go_on.wait(PATIENCE_S)


class SoundReader(TextReader):
    """Refuses recordings as the parser process does."""

    def read(self, path: Path, cancel: CancelToken) -> Iterator[DocumentInfo | Page]:
        if path.suffix == ".wav":
            raise RecordingError(sentence("“{name}” is sound."), name=path.name)
        yield from super().read(path, cancel)


class Bench:
    """A library that hears, on a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.docs = folder, folder / "docs"
        self.docs.mkdir()
        self.ears: WrittenEars | None = WrittenEars()
        self.events: list[LibraryEvent] = []
        self.library = self._made()
        self.collection = self.library.add_collection("Talks").id

    def again(self) -> None:
        self.library.close()
        self.library = self._made()
        self.library.begin()

    def write(self, name: str, *lines: str) -> Path:
        (self.docs / name).write_text("\n".join(lines))
        return self.docs / name

    def begin(self) -> None:
        self.library.add(self.collection, self.docs)
        self.library.begin()

    def settle(self) -> None:
        assert self.library.wait_until_idle(PATIENCE_S)

    def file(self, name: str) -> StoredFile:
        return next(each for each in self.library.files() if each.path.name == name)

    def found(self, words: str) -> list[tuple[str, int]]:
        """File and second of the passages."""
        numbers = [number for number, _score in self.library.retriever.ranked(words, Scope())]
        found = self.library.retriever.passages(numbers, Scope())
        return [(found[number].path.name, found[number].first_line) for number in numbers]

    def _made(self) -> Library:
        return Library(self.folder / "library", SoundReader(), Chunker(size=20), self.events.append, ears=self.ears)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.library.close()


def ears(bench: Bench) -> WrittenEars:
    assert bench.ears is not None
    return bench.ears


def test_what_is_said_can_be_searched_and_has_its_second(bench: Bench) -> None:
    bench.write("talk.wav", *[f"We speak of {what} now." for what in ("whales", "bread", "lighthouses", "ferries")])
    bench.begin()
    bench.settle()
    file = bench.file("talk.wav")
    assert (file.state, file.unit, file.title, file.n_pages) == (FileState.READ, Unit.TIME, "talk", 1)
    assert bench.found("lighthouses") == [("talk.wav", 20)]
    assert file.blob_id is not None
    page = bench.library.page(file.blob_id, 1)
    assert page is not None
    assert page.text.split("\n")[2] == "00:00:20 We speak of lighthouses now."
    told = [each for each in bench.events if isinstance(each, ReadingProgress) and each.unit is Unit.TIME]
    assert told[0] == ReadingProgress(file.id, 0, None, Unit.TIME)
    assert told[-1] == ReadingProgress(file.id, 0, 1, Unit.TIME)
    assert ears(bench).resting.wait(PATIENCE_S)
    bench.again()
    bench.settle()
    assert ears(bench).names == ["talk.wav"], "what was heard is not heard again"
    parts = bench.library.read_parts(file.blob_id, 80, 9).parts
    assert [part.first_line for part in parts] == [0, 20]


def test_documents_do_not_wait_for_a_recording(bench: Bench) -> None:
    gate = ears(bench).before["a.wav"] = Waiting()
    bench.write("a.wav", "We speak of whales.")
    bench.begin()
    assert gate.reached.wait(PATIENCE_S)
    bench.write("b.txt", "A ferry leaves at noon.")
    bench.library.look_at_all()
    found = bench.library.search("ferry noon", Scope(), most_characters=500, wait_s=0.2)
    assert [each.path.name for each in found.passages] == ["b.txt"]
    assert bench.file("a.wav").state is FileState.WAITING
    assert not bench.library.wait_until_idle(0.0)
    gate.go_on.set()
    bench.settle()
    assert ("a.wav", 0) in bench.found("whales")


def test_a_question_waits_for_a_short_recording(bench: Bench) -> None:
    bench.write("memo.wav", "The key lies under the mat.")
    bench.library.begin()
    bench.library.add(bench.collection, bench.docs)
    found = bench.library.search("key mat", Scope(), most_characters=500, wait_s=PATIENCE_S)
    assert [each.path.name for each in found.passages] == ["memo.wav"]


def test_a_recording_that_is_removed_is_left_off(bench: Bench) -> None:
    gate = ears(bench).before["a.wav"] = Waiting()
    bench.write("a.wav", "We speak of whales.")
    bench.begin()
    assert gate.reached.wait(PATIENCE_S)
    (source,) = bench.library.sources()
    bench.library.remove_source(source.id)
    bench.settle()
    assert bench.library.files() == []
    assert bench.found("whales") == []


def test_deleting_a_recording_deletes_its_words(bench: Bench) -> None:
    path = bench.write("a.wav", "We speak of marmalade.")
    bench.begin()
    bench.settle()
    assert bench.found("marmalade")
    path.unlink()
    bench.library.look_at_all()
    bench.settle()
    assert bench.found("marmalade") == []
    assert b"marmalade" not in bytes_of(bench.folder / "library")


def test_a_recording_that_changes_while_it_is_heard_is_heard_anew(bench: Bench) -> None:
    def change(_cancel: CancelToken) -> None:
        del ears(bench).before["a.wav"]
        bench.write("a.wav", "We speak of sharks, and of nothing else.")

    ears(bench).before["a.wav"] = change
    bench.write("a.wav", "We speak of whales.")
    bench.begin()
    bench.settle()
    assert bench.found("whales") == []
    assert bench.found("sharks") == [("a.wav", 0)]


def test_why_a_recording_is_not_heard_is_said_and_it_can_be_tried_again(bench: Bench) -> None:
    def missing(_cancel: CancelToken) -> None:
        raise VoiceError(sentence("The models that hear are not there."))

    def bug(_cancel: CancelToken) -> None:
        raise ZeroDivisionError

    ears(bench).before = {"a.wav": missing, "b.wav": bug}
    bench.write("a.wav", "We speak of whales.")
    bench.write("b.wav", "We speak of bread.")
    bench.write("c.wav", "  ")
    bench.begin()
    bench.settle()
    faults = {file.path.name: file.fault for file in bench.library.files()}
    assert all(faults.values())
    templates = {name: fault.template if fault else "" for name, fault in faults.items()}
    assert templates["a.wav"] == "The models that hear are not there."
    assert "error in Hearth" in templates["b.wav"]
    assert templates["c.wav"] == "Nothing is said in “{name}”."
    ears(bench).before.clear()
    bench.library.retry(bench.file("a.wav").id)
    bench.settle()
    assert bench.found("whales") == [("a.wav", 0)]


def test_without_ears_the_readers_own_words_say_so(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.library.close()
    bench.ears = None
    bench.again()
    bench.write("a.wav", "We speak of whales.")
    bench.library.add(bench.collection, bench.docs)
    bench.settle()
    fault = bench.file("a.wav").fault
    assert fault is not None
    assert fault.template == "“{name}” is sound."
    bench.library.close()


def test_equal_recordings_are_one_document(bench: Bench) -> None:
    bench.write("a.wav", "We speak of whales.")
    bench.begin()
    bench.settle()
    bench.write("b.wav", "We speak of whales.")
    bench.library.look_at_all()
    bench.settle()
    assert bench.file("a.wav").blob_id == bench.file("b.wav").blob_id
    assert ears(bench).names == ["a.wav"]


def test_closing_leaves_off_and_the_next_start_hears_it(bench: Bench) -> None:
    gate = ears(bench).before["a.wav"] = Waiting()
    bench.write("a.wav", "We speak of whales.")
    bench.write("b.wav", "We speak of bread.")
    bench.begin()
    assert gate.reached.wait(PATIENCE_S)
    del ears(bench).before["a.wav"]
    bench.again()
    bench.settle()
    assert bench.found("whales")[0] == ("a.wav", 0)
    assert bench.found("bread")[0] == ("b.wav", 0)


def test_a_document_that_fails_leaves_recordings_alone(bench: Bench) -> None:
    reader = SoundReader()
    reader.before["x.txt"] = refuse
    bench.library.close()
    bench.library = Library(bench.folder / "library", reader, Chunker(), bench.events.append, ears=bench.ears)
    bench.write("a.wav", "We speak of whales.")
    bench.write("x.txt", "Nothing.")
    bench.begin()
    bench.settle()
    assert bench.file("x.txt").state is FileState.FAILED
    assert bench.file("a.wav").state is FileState.READ
