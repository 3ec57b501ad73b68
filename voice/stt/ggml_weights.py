"""The weights and words in a whisper.cpp model file, as arrays. Knows no computation.

Layout: `whisper_model_load` of whisper.cpp: eleven numbers, mel filters, the vocabulary, then tensors by name.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import VoiceError, sentence
from voice.stt.ggml_file import read_header

_SIZES = struct.Struct("<12i")
_ELEMENTS: dict[int, np.dtype[Any]] = {0: np.dtype("<f4"), 1: np.dtype("<f2")}
_OTHER = sentence("“{name}” is a speech recognition model of another kind.")
_DAMAGED = sentence("The speech recognition model “{name}” is damaged. Fetch it again.")


@dataclass(frozen=True, slots=True)
class WhisperWeights:
    """Tensors in the order of their axes in PyTorch, as they are stored. `words` are bytes of UTF-8, by token."""

    n_vocabulary: int
    n_positions: int
    """Of the encoder: half as many as frames."""
    n_width: int
    n_heads: int
    n_layers: int
    n_bands: int
    words: tuple[bytes, ...]
    tensors: dict[str, NDArray[Any]]


def read_weights(path: Path) -> WhisperWeights:
    """Raises `VoiceError` where the file is missing, or not `plain` (`voice.stt.ggml_file`)."""
    if not read_header(path).plain:
        raise VoiceError(_OTHER, name=path.name)
    try:
        return _read(path.read_bytes())
    except (OSError, struct.error, KeyError, ValueError) as error:
        raise VoiceError(_DAMAGED, name=path.name) from error


def _read(raw: bytes) -> WhisperWeights:
    _magic, n_vocabulary, n_positions, n_width, n_heads, n_layers, *_decoder, n_bands, _type = _SIZES.unpack_from(raw)
    at = _SIZES.size
    rows, columns = struct.unpack_from("<2i", raw, at)
    at += 8 + 4 * rows * columns
    (n_words,) = struct.unpack_from("<i", raw, at)
    at += 4
    words = []
    for _ in range(n_words):
        (length,) = struct.unpack_from("<I", raw, at)
        words.append(raw[at + 4 : at + 4 + length])
        at += 4 + length
    tensors: dict[str, NDArray[Any]] = {}
    while at < len(raw):
        n_axes, length, kind = struct.unpack_from("<3i", raw, at)
        shape = struct.unpack_from(f"<{n_axes}i", raw, at + 12)[::-1]
        at += 12 + 4 * n_axes
        name = raw[at : at + length].decode()
        at += length
        tensors[name] = np.frombuffer(raw, _ELEMENTS[kind], int(np.prod(shape)), at).reshape(shape)
        at += tensors[name].nbytes
    return WhisperWeights(n_vocabulary, n_positions, n_width, n_heads, n_layers, n_bands, tuple(words), tensors)
