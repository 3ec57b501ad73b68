"""Recordings as documents: real speech, real weights, the real library, parser and speech processes."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile

from app.library_process import run_library
from engine.errors import VoiceError
from engine.worker.envelope import error_of
from rag.client import LibraryClient, LibraryPlace
from rag.events import ReadingProgress
from rag.passages import Passage
from rag.store.types import FileState
from rag.types import Unit
from tests.process.recorded_talk import command, long_talk, talk
from tests.process.test_cli_real import run
from tests.process.test_library_process import PATIENCE_S, Desk, Telling
from tests.unit.library_shelf import bytes_of
from tests.voice_weights import whisper_tiny
from voice.types import RATE
from voice.weights import WHISPER_TINY

pytestmark = pytest.mark.weights


class Hall(Desk):
    """A library that hears, with the models that hear or without."""

    def __init__(self, folder: Path, *, hears: bool = True) -> None:
        self.voice = folder / "voice"
        self.voice.mkdir()
        self.docs = folder / "docs"
        self.docs.mkdir()
        self.place = LibraryPlace(folder / "library", voice_folder=self.voice)
        self.telling = Telling()
        self.client = LibraryClient(self.place, self.telling, entry_point=run_library)
        self.collection = self.client.add_collection("Talks").result(PATIENCE_S).id
        if hears:
            self.bring_weights()

    def settle(self) -> None:
        """What hears gives way to all else that this machine does."""
        self.client.wait_until_idle(4 * PATIENCE_S).result(4 * PATIENCE_S)

    def bring_weights(self) -> None:
        (self.voice / WHISPER_TINY.file_name).symlink_to(whisper_tiny())

    def passages(self, question: str) -> tuple[Passage, ...]:
        asked = self.client.search(question, most_characters=500, whole=False, wait_s=PATIENCE_S)
        return asked.result(PATIENCE_S).passages

    def speech_processes(self) -> list[psutil.Process]:
        """They alone stand back."""
        assert self.client.pid is not None
        library = psutil.Process(self.client.pid)
        return [each for each in library.children(recursive=True) if each.nice() > library.nice()]

    def hears_something(self) -> bool:
        """A part of a recording was heard."""
        events = [each for each in self.telling.events if isinstance(each, ReadingProgress)]
        return any(each.unit is Unit.TIME and each.of_pages is not None for each in events)


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    if not whisper_tiny().is_file():
        pytest.skip("weights are missing: python -m tests.voice_weights")
    made = Hall(tmp_path)
    yield made
    made.client.close()


def test_a_recording_can_be_asked_and_says_the_second(hall: Hall) -> None:
    sound, second = talk()
    soundfile.write(hall.docs / "novel.flac", sound, RATE)
    (hall.docs / "notes.txt").write_text("Buy bread.")
    hall.add(hall.docs)
    hall.settle()
    file = hall.files()["novel.flac"]
    assert (file.state, file.unit, file.title, file.language) == (FileState.READ, Unit.TIME, "novel", "en")
    found = hall.passages("go forward ten meters")[0]
    assert found.path.name == "novel.flac"
    line = next(line for line in found.text.split("\n") if "forward" in line.lower())
    hours, minutes, seconds = (int(each) for each in line.split(" ")[0].split(":"))
    assert abs(3600 * hours + 60 * minutes + seconds - second) < 2.5
    assert found.first_line <= second + 1 <= found.last_line + 30
    assert any("dashwood" in each.text.lower() for each in hall.passages("Mr Dashwood"))
    assert file.blob_id is not None
    page = hall.client.page(file.blob_id, 1).result(PATIENCE_S)
    assert page is not None
    assert page.text.startswith("00:00:0")
    hall.telling.wait_for(lambda: not hall.speech_processes())
    (source,) = hall.client.sources(hall.collection).result(PATIENCE_S)
    hall.client.remove_source(source.id).result(PATIENCE_S)
    assert hall.passages("forward") == ()
    assert b"Dashwood" not in bytes_of(hall.place.folder)


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
def test_the_sound_of_a_film_is_heard(hall: Hall, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", command(), RATE)
    picture = ["-f", "lavfi", "-i", "color=size=32x32:rate=5"]
    seconds = str(len(command()) / RATE)
    made = ["ffmpeg", "-v", "error", *picture, "-i", str(tmp_path / "a.wav"), "-t", seconds]
    subprocess.run([*made, str(hall.docs / "film.mp4")], check=True, timeout=60)
    subprocess.run([*made[:-4], "-t", "2", str(hall.docs / "silent.mkv")], check=True, timeout=60)
    hall.add(hall.docs)
    hall.settle()
    files = hall.files()
    assert (files["film.mp4"].state, files["film.mp4"].unit) == (FileState.READ, Unit.TIME)
    assert hall.passages("forward")[0].first_line == 0
    fault = files["silent.mkv"].fault
    assert fault is not None
    assert "holds no sound" in str(error_of(fault))


def test_what_cannot_be_heard_is_said(hall: Hall) -> None:
    sound, _second = talk()
    soundfile.write(hall.docs / "whole.flac", sound[: 20 * RATE], RATE)
    data = (hall.docs / "whole.flac").read_bytes()
    (hall.docs / "whole.flac").unlink()
    (hall.docs / "damaged.flac").write_bytes(data[:200])
    soundfile.write(hall.docs / "silence.wav", np.zeros(3 * RATE, np.float32), RATE)
    (hall.docs / "noise.mp3").write_bytes(bytes(range(256)) * 40)
    hall.add(hall.docs)
    hall.settle()
    said = {name: str(error_of(file.fault)) for name, file in hall.files().items() if file.fault is not None}
    assert "cannot be read as sound" in said["damaged.flac"]
    assert "cannot be read as sound" in said["noise.mp3"]
    assert said["silence.wav"] == "Nothing is said in “silence.wav”."


def test_without_weights_it_says_what_to_do_and_can_be_tried_again(tmp_path: Path) -> None:
    hall = Hall(tmp_path, hears=False)
    try:
        sound, _second = talk()
        soundfile.write(hall.docs / "talk.wav", sound[: 10 * RATE], RATE)
        hall.add(hall.docs / "talk.wav")
        hall.settle()
        file = hall.files()["talk.wav"]
        assert file.fault is not None
        error = error_of(file.fault)
        assert isinstance(error, VoiceError)
        assert "hearth fetch voice" in str(error) and "talk.wav" in str(error)
        hall.bring_weights()
        hall.client.retry(file.id).result(PATIENCE_S)
        hall.settle()
        assert hall.files()["talk.wav"].state is FileState.READ
    finally:
        hall.client.close()


def test_a_speech_process_that_dies_is_a_sentence(hall: Hall) -> None:
    soundfile.write(hall.docs / "long.wav", long_talk(20), RATE)
    hall.add(hall.docs / "long.wav")
    hall.telling.wait_for(hall.hears_something)
    for process in hall.speech_processes():
        process.kill()
    hall.settle()
    fault = hall.files()["long.wav"].fault
    assert fault is not None
    assert "stopped unexpectedly" in str(error_of(fault))
    (hall.docs / "note.txt").write_text("A ferry leaves at noon.")
    hall.add(hall.docs / "note.txt")
    assert hall.passages("ferry")[0].path.name == "note.txt"


def test_a_recording_that_is_removed_is_left_off(hall: Hall) -> None:
    soundfile.write(hall.docs / "long.wav", long_talk(30), RATE)
    source = hall.add(hall.docs / "long.wav")
    hall.telling.wait_for(hall.hears_something)
    assert hall.speech_processes()
    progress = [each for each in hall.telling.events if isinstance(each, ReadingProgress)][-1]
    assert progress.of_pages is not None
    assert 30 <= progress.of_pages <= 32, "minutes"
    hall.client.remove_source(source).result(PATIENCE_S)
    hall.settle()
    assert hall.files() == {}
    hall.telling.wait_for(lambda: not hall.speech_processes())


def test_on_the_command_line(tmp_path: Path) -> None:
    models, voice = tmp_path / "models", tmp_path / "voice"
    models.mkdir()
    voice.mkdir()
    data = ["--data-dir", str(tmp_path / "data")]
    sound, second = talk()
    path = tmp_path / "talk.wav"
    soundfile.write(path, sound, RATE)
    done = run([*data, "docs", "add", str(path)], models)
    assert done.returncode == 1
    assert "hearth fetch voice" in done.stdout.decode()
    assert run([*data, "docs", "remove", str(path)], models).returncode == 0
    (voice / WHISPER_TINY.file_name).symlink_to(whisper_tiny())
    done = run([*data, "docs", "add", str(path)], models)
    assert done.returncode == 0, done.stderr
    assert "transcript" in run([*data, "docs", "list"], models).stdout.decode()
    done = run([*data, "docs", "search", "go forward ten meters"], models)
    assert f"{path}: 0:" in done.stdout.decode()
    done = run([*data, "--json", "docs", "search", "go forward ten meters"], models)
    first = json.loads(done.stdout.splitlines()[0])
    assert first["file"] == str(path)
    assert 0 <= first["seconds"] <= second + 1
    assert "line" not in first
