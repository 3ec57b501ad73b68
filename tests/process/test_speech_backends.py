"""The other recognisers, with their real weights and real speech. Skipped where a library is not installed."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import jiwer
import pytest

from engine.errors import VoiceError
from tests.voice_weights import FASTER_BASE, recordings, voice_folder
from voice.speech.choice import Hearing, SpeechChoice
from voice.speech.client import SpeechClient
from voice.weights import OPENAI_TINY_EN, WHISPER_BASE_EN

BACKENDS = (
    (Hearing.WHISPER_CPP, WHISPER_BASE_EN.file_name, "pywhispercpp"),
    (Hearing.OPENAI_WHISPER, OPENAI_TINY_EN.file_name, "whisper"),
    (Hearing.FASTER_WHISPER, FASTER_BASE, "faster_whisper"),
)


@pytest.mark.weights
@pytest.mark.parametrize(("hearing", "model", "library"), BACKENDS)
def test_every_recogniser_hears_real_speech(hearing: Hearing, model: str, library: str) -> None:
    if importlib.util.find_spec(library) is None or not (voice_folder() / model).exists():
        pytest.skip(f"{library} or its weights are missing: python -m tests.voice_weights")
    client = SpeechClient(SpeechChoice(voice_folder() / model, hearing), limit_s=120)
    try:
        clip = next(clip for clip in recordings() if clip.name.endswith("0870"))
        transcript = client.transcribe(clip.samples)
    finally:
        client.close()
    assert jiwer.wer(clip.words, re.sub(r"[^a-z]+", " ", transcript.text.lower()).strip()) < 0.15
    assert transcript.language == "en"


@pytest.mark.parametrize(("hearing", "library"), [(hearing, library) for hearing, _, library in BACKENDS])
def test_weights_that_are_none_are_a_sentence(tmp_path: Path, hearing: Hearing, library: str) -> None:
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    path = tmp_path / "model.bin"
    path.write_bytes(b"no model" * 100)
    client = SpeechClient(SpeechChoice(path, hearing), limit_s=120)
    try:
        with pytest.raises(VoiceError, match=re.escape("“model.bin”")):
            client.prepare(speaking=False)
    finally:
        client.close()
