"""`hearth transcribe` and `hearth say` as a person runs them: real recordings, real weights, pipes, Ctrl+C."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pysubs2
import pytest
import soundfile

from tests.process.test_cli_real import HEARTH, PATIENCE_S, environment, run
from tests.voice_audio_weights import voice_audio_folder
from tests.voice_weights import recordings, voice_folder
from voice import audio_weights, weights
from voice.types import RATE

pytestmark = pytest.mark.beside


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """An empty models folder, with voice's beside it."""
    folder, voice = tmp_path / "models", tmp_path / "voice"
    folder.mkdir()
    voice.mkdir()
    for files, where in ((weights.FILES, voice_folder()), (audio_weights.FILES, voice_audio_folder())):
        for file in files:
            (voice / file.file_name).symlink_to(where / file.file_name)
    return folder


@pytest.fixture
def data(tmp_path: Path) -> list[str]:
    return ["--data-dir", str(tmp_path / "data")]


def recording(tmp_path: Path, *names: str) -> Path:
    found = [next(each for each in recordings() if name in each.name).samples for name in names]
    path = tmp_path / "recorded.wav"
    soundfile.write(path, np.concatenate(found), RATE)
    return path


def plain(text: str) -> str:
    return re.sub(r"[^a-z0-9 ]", "", text.lower()).strip()


@pytest.mark.weights
def test_a_recording_is_written_down_as_text_subtitles_and_json(models: Path, data: list[str], tmp_path: Path) -> None:
    path = recording(tmp_path, "goforward")
    done = run([*data, "transcribe", str(path)], models)
    assert done.returncode == 0, done.stderr
    assert plain(done.stdout.decode()) == "go forward 10 meters"
    done = run([*data, "transcribe", "--srt", "--language", "en", str(path)], models)
    (event,) = pysubs2.SSAFile.from_string(done.stdout.decode(), "srt")
    assert plain(event.plaintext) == "go forward 10 meters" and 0 < event.end <= 3000
    done = run([*data, "--json", "transcribe", str(path)], models)
    record = json.loads(done.stdout)
    assert (record["type"], plain(record["text"]), done.stderr) == ("segment", "go forward 10 meters", b"")


@pytest.mark.weights
def test_what_is_said_into_a_file_is_heard_again(models: Path, data: list[str], tmp_path: Path) -> None:
    path = tmp_path / "said.wav"
    text = "# The library\n\nIt opens at **nine** in the morning.\n\n```\nprint(1)\n```\n"
    done = run([*data, "say", "-o", str(path), "-"], models, stdin=text.encode())
    assert done.returncode == 0, done.stderr
    assert soundfile.info(path).channels == 1
    heard = plain(run([*data, "transcribe", "--language", "en", str(path)], models).stdout.decode())
    assert "opens at" in heard and "in the morning" in heard and "on screen" in heard and "print" not in heard
    seconds = soundfile.info(path).duration
    assert run([*data, "say", "--speed", "1.5", "-o", str(path), text], models).returncode == 0
    assert soundfile.info(path).duration < 0.8 * seconds


@pytest.mark.weights
def test_ctrl_c_ends_a_long_recording(models: Path, data: list[str], tmp_path: Path) -> None:
    path = recording(tmp_path, *[each.name for each in recordings()])
    child = subprocess.Popen(
        [*HEARTH, *data, "transcribe", str(path)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env=environment(models), start_new_session=True,
    )  # fmt: skip
    assert child.stdout is not None
    assert child.stdout.readline().strip(), "it is written as it is heard"
    os.killpg(child.pid, signal.SIGINT)
    _out, err = child.communicate(timeout=PATIENCE_S)
    assert (child.returncode, b"Traceback" in err) == (130, False)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["transcribe", "/nowhere.wav"], 1, "nowhere.wav"),
        (["transcribe", sys.executable], 1, "cannot be read as sound"),
        (["transcribe", "--language", "english", "x.wav"], 2, "two letters"),
        (["say", "--speed", "9", "x"], 2, "between"),
        (["say", "***"], 1, "nothing to say"),
        (["say", "--voice", "nobody", "hello"], 1, "no voice “nobody”"),
        (["say", "-o", "/nowhere/x.wav", "hello"], 1, "could not be written"),
    ],
)
@pytest.mark.weights
def test_wrong_use_is_one_sentence(models: Path, data: list[str], arguments: list[str], code: int, says: str) -> None:
    done = run([*data, *arguments], models)
    assert (done.returncode, says in done.stderr.decode()) == (code, True), done.stderr
    assert "Traceback" not in done.stderr.decode() and done.stdout == b""


def test_without_weights_it_says_what_to_fetch(tmp_path: Path, data: list[str]) -> None:
    (tmp_path / "models").mkdir()
    for command in (["transcribe", "x.wav"], ["talk"]):
        done = run([*data, *command], tmp_path / "models")
        assert (done.returncode, b"hearth fetch voice" in done.stderr) == (1, True), done.stderr


@pytest.mark.weights
def test_fetch_and_doctor_know_voice(models: Path, data: list[str]) -> None:
    done = run([*data, "fetch", "voice"], models)
    assert (done.returncode, b"here already" in done.stderr) == (0, True), done.stderr
    found = json.loads(run([*data, "--json", "doctor"], models).stdout)["voice"]
    assert found["weights"] is True and set(found) == {"weights", "kokoro", "microphone", "loudspeaker", "problem"}
