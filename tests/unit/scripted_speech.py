"""A voice and ears without a model: hears the same words in everything, and speaks by humming."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError
from pathlib import Path

import numpy as np

from app.api.transcripts import Heard
from engine.cancel import CancelToken
from engine.errors import HearthError
from voice.types import Segment, Sound


class ScriptedSpeech:
    """A `app.api.ports.Speech`. `gate` holds hearing back, `error` fails it; `heard` and `asked` are what it got.

    `began` and `cancelled` are released for each.
    """

    def __init__(self) -> None:
        self.gate: threading.Event | None = None
        self.error: HearthError | None = None
        self.heard: list[tuple[bytes, str]] = []
        self.asked: list[tuple[str, str, float]] = []
        self.began = threading.Semaphore(0)
        self.cancelled = threading.Semaphore(0)

    def hear(self, recording: Path, *, language: str = "", cancel: CancelToken | None = None) -> Heard:
        self.began.release()
        if self.gate is not None and cancel is not None:
            cancel.on_cancel(self.gate.set)
            assert self.gate.wait(30)
            if cancel.cancelled:
                self.cancelled.release()
                raise CancelledError
        if self.error is not None:
            raise self.error
        self.heard.append((recording.read_bytes(), language))
        return Heard((Segment(0.0, 1.5, "Go forward."),), 2.0, language or "en")

    def speak(
        self, text: str, *, voice: str = "", speed: float = 1.0, cancel: CancelToken | None = None
    ) -> Iterator[Sound]:
        self.asked.append((text, voice, speed))
        yield Sound(np.zeros(2400, np.float32), 24_000)
