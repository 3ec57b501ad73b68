"""Weights that come beside the language models: what finds passages by meaning, what hears, more voices.

A bundle is some files in one folder. Knows no window and none of those who load the files.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.downloader.order import DownloadOrder, Progress
from engine.cancel import CancelToken
from engine.model.catalogue import SourceKind
from engine.model.weights_file import WeightsFile
from rag.embedding import weights as embedding
from voice import audio_weights, weights
from voice.tts import kokoro_files


@dataclass(frozen=True, slots=True)
class WeightsBundle:
    """`id` is what a person names it by on the command line, `name` what it is called."""

    id: str
    name: str
    files: tuple[WeightsFile, ...]

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)

    def missing(self, folder: Path) -> list[WeightsFile]:
        """The files that are not there whole."""
        return [file for file in self.files if not file.is_whole(folder)]

    def fetch(self, folder: Path, on_progress: Callable[[Progress], None], cancel: CancelToken) -> None:
        """Download what is missing, one file after another. Blocks. Raises `DownloadError`, `CancelledError`.

        `on_progress` is called from the downloader's thread; its numbers are of the file that is being fetched.
        """
        from app.downloader import client  # noqa: PLC0415  # the only door to the network, opened on request

        folder.mkdir(parents=True, exist_ok=True)
        missing = self.missing(folder)
        for number, file in enumerate(missing, 1):
            keeps = any(_packages(file) & _packages(later) for later in missing[number:])
            order = DownloadOrder(file.file_name, file.size_bytes, file.sha256, file.sources, keeps)
            client.fetch(order, folder, on_progress=on_progress, cancel=cancel).result()


def _packages(file: WeightsFile) -> set[str]:
    """The Node packages that hold it, perhaps beside others."""
    return {source.locator[0] for source in file.sources if source.kind is SourceKind.NODE_PACKAGE}


EMBEDDER = WeightsBundle("embedder", embedding.NAME, embedding.FILES)
KOKORO = WeightsBundle("kokoro", "Kokoro-82M", kokoro_files.FILES)
VOICE = WeightsBundle("voice", "Whisper tiny, Silero VAD, smart-turn", (*weights.FILES, *audio_weights.FILES))
