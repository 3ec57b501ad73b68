"""Whisper on onnxruntime with the real weights and real speech, beside whisper.cpp with the same weights."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import CancelledError

import jiwer
import numpy as np
import pytest

from engine.cancel import CancelToken
from tests.voice_weights import recordings, whisper_tiny
from voice.barge_in import words
from voice.stt.whisper_onnx import WhisperOnnx
from voice.types import RATE

pytestmark = pytest.mark.weights


@pytest.fixture(scope="module")
def whisper() -> Iterator[WhisperOnnx]:
    if not whisper_tiny().is_file():
        pytest.skip("the weights are missing: python -m tests.voice_weights")
    made = WhisperOnnx(whisper_tiny())
    yield made
    made.close()


@pytest.fixture
def clips() -> dict[str, tuple[np.ndarray, str]]:
    return {clip.name: (clip.samples, clip.words) for clip in recordings()}


def test_it_hears_what_is_said_and_in_which_language(
    whisper: WhisperOnnx, clips: dict[str, tuple[np.ndarray, str]]
) -> None:
    for name in (
        "sense_and_sensibility_01_austen_64kb-0930",
        "something.raw",
        "sense_and_sensibility_01_austen_64kb-0870",
    ):
        samples, said = clips[name]
        heard = whisper.transcribe(samples)
        assert jiwer.wer(said, " ".join(words(heard.text))) < 0.1, heard.text
        assert heard.language == "en" and heard.segments[0].text == heard.text


def test_what_it_says_twice_is_heard_again(whisper: WhisperOnnx, clips: dict[str, tuple[np.ndarray, str]]) -> None:
    samples, said = clips["005"]
    text = whisper.transcribe(samples, language="en").text
    assert words(text) == words(said), "with less of the window it repeats the sentence"


def test_nothing_says_nothing_and_who_cancels_waits_no_longer(whisper: WhisperOnnx) -> None:
    quiet = np.random.default_rng(0).normal(0, 1e-4, 2 * RATE).astype(np.float32)
    assert whisper.transcribe(quiet[:0]).text == ""
    token = CancelToken()
    token.cancel()
    with pytest.raises(CancelledError):
        whisper.transcribe(quiet, cancel=token)
