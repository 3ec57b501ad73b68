"""Speech to text by `openai-whisper` (the extra "torch"): OpenAI's own implementation, with its own weights.

Knows no process. A decoding cannot be broken off, so that cancelling is noticed at its end.
"""

from __future__ import annotations

import pickle  # for its exception; torch reads weights only
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

from engine.cancel import CancelToken
from engine.errors import VoiceError, sentence
from voice.stt.window import is_loop
from voice.types import RATE, Samples, Segment, Transcript

_NOT_INSTALLED = sentence("openai-whisper is not installed. Install Hearth with its extra “torch”.")
_WONT_LOAD = sentence("The speech recognition model “{name}” could not be loaded. Fetch it again.")


class OpenAiWhisper:
    """A `Transcriber` with a `.pt` file of OpenAI's. Raises `VoiceError` where it cannot be loaded."""

    def __init__(self, model: Path, *, threads: int = 2) -> None:
        try:
            import torch  # noqa: PLC0415  # optional, and loads for seconds
            import whisper  # noqa: PLC0415  # as above
        except ImportError as error:
            raise VoiceError(_NOT_INSTALLED) from error
        torch.set_num_threads(threads)
        self._path = model
        try:
            # A path is read as it is; a name would be fetched.
            self._model: Any = whisper.load_model(str(model), device="cpu")
        except (OSError, RuntimeError, KeyError, ValueError, pickle.UnpicklingError) as error:
            raise VoiceError(_WONT_LOAD, name=model.name) from error

    @property
    def name(self) -> str:
        return f"openai-whisper, {self._path.stem}"

    def transcribe(self, samples: Samples, *, language: str = "", cancel: CancelToken | None = None) -> Transcript:
        if not len(samples):
            return Transcript("")
        found = self._model.transcribe(
            samples.copy(),  # torch warns of arrays that may not be written to
            language=(language or None) if self._model.is_multilingual else "en",
            condition_on_previous_text=False,
            fp16=False,
        )
        if cancel is not None and cancel.cancelled:
            raise CancelledError
        segments = tuple(
            Segment(float(piece["start"]), float(piece["end"]), piece["text"].strip())
            for piece in found["segments"]
            if piece["text"].strip()
        )
        text = " ".join(segment.text for segment in segments)
        if is_loop(text, len(samples) / RATE):
            return Transcript("", (), found["language"])
        return Transcript(text, segments, found["language"])

    def close(self) -> None:
        self._model = None
