"""Any model of the sentence-transformers library, from a folder or from what is already on this computer.

Needs the extra `[torch]`. The library is told to stay offline before it is imported, runs no code of a model, and reads
weights as safetensors only. Its prompts for questions and passages are used where a model names them.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import EmbedderError, sentence
from rag.embedding.embedder import Vectors, unit_length
from rag.embedding.fingerprint import fingerprint

BATCH = 8
_NAMED = frozenset({".json", ".safetensors", ".txt", ".model"})
"""Files that say what the model is."""
_OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}


class SentenceTransformersEmbedder:
    """Takes 4 to 7 seconds and some 500 MB to load. Raises `EmbedderError` if `model` is not here or cannot be used.

    One text is computed at a time as far as questions go: they run between two batches of passages.
    """

    def __init__(self, model: str, *, n_threads: int) -> None:
        os.environ.update(_OFFLINE)
        try:
            from tqdm import tqdm  # noqa: PLC0415  # comes with the extra

            # Its own is shared between processes: Python complains of that one on the terminal when this one is ended.
            tqdm.set_lock(threading.RLock())
            import torch  # noqa: PLC0415  # seconds and hundreds of MB, and an extra
            from sentence_transformers import SentenceTransformer  # noqa: PLC0415  # likewise
        except ImportError as error:
            raise EmbedderError(
                sentence("The model {name} needs the extra [torch], which is not installed."), name=model
            ) from error
        torch.set_num_threads(n_threads)
        try:
            folder = _folder(model)
            self._model: Any = SentenceTransformer(
                str(folder), device="cpu", local_files_only=True, trust_remote_code=False,
                model_kwargs={"use_safetensors": True},
            )  # fmt: skip
            self.dimensions = len(self._model.encode_query("a"))
            self.max_tokens = int(self._model.get_max_seq_length() or self._model.tokenizer.model_max_length)
        except EmbedderError:
            raise
        except Exception as error:  # the library raises whatever a model's parts raise
            raise EmbedderError(
                sentence("The model {name} cannot be used for embeddings ({reason})."), name=model, reason=str(error)
            ) from error
        files = [path for path in folder.rglob("*") if path.suffix in _NAMED]
        self.model_id = f"sentence-transformers {folder.name} {fingerprint(folder, files)}"
        self._one_at_a_time = threading.Lock()

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder`."""
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        order = sorted(range(len(texts)), key=lambda place: -len(texts[place]))
        for start in range(0, len(order), BATCH):
            places = order[start : start + BATCH]
            with self._one_at_a_time:
                found = self._model.encode_document([texts[place] for place in places], show_progress_bar=False)
            vectors[places] = unit_length(found)
        return vectors

    def embed_question(self, text: str) -> Vectors:
        """See `Embedder`; waits for one batch of passages at most."""
        with self._one_at_a_time:
            return unit_length(self._model.encode_query(text, show_progress_bar=False))

    def count_pieces(self, texts: Sequence[str]) -> list[int]:
        """See `Embedder`."""
        if not texts:
            return []
        with self._one_at_a_time:
            found = self._model.tokenizer(list(texts), add_special_tokens=False, verbose=False)
        return [len(ids) for ids in found["input_ids"]]

    def close(self) -> None:
        """See `Embedder`."""
        with self._one_at_a_time:
            self._model = None


def _folder(model: str) -> Path:
    """The folder of a model given by folder, or by a name that was fetched before by other programs."""
    if (folder := Path(model).expanduser()).is_dir():
        return folder.resolve()
    from huggingface_hub import snapshot_download  # noqa: PLC0415  # comes with the extra

    try:
        return Path(snapshot_download(model, local_files_only=True))
    except (OSError, ValueError) as error:
        raise EmbedderError(sentence("The model {name} is not on this computer."), name=model) from error
