"""The small parts of Whisper on onnxruntime: its tokens, what of the window is tried, its weights' file."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from engine.errors import VoiceError
from voice.stt.ggml_file import read_header
from voice.stt.ggml_weights import read_weights
from voice.stt.whisper_words import LANGUAGES, WhisperWords
from voice.stt.window import contexts


def test_a_loop_is_heard_again_with_more_of_the_window() -> None:
    assert contexts(3.0) == (768, 1500)
    assert contexts(20.0) == (1128, 1500)
    assert contexts(29.0) == (1500,)


def test_tokens_that_steer_are_numbered_as_whisper_numbers_them() -> None:
    words = [b"a", b" ", b" -", b"-", b" ["]
    every = WhisperWords(words, 51_865)
    assert (every.end, every.start, every.first_language, every.silence) == (50_257, 50_258, 50_259, 50_362)
    assert len(LANGUAGES) == 99
    assert every.prompt("en") == [50_259, 50_359, 50_363] and every.prompt("de") == [50_261, 50_359, 50_363]
    english = WhisperWords(words, 51_864)
    assert (english.end, english.start, english.silence) == (50_256, 50_257, 50_361)
    assert english.prompt("en") == [50_362]
    assert english.never == (2, 4) and english.never_first == (1, 50_256)
    assert every.text([1, 0, 2]) == "a -"


def _file(folder: Path, kind: int, tensor: bytes) -> Path:
    path = folder / "model.bin"
    head = struct.pack("<12i", 0x67676D6C, 51_865, 1500, 384, 6, 4, 448, 384, 6, 4, 80, kind)
    path.write_bytes(head + struct.pack("<2i", 1, 2) + bytes(8) + struct.pack("<iI", 1, 2) + b"hi" + tensor)
    return path


def test_weights_are_read_in_the_order_of_their_axes(tmp_path: Path) -> None:
    values = np.arange(6, dtype="<f2").reshape(2, 3)
    tensor = struct.pack("<3i2i", 2, 4, 1, 3, 2) + b"name" + values.tobytes()
    weights = read_weights(_file(tmp_path, 1, tensor))
    assert weights.words == (b"hi",) and (weights.n_width, weights.n_layers) == (384, 4)
    assert np.array_equal(weights.tensors["name"], values)
    with pytest.raises(VoiceError, match=r"“model\.bin” is damaged"):
        read_weights(_file(tmp_path, 1, tensor[:-1]))


def test_quantised_weights_are_left_to_whisper_cpp(tmp_path: Path) -> None:
    path = _file(tmp_path, 2007, b"")
    assert not read_header(path).plain
    with pytest.raises(VoiceError, match="of another kind"):
        read_weights(path)
