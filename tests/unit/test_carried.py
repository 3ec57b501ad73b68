"""Vectors that came along with documents: used where they are right, dropped where anything is not, never trusted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.errors import LibraryError
from rag import carried
from rag.carried_file import CarriedFile
from rag.embedding.fake import FakeEmbedder
from rag.events import LibraryEvent, LibraryNotice
from rag.library import Library
from rag.scope import Scope
from rag.store import vectors
from tests.unit.library_shelf import PATIENCE_S, Paragraphs, TextReader

N_PASSAGES = 60
ROW = carried.DIGEST_BYTES + 2 * 64


class Counting(FakeEmbedder):
    def __init__(self) -> None:
        super().__init__()
        self.n_texts = 0

    def embed_passages(self, texts: object) -> np.ndarray:  # type: ignore[type-arg, override]
        assert isinstance(texts, list)
        self.n_texts += len(texts)
        return super().embed_passages(texts)


class Desk:
    """A computer with a library, and one document of it."""

    def __init__(self, folder: Path, document: Path) -> None:
        self.embedder = Counting()
        self.events: list[LibraryEvent] = []
        self.library = Library(
            folder, TextReader(), Paragraphs(), self.events.append, load_embedder=lambda: self.embedder
        )
        self.collection = self.library.add_collection("Boats").id
        self.document = document

    def begin(self, file: CarriedFile | None = None) -> None:
        self.library.begin()
        if file is not None:
            self.library.carry(self.collection, file)
        self.library.add(self.collection, self.document)
        assert self.library.wait_until_idle(PATIENCE_S)

    @property
    def notices(self) -> list[LibraryNotice]:
        return [event for event in self.events if isinstance(event, LibraryNotice)]

    def is_whole(self) -> bool:
        """Every passage has the vector that it would have got here."""
        serving = vectors.serving(self.library.database)
        assert serving is not None
        kept = vectors.in_collection(self.library.database, serving.id, self.collection)
        own = {
            digest: FakeEmbedder().embed_passages(
                [vectors.words_in(self.library.database, self.collection, digest)]
            )[0].astype("<f2").tobytes()
            for digest in kept
        }  # fmt: skip
        return kept == own and self.library.meaning.n_vectors() == N_PASSAGES


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "boats.txt"
    path.write_text("\n\n".join(f"Boat {n} lies at pier {n * 7} and is painted {n * 13}." for n in range(N_PASSAGES)))
    return path


@pytest.fixture
def desk(tmp_path: Path, document: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "here", document)
    yield made
    made.library.close()


@pytest.fixture
def file(tmp_path: Path, document: Path) -> CarriedFile:
    """As somebody else has written it."""
    other = Desk(tmp_path / "there", document)
    other.begin()
    path = tmp_path / "vectors.bin"
    written = other.library.write_vectors(other.collection, path)
    other.library.close()
    assert (written.embedder, written.dimensions, written.count) == ("fake 64", 64, N_PASSAGES)
    assert path.stat().st_size == N_PASSAGES * ROW
    return CarriedFile(path, written.embedder, written.dimensions)


def rows(file: CarriedFile) -> np.ndarray:  # type: ignore[type-arg]
    return np.frombuffer(file.path.read_bytes(), np.uint8).reshape(-1, ROW).copy()


def numbers(table: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    return np.ascontiguousarray(table[:, carried.DIGEST_BYTES :]).view("<f2")


def with_numbers(table: np.ndarray, changed: np.ndarray) -> bytes:  # type: ignore[type-arg]
    raw = np.ascontiguousarray(changed.astype("<f2")).view(np.uint8)
    return np.hstack([table[:, : carried.DIGEST_BYTES], raw]).tobytes()


def test_right_ones_spare_the_work(desk: Desk, file: CarriedFile) -> None:
    desk.begin(file)
    assert desk.embedder.n_texts == carried.SAMPLED
    assert desk.notices == []
    assert desk.is_whole()
    found = desk.library.search("boat 41 pier", Scope((desk.collection,)), most_characters=400)
    assert any("Boat 41 " in each.text for each in found.passages)


def test_those_of_several_documents_wait_until_all_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    for number in range(4):
        lines = (f"Boat {n} lies at pier {n * 7 + number}." for n in range(number * 15, number * 15 + 15))
        (folder / f"pier {number}.txt").write_text("\n\n".join(lines))
    other, here = Desk(tmp_path / "there", folder), Desk(tmp_path / "here", folder)
    other.begin()
    written = other.library.write_vectors(other.collection, tmp_path / "vectors.bin")
    other.library.close()
    here.begin(CarriedFile(tmp_path / "vectors.bin", written.embedder, written.dimensions))
    n_texts, notices, whole = here.embedder.n_texts, here.notices, here.is_whole()
    here.library.close()
    assert (n_texts, notices, whole) == (carried.SAMPLED, [], True)


def test_what_is_written_again_is_byte_equal(desk: Desk, file: CarriedFile, tmp_path: Path) -> None:
    desk.begin(file)
    desk.library.write_vectors(desk.collection, tmp_path / "again.bin")
    assert (tmp_path / "again.bin").read_bytes() == file.path.read_bytes()


WRONG: dict[str, Callable[[CarriedFile], CarriedFile | bytes]] = {
    "another embedder": lambda file: replace(file, embedder="fake 65"),
    "another length": lambda file: replace(file, dimensions=32),
    "no length": lambda file: replace(file, dimensions=0),
    "no file": lambda file: replace(file, path=file.path.with_name("none.bin")),
    "nothing": lambda _file: b"",
    "cut short": lambda file: file.path.read_bytes()[:-1],
    "a passage too few": lambda file: rows(file)[:-1].tobytes(),
    "a passage too many": lambda file: file.path.read_bytes() + b"\xff" * carried.DIGEST_BYTES
    + with_numbers(rows(file)[:1], numbers(rows(file)[:1]))[carried.DIGEST_BYTES :],
    "other words": lambda file: bytes([rows(file)[0, 0] ^ 1]) + file.path.read_bytes()[1:],
    "another order": lambda file: rows(file)[::-1].tobytes(),
    "one twice": lambda file: rows(file)[[0, *range(N_PASSAGES - 1)]].tobytes(),
    "NaN": lambda file: with_numbers(rows(file), np.full((N_PASSAGES, 64), np.nan)),
    "one NaN": lambda file: with_numbers(rows(file), np.where(np.eye(N_PASSAGES, 64) > 0, np.nan, numbers(rows(file)))),
    "endless": lambda file: with_numbers(rows(file), np.full((N_PASSAGES, 64), np.inf)),
    "zeros": lambda file: with_numbers(rows(file), np.zeros((N_PASSAGES, 64))),
    "too long": lambda file: with_numbers(rows(file), 3 * numbers(rows(file))),
    "all alike": lambda file: with_numbers(rows(file), numbers(rows(file))[[0] * N_PASSAGES]),
    "shuffled": lambda file: with_numbers(rows(file), np.roll(numbers(rows(file)), 1, axis=0)),
    "turned round": lambda file: with_numbers(rows(file), -numbers(rows(file))),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_ones_are_dropped_and_it_is_said(desk: Desk, file: CarriedFile, wrong: str) -> None:
    changed = WRONG[wrong](file)
    if isinstance(changed, bytes):
        file.path.write_bytes(changed)
        changed = file
    desk.begin(changed)
    (notice,) = desk.notices
    assert "does not fit" in notice.template
    assert notice.fields == (("name", "Boats"),)
    assert desk.embedder.n_texts >= N_PASSAGES
    assert desk.is_whole()


def test_the_sample_is_what_finds_wrong_ones(desk: Desk, file: CarriedFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard off: turned vectors would be believed."""
    monkeypatch.setattr(carried, "LOWEST_COSINE", -2.0)
    file.path.write_bytes(with_numbers(rows(file), -numbers(rows(file))))
    desk.begin(file)
    assert desk.notices == []
    assert not desk.is_whole()


def test_a_vector_that_was_made_here_is_not_replaced(
    desk: Desk, file: CarriedFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carried, "LOWEST_COSINE", -2.0)
    file.path.write_bytes(with_numbers(rows(file), -numbers(rows(file))))
    desk.begin()
    desk.library.carry(desk.collection, file)
    assert desk.library.wait_until_idle(PATIENCE_S)
    assert desk.is_whole()


@pytest.mark.parametrize("step", [-1, 0, 1])
def test_cap_of_the_file(desk: Desk, file: CarriedFile, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    monkeypatch.setattr(carried, "MOST_BYTES", N_PASSAGES * ROW - step)
    desk.begin(file)
    assert bool(desk.notices) == (step == 1)


def test_what_is_not_learned_is_not_written(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="not all learned"):
        desk.library.write_vectors(desk.collection, tmp_path / "a.bin")
    assert not list(tmp_path.glob("a.bin*"))
