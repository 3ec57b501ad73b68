"""Speech as the bytes of a sound file, in the formats that OpenAI's clients ask for. Knows no voice and no server.

Everything is mono, 16 bit where the format has such a number, and of `RATE` hertz, as `pcm` of OpenAI's "Create
speech" is defined: raw samples, little-endian, without a header.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from voice.audio.resampling import resample
from voice.types import Samples, Sound

RATE = 24_000
"""Hertz."""
_BLOCK = RATE
"""Samples at a time: libsndfile's Vorbis and Opus encoders run out of stack with minutes at once."""


@dataclass(frozen=True, slots=True)
class SoundFormat:
    """`container` and `coding` as libsndfile calls them; "" for bare samples."""

    media_type: str
    container: str = ""
    coding: str = ""


FORMATS: dict[str, SoundFormat] = {
    "mp3": SoundFormat("audio/mpeg", "MP3", "MPEG_LAYER_III"),
    "opus": SoundFormat("audio/ogg", "OGG", "OPUS"),
    "flac": SoundFormat("audio/flac", "FLAC", "PCM_16"),
    "wav": SoundFormat("audio/wav", "WAV", "PCM_16"),
    "pcm": SoundFormat("audio/pcm"),
}
"""By OpenAI's names, of which `aac` is missing: libsndfile does not write it."""


def sound_file(sounds: Iterable[Sound], wanted: SoundFormat) -> bytes:
    """The sounds one behind the other as one file. Raises what `sounds` raises."""
    if not wanted.container:
        return b"".join(_whole_numbers(sound).tobytes() for sound in sounds)
    import soundfile  # noqa: PLC0415  # loads libsndfile

    made = io.BytesIO()
    with soundfile.SoundFile(made, "w", RATE, 1, wanted.coding, format=wanted.container) as file:
        for sound in sounds:
            _write(file, resample(sound.samples, sound.rate, RATE))
    return made.getvalue()


def _write(file: Any, samples: Samples) -> None:
    for begin in range(0, len(samples), _BLOCK):
        file.write(samples[begin : begin + _BLOCK])


def _whole_numbers(sound: Sound) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    samples = resample(sound.samples, sound.rate, RATE)
    return np.round(np.clip(samples, -1.0, 1.0) * 32767).astype("<i2")
