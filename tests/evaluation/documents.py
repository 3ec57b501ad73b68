"""How well the library itself finds and refuses: its store, both searches, their fusion, and the floor of its answers.

python -m tests.evaluation.documents [--only faq,de,...] [--half tuning|reporting]

A question is answerable where its section is in the library. It is not where only sections of another source are
searched (a question about Perl put to the documents of Debian).
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from rag.answerable import FLOOR
from rag.chunking import Chunker
from rag.embedding.onnx import OnnxEmbedder
from rag.meaning import MeaningIndex
from rag.passages import Way
from rag.retrieval import Retriever
from rag.scope import Scope
from rag.store import documents, shelf, vectors
from rag.store.database import LibraryDatabase
from rag.store.documents import ReadPage
from rag.store.types import FoundFile, SourceKind
from rag.types import DocumentInfo, Unit
from tests.evaluation.retrieval import embedded, measure, sets
from tests.evaluation.retrieval_sets import Half, RetrievalSet
from tests.minilm_weights import minilm_folder

_OF_ONE_MATTER = ("handbook", "installation guide")
"""The sources of the sets in other languages: what one of them does not say the other may."""
CHARACTERS = 5_000
"""Of passages for an answer, as the app asks for by itself."""


class Shelf:
    """A set's sections in a library of their own, each a document."""

    def __init__(self, folder: Path, one: RetrievalSet, embedder: OnnxEmbedder, pool: ThreadPoolExecutor) -> None:
        self.database = LibraryDatabase(folder / "library.db")
        collection = shelf.add_collection(self.database, one.name)
        source = shelf.add_source(self.database, collection.id, SourceKind.FOLDER, folder, one.name)
        found = [FoundFile(folder / str(number), 1, 1) for number, _section in enumerate(one.sections)]
        ids = shelf.take_look(self.database, source.id, found).added
        chunker = Chunker(embedder.count_pieces)
        self.section_of: dict[int, str] = {}
        self.blobs: dict[str, int] = {}
        with self.database.transaction():
            for number, section in enumerate(one.sections):
                chunker.begin()
                page = section.page(1)
                read = ReadPage(page, tuple(chunker.chunks_of(page)))
                info = DocumentInfo(section.title, Unit.TEXT, "text/plain", 1)
                blob = documents.put(self.database, number.to_bytes(4, "big"), info, [read], language="")
                documents.give(self.database, ids[number], blob, found=found[number])
                self.section_of[blob], self.blobs[section.id] = section.id, blob
        embedder_id = vectors.embedder_id(self.database, embedder.model_id, embedder.dimensions)
        waiting = vectors.without_vector(self.database, embedder_id, after=0, limit=10_000_000)
        made = embedded([each.text for _number, each in waiting], embedder)
        vectors.put(self.database, embedder_id, [each.digest for _number, each in waiting], np.asarray(made))
        meaning = MeaningIndex(self.database)
        meaning.use(embedder, embedder_id)
        self.retriever = Retriever(self.database, meaning, pool)
        self._blob_of: dict[int, int] = {}
        for blob in self.section_of:
            document = documents.document(self.database, blob)
            assert document is not None
            for chunk in range(document.first_chunk, document.first_chunk + document.n_chunks):
                self._blob_of[chunk] = blob

    def search(self, question: str, k: int) -> Sequence[str]:
        """Section ids, the best first."""
        ranked = self.retriever.ranked(question, Scope())
        return list(dict.fromkeys(self.section_of[self._blob_of[chunk]] for chunk, _score in ranked))[:k]


def refusals(shelf_: Shelf, one: RetrievalSet, half: Half) -> dict[str, object]:
    """Shares of answerable questions that were refused, and of the others that were; these only where a set has three
    sources that have nothing in common."""
    sources = {section.id: section.id.split("/")[0] for section in one.sections}
    by_source: dict[str, list[int]] = {}
    for section, source in sources.items():
        by_source.setdefault(source, []).append(shelf_.blobs[section])
    answerable, foreign = [], []
    for question in one.half(half):
        own = sources[next(iter(question.relevant))]
        here = shelf_.retriever.retrieve(question.text, Scope(), most_characters=CHARACTERS)
        answerable.append(here.confidence)
        if len(by_source) > len(_OF_ONE_MATTER):
            other = next(each for each in sorted(by_source) if each != own)
            scope = Scope(blob_ids=tuple(by_source[other]))
            there = shelf_.retriever.retrieve(question.text, scope, most_characters=CHARACTERS)
            foreign.append(there.confidence if there.way in (Way.PASSAGES, Way.NOTHING) else 0.0)
    return {
        "floor": FLOOR,
        "wrongly refused": _share_refused(answerable),
        "rightly refused": _share_refused(foreign) if foreign else None,
        "answerable": _spread(answerable),
        "foreign": _spread(foreign) if foreign else None,
    }


def _share_refused(confidences: list[float]) -> float:
    return round(float(np.mean([each < FLOOR for each in confidences])), 4)


def _spread(confidences: list[float]) -> list[float]:
    quantiles = (0.02, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
    return [round(float(each), 2) for each in np.quantile(confidences, quantiles)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="faq")
    parser.add_argument("--half", type=Half, default=Half.REPORTING)
    arguments = parser.parse_args()
    embedder = OnnxEmbedder(minilm_folder(), n_threads=os.cpu_count() or 1)
    with ThreadPoolExecutor(1) as pool:
        for one in sets([name for name in arguments.only.split(",") if name]):
            with tempfile.TemporaryDirectory() as folder:
                library = Shelf(Path(folder), one, embedder, pool)
                print(measure(one, arguments.half, library.search), flush=True)
                print(refusals(library, one, arguments.half), flush=True)
                library.database.close()
    embedder.close()


if __name__ == "__main__":
    main()
