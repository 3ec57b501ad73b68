"""How well passages are found, on the sets of `tests.evaluation.retrieval_sets*`, through any search.

python -m tests.evaluation.retrieval [--only faq,de,...] [--half tuning|reporting]: by meaning alone, with the light
embedder. The library's own search is measured by `measure` with another `Search`.

Found by meaning alone, reporting halves, hit@1 / hit@10 / recall@5: FAQ .494 .841 .769; de .571 .881 .833;
es .487 .783 .743; fr .664 .918 .877; ru .222 .611 .514; ar .127 .349 .270; zh .144 .378 .289; ja .198 .539 .385;
pt .554 .815 .758.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import statistics
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import platformdirs

from app.paths import APP_NAME
from rag.chunking import Chunker
from rag.embedding.embedder import Embedder, Vectors
from rag.embedding.onnx import OnnxEmbedder
from rag.evaluation import hit, ndcg, recall
from rag.index import VectorIndex
from rag.store.documents import header_of
from tests.evaluation.retrieval_sets import Half, RetrievalSet
from tests.evaluation.retrieval_sets_faq import faq
from tests.evaluation.retrieval_sets_languages import HANDBOOK, languages
from tests.minilm_weights import minilm_folder

K = 10
_AT_ONCE = 64
Search = Callable[[str, int], Sequence[str]]
"""The ids of the `k` best sections for a question, best first, each once."""


def sets(names: Sequence[str] = ()) -> tuple[RetrievalSet, ...]:
    """Those of the names "faq" and languages' codes; all if none are named."""
    found: tuple[RetrievalSet, ...] = (faq(),) if not names or "faq" in names else ()
    if not names or set(names) & set(HANDBOOK):
        found += tuple(one for one in languages() if not names or one.language in names)
    return found


def measure(one: RetrievalSet, half: Half, search: Search) -> dict[str, object]:
    """One row: means over the questions of a half."""
    runs = [(search(question.text, K), question.relevant) for question in one.half(half)]

    def mean(values: list[float]) -> float:
        return round(statistics.fmean(values), 4)

    return {
        "set": one.name,
        "half": half.value,
        "questions": len(runs),
        "sections": len(one.sections),
        "hit@1": mean([hit(run, relevant, 1) for run, relevant in runs]),
        "hit@10": mean([hit(run, relevant, 10) for run, relevant in runs]),
        "recall@5": mean([recall(run, relevant, 5) for run, relevant in runs]),
        "nDCG@10": mean([ndcg(run, relevant, 10) for run, relevant in runs]),
    }


def passages(one: RetrievalSet, embedder: Embedder) -> tuple[list[str], list[str]]:
    """The ids of sections and, beside each, a passage of it under its header."""
    chunker = Chunker(embedder.count_pieces)
    owners, texts = [], []
    for section in one.sections:
        chunker.begin()
        page = section.page(1)
        for chunk in chunker.chunks_of(page):
            owners.append(section.id)
            texts.append(f"{header_of(section.title, chunk.section)}\n{page.text[chunk.start : chunk.end]}")
    return owners, texts


def by_meaning(one: RetrievalSet, embedder: Embedder) -> Search:
    """Vectors alone; they are kept in the cache folder, as they take minutes."""
    owners, texts = passages(one, embedder)
    held = embedded(texts, embedder)
    index = VectorIndex(embedder.dimensions, lambda ids: (ids, held[ids]))
    index.add(np.arange(len(owners)), held)

    def search(question: str, k: int) -> list[str]:
        ids, _scores = index.search(embedder.embed_question(question), 5 * k)
        return list(dict.fromkeys(owners[number] for number in ids))[:k]

    return search


def embedded(texts: Sequence[str], embedder: Embedder) -> Vectors:
    """Vectors of texts, from the cache if these very texts have been embedded by this very model."""
    digest = hashlib.sha256("\0".join([embedder.model_id, *texts]).encode()).hexdigest()[:16]
    kept: Path = platformdirs.user_cache_path(APP_NAME, appauthor=False) / "test-documents" / f"vectors-{digest}.npy"
    if kept.is_file():
        vectors: Vectors = np.load(kept, allow_pickle=False)
        return vectors
    parts = [embedder.embed_passages(texts[start : start + _AT_ONCE]) for start in range(0, len(texts), _AT_ONCE)]
    vectors = np.concatenate(parts)
    np.save(kept, vectors)
    return vectors


def rows(names: Sequence[str] = (), half: Half = Half.REPORTING) -> Iterator[dict[str, object]]:
    """One row a set, by meaning alone."""
    embedder = OnnxEmbedder(minilm_folder(), n_threads=os.cpu_count() or 1)
    try:
        for one in sets(names):
            yield measure(one, half, by_meaning(one, embedder))
    finally:
        embedder.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="")
    parser.add_argument("--half", type=Half, default=Half.REPORTING)
    arguments = parser.parse_args()
    for row in rows([name for name in arguments.only.split(",") if name], arguments.half):
        print("  ".join(f"{key} {value}" for key, value in row.items()), flush=True)


if __name__ == "__main__":
    main()
