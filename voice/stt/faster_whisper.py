"""Speech to text by `faster-whisper`, on CTranslate2. Used where it is installed; Hearth does not bring it.

It opens files with PyAV, whose wheels carry x264 and x265, which are under the GPL. Here it is given samples and does
without. Knows no process.
"""

from __future__ import annotations

import importlib.util
import sys
from concurrent.futures import CancelledError
from pathlib import Path
from types import ModuleType
from typing import Any

from engine.cancel import CancelToken
from engine.errors import VoiceError, sentence
from voice.stt.window import is_loop, most_tokens
from voice.types import RATE, Samples, Segment, Transcript

_NOT_INSTALLED = sentence("faster-whisper is not installed. Install the Python package “faster-whisper” beside Hearth.")
_WONT_LOAD = sentence("The speech recognition model “{name}” could not be loaded. Fetch it again.")


class FasterWhisper:
    """A `Transcriber` with a folder in CTranslate2's format. Raises `VoiceError` where it cannot be loaded."""

    def __init__(self, model: Path, *, threads: int = 2) -> None:
        _do_without_pyav()
        try:
            from faster_whisper import WhisperModel  # noqa: PLC0415  # optional
        except ImportError as error:
            raise VoiceError(_NOT_INSTALLED) from error
        self._path = model
        try:
            self._model: Any = WhisperModel(
                str(model), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True
            )
        except (OSError, RuntimeError, ValueError) as error:
            raise VoiceError(_WONT_LOAD, name=model.name) from error

    @property
    def name(self) -> str:
        return f"faster-whisper, {self._path.name}"

    def transcribe(self, samples: Samples, *, language: str = "", cancel: CancelToken | None = None) -> Transcript:
        if not len(samples):
            return Transcript("")
        seconds = len(samples) / RATE
        pieces, about = self._model.transcribe(
            samples,
            language=(language or None) if self._model.model.is_multilingual else "en",
            beam_size=1,
            condition_on_previous_text=False,
            max_new_tokens=most_tokens(min(seconds, 30.0)),
        )
        segments = []
        for piece in pieces:  # each is decoded as it is asked for
            if cancel is not None and cancel.cancelled:
                raise CancelledError
            if piece.text.strip():
                segments.append(Segment(float(piece.start), float(piece.end), piece.text.strip()))
        text = " ".join(segment.text for segment in segments)
        if is_loop(text, seconds):
            return Transcript("", (), about.language)
        return Transcript(text, tuple(segments), about.language)

    def close(self) -> None:
        self._model = None


def _do_without_pyav() -> None:
    """faster-whisper imports it at once, though it is needed for files only."""
    if "av" not in sys.modules and importlib.util.find_spec("av") is None:
        sys.modules["av"] = ModuleType("av")
