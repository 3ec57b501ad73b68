"""How fast documents are learned and found: Hearth's own manual in a library that is thrown away.

Knows no window and not the person's library.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import closing
from pathlib import Path

from app.bench.answers import Progress
from app.bench.report import Kind, Measured, Part
from app.bench.texts import QUESTIONS
from app.library_process import run_library
from app.paths import Paths
from app.personas.builtin import GALLERY
from app.weights_bundle import EMBEDDER
from engine.errors import EmbedderError, sentence
from rag.client import LIGHT, LibraryClient, LibraryPlace

MANUAL = GALLERY / "hearth-guide" / "knowledge"
ROUNDS = 3
COPIES = 4
"""Of the manual in each round."""
PASSAGE_CHARACTERS = 8_000
LONGEST_S = 300.0
_MISSING = sentence(
    "The model that finds passages by meaning is not on this computer yet. Fetch it with: hearth fetch embedder"
)


def measure_documents(paths: Paths, parts: Collection[Part], begins: Progress) -> Iterator[Measured]:
    """Passages learned a second, and milliseconds to find those for a question. Blocks. Raises `HearthError`."""
    if EMBEDDER.missing(paths.embedder):
        raise EmbedderError(_MISSING)
    begins(Part.INGEST)
    with tempfile.TemporaryDirectory(prefix="hearth-bench-") as scratch:
        folder = Path(scratch)
        place = LibraryPlace(folder / "library", LIGHT, paths.embedder)
        with closing(LibraryClient(place, lambda _event: None, entry_point=run_library)) as library:
            collection = library.add_collection("Manual").result(LONGEST_S).id
            # The first one wakes the processes and loads the model; only questions need more than it.
            rounds = ROUNDS if Part.INGEST in parts else 0
            _learn(library, collection, folder / "first", copies=1)
            found = [_learn(library, collection, folder / f"{number}", copies=COPIES) for number in range(rounds)]
            if Part.INGEST in parts:
                yield Measured(Kind.INGEST, tuple(found))
            if Part.QUERY in parts:
                begins(Part.QUERY)
                _find(library, QUESTIONS[0])
                yield Measured(Kind.QUERY, tuple(_find(library, question) for question in QUESTIONS))


def _learn(library: LibraryClient, collection: int, folder: Path, *, copies: int) -> float:
    """Passages a second, from the files on the disk until all are found by meaning."""
    folder.mkdir()
    for copy in range(copies):
        for path in MANUAL.glob("*.md"):
            # Documents that are the same to the letter are read once.
            text = f"Edition {folder.name}.{copy}\n\n{path.read_text('utf-8')}"
            (folder / f"{copy} {path.name}").write_text(text, "utf-8")
    before = _passages(library)
    began = time.perf_counter()
    library.add(collection, folder).result(LONGEST_S)
    library.wait_until_idle(LONGEST_S).result(LONGEST_S)
    seconds = time.perf_counter() - began
    return (_passages(library) - before) / seconds


def _passages(library: LibraryClient) -> int:
    return sum(file.n_chunks for file in library.files().result(LONGEST_S))


def _find(library: LibraryClient, question: str) -> float:
    """Milliseconds, the way to the library's process and back included."""
    began = time.perf_counter()
    library.search(question, most_characters=PASSAGE_CHARACTERS).result(LONGEST_S)
    return 1000 * (time.perf_counter() - began)
