"""The library's embedder for the API: the person's choice, loaded with the first request. Knows no HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from app.api.faults import BusyError, UnknownModelError
from app.api.ports import Embedded, Kind, Served
from engine.errors import EmbedderError, sentence
from rag.client import LIGHT

if TYPE_CHECKING:
    from rag.embedding.embedder import Embedder

LIGHT_NAME = "all-minilm-l6-v2"
_BATCH = 64
_MISSING = sentence("The model for embeddings is not on this computer yet. Fetch it with: hearth fetch embedder")


class ServedEmbedder:
    """A `app.api.ports.Embedder`. `choice` as `rag.opening.load_embedder` takes it; `folder` is the light one's."""

    def __init__(self, choice: str, folder: Path) -> None:
        self._choice = choice
        self._folder = folder
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="embedder")
        self._embedder: Embedder | None = None
        """Its thread's alone."""
        self._closed = False

    @property
    def name(self) -> str:
        """What requests call it."""
        return LIGHT_NAME if self._choice in ("", LIGHT) else Path(self._choice).stem

    def served(self) -> Sequence[Served]:
        return [Served(self.name, Kind.EMBEDDER)]

    def embed(self, name: str, texts: Sequence[str]) -> Future[Embedded]:
        if name.casefold() != self.name.casefold():
            raise UnknownModelError("“{name}” makes no embeddings here.", name=name, param="model")
        return self._thread.submit(self._embed, tuple(texts))

    def close(self) -> None:
        """Free the model. Waits for the texts that are read right now, not for those behind them."""
        self._closed = True
        self._thread.submit(self._free)
        self._thread.shutdown()

    def _embed(self, texts: Sequence[str]) -> Embedded:
        import numpy as np  # noqa: PLC0415  # with the embedder

        self._check_open()
        embedder = self._loaded()
        parts = []
        for at in range(0, len(texts), _BATCH):
            self._check_open()
            parts.append(embedder.embed_passages(texts[at : at + _BATCH]))
        return Embedded(np.concatenate(parts).astype(np.float32), sum(embedder.count_pieces(texts)))

    def _check_open(self) -> None:
        if self._closed:
            raise BusyError("The server is ending.", retry_after_s=1)

    def _free(self) -> None:
        if self._embedder is not None:
            self._embedder.close()

    def _loaded(self) -> Embedder:
        if self._embedder is None:
            from rag.opening import load_embedder  # noqa: PLC0415  # brings the loaders of documents along

            self._embedder = load_embedder(self._choice or LIGHT, self._folder)
            if self._embedder is None:
                raise EmbedderError(_MISSING)
        return self._embedder
