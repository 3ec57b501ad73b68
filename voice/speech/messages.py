"""The messages between the speech process and its client: versioned JSON over a pipe, sound as bytes behind it.

A message is the length of its JSON (four bytes, little-endian), the JSON, and samples (float32, little-endian) where
it carries any. Nothing is ever pickled. Knows no process.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.worker.envelope import Fault, ProtocolError, enveloped, opened
from voice.speech.choice import SpeechChoice
from voice.types import RATE, Samples, Segment, VoiceName

VERSION = 1
LONGEST_S = 600
"""Of sound in one message, at the recogniser's rate; longer recordings are heard in pieces."""
LONGEST_TEXT = 4_000
"""Characters to speak at a time."""
_TEXT_BYTES = 4 * 1024 * 1024
MESSAGE_BYTES = _TEXT_BYTES + 4 * 3 * LONGEST_S * RATE
"""Speech comes at up to 48 kHz."""
_LENGTH = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class Begin:
    """The first message: what to load when it is needed. Not answered."""

    choice: SpeechChoice


@dataclass(frozen=True, slots=True)
class Prepare:
    """Load what hears, what speaks, or both, now. Answered by `Prepared`."""

    job: int
    hearing: bool
    speaking: bool


@dataclass(frozen=True, slots=True)
class Transcribe:
    """Carries samples of `RATE` hertz. Answered by `Heard`."""

    job: int
    language: str


@dataclass(frozen=True, slots=True)
class Synthesize:
    """Answered by `Spoken`."""

    job: int
    text: str
    voice: str
    speed: float


@dataclass(frozen=True, slots=True)
class ListVoices:
    """Answered by `Voices`."""

    job: int


@dataclass(frozen=True, slots=True)
class Cancel:
    """Nobody waits for the answer any more. Not answered."""

    job: int


@dataclass(frozen=True, slots=True)
class Prepared:
    job: int


@dataclass(frozen=True, slots=True)
class Heard:
    job: int
    text: str
    segments: tuple[Segment, ...]
    language: str


@dataclass(frozen=True, slots=True)
class Spoken:
    """Carries samples of `rate` hertz."""

    job: int
    rate: int


@dataclass(frozen=True, slots=True)
class Voices:
    job: int
    voices: tuple[VoiceName, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """Why there is no answer."""

    job: int
    fault: Fault


Job = Prepare | Transcribe | Synthesize | ListVoices
Command = Begin | Cancel | Job
Report = Prepared | Heard | Spoken | Voices | Refused
_EMPTY = np.zeros(0, np.float32)


def encode(message: Command | Report, samples: Samples = _EMPTY) -> bytes:
    """Bytes for the pipe. Raises `MessageTooLongError`."""
    raw = enveloped(message, VERSION, _TEXT_BYTES)
    return _LENGTH.pack(len(raw)) + raw + samples.astype("<f4", copy=False).tobytes()


def decode_command(raw: bytes) -> tuple[Command, Samples]:
    """Raises `ProtocolError`."""
    return _decode(raw, Command)


def decode_report(raw: bytes) -> tuple[Report, Samples]:
    """Raises `ProtocolError`."""
    return _decode(raw, Report)


def _decode(raw: bytes, union: Any) -> tuple[Any, Samples]:
    if len(raw) < _LENGTH.size:
        raise ProtocolError("no length")
    (length,) = _LENGTH.unpack_from(raw)
    end = _LENGTH.size + length
    if end > len(raw) or (len(raw) - end) % 4:
        raise ProtocolError("lengths do not go together")
    return opened(raw[_LENGTH.size : end], union, VERSION), np.frombuffer(raw, "<f4", offset=end)
