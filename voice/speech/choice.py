"""Which backends hear and speak, as a value. Loads nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Hearing(StrEnum):
    """Backends of speech to text."""

    WHISPER_CPP = "whisper.cpp"
    OPENAI_WHISPER = "openai-whisper"
    FASTER_WHISPER = "faster-whisper"


class Speaking(StrEnum):
    """Backends of text to speech, in the order they are offered in."""

    HIBARI = "hibari"
    KOKORO = "kokoro"
    SYSTEM = "system"

    @property
    def is_english(self) -> bool:
        """It speaks English only. The system's voices speak more, each what it is asked for."""
        return self is not Speaking.SYSTEM


@dataclass(frozen=True, slots=True)
class SpeechChoice:
    """`model` is the recogniser's file, or its folder for faster-whisper. `threads` are for transcription.

    `voices` is the folder of what speaks where that did not come with its library (Kokoro).
    """

    model: Path
    hearing: Hearing = Hearing.WHISPER_CPP
    speaking: Speaking = Speaking.HIBARI
    threads: int = 2
    voices: Path = Path()
