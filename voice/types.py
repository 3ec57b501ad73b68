"""The values and protocols of the voice: sound, what was said in it, and who can turn one into the other.

Sound is mono, `float32`, -1..1, in arrays of shape (n,). Between the canceller and transcription it has `RATE` hertz.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from engine.cancel import CancelToken

if TYPE_CHECKING:  # the window knows these values, and does without numpy while it starts
    import numpy as np
    from numpy.typing import NDArray

RATE = 16_000
"""Hertz, of what voice activity detection and transcription hear."""
Samples: TypeAlias = "NDArray[np.float32]"
"""Shape (n,), mono, -1..1."""


@dataclass(frozen=True, slots=True)
class Sound:
    """Some samples and how many of them make a second."""

    samples: Samples
    rate: int

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate


@dataclass(frozen=True, slots=True)
class VoiceChoice:
    """Which voice speaks, and how fast; "" is the synthesizer's first."""

    voice: str = ""
    speed: float = 1.0


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of speech; `start_s` and `end_s` are from the beginning of the sound, in seconds."""

    start_s: float
    end_s: float
    text: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said. `language` is ISO 639-1, "" unknown."""

    text: str
    segments: tuple[Segment, ...] = ()
    language: str = ""


@dataclass(frozen=True, slots=True)
class VoiceName:
    """A voice that a synthesizer has: `id` is its own name for it, `language` ISO 639-1, "" unknown."""

    id: str
    name: str
    language: str = ""


class Transcriber(Protocol):
    """Speech to text. One thread at a time; `close` frees the model."""

    @property
    def name(self) -> str:
        """Of the backend and its model, for people."""
        ...

    def transcribe(self, samples: Samples, *, language: str = "", cancel: CancelToken | None = None) -> Transcript:
        """What is said in samples of `RATE` hertz. `language` "" lets the model find out, where it can.

        Raises `VoiceError`, `CancelledError`.
        """
        ...

    def close(self) -> None: ...


class Synthesizer(Protocol):
    """Text to speech, a sentence at a time. One thread at a time; `close` frees the model."""

    @property
    def name(self) -> str:
        """Of the backend, for people."""
        ...

    def voices(self) -> Sequence[VoiceName]:
        """The first is the default."""
        ...

    def synthesize(self, text: str, *, voice: str = "", speed: float = 1.0, cancel: CancelToken | None = None) -> Sound:
        """A speakable sentence as sound, without silence in front. `speed` 1 is the voice's own.

        Raises `VoiceError`, `CancelledError`.
        """
        ...

    def close(self) -> None: ...
