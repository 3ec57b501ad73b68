"""Puts the library together for the library process: parser, chunker, embedder by name. Knows no window."""

from __future__ import annotations

import os
from pathlib import Path

from engine.errors import EmbedderError
from rag.chunking import Chunker, Count
from rag.client import LIGHT
from rag.embedding.embedder import Embedder
from rag.embedding.weights import FILES, TOKENIZER
from rag.events import EventSink
from rag.library import Library
from rag.parsing.client import Parser
from rag.protocol import Begin
from rag.recordings import MakeEars


def open_library(begin: Begin, publish: EventSink, make_ears: MakeEars | None = None) -> Library:
    """Raises `StoreError`."""
    return Library(
        begin.folder,
        Parser(),
        Chunker(_counter(begin.embedder_folder)),
        publish,
        embedder=begin.embedder,
        load_named=lambda choice: load_embedder(choice, begin.embedder_folder),
        ears=make_ears(begin.voice_folder) if make_ears is not None else None,
    )


def load_embedder(choice: str, folder: Path) -> Embedder | None:
    """The light one for "light", where its files are in `folder`; a GGUF file; or what sentence-transformers knows.

    None for "", and while the light one has not been fetched. Raises `EmbedderError` or another `HearthError`.
    """
    n_threads = os.cpu_count() or 1
    if choice.casefold().endswith(".gguf"):
        from rag.embedding.gguf import GgufEmbedder  # noqa: PLC0415  # the engine's client, for this kind alone

        return GgufEmbedder(Path(choice))
    if choice not in ("", LIGHT):
        from rag.embedding.sentence_transformers_backend import (  # noqa: PLC0415  # loads torch
            SentenceTransformersEmbedder,
        )

        return SentenceTransformersEmbedder(choice, n_threads=n_threads)
    if not choice or not all((folder / file.file_name).is_file() for file in FILES):
        return None
    from rag.embedding.onnx import OnnxEmbedder  # noqa: PLC0415  # loads onnxruntime

    return OnnxEmbedder(folder, n_threads=n_threads)


def _counter(folder: Path) -> Count | None:
    """Counts word pieces as the light embedder does, None where its tokeniser is not there, or not whole."""
    if not (folder / TOKENIZER.file_name).is_file():
        return None
    from rag.embedding.onnx import piece_counter  # noqa: PLC0415  # loads a shared library of its own

    try:
        return piece_counter(folder)
    except EmbedderError:
        return None  # which the loading of the embedder says
