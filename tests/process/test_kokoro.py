"""Kokoro with its real weights: heard again by Whisper, its voices, cancelling, and files that are not right."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soxr

from app.paths import resolve_paths
from app.settings import Settings
from app.voice_choice import all_voices, chosen_setup, chosen_voice
from app.voice_setup import find_voice, speech_choice
from engine.cancel import CancelToken
from engine.errors import VoiceError, VoiceWeightsError
from tests.voice_weights import voice_folder
from voice.speech.choice import Speaking, SpeechChoice
from voice.speech.client import SpeechClient
from voice.tts.kokoro_files import FILES, NETWORK, STYLES
from voice.tts.kokoro_voice import KokoroVoice
from voice.types import RATE, Sound
from voice.weights import WHISPER_BASE_EN

SENTENCE = "The lighthouse keeper counts the ships."
CHOICE = SpeechChoice(voice_folder() / WHISPER_BASE_EN.file_name, speaking=Speaking.KOKORO, voices=voice_folder())
PATIENCE_S = 240.0


@pytest.fixture(scope="module")
def speech() -> Iterator[SpeechClient]:
    if not all(file.is_whole(voice_folder()) for file in FILES):
        pytest.skip("weights are missing: python -m tests.voice_weights")
    client = SpeechClient(CHOICE, limit_s=PATIENCE_S)
    yield client
    client.close()


def words(speech: SpeechClient, sound: Sound) -> str:
    text = speech.transcribe(soxr.resample(sound.samples, sound.rate, RATE), language="en").text
    return re.sub(r"[^a-z0-9 ]", "", text.lower())


def without(folder: Path, name: str) -> Path:
    """A folder with all the files but one."""
    folder.mkdir(exist_ok=True)
    for file in FILES:
        if file.file_name != name:
            (folder / file.file_name).symlink_to(voice_folder() / file.file_name)
    return folder


@pytest.mark.weights
@pytest.mark.parametrize("voice", list(STYLES))
def test_each_voice_is_heard_again(speech: SpeechClient, voice: str) -> None:
    sound = speech.synthesize(SENTENCE, voice=voice)
    assert words(speech, sound) == "the lighthouse keeper counts the ships"
    assert sound.rate == 24_000 and 1.5 < sound.seconds < 5.0
    assert 0.05 < np.abs(sound.samples).max() <= 1.0


@pytest.mark.weights
def test_voices_differ_and_each_always_sounds_the_same(speech: SpeechClient) -> None:
    spoken = {voice: speech.synthesize("Good morning.", voice=voice).samples for voice in STYLES}
    assert len({samples.tobytes() for samples in spoken.values()}) == len(STYLES)
    assert speech.synthesize("Good morning.", voice="bf_emma").samples.tobytes() == spoken["bf_emma"].tobytes()
    assert speech.synthesize("Good morning.").samples.tobytes() == spoken["af_heart"].tobytes(), "the default"


@pytest.mark.weights
def test_speed_and_nothing_to_say(speech: SpeechClient) -> None:
    usual, quick = (speech.synthesize(SENTENCE, speed=speed).seconds for speed in (1.0, 1.6))
    assert quick < 0.8 * usual
    assert speech.synthesize("").seconds == 0


@pytest.mark.weights
def test_a_british_voice_reads_as_the_british_do() -> None:
    voice = KokoroVoice(voice_folder())
    american, british = (list(voice._reader(british=each).tokens("Half past four.")) for each in (False, True))
    assert american != british and len(american) == len(british) == 1


@pytest.mark.weights
def test_a_sentence_without_end_is_spoken_in_pieces() -> None:
    reader = KokoroVoice(voice_folder())._reader(british=False)
    long = list(reader.tokens("and then the harbour master wrote it down " * 30))
    assert len(long) > 1 and max(map(len, long)) <= 510
    assert sum(map(len, long)) > 900


@pytest.mark.weights
def test_it_speaks_beside_what_hears_and_ends_at_once_when_nobody_waits(speech: SpeechClient) -> None:
    speech.prepare()
    pids = speech.pids
    assert len(pids) == 2
    long = "And then the harbour master wrote it down, and " * 10
    alone = KokoroVoice(voice_folder())
    alone.synthesize("Ready.")
    cancel = CancelToken()
    timer = threading.Timer(0.3, cancel.cancel)
    timer.start()
    with pytest.raises(CancelledError):
        alone.synthesize(long, cancel=cancel)  # ended in the middle of a piece
    cancel = CancelToken()
    threading.Timer(0.3, cancel.cancel).start()
    with pytest.raises(CancelledError):
        speech.synthesize(long, cancel=cancel)
    assert speech.synthesize("Yes.").seconds > 0.2
    assert speech.pids == pids


@pytest.mark.weights
@pytest.mark.parametrize("file", [NETWORK, STYLES["af_heart"]])
def test_a_damaged_file_is_said_and_hearths_own_voice_speaks(
    speech: SpeechClient, tmp_path: Path, file: object
) -> None:
    name = file.file_name  # type: ignore[attr-defined]
    folder = without(tmp_path / "voices", name)
    right = (voice_folder() / name).read_bytes()
    (folder / name).write_bytes(right[:-1] + bytes([right[-1] ^ 1]))
    choice = replace(CHOICE, voices=folder)
    told: list[VoiceError] = []
    client, strict = SpeechClient(choice, on_own_voice=told.append), SpeechClient(choice)
    try:
        client.prepare(hearing=False)
        sound = client.synthesize(SENTENCE, voice="af_heart")
        assert words(speech, sound) == "the lighthouse keeper counts the ships"
        assert client.synthesize("Yes.").seconds > 0.2
        with pytest.raises(VoiceWeightsError, match=re.escape(f"damaged ({name})")):
            strict.synthesize(SENTENCE, voice="af_heart")
    finally:
        client.close()
        strict.close()
    assert [str(each) for each in told] == [
        f"A file of the voice that was chosen is damaged ({name}). Hearth's own speaks instead. "
        "Remove it, then fetch it again: hearth fetch kokoro"
    ]


def test_where_its_files_are_missing_there_are_no_such_voices(tmp_path: Path) -> None:
    paths = replace(resolve_paths(tmp_path), models=tmp_path / "models")
    assert not [value for value, _voice in all_voices(paths) if value.startswith("kokoro:")]
    with pytest.raises(VoiceError, match="no voice “bf_emma”"):
        find_voice(speech_choice(paths), "bf_emma")
    told: list[VoiceError] = []
    client = SpeechClient(replace(speech_choice(paths), speaking=Speaking.KOKORO), on_own_voice=told.append)
    try:
        assert client.synthesize("Good morning.", voice="bf_emma").seconds > 0.4
    finally:
        client.close()
    assert [type(each) for each in told] == [VoiceWeightsError]
    assert "hearth fetch kokoro" in str(told[0])


@pytest.mark.weights
def test_its_voices_are_offered_and_chosen_where_they_are(speech: SpeechClient, tmp_path: Path) -> None:
    paths = replace(resolve_paths(tmp_path), models=tmp_path / "models")
    without(paths.voice, "")
    offered = dict(all_voices(paths))
    assert next(iter(offered)) == "hibari:heart", "Hearth's own stays the first"
    assert [value for value in offered if value.startswith("kokoro:")] == [f"kokoro:{voice}" for voice in STYLES]
    assert offered["kokoro:bf_emma"].name == "Kokoro Emma (UK)"
    choice, voice = find_voice(speech_choice(paths), "kokoro emma (uk)")
    assert (choice.speaking, choice.voices, voice) == (Speaking.KOKORO, paths.voice, "bf_emma")
    settings = Settings(tmp_path / "settings.toml")
    assert chosen_setup(paths, settings).speech.speaking is Speaking.HIBARI
    settings.set("voice.voice", "kokoro:bm_george")
    assert chosen_setup(paths, settings).speech.speaking is Speaking.KOKORO
    assert chosen_voice(settings).voice == "bm_george"
