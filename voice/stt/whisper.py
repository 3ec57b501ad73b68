"""Speech to text by Whisper, the light default: what is said in one breath by onnxruntime, the rest by whisper.cpp.

Whoever waits for an answer has mostly said little; what is longer is told with times, and loads whisper.cpp when it
first comes. Knows no process.
"""

from __future__ import annotations

from pathlib import Path

from engine.cancel import CancelToken
from voice.stt.ggml_file import read_header
from voice.stt.whisper_cpp import TIMED_S, WhisperCpp
from voice.stt.whisper_onnx import WhisperOnnx
from voice.types import RATE, Samples, Transcript


class Whisper:
    """A `Transcriber` with a model file of whisper.cpp. Raises `VoiceError` where it cannot be loaded."""

    def __init__(self, model: Path, *, threads: int = 2) -> None:
        self._model, self._threads = model, threads
        self._brief = WhisperOnnx(model, threads=threads) if read_header(model).plain else None
        self._long = WhisperCpp(model, threads=threads) if self._brief is None else None

    @property
    def name(self) -> str:
        return f"Whisper, {self._model.stem}"

    def transcribe(self, samples: Samples, *, language: str = "", cancel: CancelToken | None = None) -> Transcript:
        if self._brief is not None and len(samples) < TIMED_S * RATE:
            return self._brief.transcribe(samples, language=language, cancel=cancel)
        self._long = self._long or WhisperCpp(self._model, threads=self._threads)
        return self._long.transcribe(samples, language=language, cancel=cancel)

    def close(self) -> None:
        if self._brief is not None:
            self._brief.close()
        if self._long is not None:
            self._long.close()
