"""Real devices without a sound card: PulseAudio's null sinks and their monitors, through PortAudio.

A server of its own, in a folder of its own; the machine's sound is left alone. PortAudio reaches it by ALSA's plug-in,
in a child process, because it reads its settings once.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
import pytest
import soxr

from tests.conftest import QWEN_SMALL, weights_path
from tests.process import devices_child
from tests.voice_weights import recordings, voice_folder, whisper_tiny
from voice import audio_weights, weights
from voice.audio.resampling import resample
from voice.speech.choice import SpeechChoice
from voice.speech.client import SpeechClient
from voice.types import RATE

pytestmark = pytest.mark.weights

_RATE = 48_000
_WAIT_S = 20.0
_ALSA = """
pcm.!default { type pulse }
ctl.!default { type pulse }
"""


class SoundServer:
    """PulseAudio with a microphone (what is played into `mouth` is heard by it) and a loudspeaker `ears`."""

    def __init__(self, folder: Path) -> None:
        self.environment = {
            **os.environ,
            "XDG_RUNTIME_DIR": str(folder),
            "PULSE_RUNTIME_PATH": str(folder / "pulse"),
            "PULSE_STATE_PATH": str(folder / "state"),
            "HOME": str(folder),
            "XDG_CACHE_HOME": str(platformdirs.user_cache_path()),
            "PULSE_SERVER": f"unix:{folder}/pulse/native",
            "ALSA_CONFIG_PATH": "/usr/share/alsa/alsa.conf",
        }
        (folder / ".asoundrc").write_text(_ALSA)
        modules = (
            f"module-native-protocol-unix socket={folder}/pulse/native auth-anonymous=1",
            f"module-null-sink sink_name=mouth rate={_RATE} channels=1",
            f"module-null-sink sink_name=ears rate={_RATE} channels=1",
            "module-remap-source source_name=microphone master=mouth.monitor",
        )
        self._process = subprocess.Popen(
            ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--disallow-exit", "--use-pid-file=no"]
            + [argument for module in modules for argument in ("-L", module)],
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _until(lambda: "microphone" in self.tell("list", "short", "sources"))
        self.tell("set-default-source", "microphone")
        self.tell("set-default-sink", "ears")

    def tell(self, *words: str) -> str:
        done = subprocess.run(
            ["pactl", *words], env=self.environment, capture_output=True, text=True, timeout=20, check=False
        )
        return done.stdout

    def play(self, path: Path) -> subprocess.Popen[bytes]:
        """Into the microphone."""
        return subprocess.Popen(["paplay", "--device=mouth", str(path)], env=self.environment)

    def record(self, path: Path) -> subprocess.Popen[bytes]:
        """What the loudspeaker plays, until it is ended."""
        command = ["parecord", "--device=ears.monitor", f"--rate={_RATE}", "--channels=1", "--file-format=wav"]
        return subprocess.Popen([*command, "--latency-msec=20", str(path)], env=self.environment)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SoundServer]:
    if any(shutil.which(program) is None for program in ("pulseaudio", "pactl", "paplay", "parecord")):
        pytest.skip(
            "PulseAudio is not installed (Debian: pulseaudio pulseaudio-utils libasound2-plugins libportaudio2)"
        )
    # A socket's path may have 107 characters.
    folder = Path("/tmp") / f"hearth-sound-{os.getpid()}"
    folder.mkdir(mode=0o700)
    server = SoundServer(folder)
    yield server
    server.close()
    shutil.rmtree(folder)


@contextmanager
def conversation(server: SoundServer, *arguments: str) -> Iterator[Iterator[dict[str, Any]]]:
    """What a pipeline on the server's devices tells."""
    command = [sys.executable, "-m", devices_child.__name__, *arguments]
    environment = server.environment | {"PYTHONPATH": str(Path.cwd())}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        try:
            yield (json.loads(line) for line in child.stdout)
        finally:
            child.kill()


def test_recorded_speech_in_and_an_answer_out(server: SoundServer, tmp_path: Path) -> None:
    recording = next(found for found in recordings() if found.name.endswith("0880"))
    spoken, heard = tmp_path / "spoken.wav", tmp_path / "heard.wav"
    _write(spoken, np.concatenate([soxr.resample(recording.samples, RATE, _RATE), np.zeros(_RATE, np.float32)]))
    recorder = server.record(heard)
    try:
        with conversation(server) as told:
            assert next(told)["phase"] == "listening"
            player = server.play(spoken)
            asked = next(told)
            assert player.wait(_WAIT_S) == 0
            answered = next(told)
    finally:
        recorder.terminate()
        recorder.wait()
    # The whole sentence was captured, and its end was found.
    seconds = recording.samples.size / RATE
    assert asked["turns"] == 1
    assert seconds - 0.9 < asked["seconds"] < seconds + 1.5
    # What came out is the answer's tone, all of it, once.
    assert set(answered["made"]) == {devices_child.ANSWER}
    sound = _read(heard)
    loud = np.flatnonzero(np.abs(sound) > 0.1)
    lasted_s = (loud[-1] - loud[0]) / _RATE
    assert lasted_s == pytest.approx(answered["seconds"], abs=0.1)
    spectrum = np.abs(np.fft.rfft(sound[loud[0] : loud[-1]]))
    assert spectrum.argmax() / lasted_s == pytest.approx(440, abs=2)


def test_a_microphone_that_is_taken_away_is_noticed(server: SoundServer) -> None:
    with conversation(server, "--unplugged") as told:
        assert next(told)["phase"] == "listening"
        server.tell("suspend-source", "microphone", "1")
        server.tell("suspend-sink", "mouth", "1")
        assert next(told)["notice"] in ("microphone_gone", "silent")


@contextmanager
def hearth(server: SoundServer, folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The program itself, with one model and voice's weights."""
    models, voice = folder / "models", folder / "voice"
    for made in (models, voice, folder / "data"):
        made.mkdir()
    (models / QWEN_SMALL).symlink_to(weights_path(QWEN_SMALL))
    for file in (*weights.FILES, *audio_weights.FILES):
        (voice / file.file_name).symlink_to(voice_folder() / file.file_name)
    (folder / "data" / "settings.toml").write_text("[model]\nn_threads = 1\nn_ctx = 2048\n")
    environment = server.environment | {"HEARTH_MODELS_DIR": str(models), "LANG": "C.UTF-8"}
    command = [sys.executable, "-m", "app", "--data-dir", str(folder / "data"), "--json", *arguments]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as child:
        try:
            yield child
        finally:
            child.kill()


def told_until(child: subprocess.Popen[str], **wanted: object) -> dict[str, Any]:
    """The next record with those values."""
    assert child.stdout is not None
    for line in child.stdout:
        record: dict[str, Any] = json.loads(line)
        if all(record.get(name) == value for name, value in wanted.items()):
            return record
    raise AssertionError(f"{wanted} was not told")


@pytest.mark.parametrize("push_to_talk", [False, True])
def test_hearth_talk_answers_aloud(server: SoundServer, tmp_path: Path, push_to_talk: bool) -> None:
    recording = next(found for found in recordings() if found.name.endswith("0930"))
    spoken, heard = tmp_path / "spoken.wav", tmp_path / "heard.wav"
    _write(spoken, np.concatenate([soxr.resample(recording.samples, RATE, _RATE), np.zeros(_RATE, np.float32)]))
    recorder = server.record(heard)
    how = ["--push-to-talk"] if push_to_talk else []
    try:
        with hearth(server, tmp_path, "talk", "--language", "en", "--max-tokens", "12", *how) as child:
            assert child.stdin is not None
            told_until(child, type="phase", phase="listening")
            if push_to_talk:
                child.stdin.write("\n")
                child.stdin.flush()
                told_until(child, type="phase", phase="user_speaking")
            assert server.play(spoken).wait(_WAIT_S) == 0
            if push_to_talk:
                child.stdin.write("\n")
                child.stdin.flush()
            assert "might even have been made" in told_until(child, type="question")["text"]
            answer = told_until(child, type="message")
            assert answer["state"] == "complete" and answer["text"]
            told_until(child, type="phase", phase="listening")
            if push_to_talk:
                child.stdin.close()  # nobody is left to press a key
            else:
                os.killpg(child.pid, signal.SIGINT)
            assert child.wait(_WAIT_S) == 0
    finally:
        recorder.terminate()
        recorder.wait()
    assert np.count_nonzero(np.abs(_read(heard)) > 0.02) > _RATE // 10, "something was said"


def test_hearth_say_says_all_of_it(server: SoundServer, tmp_path: Path) -> None:
    heard = tmp_path / "heard.wav"
    recorder = server.record(heard)
    try:
        with hearth(server, tmp_path, "say", "Good morning. The library opens at nine.") as child:
            assert child.wait(_WAIT_S) == 0
    finally:
        recorder.terminate()
        recorder.wait()
    with closing(SpeechClient(SpeechChoice(whisper_tiny()))) as speech:
        text = speech.transcribe(resample(_read(heard), _RATE, RATE), language="en").text.lower()
    assert text.startswith("good morning") and "library opens at" in text


def _read(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        return (np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768).astype(np.float32)


def _write(path: Path, samples: np.ndarray) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        file.writeframes((samples * 32767).astype("<i2").tobytes())


def _until(condition: Callable[[], bool], timeout_s: float = _WAIT_S) -> None:
    """A program without another sign of being ready is asked."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
