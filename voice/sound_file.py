"""Audio and video files as sound for the recogniser, a block at a time, so that memory stays small. Knows no model.

WAV, FLAC, Ogg (Vorbis, Opus), MP3 and AIFF are read by libsndfile; everything else by the `ffmpeg` that the computer
has, if it has one. Both parse foreign bytes; ffmpeg does so in a process of its own and opens no address.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import CancelledError
from pathlib import Path
from typing import IO, Any

import numpy as np

from engine.cancel import CancelToken
from engine.errors import SoundError, sentence
from voice.types import RATE, Samples

BLOCK_S = 1.0
_UNREADABLE = sentence(
    "“{name}” cannot be read as sound. Save it as WAV, FLAC, OGG or MP3, or install “ffmpeg” for other formats."
)
_BROKEN = sentence("“{name}” cannot be read as sound: it is damaged, or holds no sound.")
_MISSING = sentence("“{name}” cannot be opened ({reason}).")
_PROBE_S = 10.0


def sound_blocks(path: Path, cancel: CancelToken | None = None) -> Iterator[Samples]:
    """The file's sound at `RATE` hertz, mono, in blocks of about a second. Raises `SoundError`, `CancelledError`."""
    for block in _blocks(path):
        if cancel is not None and cancel.cancelled:
            raise CancelledError
        yield block


def seconds_of(path: Path) -> float | None:
    """How long the sound is, None where that is not known before it has been read."""
    import soundfile  # noqa: PLC0415  # loads libsndfile

    try:
        return float(soundfile.info(str(path)).duration)
    except (OSError, soundfile.SoundFileError):
        pass  # for ffmpeg, perhaps
    probe = shutil.which("ffprobe")
    if probe is None:
        return None
    command = [
        probe,
        "-v",
        "error",
        "-protocol_whitelist",
        "file",
        "-show_entries",
        "format=duration",
        "-of",
        "csv=p=0",
    ]
    try:
        said = subprocess.run(
            [*command, _address(path)], capture_output=True, text=True, timeout=_PROBE_S, check=False
        ).stdout
        return float(said)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None


def _blocks(path: Path) -> Iterator[Samples]:
    import soundfile  # noqa: PLC0415  # loads libsndfile

    try:
        with path.open("rb"):
            pass
        file = soundfile.SoundFile(str(path))
    except soundfile.SoundFileError:
        yield from _by_ffmpeg(path)
        return
    except OSError as error:
        raise SoundError(_MISSING, name=path.name, reason=error.strerror or error) from error
    with file:
        try:
            yield from _resampled(file)
        except soundfile.SoundFileError as error:
            raise SoundError(_BROKEN, name=path.name) from error


def _resampled(file: Any) -> Iterator[Samples]:
    import soxr  # noqa: PLC0415  # loads libsoxr

    stream = soxr.ResampleStream(file.samplerate, RATE, 1, dtype="float32") if file.samplerate != RATE else None
    for block in file.blocks(int(BLOCK_S * file.samplerate), dtype="float32", always_2d=True):
        mono = np.ascontiguousarray(block.mean(axis=1), np.float32)
        yield stream.resample_chunk(mono) if stream is not None else mono
    if stream is not None:
        yield stream.resample_chunk(np.zeros(0, np.float32), last=True)


def _by_ffmpeg(path: Path) -> Iterator[Samples]:
    program = shutil.which("ffmpeg")
    if program is None:
        raise SoundError(_UNREADABLE, name=path.name)
    command = [
        program, "-nostdin", "-v", "error", "-protocol_whitelist", "file,pipe", "-i", _address(path), "-vn", "-sn",
        "-ac", "1", "-ar", str(RATE), "-f", "f32le", "pipe:1",
    ]  # fmt: skip
    with tempfile.TemporaryFile() as said:
        try:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said)
        except OSError as error:
            raise SoundError(_UNREADABLE, name=path.name) from error
        assert process.stdout is not None, "it was asked for"
        found = False
        try:
            for block in _raw_blocks(process.stdout):
                found = True
                yield block
            if process.wait() != 0 and not found:
                raise SoundError(_BROKEN, name=path.name)
        finally:
            process.kill()
            process.stdout.close()
            process.wait()


def _raw_blocks(stream: IO[bytes]) -> Iterator[Samples]:
    size = 4 * int(BLOCK_S * RATE)
    while raw := stream.read(size):
        yield np.frombuffer(raw[: len(raw) // 4 * 4], "<f4")


def _address(path: Path) -> str:
    """As ffmpeg takes it for a file, whatever its name looks like."""
    return f"file:{path.absolute()}"
