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
    """Backends of text to speech."""

    HIBARI = "hibari"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class SpeechChoice:
    """`model` is the recogniser's file, or its folder for faster-whisper. `threads` are for transcription."""

    model: Path
    hearing: Hearing = Hearing.WHISPER_CPP
    speaking: Speaking = Speaking.HIBARI
    threads: int = 2
