"""Getting the files of the light embedder, which finds passages by meaning. Knows no library and no window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.downloader.order import DownloadOrder, Progress
from engine.cancel import CancelToken
from rag.embedding.weights import FILES, NAME, WeightsFile

SIZE_BYTES = sum(file.size_bytes for file in FILES)
__all__ = ["NAME", "SIZE_BYTES", "fetch", "missing"]


def missing(folder: Path) -> list[WeightsFile]:
    """The files that are not there whole."""
    return [file for file in FILES if not _is_whole(folder / file.file_name, file)]


def fetch(folder: Path, on_progress: Callable[[Progress], None], cancel: CancelToken) -> None:
    """Download what is missing, one file after another. Blocks. Raises `DownloadError`, `CancelledError`."""
    from app.downloader import client  # noqa: PLC0415  # the only door to the network, opened on request

    folder.mkdir(parents=True, exist_ok=True)
    for file in missing(folder):
        order = DownloadOrder(file.file_name, file.size_bytes, file.sha256, file.sources)
        client.fetch(order, folder, on_progress=on_progress, cancel=cancel).result()


def _is_whole(path: Path, file: WeightsFile) -> bool:
    try:
        return path.stat().st_size == file.size_bytes
    except OSError:
        return False
