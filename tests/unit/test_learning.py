"""Another embedder learns all passages while the old one serves, whatever a person and the program do meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.errors import EmbedderError
from rag.embedding.fake import FakeEmbedder
from rag.events import EmbedderChosen, EmbeddingProgress, FilesChanged, LibraryEvent, LibraryNotice
from rag.learning_report import LearningReport
from rag.library import Library
from rag.scope import Scope
from rag.store import vectors
from tests.unit.library_shelf import PATIENCE_S, Paragraphs, TextReader

N_PASSAGES = 40


class Model(FakeEmbedder):
    """Of its own number of dimensions, so that two models cannot be compared; stops where a test tells it to."""

    def __init__(self, name: str, dimensions: int) -> None:
        super().__init__(dimensions=dimensions)
        self.model_id = name
        self.texts: list[str] = []
        self.stop_after: int | None = None
        self.stopped, self.go_on = threading.Event(), threading.Event()
        self.closed = False

    def embed_passages(self, texts: object) -> np.ndarray:  # type: ignore[type-arg, override]
        assert isinstance(texts, list)
        assert not self.closed
        if self.stop_after is not None and len(self.texts) >= self.stop_after:
            self.stopped.set()
            assert self.go_on.wait(PATIENCE_S)
        self.texts += texts
        return super().embed_passages(texts)

    def embed_question(self, text: str) -> np.ndarray:  # type: ignore[type-arg]
        assert not self.closed
        return FakeEmbedder(dimensions=self.dimensions).embed_question(text)

    def close(self) -> None:
        self.closed = True


class Shop:
    """The models that can be chosen; each loading gives another object."""

    def __init__(self) -> None:
        self.dimensions = {"one": 64, "two": 48, "three": 32}
        self.loaded: list[Model] = []
        self.prepare: Callable[[Model], None] = lambda _model: None

    def __call__(self, choice: str) -> Model | None:
        if choice == "":
            return None
        if choice not in self.dimensions:
            raise EmbedderError("The model {name} is not on this computer.", name=choice)
        model = Model(f"model {choice}", self.dimensions[choice])
        self.prepare(model)
        self.loaded.append(model)
        return model

    def newest(self, choice: str) -> Model:
        return next(each for each in reversed(self.loaded) if each.model_id == f"model {choice}")


class Bench:
    """A library on one file of `N_PASSAGES` passages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shop = Shop()
        self.events: list[LibraryEvent] = []
        self.docs = folder / "docs"
        self.docs.mkdir()
        (self.docs / "a.txt").write_text("\n\n".join(f"Passage {number} of whales." for number in range(N_PASSAGES)))
        self.library = self.open("one")
        self.collection = self.library.add_collection("Books").id
        self.library.add(self.collection, self.docs)

    def open(self, choice: str) -> Library:
        return Library(
            self.folder / "library", TextReader(), Paragraphs(), self.events.append,
            embedder=choice, load_named=self.shop,
        )  # fmt: skip

    def settle(self) -> None:
        assert self.library.wait_until_idle(PATIENCE_S)

    def again(self, choice: str) -> None:
        """As after another start of the program."""
        self.library.close()
        self.library = self.open(choice)

    def begin(self) -> None:
        self.library.begin()
        self.settle()

    def stop_at(self, choice: str, n_passages: int) -> Model:
        """Choose a model that stops when it has learned so many."""

        def prepare(model: Model) -> None:
            if model.model_id == f"model {choice}":
                model.stop_after = n_passages

        self.shop.prepare = prepare
        self.library.use_embedder(choice)
        model = self.shop.newest(choice)
        assert model.stopped.wait(PATIENCE_S)
        self.shop.prepare = lambda _model: None
        return model

    def meanwhile(self, model: Model, action: Callable[[], object]) -> None:
        """Do something that waits for a model which stands still; that goes on when it has been asked to leave off."""
        queue = self.library._learning.queue
        turn = queue._turns
        acting = threading.Thread(target=action)
        acting.start()
        with queue._changed:
            assert queue._changed.wait_for(lambda: queue._left_off(turn), PATIENCE_S)
        model.go_on.set()
        acting.join(PATIENCE_S)
        assert not acting.is_alive()

    def embedders(self) -> list[str]:
        return [name for (name,) in self.library.database.rows("SELECT name FROM embedder ORDER BY id")]

    def found(self, words: str) -> list[tuple[int, float]]:
        return self.library.meaning.search(words, 3, None)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    for model in made.shop.loaded:
        model.go_on.set()
    made.library.close()
    assert all(model.closed for model in made.shop.loaded)


def test_what_was_learned_counts_while_the_model_is_being_loaded(bench: Bench) -> None:
    def left() -> set[int]:
        files, summaries = bench.library.files(), bench.library.summaries()
        return {each.n_unembedded for each in (*files, *summaries)}

    assert left() == {0}, "nothing has been read yet"
    bench.begin()
    bench.again("one")
    assert left() == {0}, "nobody has loaded it yet"
    bench.shop.dimensions.clear()
    bench.begin()
    assert left() == {N_PASSAGES}, "it is not to be had any more"


def test_the_old_one_serves_until_the_new_one_knows_all(bench: Bench) -> None:
    bench.begin()
    before = bench.found("Passage 7")
    two = bench.stop_at("two", 16)
    assert bench.found("Passage 7") == before
    assert bench.library.learning() == LearningReport("one", "two", N_PASSAGES - 16, N_PASSAGES)
    assert {file.n_unembedded for file in bench.library.files()} == {0}, "they can be found by meaning"
    assert any(event.anew and event.n_left for event in bench.events if isinstance(event, EmbeddingProgress))
    assert not bench.shop.newest("one").closed
    two.go_on.set()
    bench.settle()
    assert bench.library.learning() == LearningReport("two", "", 0, N_PASSAGES)
    assert bench.embedders() == ["model two"]
    assert bench.shop.newest("one").closed
    assert len(bench.found("Passage 7")) == 3
    assert bench.library.meaning.n_vectors() == N_PASSAGES
    assert len(two.texts) == N_PASSAGES


def test_what_comes_meanwhile_is_found_by_meaning_at_once(bench: Bench) -> None:
    bench.begin()
    two = bench.stop_at("two", 8)
    two.stop_after = None  # held at one batch; then at none
    (bench.docs / "b.txt").write_text("A lighthouse.")
    taken = threading.Event()
    take = bench.library.meaning.take

    def tell(span: tuple[int, int]) -> None:
        take(span)
        if bench.library.meaning.n_vectors() == N_PASSAGES + 1:
            taken.set()

    bench.library._learning.queue._on_embedded = tell
    bench.library.look_at_all()
    assert bench.library._ingest.wait_until_idle(PATIENCE_S)
    two.stop_after = 40
    two.stopped.clear()
    two.go_on.set()
    assert taken.wait(PATIENCE_S)
    assert "b\nA lighthouse." in bench.shop.newest("one").texts
    bench.settle()
    assert bench.library.learning().serving == "two"
    assert bench.library.meaning.n_vectors() == N_PASSAGES + 1


def test_back_and_forth_loses_nothing(bench: Bench) -> None:
    bench.begin()
    two = bench.stop_at("two", 16)
    bench.meanwhile(two, lambda: bench.library.use_embedder("one"))
    bench.settle()
    assert two.closed
    learned = len(two.texts)
    assert learned < N_PASSAGES
    assert bench.library.learning() == LearningReport("one", "", 0, N_PASSAGES)
    assert bench.embedders() == ["model one", "model two"]
    bench.library.use_embedder("two")
    bench.settle()
    assert len(bench.shop.newest("two").texts) == N_PASSAGES - learned
    assert bench.embedders() == ["model two"]


def test_a_third_one_wanted_meanwhile(bench: Bench) -> None:
    bench.begin()
    two = bench.stop_at("two", 16)
    bench.meanwhile(two, lambda: bench.library.use_embedder("three"))
    bench.settle()
    assert bench.library.learning().serving == "three"
    assert bench.embedders() == ["model three"]
    assert two.closed
    assert len(bench.found("Passage 7")) == 3


def test_another_start_goes_on_where_the_last_left_off(bench: Bench) -> None:
    bench.begin()
    two = bench.stop_at("two", 16)
    bench.meanwhile(two, bench.library.close)
    learned = len(two.texts)
    assert learned < N_PASSAGES

    def hold(model: Model) -> None:
        model.stop_after = 0 if model.model_id == "model two" else None

    bench.shop.prepare = hold
    bench.library = bench.open("two")
    bench.library.begin()
    assert bench.library._learning.wait_until_ready(PATIENCE_S)
    new = bench.shop.newest("two")
    assert new.stopped.wait(PATIENCE_S)
    assert len(bench.found("Passage 7")) == 3, "the old one serves again"
    assert bench.library.learning() == LearningReport("one", "two", N_PASSAGES - learned, N_PASSAGES)
    new.go_on.set()
    bench.settle()
    assert len(new.texts) == N_PASSAGES - learned
    assert bench.embedders() == ["model two"]


def test_what_cannot_be_loaded_is_a_sentence_and_nothing_changes(bench: Bench) -> None:
    bench.begin()
    before = bench.found("Passage 7")
    with pytest.raises(EmbedderError, match="four is not on this computer"):
        bench.library.use_embedder("four")
    assert bench.found("Passage 7") == before
    assert bench.library.learning() == LearningReport("one", "", 0, N_PASSAGES)
    bench.again("four")
    bench.begin()
    assert LibraryNotice("The model {name} is not on this computer.", (("name", "four"),)) in bench.events
    assert bench.found("Passage 7") == before, "what served goes on"
    assert bench.library.learning().serving == "one"


def test_an_old_one_that_is_gone_gives_way_at_once(bench: Bench) -> None:
    bench.begin()
    del bench.shop.dimensions["one"]
    bench.again("two")
    bench.begin()
    assert bench.library.learning() == LearningReport("two", "", 0, N_PASSAGES)
    assert bench.library.meaning.n_vectors() == N_PASSAGES


def test_one_that_has_hardly_begun_is_not_made_whole_first(bench: Bench) -> None:
    def hold(model: Model) -> None:
        model.stop_after = 8 if model.model_id == "model one" else None

    bench.shop.prepare = hold
    bench.library.begin()
    assert bench.library._learning.wait_until_ready(PATIENCE_S)
    one = bench.shop.newest("one")
    assert one.stopped.wait(PATIENCE_S)
    bench.meanwhile(one, lambda: bench.library.use_embedder("two"))
    bench.settle()
    assert len(one.texts) < N_PASSAGES
    assert bench.library.learning() == LearningReport("two", "", 0, N_PASSAGES)


def test_vectors_of_the_other_length_are_never_searched(bench: Bench) -> None:
    """Searches without a pause while models change: two of them would not fit together."""
    bench.begin()
    faults: list[BaseException] = []
    ended = threading.Event()
    counts = []

    def search() -> None:
        try:
            while not ended.is_set():
                counts.append(len(bench.found("Passage 7")))
        except BaseException as error:  # noqa: BLE001 - told by the test
            faults.append(error)

    searching = threading.Thread(target=search)
    searching.start()
    for choice in ("two", "three", "one"):
        bench.library.use_embedder(choice)
        bench.settle()
    ended.set()
    searching.join(PATIENCE_S)
    assert faults == []
    assert set(counts) == {3}
    assert bench.embedders() == ["model one"]


def test_another_program_wants_and_follows(bench: Bench) -> None:
    bench.begin()
    second = bench.open("one")
    try:
        second.begin()
        assert second._learning.wait_until_ready(PATIENCE_S)
        assert not second.reads
        second.use_embedder("two")
        assert second.wait_until_idle(PATIENCE_S)
        assert bench.library.learning().serving == "two"
        assert EmbedderChosen("two") in bench.events
        two = vectors.serving(second.database)
        assert two is not None
        assert second._charge.wait(lambda: second._learning.serving_id == two.id, PATIENCE_S)
        assert len(second.meaning.search("Passage 7", 3, None)) == 3
        with pytest.raises(EmbedderError):
            second.use_embedder("four")
    finally:
        second.close()


def test_scopes_and_words_go_on_meanwhile(bench: Bench) -> None:
    bench.begin()
    two = bench.stop_at("two", 16)
    found = bench.library.search("Passage 7", Scope((bench.collection,)), most_characters=30, whole=False)
    assert found.by_meaning
    two.go_on.set()
    bench.settle()
    assert FilesChanged() in bench.events
