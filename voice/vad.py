"""Voice activity: how likely is it that somebody speaks in these 32 ms? Knows no turns.

Silero VAD (https://github.com/snakers4/silero-vad, its `OnnxWrapper` for 16 kHz) on onnxruntime: a small recurrent
network, fed 512 new samples behind the last 64 of the frame before.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.errors import VoiceError, sentence
from engine.onnx_session import session
from voice.audio_weights import VOICE_ACTIVITY, verified
from voice.types import Samples

FRAME = 512
"""Samples of `RATE` hertz: 32 ms."""
_CONTEXT = 64
_STATE = (2, 1, 128)


class VoiceActivity(Protocol):
    """One stream, one thread."""

    def probability(self, frame: Samples) -> float:
        """That somebody speaks in `frame`, shape (FRAME,); 0..1. Frames come in order."""
        ...

    def reset(self) -> None:
        """Forget what was heard."""
        ...


class SileroVoiceActivity:
    """See `VoiceActivity`. Loads from `folder` (`voice.audio_weights.VOICE_ACTIVITY`); raises `VoiceError`.

    About 0.1 ms a frame on one core.
    """

    def __init__(self, folder: Path) -> None:
        path = verified(VOICE_ACTIVITY, folder)
        try:
            self._session = session(str(path))
        except Exception as error:  # what onnxruntime raises has no common class
            raise VoiceError(
                sentence("The detector of speech could not be started ({reason})."), reason=str(error)
            ) from error
        self._rate = np.array(16_000, np.int64)
        self._input = np.zeros((1, _CONTEXT + FRAME), np.float32)
        self._state: NDArray[np.float32] = np.zeros(_STATE, np.float32)

    def probability(self, frame: Samples) -> float:
        """See `VoiceActivity`."""
        self._input[0, :_CONTEXT] = self._input[0, -_CONTEXT:]
        self._input[0, _CONTEXT:] = frame
        output, self._state = self._session.run(None, {"input": self._input, "state": self._state, "sr": self._rate})
        return float(output[0, 0])

    def reset(self) -> None:
        """See `VoiceActivity`."""
        self._state = np.zeros(_STATE, np.float32)
        self._input[:] = 0
