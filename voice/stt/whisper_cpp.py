"""Speech to text by whisper.cpp (`pywhispercpp`): the light default. Brings its own ggml.

Never in one process with llama.cpp, which brings another. What sounds like a loop is decoded once more, with the whole
window. Knows no process and no microphone.
"""

from __future__ import annotations

from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

import numpy as np

from engine.cancel import CancelToken
from engine.errors import VoiceError, sentence
from voice.stt.ggml_file import read_header
from voice.stt.window import FLOOR, TINY_FLOOR, WINDOW_S, audio_context, is_loop, most_tokens, said_once
from voice.types import RATE, Samples, Segment, Transcript

_TICKS_A_SECOND = 100
_LEAST_S = 1.1
"""whisper.cpp hears nothing in less than a second; shorter sound is followed by silence."""
TIMED_S = 12.0
"""Below, one segment will do: without time stamps there is less to decode, and less to go wrong."""
_WONT_LOAD = sentence("The speech recognition model “{name}” could not be loaded. Fetch it again.")


class WhisperCpp:
    """A `Transcriber` with a model file of whisper.cpp. Raises `VoiceError` where it cannot be loaded."""

    def __init__(self, model: Path, *, threads: int = 2) -> None:
        header = read_header(model)
        from pywhispercpp.model import Model  # noqa: PLC0415  # loads ggml

        self._path = model
        self._multilingual = header.multilingual
        self._floor = TINY_FLOOR if header.tiny else FLOOR
        loaded: Any = Model(
            str(model),
            n_threads=threads,
            no_context=True,
            suppress_nst=True,
            print_progress=False,
            print_realtime=False,
            print_timestamps=False,
            redirect_whispercpp_logs_to=None,
        )
        if loaded._ctx is None:
            raise VoiceError(_WONT_LOAD, name=model.name)
        self._model = loaded

    @property
    def name(self) -> str:
        return f"whisper.cpp, {self._path.stem}"

    def transcribe(self, samples: Samples, *, language: str = "", cancel: CancelToken | None = None) -> Transcript:
        if not len(samples):
            return Transcript("")
        seconds = len(samples) / RATE
        context = audio_context(seconds, self._floor)
        transcript = self._decode(samples, context, language, cancel)
        text = transcript.text
        if context and (is_loop(text, seconds) or said_once(text) != text):
            transcript = self._decode(samples, 0, language, cancel)
            text = transcript.text
        if is_loop(text, seconds):
            return Transcript("", (), transcript.language)
        once = said_once(text)
        if once == text:
            return transcript
        return Transcript(once, (Segment(0.0, seconds, once),), transcript.language)

    def close(self) -> None:
        self._model = None

    def _decode(self, samples: Samples, context: int, language: str, cancel: CancelToken | None) -> Transcript:
        import _pywhispercpp as binding  # noqa: PLC0415  # loads ggml

        seconds = len(samples) / RATE
        padded = np.pad(samples, (0, max(0, int(_LEAST_S * RATE) - len(samples))))
        found = self._model.transcribe(
            np.ascontiguousarray(padded, np.float32),
            audio_ctx=context,
            max_tokens=most_tokens(seconds) if seconds <= WINDOW_S else 0,
            no_timestamps=seconds < TIMED_S,
            language=(language or "auto") if self._multilingual else "en",
            abort_callback=(lambda: cancel.cancelled) if cancel is not None else None,
        )
        if cancel is not None and cancel.cancelled:
            raise CancelledError
        texts = [piece.text.strip() for piece in found]
        if seconds < TIMED_S:
            text = " ".join(filter(None, texts))
            segments: tuple[Segment, ...] = (Segment(0.0, seconds, text),) if text else ()
        else:
            segments = tuple(
                Segment(piece.t0 / _TICKS_A_SECOND, min(piece.t1 / _TICKS_A_SECOND, seconds), text)
                for piece, text in zip(found, texts, strict=True)
                if text
            )
        spoken = binding.whisper_lang_str(binding.whisper_full_lang_id(self._model._ctx))
        return Transcript(" ".join(segment.text for segment in segments), segments, str(spoken))
