"""The header of a whisper.cpp model file: what kind of model it holds. Loads nothing.

Layout: `whisper_model_load` of whisper.cpp; a magic number, then eleven little-endian int32.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from engine.errors import VoiceError, sentence

_MAGIC = 0x67676D6C
_ENGLISH_VOCABULARY = 51_864
_BANDS = 80
TINY_LAYERS = 4
_HEADER = struct.Struct("<12i")
_NOT_A_MODEL = sentence("“{name}” is not a model for speech recognition.")
_MISSING = sentence("The model for speech recognition, “{name}”, is not there. Fetch it in the settings.")


@dataclass(frozen=True, slots=True)
class GgmlHeader:
    """`tiny` models have four encoder layers; an English-only one has a smaller vocabulary.

    `plain`: of Whisper's first two generations, in 16 or 32 bits.
    """

    tiny: bool
    multilingual: bool
    plain: bool


def read_header(path: Path) -> GgmlHeader:
    """Raises `VoiceError` where the file is missing or something else."""
    try:
        with path.open("rb") as file:
            raw = file.read(_HEADER.size)
    except OSError as error:
        raise VoiceError(_MISSING, name=path.name) from error
    if len(raw) < _HEADER.size:
        raise VoiceError(_NOT_A_MODEL, name=path.name)
    magic, vocabulary, _context, _state, _heads, layers, *_decoder, bands, kind = _HEADER.unpack(raw)
    if magic != _MAGIC or not 0 < layers <= 64:
        raise VoiceError(_NOT_A_MODEL, name=path.name)
    plain = kind in (0, 1) and bands == _BANDS and vocabulary <= _ENGLISH_VOCABULARY + 1
    return GgmlHeader(layers <= TINY_LAYERS, vocabulary > _ENGLISH_VOCABULARY, plain)
