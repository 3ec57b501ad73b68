"""Passages a second: the light embedder against sentence-transformers on torch, and against onnxruntime alone.

One process, interleaved, on passages of a real book as the library cuts them; the best round of each counts, as other
programs only ever make it worse. "bare" is what onnxruntime gives at most: ids at hand, and each thread a plain loop
over the same graph. sentence-transformers is called as its manual says, with its own defaults.
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from engine.onnx_session import EIGHT_BITS
from rag.chunking import Chunker
from rag.embedding import minilm
from rag.embedding.onnx import OnnxEmbedder
from rag.embedding.safetensors_file import read_float32
from rag.embedding.weights import WEIGHTS
from rag.types import Page
from tests.benchmarks.asking import threads
from tests.evaluation.retrieval_sets import html, text_of, unpacked
from tests.minilm_weights import minilm_folder, reference_folder

N_PASSAGES = 96
LEAST_PIECES = 150
N_QUESTIONS = 30


def measure(*, rounds: int) -> list[dict[str, object]]:
    """One row: passages a second of the three, the two proportions, a question's milliseconds, and the cosine."""
    import torch
    from sentence_transformers import SentenceTransformer

    n_threads = threads()
    embedder = OnnxEmbedder(minilm_folder(), n_threads=n_threads)
    texts = passages(embedder)
    torch.set_num_threads(n_threads)
    transformer: Any = SentenceTransformer(str(reference_folder()), device="cpu", local_files_only=True)
    bare = _bare(embedder, texts, n_threads)
    sides: dict[str, Callable[[], Any]] = {
        "ours": lambda: embedder.embed_passages(texts),
        "torch": lambda: transformer.encode(texts, normalize_embeddings=True, show_progress_bar=False),
        "bare": bare,
    }
    found: dict[str, list[float]] = {name: [] for name in sides}
    vectors = {name: run() for name, run in sides.items()}
    for _round in range(rounds):
        for name, run in sides.items():
            began = time.perf_counter()
            run()
            found[name].append(len(texts) / (time.perf_counter() - began))
    question_ms = statistics.median(_question_ms(embedder) for _ in range(N_QUESTIONS))
    embedder.close()
    ours, theirs, alone = (max(found[name]) for name in ("ours", "torch", "bare"))
    return [
        {
            "threads": n_threads,
            "pieces": statistics.fmean(embedder.count_pieces(texts)),
            "ours_per_s": ours,
            "torch_per_s": theirs,
            "bare_per_s": alone,
            "to_torch": ours / theirs,
            "to_bare": ours / alone,
            "question_ms": question_ms,
            "cosine": float((vectors["ours"] * vectors["torch"]).sum(axis=1).mean()),
            "least_cosine": float((vectors["ours"] * vectors["torch"]).sum(axis=1).min()),
        }
    ]


def passages(embedder: OnnxEmbedder) -> list[str]:
    """The first full ones of the Debian handbook."""
    folder = unpacked("debian-handbook") / "usr/share/doc/debian-handbook/html/en-US"
    chunker = Chunker(embedder.count_pieces)
    texts = (text_of(html(path)) for path in sorted(folder.glob("sect.*.html")))
    pages = (Page(number, text) for number, text in enumerate(texts, 1))
    cut = (page.text[chunk.start : chunk.end] for page in pages for chunk in chunker.chunks_of(page))
    full = (text for text in cut if embedder.count_pieces([text])[0] >= LEAST_PIECES)
    return list(itertools.islice(full, N_PASSAGES))


def _bare(embedder: OnnxEmbedder, texts: Sequence[str], n_threads: int) -> Callable[[], Any]:
    import onnxruntime
    from tokenizers import Tokenizer

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    graph = minilm.graph_of(read_float32(minilm_folder() / WEIGHTS.file_name), largest=EIGHT_BITS)
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(reference_folder() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(embedder.max_tokens)
    ids = [np.array([encoding.ids], np.int64) for encoding in tokenizer.encode_batch(list(texts))]
    ids.sort(key=lambda one: -one.shape[1])

    def loop(part: Sequence[Any]) -> None:
        for one in part:
            session.run(None, {minilm.IDS: one})

    def run() -> None:
        with ThreadPoolExecutor(n_threads) as pool:
            list(pool.map(loop, [ids[start::n_threads] for start in range(n_threads)]))

    return run


def _question_ms(embedder: OnnxEmbedder) -> float:
    began = time.perf_counter()
    embedder.embed_question("How can I see which packages depend on this one?")
    return 1000 * (time.perf_counter() - began)
