"""all-MiniLM-L6-v2 on onnxruntime: the embedder that works without torch. See `rag.embedding.minilm` for the graph.

Texts go through one at a time, on as many threads as there are, each alone in the arithmetic: that is faster than
batches, which must be padded and wait for each other. A question runs on the caller's thread beside them.
Knows where two files lie and what their hashes must be; fetches nothing.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from engine.errors import EmbedderError, sentence
from engine.onnx_session import EIGHT_BITS, largest_weight, session
from rag.embedding import minilm
from rag.embedding.embedder import Vectors
from rag.embedding.safetensors_file import read_float32
from rag.embedding.weights import TOKENIZER, WEIGHTS, WeightsFile


class OnnxEmbedder:
    """Loads from `folder`, which holds the files of `rag.embedding.weights`. Raises `EmbedderError`.

    Takes about a second, once; then 100 MB of memory. `n_threads` is for passages.
    """

    dimensions = minilm.N_WIDTH
    max_tokens = minilm.MAX_TOKENS

    def __init__(self, folder: Path, *, n_threads: int) -> None:
        from tokenizers import Tokenizer  # noqa: PLC0415  # only this backend needs it

        for file in (WEIGHTS, TOKENIZER):
            _verify(folder, file)
        try:
            largest = largest_weight()
            graph = minilm.graph_of(read_float32(folder / WEIGHTS.file_name), largest=largest)
            self._session = session(graph)
            self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER.file_name))
        except EmbedderError:
            raise
        except Exception as error:  # what onnxruntime and tokenizers raise has no other common class
            raise EmbedderError(
                sentence("The model for embeddings could not be started ({reason})."), reason=str(error)
            ) from error
        self.model_id = f"all-MiniLM-L6-v2 int{8 if largest == EIGHT_BITS else 7} 1"
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(self.max_tokens)
        self.count_pieces = piece_counter(folder)
        self._pool = ThreadPoolExecutor(n_threads, "embedder")
        self._closed = threading.Event()

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder`."""
        encodings = self._tokenizer.encode_batch(list(texts))
        # The longest first, so that no thread is left with one at the end.
        order = sorted(range(len(texts)), key=lambda place: -len(encodings[place]))
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        try:
            runs = self._pool.map(lambda place: self._run(encodings[place].ids), order)
        except RuntimeError:
            raise _closed() from None
        for place, vector in zip(order, runs, strict=True):
            vectors[place] = vector
        return vectors

    def embed_question(self, text: str) -> Vectors:
        """See `Embedder`."""
        return self._run(self._tokenizer.encode(text).ids)

    def close(self) -> None:
        """See `Embedder`."""
        self._closed.set()
        self._pool.shutdown()

    def _run(self, ids: list[int]) -> Vectors:
        if self._closed.is_set():
            raise _closed()
        (vectors,) = self._session.run(None, {minilm.IDS: np.array([ids], np.int64)})
        vector: Vectors = vectors[0]
        return vector


def piece_counter(folder: Path) -> Callable[[Sequence[str]], list[int]]:
    """`Embedder.count_pieces` alone, for whoever cuts texts before there is a model. Raises `EmbedderError`."""
    from tokenizers import Tokenizer  # noqa: PLC0415  # 40 MB

    _verify(folder, TOKENIZER)
    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER.file_name))
    tokenizer.no_padding()
    tokenizer.no_truncation()

    def count(texts: Sequence[str]) -> list[int]:
        return [len(encoding) for encoding in tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]

    return count


def _closed() -> EmbedderError:
    return EmbedderError(sentence("The model for embeddings has been closed."))


def _verify(folder: Path, file: WeightsFile) -> None:
    """The id of the model promises these very bytes."""
    path = folder / file.file_name
    try:
        with path.open("rb") as opened:
            right = hashlib.file_digest(opened, "sha256").hexdigest() == file.sha256
    except OSError as error:
        raise EmbedderError(
            sentence("The file {name} of the model for embeddings is missing ({reason})."),
            name=file.file_name, reason=error.strerror,
        ) from error  # fmt: skip
    if not right:
        raise EmbedderError(
            sentence("The file {name} of the model for embeddings is damaged. Fetch it again."), name=file.file_name
        )
