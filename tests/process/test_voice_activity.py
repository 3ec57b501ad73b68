"""The detectors of speech and of a turn's end, with the real weights, on recorded speech."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import VoiceError
from tests.evaluation.voice_pauses import natural
from tests.voice_audio_weights import voice_audio_folder
from tests.voice_weights import recordings
from voice.audio_weights import END_OF_TURN, VOICE_ACTIVITY
from voice.endpoint import SmartTurn, features
from voice.quiet_gate import QuietGate
from voice.types import RATE, Samples
from voice.vad import FRAME, SileroVoiceActivity, VoiceActivity
from voice.word_end import WordEnd

pytestmark = pytest.mark.weights


def probabilities(vad: VoiceActivity, samples: Samples) -> list[float]:
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
        ours = features(recording.samples)
        assert ours.shape == theirs.shape == (80, 800)
        assert np.abs(ours - theirs).max() < 1e-3, recording.name


def test_only_the_last_eight_seconds_count() -> None:
    sound = np.random.default_rng(1).normal(0, 0.1, 12 * RATE).astype(np.float32)
    assert np.array_equal(features(sound), features(sound[-8 * RATE :]))
    assert np.isfinite(features(np.zeros(0, np.float32))).all()


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


class Counting:
    """The detector, and how often it was asked."""

    def __init__(self) -> None:
        self.vad = SileroVoiceActivity(voice_audio_folder())
        self.n = 0

    def probability(self, frame: Samples) -> float:
        self.n += 1
        return self.vad.probability(frame)

    def reset(self) -> None:
        self.vad.reset()


@pytest.mark.parametrize("noise", [1e-4, 1e-3, 2e-2])
def test_the_gate_spares_the_detector_and_loses_no_speech(noise: float) -> None:
    counting, plain = Counting(), SileroVoiceActivity(voice_audio_folder())
    gate = QuietGate(counting)
    before = 10 * RATE
    for recording in recordings()[:6]:
        random = np.random.default_rng(1)
        sound = random.normal(0, noise, before + len(recording.samples)).astype(np.float32)
        sound[before:] += recording.samples
        plain.reset()
        gate.reset()
        frames = [sound[at : at + FRAME] for at in range(0, len(sound) - FRAME + 1, FRAME)]
        heard = np.array([plain.probability(frame) > 0.5 for frame in frames])
        counting.n = 0
        spared = np.array([gate.probability(frame) > 0.5 for frame in frames])
        assert np.argmax(spared) <= np.argmax(heard) + 1, "its first word is heard as early"
        assert np.count_nonzero(heard & ~spared) <= 3, "of a hundred, where the detector is in doubt"
        asked = counting.n / len(frames)
        assert asked == 1.0 if noise > 5e-3 else asked < 0.5, "in a noisy room it is always asked"


def test_a_word_is_over_when_its_sound_is_and_no_word_is_lost() -> None:
    plain, sooner = SileroVoiceActivity(voice_audio_folder()), WordEnd(SileroVoiceActivity(voice_audio_folder()))
    late: list[float] = []
    for turn in natural(recordings()):
        plain.reset()
        sooner.reset()
        heard = np.array(probabilities(plain, turn.samples)) > 0.35
        kept = np.array(probabilities(sooner, turn.samples)) > 0.35
        late += [(np.flatnonzero(each)[-1] + 1) * FRAME / RATE - turn.end / RATE for each in (heard, kept)]
        assert not (kept & ~heard).any() and np.argmax(kept) == np.argmax(heard)
        said = np.flatnonzero(heard[: turn.end // FRAME])
        assert np.count_nonzero(kept[said]) > 0.9 * len(said), turn.name
    assert max(late[1::2]) <= 2 * FRAME / RATE < 0.25 < max(late[::2])


def test_in_a_noisy_room_the_detector_alone_says_when_a_word_is_over() -> None:
    plain, sooner = SileroVoiceActivity(voice_audio_folder()), WordEnd(SileroVoiceActivity(voice_audio_folder()))
    for recording in recordings()[:3]:
        loud = np.sqrt(np.mean(np.square(recording.samples)))
        noise = np.random.default_rng(4).normal(0, loud / 4, len(recording.samples)).astype(np.float32)
        plain.reset()
        sooner.reset()
        noisy = recording.samples + noise
        assert probabilities(sooner, noisy) == probabilities(plain, noisy)
