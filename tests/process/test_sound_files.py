"""Recordings on disk: real speech written in several formats, read back, heard in pieces."""

from __future__ import annotations

import itertools
import multiprocessing
import re
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import CancelledError
from pathlib import Path

import numpy as np
import pysubs2
import pytest
import soundfile
import soxr

from engine.cancel import CancelToken
from engine.errors import VoiceError
from engine.worker.child import EntryPoint
from tests.process import speech_children
from tests.voice_weights import recordings, whisper_tiny
from voice.files import LONGEST_S, SHORTEST_S, pieces, srt, transcribe_file
from voice.sound_file import seconds_of, sound_blocks
from voice.sound_reader import SoundReader
from voice.speech.choice import SpeechChoice
from voice.speech.client import SpeechClient
from voice.types import RATE, Samples, Segment


@pytest.fixture(scope="module")
def reading() -> Samples:
    """The sentences that are read from a novel, with pauses between, twice over: about 55 s."""
    pause = np.zeros(RATE // 2, np.float32)
    read = [part for clip in recordings() if clip.name.startswith("sense") for part in (clip.samples, pause)]
    return np.concatenate(read + read)


@pytest.fixture
def no_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")


def written(path: Path, samples: Samples, *, rate: int = RATE, channels: int = 1) -> Path:
    sound = soxr.resample(samples, RATE, rate)
    soundfile.write(path, np.column_stack([sound] * channels), rate)
    return path


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3", "a.aiff"])
def test_common_formats_are_read_without_any_program(
    tmp_path: Path, reading: Samples, name: str, no_programs: None
) -> None:
    sample = reading[: 7 * RATE]
    path = written(tmp_path / name, sample, rate=44_100, channels=2)
    blocks = list(sound_blocks(path))
    sound = np.concatenate(blocks)
    assert max(map(len, blocks)) <= 2 * RATE, "never the whole file at once"
    assert abs(len(sound) - len(sample)) < 0.1 * RATE
    assert abs((seconds_of(path) or 0) - 7) < 0.1
    # Compressed sound may be shifted a little.
    loudness = [float(np.abs(heard[: 6 * RATE]).mean()) for heard in (sound, sample)]
    assert loudness[0] == pytest.approx(loudness[1], rel=0.1)


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
def test_a_video_is_read_by_the_computers_own_program(tmp_path: Path, reading: Samples) -> None:
    source = written(tmp_path / "a.wav", reading[: 7 * RATE])
    video = tmp_path / "-odd name, 100%.mp4"
    picture = ["-f", "lavfi", "-i", "color=size=32x32:rate=5"]
    subprocess.run(
        ["ffmpeg", "-v", "error", *picture, "-i", source, "-t", "7", f"file:{video}"], check=True, timeout=60
    )
    sound = np.concatenate(list(sound_blocks(video)))
    assert abs(len(sound) / RATE - 7) < 0.3
    assert abs((seconds_of(video) or 0) - 7) < 0.3


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
def test_a_playlist_does_not_reach_another_address(tmp_path: Path) -> None:
    playlist = tmp_path / "a.m3u8"
    playlist.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n")
    with pytest.raises(VoiceError, match="cannot be read as sound"):
        list(sound_blocks(playlist))


def test_what_is_no_sound_is_a_sentence(tmp_path: Path, no_programs: None) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"not a video" * 100)
    with pytest.raises(VoiceError, match="install “ffmpeg”"):
        list(sound_blocks(path))
    with pytest.raises(VoiceError, match="cannot be opened"):
        list(sound_blocks(tmp_path / "none.wav"))
    assert seconds_of(path) is None


def test_reading_can_be_cancelled(tmp_path: Path, reading: Samples) -> None:
    cancel = CancelToken()
    blocks = sound_blocks(written(tmp_path / "a.wav", reading), cancel)
    next(blocks)
    cancel.cancel()
    with pytest.raises(CancelledError):
        next(blocks)


def test_a_file_is_read_in_a_process_of_its_own(tmp_path: Path, reading: Samples) -> None:
    path = written(tmp_path / "a.wav", reading)
    with SoundReader(path) as reader:
        assert reader.seconds == pytest.approx(len(reading) / RATE, abs=0.01)
        np.testing.assert_allclose(np.concatenate(list(reader)), reading, atol=1e-4)
    assert not multiprocessing.active_children()
    with pytest.raises(VoiceError, match="cannot be opened"):
        list(SoundReader(tmp_path / "none.wav"))
    cancel = CancelToken()
    with SoundReader(path, cancel) as reader, pytest.raises(CancelledError):
        for _ in reader:
            cancel.cancel()
    assert not multiprocessing.active_children()


@pytest.mark.parametrize(
    ("entry_point", "said"), [(speech_children.dies_at_once, "crash"), (speech_children.sleeps, "too long")]
)
def test_a_reader_that_dies_or_hangs_is_a_sentence(tmp_path: Path, entry_point: EntryPoint, said: str) -> None:
    with pytest.raises(VoiceError, match=said):
        SoundReader(tmp_path / "a.wav", entry_point=entry_point, silence_s=1.0)
    assert not multiprocessing.active_children()


def test_pieces_are_cut_in_pauses_and_lose_nothing(reading: Samples) -> None:
    blocks = [reading[at : at + RATE] for at in range(0, len(reading), RATE)]
    cut = list(pieces(blocks))
    assert len(cut) >= 2
    np.testing.assert_array_equal(np.concatenate(cut), reading)
    assert all(SHORTEST_S <= len(piece) / RATE <= LONGEST_S for piece in cut[:-1])
    for piece in cut[:-1]:
        assert np.abs(piece[-RATE // 10 :]).max() < 0.02, "the end of a piece is a pause"
    assert not list(pieces([]))


@pytest.fixture(scope="module")
def speech() -> Iterator[SpeechClient]:
    if not whisper_tiny().is_file():
        pytest.skip("weights are missing: python -m tests.voice_weights")
    client = SpeechClient(SpeechChoice(whisper_tiny()))
    yield client
    client.close()


@pytest.mark.weights
def test_a_long_recording_is_heard_with_its_times(tmp_path: Path, reading: Samples, speech: SpeechClient) -> None:
    path = written(tmp_path / "a.flac", reading, rate=22_050)
    told: list[tuple[float, float | None]] = []
    segments = list(transcribe_file(path, speech, on_progress=lambda *seconds: told.append(seconds)))
    words = re.sub(r"[^a-z ]", " ", " ".join(segment.text.lower() for segment in segments))
    assert words.count("dashwood") == 2
    assert words.count("himself") == 2
    half_s = len(reading) / RATE / 2
    first, second = (segment.start_s for segment in segments if "Dashwood" in segment.text)
    assert abs(second - first - half_s) < 1.0, "times are those of the whole"
    assert all(a.end_s <= b.start_s + 0.01 for a, b in itertools.pairwise(segments))
    assert told == sorted(told)
    assert told[-1] == pytest.approx((len(reading) / RATE, len(reading) / RATE), abs=0.1)


@pytest.mark.weights
def test_silence_says_nothing(tmp_path: Path, speech: SpeechClient) -> None:
    assert not list(transcribe_file(written(tmp_path / "a.wav", np.zeros(5 * RATE, np.float32)), speech))


def test_segments_become_subtitles() -> None:
    text = srt([Segment(0.0, 1.5, "Hello {there}"), Segment(61.25, 3_662.0, "two\nlines")])
    assert "00:01:01,250 --> 01:01:02,000" in text
    lines = pysubs2.SSAFile.from_string(text)
    assert [line.plaintext for line in lines] == ["Hello (there)", "two\nlines"]
