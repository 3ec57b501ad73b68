"""The small parts of speech: the window's rules, the loop guard, a model's header, trimming, messages."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from engine.errors import VoiceError
from engine.worker.envelope import ProtocolError
from voice.speech.choice import Speaking, SpeechChoice
from voice.speech.messages import Begin, Heard, Spoken, Transcribe, decode_command, decode_report, encode
from voice.stt.ggml_file import read_header
from voice.stt.window import FLOOR, TINY_FLOOR, audio_context, is_loop, most_tokens, said_once
from voice.tts.trim import trimmed
from voice.types import Segment, Sound


def test_the_context_follows_the_sound_between_its_floor_and_the_whole_window() -> None:
    assert audio_context(1.0, TINY_FLOOR) == TINY_FLOOR
    assert audio_context(1.0, FLOOR) == FLOOR
    assert audio_context(10.0, TINY_FLOOR) == 628
    assert audio_context(29.0, TINY_FLOOR) == 0
    assert audio_context(300.0, TINY_FLOOR) == 0


def test_a_loop_is_told_from_speech() -> None:
    assert is_loop("the same thing again and again " * 3, 2.0), "too many words"
    assert is_loop("and so on, and so on, " * 12, 30.0), "it repeats itself"
    assert not is_loop("He might even have been made amiable himself.", 3.0)
    assert not is_loop("Yes, go on then.", 0.4), "a clip cut close"
    assert not is_loop("", 0.0)
    assert most_tokens(3.0) == 40


def test_a_sentence_said_twice_is_told_from_what_people_repeat() -> None:
    assert said_once("He made it himself. He made it, himself.") == "He made it himself."
    for text in (
        "",
        "Thank you. Thank you.",
        "two two two two two two two two",
        "He made it himself. She made it too.",
    ):
        assert said_once(text) == text


def _header(magic: int, vocabulary: int, layers: int) -> bytes:
    return struct.pack("<12i", magic, vocabulary, 1500, 384, 6, layers, 448, 384, 6, 4, 80, 1)


def test_a_models_header_says_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(_header(0x67676D6C, 51_865, 4))
    assert read_header(path).tiny
    assert read_header(path).multilingual
    path.write_bytes(_header(0x67676D6C, 51_864, 6))
    assert not read_header(path).tiny
    assert not read_header(path).multilingual


@pytest.mark.parametrize("content", [b"", b"GGUF" * 12, _header(0x67676D6C, 51_865, -1)])
def test_what_is_no_model_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(content)
    with pytest.raises(VoiceError, match="is not a model"):
        read_header(path)
    with pytest.raises(VoiceError, match="is not there"):
        read_header(tmp_path / "none.bin")


def test_silence_around_speech_is_cut() -> None:
    tone = np.sin(np.arange(24_000) / 10).astype(np.float32)
    silence = np.zeros(12_000, np.float32)
    sound = trimmed(Sound(np.concatenate([silence, tone, silence]), 24_000))
    assert 0.99 < sound.seconds - 0.215 < 1.02
    assert np.abs(sound.samples[:300]).max() == 0
    assert trimmed(Sound(silence, 24_000)).seconds == 0.5


def test_messages_carry_sound() -> None:
    samples = np.linspace(-1, 1, 100, dtype=np.float32)
    command, sound = decode_command(encode(Transcribe(3, "de"), samples))
    assert command == Transcribe(3, "de")
    assert_array_equal(sound, samples)
    begin = Begin(SpeechChoice(Path("a/b.bin"), speaking=Speaking.SYSTEM))
    assert decode_command(encode(begin))[0] == begin
    heard = Heard(1, "Grüße", (Segment(0.0, 1.5, "Grüße"),), "de")
    report, nothing = decode_report(encode(heard))
    assert report == heard
    assert not len(nothing)


@pytest.mark.parametrize(
    "raw", [b"", b"\x05\0\0\0{}", b"\xff\xff\xff\xff{}", encode(Spoken(1, 24_000)) + b"abc", b"\0" * 8]
)
def test_what_is_no_message_is_refused(raw: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode_report(raw)
