"""Text to speech by `hibari-tts`: the English default, a small network on onnxruntime.

The library would fetch other voices by itself; here it is only ever given the voice that lies in its package, whose
hash is checked first. Knows no process.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

import numpy as np

from engine.cancel import CancelToken
from engine.errors import VoiceError, sentence
from voice.tts.trim import trimmed
from voice.types import Sound, VoiceName

_VOICE = VoiceName("heart", "Heart", "en")
_SHA256 = "5f70741d4e900f4e85d0037498736cc1b3e1b9a63a13546a5da1e63abf4fccd8"
_SEED = 0
"""Of the noise that a voice has: the same sentence always sounds the same."""
_SLOWEST, _FASTEST = 0.5, 2.0
_DAMAGED = sentence("The voice “{name}” is damaged. Install Hearth again, or choose another voice.")


class HibariVoice:
    """A `Synthesizer`. Raises `VoiceError` where its weights are not the ones that were tested."""

    def __init__(self, *, threads: int = 1) -> None:
        from hibari import Hibari  # noqa: PLC0415  # loads onnxruntime
        from hibari.voices import ASSETS, VOICES  # noqa: PLC0415  # as above

        weights = Path(ASSETS, VOICES[_VOICE.id]["file"])
        try:
            digest = hashlib.sha256(weights.read_bytes()).hexdigest()
        except OSError as error:
            raise VoiceError(_DAMAGED, name=_VOICE.name) from error
        if digest != _SHA256:
            raise VoiceError(_DAMAGED, name=_VOICE.name)
        self._speaker: Any = Hibari(voice=_VOICE.id, model=str(weights), threads=threads)

    @property
    def name(self) -> str:
        return "hibari"

    def voices(self) -> Sequence[VoiceName]:
        return (_VOICE,)

    def synthesize(self, text: str, *, voice: str = "", speed: float = 1.0, cancel: CancelToken | None = None) -> Sound:
        # Every voice it is asked for is the one it has: a persona's own may be of another synthesizer.
        pieces: list[Any] = []
        for piece in self._speaker.stream(text, min(max(speed, _SLOWEST), _FASTEST), _SEED):
            if cancel is not None and cancel.cancelled:
                raise CancelledError
            pieces.append(piece)
        samples = np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
        return trimmed(Sound(np.clip(samples, -1.0, 1.0).astype(np.float32), int(self._speaker.sample_rate)))

    def close(self) -> None:
        self._speaker = None
