"""The voice process with real models and real speech, and its client when the process goes wrong."""

from __future__ import annotations

import difflib
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import pytest

from app.spoken_languages import SpokenLanguages
from engine.errors import VoiceError
from tests.process import voice_children
from tests.process.conversation import Companion
from tests.voice_audio_weights import voice_audio_folder
from tests.voice_weights import recordings, whisper_tiny
from voice.audio.streams import DeviceError, Fault
from voice.client import VoiceClient
from voice.protocol import VoiceSetup, error_from, noticed
from voice.speech.choice import Speaking, SpeechChoice
from voice.speech.client import SpeechClient
from voice.turn_events import Mode
from voice.turn_state import Phase

ANSWER = "The library opens at nine in the morning. On Sundays it stays closed."
SETUP = VoiceSetup(voice_audio_folder(), SpeechChoice(whisper_tiny()))


def likeness(heard: object, text: str) -> float:
    def bare(words: str) -> str:
        return "".join(character for character in words.lower() if character.isalnum() or character == " ")

    return difflib.SequenceMatcher(None, bare(str(heard)), bare(text)).ratio()


def clip(name: str) -> tuple[np.ndarray, str]:
    found = next(recording for recording in recordings() if name in recording.name)
    return found.samples, found.words


@pytest.fixture
def companion() -> Companion:
    return Companion(lambda _text: [word + " " for word in ANSWER.split()])


@pytest.fixture
def client(tmp_path: Path, companion: Companion) -> Iterator[VoiceClient]:
    made = VoiceClient(SETUP, companion, entry_point=partial(voice_children.scripted, folder=tmp_path))
    companion.pipeline = made
    made.choose(language="en")
    yield made
    made.close()


@pytest.mark.weights
def test_a_question_by_speech_is_answered_by_speech(client: VoiceClient, companion: Companion, tmp_path: Path) -> None:
    samples, text = clip("0930")
    np.save(tmp_path / voice_children.QUESTION, samples)
    client.turn_on(Mode.HANDS_FREE)
    _, asked = companion.wait("commit", timeout_s=60)
    assert likeness(asked, text) > 0.9
    companion.wait("done", timeout_s=60)
    assert companion.all("spoken")[-1] in ((1, len(ANSWER)), (1, len(ANSWER) + 1))
    client.turn_off()
    companion.wait("phase", Phase.OFF)
    pid = client.pid
    assert pid is not None
    children = psutil.Process(pid).children()
    client.close()
    assert not psutil.pid_exists(pid) and not any(child.is_running() for child in children)
    heard = np.load(tmp_path / voice_children.HEARD)
    speech = SpeechClient(SETUP.speech)
    try:
        assert likeness(speech.transcribe(heard, language="en").text, ANSWER) > 0.9
    finally:
        speech.close()
    assert not companion.all("notice")


@pytest.mark.weights
@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_crash_is_one_notice_and_the_next_time_starts_anew(client: VoiceClient, companion: Companion) -> None:
    client.turn_on(Mode.HANDS_FREE)
    companion.wait("phase", Phase.LISTENING)
    assert client.pid is not None
    speech_children = psutil.Process(client.pid).children(recursive=True)
    os.kill(client.pid, signal.SIGKILL)
    companion.wait("phase", Phase.OFF)
    ((error,),) = companion.all("notice")
    assert "Turn it on again" in str(error)
    _, alive = psutil.wait_procs(speech_children, timeout=10)
    assert not alive, "its own children end with it"
    client.turn_on(Mode.HANDS_FREE)
    companion.wait("phase", Phase.LISTENING, count=2)


@pytest.mark.weights
@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_crash_of_what_hears_and_speaks_in_the_middle_of_an_answer(
    client: VoiceClient, companion: Companion, tmp_path: Path
) -> None:
    companion.answer = lambda _text: [f"{ANSWER} "] * 6
    np.save(tmp_path / voice_children.QUESTION, clip("0930")[0])
    client.turn_on(Mode.HANDS_FREE)
    companion.wait("spoken", timeout_s=60)
    for child in psutil.Process(client.pid).children():
        if any("spawn_main" in word for word in child.cmdline()):
            child.kill()
    (error,) = companion.wait("notice")
    assert "starts anew" in str(error)
    companion.wait("done", 1)
    assert not companion.all("interrupted"), "as text, the answer goes on"
    client.turn_off()
    companion.wait("phase", Phase.OFF)
    np.save(tmp_path / voice_children.QUESTION, clip("0880")[0])
    client.turn_on(Mode.HANDS_FREE)
    _, asked = companion.wait("commit", count=2, timeout_s=60)
    assert likeness(asked, clip("0880")[1]) > 0.9
    companion.wait("spoken", 2, timeout_s=60)


@pytest.mark.weights
def test_voices_and_a_set_up_that_changes(client: VoiceClient, companion: Companion) -> None:
    assert client.voices().result(120)[0].language == "en"
    pid = client.pid
    client.set_up(VoiceSetup(voice_audio_folder(), SETUP.speech, cancels_echo=False))
    assert client.pid is None
    client.turn_on(Mode.PUSH_TO_TALK)
    companion.wait("phase", Phase.LISTENING)
    assert client.pid not in (None, pid) and not companion.all("notice")


def test_without_weights_it_is_a_sentence_and_off(companion: Companion, tmp_path: Path) -> None:
    client = VoiceClient(VoiceSetup(tmp_path, SpeechChoice(tmp_path / "none.bin")), companion)
    try:
        client.turn_on(Mode.HANDS_FREE)
        companion.wait("phase", Phase.OFF)
        ((error,),) = companion.all("notice")
        assert "hearth fetch voice" in str(error)
    finally:
        client.close()


def test_devices_are_listed_or_a_sentence_says_why_not(companion: Companion) -> None:
    client = VoiceClient(SETUP, companion)
    try:
        assert all(device.name for device in client.devices().result(120))
    except VoiceError as error:
        assert str(error)
    finally:
        client.close()


@pytest.mark.parametrize("child", [voice_children.dies, voice_children.babbles])
def test_a_process_that_goes_wrong_is_told_once(child: object, companion: Companion) -> None:
    client = VoiceClient(SETUP, companion, entry_point=child)  # type: ignore[arg-type]
    try:
        client.turn_on(Mode.HANDS_FREE)
        companion.wait("notice")
        with pytest.raises(VoiceError, match="unexpectedly"):
            client.devices().result(30)
    finally:
        client.close()
    assert client.pid is None
    with pytest.raises(VoiceError, match="closed"):
        client.turn_on(Mode.HANDS_FREE)


def test_closing_does_not_wait_for_a_process_that_does_not_listen(companion: Companion) -> None:
    client = VoiceClient(SETUP, companion, entry_point=voice_children.deaf)
    client.turn_on(Mode.HANDS_FREE)
    pid = client.pid
    assert pid is not None
    question = client.devices()
    began = time.monotonic()
    client.close()
    assert time.monotonic() - began < 20
    assert not psutil.pid_exists(pid) and not companion.all("notice")
    with pytest.raises(VoiceError, match="closed"):
        question.result(1)


def test_errors_keep_their_kind_on_the_way() -> None:
    gone = error_from(noticed(DeviceError(Fault.MICROPHONE_GONE)))
    assert isinstance(gone, DeviceError) and gone.fault is Fault.MICROPHONE_GONE
    assert str(error_from(noticed(VoiceError("Twice {n}.", n=2)))) == "Twice 2."


def test_each_sentence_is_read_by_a_voice_of_its_language(tmp_path: Path, companion: Companion) -> None:
    """Hearth's own voice has a process, and those of this computer another: whoever is not needed does not start."""
    try:
        with closing(SpeechClient(SpeechChoice(whisper_tiny(), speaking=Speaking.SYSTEM))) as system:
            spoken = {voice.language for voice in system.voices()}
    except VoiceError as error:
        pytest.skip(str(error))
    if "de" not in spoken:
        pytest.skip("this computer has no German voice")
    entry_point = partial(voice_children.scripted, folder=tmp_path, languages=SpokenLanguages())
    with closing(VoiceClient(SETUP, companion, entry_point=entry_point)) as client:
        client.read("Der Leuchtturm wurde vor langer Zeit gebaut und steht heute leer.").result(120)
        assert len(psutil.Process(client.pid).children()) == 1
        client.read("And this is in English, as you can hear.").result(120)
        assert len(psutil.Process(client.pid).children()) == 2
        assert not companion.all("notice")
