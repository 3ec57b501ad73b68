"""Puts the library together for the library process: parser, chunker, embedder by name. Knows no window."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rag.embedding.embedder import Embedder
    from rag.events import EventSink
    from rag.library import Library
    from rag.protocol import Begin

LIGHT = "light"
"""all-MiniLM-L6-v2 on onnxruntime."""


def open_library(begin: Begin, publish: EventSink) -> Library:
    """Raises `StoreError`."""
    from rag.chunking import Chunker  # noqa: PLC0415  # only the library process needs them
    from rag.library import Library  # noqa: PLC0415
    from rag.parsing.client import Parser  # noqa: PLC0415

    return Library(
        begin.folder, Parser(), Chunker(), publish, load_embedder=lambda: load_embedder(begin.embedder, begin.embedder_folder)
    )


def load_embedder(name: str, folder: Path) -> Embedder | None:
    """The embedder of a name: `LIGHT`, or "" for none. Raises `EmbedderError`."""
    raise NotImplementedError
