"""The document library at the sizes that people reach: reading, looking again, asking, and what it takes on the disk.

Pages are made of the Debian handbook's sentences in a random order, so that words are as frequent as they are in real
documents; where only speed counts, vectors are random directions. Each row stands beside its limit, which holds for
the full size and two quiet cores.
"""

from __future__ import annotations

import os
import random
import statistics
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import platformdirs
from fpdf import FPDF

from app.paths import APP_NAME
from rag.client import LIGHT, LibraryClient, LibraryPlace
from rag.embedding.fake import FakeEmbedder
from rag.embedding.onnx import OnnxEmbedder
from rag.index import VectorIndex
from rag.library import Library
from rag.scope import Scope
from rag.store import documents, shelf, vectors
from rag.store.database import LibraryDatabase
from rag.store.documents import ReadPage
from rag.store.types import FoundFile, SourceKind
from rag.types import Chunk, DocumentInfo, Page, Unit
from tests.benchmarks.asking import threads
from tests.evaluation.retrieval_sets import html, text_of, unpacked
from tests.minilm_weights import minilm_folder
from tests.unit.library_shelf import Paragraphs, TextReader

PAGES, FILES, CHUNKS, VECTORS = 10_000, 100_000, 100_000, 1_000_000
PAGES_A_FILE = 250
WORDS_A_PAGE = 330
CHUNKS_A_DOCUMENT = 100
CHUNK_CHARACTERS = 900
DIMENSIONS = 384
N_QUESTIONS = 200
LONGEST_S = 3600.0
Row = dict[str, object]


def reading(folder: Path, n_pages: int = PAGES) -> list[Row]:
    """PDF pages through the real processes: until their words are found, and until all has its vector."""
    pdfs = pdf_pages(n_pages)
    client = LibraryClient(LibraryPlace(folder, LIGHT, minilm_folder()), lambda _event: None)
    try:
        collection = client.add_collection("Books").result()
        client.wait_until_idle(LONGEST_S).result()
        began = time.perf_counter()
        client.add(collection.id, pdfs).result()
        client.search("packages", most_characters=1000, wait_s=LONGEST_S).result()
        words_s = time.perf_counter() - began
        client.wait_until_idle(LONGEST_S).result()
        vectors_s = time.perf_counter() - began
        files = client.files().result()
    finally:
        client.close()
    n_chunks = sum(file.n_chunks for file in files)
    assert sum(file.n_pages for file in files) == n_pages
    assert not any(file.n_unembedded for file in files)
    return [
        row("PDF pages, found by words", n_pages, words_s, "s", 60),
        row("PDF pages, found by meaning", n_pages, vectors_s, "s", 300),
        row("chunks embedded a second", n_chunks, n_chunks / (vectors_s - words_s), "/s", None),
    ]


def rescan(folder: Path, n_files: int = FILES) -> list[Row]:
    """Small files that stayed as they are since they were read."""
    docs = folder / "docs"
    for number in range(n_files):
        path = docs / str(number // 1000) / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"Note {number}.")
    embedder = _Counting()
    library = _library(folder / "library", embedder)
    collection = library.add_collection("Notes")
    source = library.add(collection.id, docs)
    with library.database.transaction():
        for file in shelf.files(library.database, source_id=source.id):
            text = f"Note {file.path.stem}."
            _put(library.database, file.id, FoundFile(file.path, file.size, file.mtime_ns), file.path.stem, [text])
    _give_vectors(library.database, embedder.model_id, embedder.dimensions)
    library.close()
    library = _library(folder / "library", embedder)
    began = time.perf_counter()
    changed = library.look_at_all()
    seconds = time.perf_counter() - began
    library.begin()
    library.wait_until_idle(LONGEST_S)
    n_read = len(library.files())
    library.close()
    assert not changed
    assert n_read == n_files
    return [
        row("unchanged files, looked at again", n_files, seconds, "s", 5),
        row("of them embedded again", n_files, embedder.n_embedded, "", 0),
    ]


def asking(folder: Path, n_chunks: int = CHUNKS) -> list[Row]:
    """Questions to a library of so many passages, with the embedding of the question; its size; one removal."""
    database = LibraryDatabase(_made(folder) / "library.db")
    collection = shelf.add_collection(database, "Books")
    source = shelf.add_source(database, collection.id, SourceKind.FOLDER, folder / "docs", "docs")
    paths = [folder / "docs" / f"{number}.txt" for number in range(max(1, n_chunks // CHUNKS_A_DOCUMENT))]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.write_text(".")
        os.utime(path, ns=(1, 1))
    shelf.take_look(database, source.id, (FoundFile(path, 1, 1) for path in paths))
    sentences = _sentences()
    chance = random.Random(1)
    for file in shelf.files(database):
        texts = list(islice(_passages(sentences, chance), CHUNKS_A_DOCUMENT))
        _put(database, file.id, FoundFile(file.path, 1, 1), f"Book {file.id}", texts)
    embedder = OnnxEmbedder(minilm_folder(), n_threads=threads())
    _give_vectors(database, embedder.model_id, DIMENSIONS)
    database.forget_deleted()
    database.close()
    n_bytes = sum(path.stat().st_size for path in folder.glob("library.db*"))
    library = _library(folder, embedder)
    began = time.perf_counter()
    library.begin()
    library.wait_until_idle(LONGEST_S)
    load_s = time.perf_counter() - began
    found = []
    for _ in range(N_QUESTIONS):
        words = chance.choice(sentences).split()[: chance.randint(4, 12)]
        began = time.perf_counter()
        answer = library.search(" ".join(words), Scope(), most_characters=8000)
        found.append(1000 * (time.perf_counter() - began))
        assert answer.passages
    rows = [
        row("question, median", n_chunks, statistics.median(found), "ms", None),
        row("question, 95 of 100", n_chunks, statistics.quantiles(found, n=20)[-1], "ms", 50),
        row("index filled at the start", n_chunks, load_s, "s", None),
        row("library on the disk", n_chunks, n_bytes / 1e6, "MB", 300),
    ]
    began = time.perf_counter()
    (a_file, *_rest) = shelf.files(library.database)
    with library.database.transaction():
        library.database.write("DELETE FROM file WHERE id = ?", (a_file.id,))
    library.meaning.remove(documents.sweep(library.database))
    rows.append(row("one document removed for good", n_chunks, time.perf_counter() - began, "s", None))
    began = time.perf_counter()
    library.files()
    rows.append(row("list of files", len(paths), 1000 * (time.perf_counter() - began), "ms", None))
    library.close()
    return rows


def exact(n_vectors: int = VECTORS) -> list[Row]:
    """The nearest of so many vectors, all looked at; and what memory allows: as many bytes read by one thread."""
    chance = np.random.default_rng(1)
    stored = np.empty((n_vectors, DIMENSIONS), np.float16)
    index = VectorIndex(DIMENSIONS, lambda ids: (ids, stored[ids]))
    for first in range(0, n_vectors, 50_000):
        n = min(50_000, n_vectors - first)
        stored[first : first + n] = _directions(chance, n)
        index.add(np.arange(first, first + n), stored[first : first + n])
    found = []
    for _ in range(50):
        question = _directions(chance, 1)[0]
        began = time.perf_counter()
        index.search(question, 64)
        found.append(1000 * (time.perf_counter() - began))
    as_many_bytes = np.ones(n_vectors * DIMENSIONS // 2, np.float32)
    read = []
    for _ in range(10):
        began = time.perf_counter()
        as_many_bytes.max()
        read.append(1000 * (time.perf_counter() - began))
    return [
        row("nearest vectors, exact", n_vectors, statistics.median(found), "ms", 25),
        row("as many bytes of 16-bit floats read", n_vectors, statistics.median(read), "ms", None),
    ]


def row(what: str, n: int, value: float, unit: str, limit: float | None) -> Row:
    """`limit` None: for information."""
    kept = "" if limit is None else "yes" if value <= limit else "NO"
    shown = "" if limit is None else limit
    return {"what": what, "of": n, "value": float(value), "unit": unit, "limit": shown, "kept": kept}


def pdf_pages(n_pages: int) -> Path:
    """A folder of PDF files with so many pages together, made once."""
    folder = platformdirs.user_cache_path(APP_NAME) / "test-documents" / f"pdf-{n_pages}"
    if (folder / "complete").is_file():
        return folder / "pdf"
    (folder / "pdf").mkdir(parents=True, exist_ok=True)
    sentences, chance = _sentences(), random.Random(2)
    for first in range(0, n_pages, PAGES_A_FILE):
        document = FPDF(format="A4")
        document.set_title(f"Volume {first // PAGES_A_FILE + 1}")
        document.set_font("Helvetica", size=10)
        document.set_auto_page_break(False)
        for number in range(first, min(n_pages, first + PAGES_A_FILE)):
            document.add_page()
            document.multi_cell(0, 4.5, f"Section {number + 1}\n\n{_page(sentences, chance)}")
        document.output(str(folder / "pdf" / f"volume-{first // PAGES_A_FILE + 1:03}.pdf"))
    (folder / "complete").touch()
    return folder / "pdf"


class _Counting(FakeEmbedder):
    def __init__(self) -> None:
        super().__init__()
        self.n_embedded = 0

    def embed_passages(self, texts: Iterable[str]) -> np.ndarray:  # type: ignore[type-arg, override]
        texts = list(texts)
        self.n_embedded += len(texts)
        return super().embed_passages(texts)


def _library(folder: Path, embedder: FakeEmbedder | OnnxEmbedder) -> Library:
    return Library(folder, TextReader(), Paragraphs(), lambda _event: None, load_embedder=lambda: embedder)


def _put(database: LibraryDatabase, file_id: int, found: FoundFile, title: str, texts: list[str]) -> None:
    """A document of one passage a text, four to a page."""
    pages = []
    for number in range(0, len(texts), 4):
        page, chunks = "", []
        for text in texts[number : number + 4]:
            chunks.append(Chunk(number // 4 + 1, len(page), len(page) + len(text), 1, 1, language="en"))
            page += text + "\n"
        pages.append(ReadPage(Page(number // 4 + 1, page), tuple(chunks)))
    with database.transaction():
        digest = file_id.to_bytes(32, "little")
        blob_id = documents.put(database, digest, DocumentInfo(title, Unit.PAGE, "text/plain"), pages, language="en")
        documents.give(database, file_id, blob_id, found=found)


def _give_vectors(database: LibraryDatabase, model: str, dimensions: int) -> None:
    chance = np.random.default_rng(1)
    embedder = vectors.embedder_id(database, model, dimensions)
    after = 0
    while rows := vectors.without_vector(database, embedder, after=after, limit=5000):
        after = rows[-1][0]
        vectors.put(database, embedder, [each.digest for _id, each in rows], _directions(chance, len(rows), dimensions))


def _directions(chance: np.random.Generator, n: int, dimensions: int = DIMENSIONS) -> np.ndarray:  # type: ignore[type-arg]
    found = chance.standard_normal((n, dimensions), np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def _sentences() -> list[str]:
    folder = unpacked("debian-handbook") / "usr/share/doc/debian-handbook/html/en-US"
    text = " ".join(text_of(html(path)) for path in sorted(folder.glob("*.html")))
    plain = text.encode("latin-1", "ignore").decode("latin-1")
    return [each.strip() for each in " ".join(plain.split()).split(". ") if 20 < len(each) < 400]


def _passages(sentences: list[str], chance: random.Random) -> Iterator[str]:
    while True:
        text = ""
        while len(text) < CHUNK_CHARACTERS:
            text += chance.choice(sentences) + ". "
        yield text[:CHUNK_CHARACTERS]


def _page(sentences: list[str], chance: random.Random) -> str:
    words: list[str] = []
    while len(words) < WORDS_A_PAGE:
        words += (chance.choice(sentences) + ".").split()
    return " ".join(words[:WORDS_A_PAGE])


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
