"""The speech process with real weights and real speech, and its client when the process goes wrong."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest
import soxr

from engine.cancel import CancelToken
from engine.errors import VoiceError
from tests.process import speech_children
from tests.voice_weights import recordings, whisper_tiny
from voice.speech.choice import Speaking, SpeechChoice
from voice.speech.client import SpeechClient
from voice.types import RATE, Samples, Sound

CHOICE = SpeechChoice(whisper_tiny())


@pytest.fixture(scope="module")
def speech() -> Iterator[SpeechClient]:
    if not whisper_tiny().is_file():
        pytest.skip("weights are missing: python -m tests.voice_weights")
    client = SpeechClient(CHOICE)
    yield client
    client.close()


def spoken(name: str) -> Samples:
    return next(recording.samples for recording in recordings() if recording.name == name)


def plain(text: str) -> str:
    return re.sub(r"[^a-z0-9 ]", "", text.lower())


def at_rate(sound: Sound) -> Samples:
    heard: Samples = soxr.resample(sound.samples, sound.rate, RATE)
    return heard


@pytest.mark.weights
def test_real_speech_is_heard(speech: SpeechClient) -> None:
    transcript = speech.transcribe(spoken("goforward.raw"), language="en")
    assert plain(transcript.text) == "go forward 10 meters"
    assert transcript.language == "en"
    assert 0 <= transcript.segments[0].start_s < transcript.segments[-1].end_s <= 3.0


@pytest.mark.weights
def test_a_little_silence_in_front_does_not_double_a_sentence(speech: SpeechClient) -> None:
    samples = spoken("sense_and_sensibility_01_austen_64kb-0930")
    silence = np.random.default_rng(0).normal(0, 1e-4, RATE // 5).astype(np.float32)
    transcript = speech.transcribe(np.concatenate([silence, samples]), language="en")
    assert plain(transcript.text) == "he might even have been made amiable himself"


@pytest.mark.weights
def test_the_language_is_found_out(speech: SpeechClient) -> None:
    assert speech.transcribe(spoken("sense_and_sensibility_01_austen_64kb-0930")).language == "en"


@pytest.mark.weights
def test_what_is_spoken_is_heard_again(speech: SpeechClient) -> None:
    sound = speech.synthesize("The quick brown fox jumps over the lazy dog.")
    assert speech.voices()[0].language == "en"
    assert plain(speech.transcribe(at_rate(sound), language="en").text) == "the quick brown fox jumps over the lazy dog"
    quick = speech.synthesize("The quick brown fox jumps over the lazy dog.", speed=1.5)
    assert quick.seconds < 0.8 * sound.seconds
    assert speech.synthesize("", speed=1.0).seconds == 0


@pytest.mark.weights
def test_many_threads_each_get_their_own_answer(speech: SpeechClient) -> None:
    words = ["Monday.", "Tuesday and Wednesday.", "Thursday, Friday and the whole week-end."]
    alone = [speech.synthesize(text).seconds for text in words]
    with ThreadPoolExecutor(3) as pool:
        assert [sound.seconds for sound in pool.map(speech.synthesize, words)] == alone


@pytest.mark.weights
def test_a_cancelled_job_ends_and_the_process_stays(speech: SpeechClient) -> None:
    cancel = CancelToken()
    speech.prepare()
    pids = speech.pids
    timer = threading.Timer(0.02, cancel.cancel)
    timer.start()
    with pytest.raises(CancelledError):
        while True:
            speech.transcribe(spoken("sense_and_sensibility_01_austen_64kb-0870"), cancel=cancel)
    with pytest.raises(CancelledError):
        speech.synthesize("Never said.", cancel=cancel)
    assert "forward" in speech.transcribe(spoken("goforward.raw"), language="en").text
    assert speech.pids == pids


@pytest.mark.weights
@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_after_a_crash_the_next_job_starts_a_new_process() -> None:
    client = SpeechClient(CHOICE)
    try:
        client.prepare(speaking=False)
        (pid,) = client.pids
        os.kill(pid, signal.SIGSTOP)
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(client.transcribe, spoken("goforward.raw"))
            os.kill(pid, signal.SIGKILL)
            # Where its end was seen before the question came, that one has started the next.
            with contextlib.suppress(VoiceError):
                assert "forward" in asked.result().text
        assert "forward" in client.transcribe(spoken("goforward.raw"), language="en").text
    finally:
        client.close()
    assert not client.pids


@pytest.mark.weights
def test_the_systems_voice_has_a_process_of_its_own() -> None:
    client = SpeechClient(SpeechChoice(whisper_tiny(), speaking=Speaking.SYSTEM))
    try:
        try:
            voices = client.voices()
        except VoiceError as error:
            pytest.skip(str(error))
        for _ in range(10):  # its driver and what speaks are threads that run into each other
            slow = client.synthesize("Good morning.", voice=voices[0].id).seconds
            fast = client.synthesize("Good morning.", voice="no such voice", speed=2.0).seconds
            assert 0.3 < fast < 0.7 * slow < 2
        client.prepare()
        assert len(client.pids) == 2
    finally:
        client.close()


def test_a_model_that_is_missing_is_said(tmp_path: Path) -> None:
    client = SpeechClient(SpeechChoice(tmp_path / "none.bin"))
    try:
        with pytest.raises(VoiceError, match=re.escape("“none.bin”, is not there")):
            client.prepare(speaking=False)
    finally:
        client.close()


def test_a_process_that_hangs_is_killed() -> None:
    client = SpeechClient(CHOICE, entry_point=speech_children.hangs, limit_s=1.5)
    try:
        with ThreadPoolExecutor(2) as pool:
            jobs = [pool.submit(client.synthesize, "One."), pool.submit(client.synthesize, "Two.")]
            for job in jobs:
                with pytest.raises(VoiceError, match="took too long"):
                    job.result(60)
        assert not client.pids
        pid = None
        cancel = CancelToken()
        threading.Timer(0.5, cancel.cancel).start()
        with pytest.raises(CancelledError):
            client.synthesize("Three.", cancel=cancel)
        (pid,) = client.pids
    finally:
        client.close()
    assert not psutil.pid_exists(pid)


@pytest.mark.parametrize("entry_point", [speech_children.dies, speech_children.babbles])
def test_a_process_that_dies_or_babbles_is_a_sentence(entry_point: object) -> None:
    client = SpeechClient(CHOICE, entry_point=entry_point)  # type: ignore[arg-type]
    try:
        for _ in range(2):
            with pytest.raises(VoiceError, match="unexpectedly"):
                client.synthesize("One.")
    finally:
        client.close()


def test_after_close_nothing_starts() -> None:
    client = SpeechClient(CHOICE)
    client.close()
    client.close()
    with pytest.raises(VoiceError):
        client.synthesize("One.")


def test_too_much_is_refused() -> None:
    client = SpeechClient(CHOICE)
    with pytest.raises(VoiceError, match="too much text"):
        client.synthesize("a" * 5_000)
    client.close()
