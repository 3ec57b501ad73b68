"""The detectors of speech and of a turn's end, with the real weights, on recorded speech."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import VoiceError
from tests.voice_audio_weights import voice_audio_folder
from tests.voice_weights import recordings
from voice.audio_weights import END_OF_TURN, VOICE_ACTIVITY
from voice.endpoint import SmartTurn, log_mel
from voice.types import RATE, Samples
from voice.vad import FRAME, SileroVoiceActivity

pytestmark = pytest.mark.weights


def probabilities(vad: SileroVoiceActivity, samples: Samples) -> list[float]:
    return [vad.probability(samples[at : at + FRAME]) for at in range(0, len(samples) - FRAME + 1, FRAME)]


def test_features_are_those_of_the_published_extractor() -> None:
    transformers = pytest.importorskip("transformers")
    extractor = transformers.WhisperFeatureExtractor(chunk_length=8)
    for recording in recordings():
        padded = np.pad(recording.samples, (8 * RATE - len(recording.samples), 0))
        theirs = extractor(
            padded,
            sampling_rate=RATE,
            return_tensors="np",
            padding="max_length",
            max_length=8 * RATE,
            do_normalize=True,
        ).input_features[0]
        ours = log_mel(recording.samples)
        assert ours.shape == theirs.shape == (80, 800)
        assert np.abs(ours - theirs).max() < 1e-3, recording.name


def test_only_the_last_eight_seconds_count() -> None:
    sound = np.random.default_rng(1).normal(0, 0.1, 12 * RATE).astype(np.float32)
    assert np.array_equal(log_mel(sound), log_mel(sound[-8 * RATE :]))
    assert np.isfinite(log_mel(np.zeros(0, np.float32))).all()


def test_whole_sentences_are_over_and_halves_are_not() -> None:
    judge = SmartTurn(voice_audio_folder())
    sentences = [recording for recording in recordings() if "austen" in recording.name]
    whole = [judge.probability(recording.samples) for recording in sentences]
    halves = [judge.probability(recording.samples[: len(recording.samples) // 2]) for recording in sentences]
    assert np.median(whole) > 0.9
    assert np.median(halves) < 0.1


def test_speech_is_heard_and_silence_and_noise_are_not() -> None:
    vad = SileroVoiceActivity(voice_audio_folder())
    for recording in recordings():
        vad.reset()
        assert max(probabilities(vad, recording.samples)) > 0.9, recording.name
    vad.reset()
    noise = np.random.default_rng(2).normal(0, 0.01, 5 * RATE).astype(np.float32)
    assert np.mean([p > 0.5 for p in probabilities(vad, noise)]) < 0.02
    vad.reset()
    assert max(probabilities(vad, np.zeros(2 * RATE, np.float32))) < 0.2


def test_reset_forgets() -> None:
    vad = SileroVoiceActivity(voice_audio_folder())
    speech = recordings()[1].samples
    first = probabilities(vad, speech)
    assert probabilities(vad, speech) != first
    vad.reset()
    assert probabilities(vad, speech) == first


@pytest.mark.parametrize(("file", "load"), [(VOICE_ACTIVITY, SileroVoiceActivity), (END_OF_TURN, SmartTurn)])
def test_missing_and_damaged_weights_are_named(file: Any, load: Any, tmp_path: Path) -> None:
    name = file.file_name
    with pytest.raises(VoiceError, match=name):
        load(tmp_path)
    shutil.copy(voice_audio_folder() / name, tmp_path)
    with (tmp_path / name).open("r+b") as damaged:
        damaged.seek(1000)
        damaged.write(b"\0\1\2\3")
    with pytest.raises(VoiceError, match="damaged"):
        load(tmp_path)
