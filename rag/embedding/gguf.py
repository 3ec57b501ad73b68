"""An embedding model in a GGUF file of the person's own, run by llama.cpp in a process of its own.

Some families were trained with words before each text; those are put there where the file's name for itself tells the
family. Knows no other program's folders.
"""

from __future__ import annotations

from pathlib import Path

from engine.errors import EmbedderError, ModelFileError, sentence
from engine.model.description import ModelDescription, ModelKind, describe
from engine.types import ModelSpec
from engine.worker.client import EngineClient
from rag.embedding.engine_backend import EngineEmbedder
from rag.embedding.fingerprint import fingerprint

_WINDOW = 512
"""Tokens: passages have some 250 of any model, and memory grows with the window."""
_PREFIXES = (
    # As their model cards say, in general terms; the first that the name holds.
    ("nomic-embed", "search_document: ", "search_query: "),
    ("multilingual-e5", "passage: ", "query: "),
    ("e5-", "passage: ", "query: "),
    ("arctic-embed", "", "Represent this sentence for searching relevant passages: "),
    ("bge-m3", "", ""),
    ("bge-", "", "Represent this sentence for searching relevant passages: "),
    ("mxbai-embed", "", "Represent this sentence for searching relevant passages: "),
    ("embeddinggemma", "title: none | text: ", "task: search result | query: "),
)


class GgufEmbedder(EngineEmbedder):
    """Starts a process and loads the model: seconds. Raises `EmbedderError`, `ModelFileError` or another `HearthError`.

    Its process ends with this one, or when it is closed.
    """

    def __init__(self, path: Path) -> None:
        path = path.expanduser().absolute()
        description = describe(path)
        if description.kind is not ModelKind.EMBEDDING:
            raise ModelFileError(sentence("{name} is not an embedding model."), name=path.name)
        try:
            digest = fingerprint(path.parent, description.parts)
        except OSError as error:
            raise EmbedderError(
                sentence("The model {name} cannot be used for embeddings ({reason})."),
                name=path.name, reason=error.strerror or str(error),
            ) from error  # fmt: skip
        passage_prefix, question_prefix = prefixes(description)
        self._engine = EngineClient()
        try:
            loaded = self._engine.load(ModelSpec(path, n_ctx=_WINDOW)).result()
        except BaseException:
            self._engine.close()
            raise
        super().__init__(
            self._engine.embed,
            self._engine.count_tokens,
            model_id=f"gguf {description.name} {digest}",
            dimensions=loaded.embedding_size,
            max_tokens=loaded.n_ctx,
            passage_prefix=passage_prefix,
            question_prefix=question_prefix,
        )

    def close(self) -> None:
        """See `Embedder`. Idempotent."""
        self._engine.close()


def prefixes(description: ModelDescription) -> tuple[str, str]:
    """What stands before a passage and before a question."""
    names = f"{description.name} {description.path.name}".casefold().replace(" ", "-").replace("_", "-")
    return next(((passage, question) for name, passage, question in _PREFIXES if name in names), ("", ""))
