"""Is the speaker done, or pausing for thought? Judged from the sound of the last eight seconds. Knows no words.

smart-turn v3.2 (https://github.com/pipecat-ai/smart-turn): a Whisper encoder's first layers with a classifier, on
onnxruntime. Its input are Whisper's log-mel features (Radford et al. 2022, as in the published
`WhisperFeatureExtractor(chunk_length=8)` with `do_normalize`), computed here with numpy alone.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.errors import VoiceError, sentence
from voice.audio_weights import END_OF_TURN, verified
from voice.types import RATE, Samples

SECONDS = 8
"""What is heard of a turn: its end."""
_WINDOW = 400
_HOP = 160
_BANDS = 80
_LEAST_POWER = 1e-10
_LEAST_VARIANCE = 1e-7


class EndOfTurn(Protocol):
    """One thread at a time."""

    def probability(self, samples: Samples) -> float:
        """That the speaker is done, after a turn of `samples` (`RATE` hertz) up to now; 0..1."""
        ...


class SmartTurn:
    """See `EndOfTurn`. Loads from `folder` (`voice.audio_weights.END_OF_TURN`); raises `VoiceError`.

    30 to 60 ms of one core for a judgement.
    """

    def __init__(self, folder: Path) -> None:
        import onnxruntime  # noqa: PLC0415  # takes 0.1 s and 40 MB; only who listens needs it

        path = verified(END_OF_TURN, folder)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        try:
            self._session: Any = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # what onnxruntime raises has no common class
            raise VoiceError(
                sentence("The detector of a turn's end could not be started ({reason})."), reason=str(error)
            ) from error

    def probability(self, samples: Samples) -> float:
        """See `EndOfTurn`."""
        # The output is called "logits", yet the published graph ends in a sigmoid.
        (output,) = self._session.run(None, {"input_features": log_mel(samples)[np.newaxis]})
        return float(output[0, 0])


def log_mel(samples: Samples) -> NDArray[np.float32]:
    """Whisper's features of the last eight seconds, zeros in front where there are fewer; shape (80, 800)."""
    n = SECONDS * RATE
    sound = np.zeros(n, np.float32)
    kept = samples[-n:]
    sound[n - len(kept) :] = kept
    sound = (sound - sound.mean()) / np.sqrt(sound.var() + _LEAST_VARIANCE)
    padded = np.pad(sound.astype(np.float64), _WINDOW // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[: n // _HOP * _HOP : _HOP]
    hann = np.hanning(_WINDOW + 1)[:-1]
    power = np.abs(np.fft.rfft(frames * hann, axis=-1)) ** 2
    features = np.log10(np.maximum(_LEAST_POWER, _mel_filters() @ power.T))
    features = np.maximum(features, features.max() - 8.0)
    scaled: NDArray[np.float32] = ((features + 4.0) / 4.0).astype(np.float32)
    return scaled


@cache
def _mel_filters() -> NDArray[np.float64]:
    """Triangles on Slaney's mel scale (linear up to 1 kHz, then logarithmic), each of area one; (80, 201)."""
    linear, step = 200.0 / 3.0, np.log(6.4) / 27.0
    top = 15.0 + np.log(RATE / 2 / 1000.0) / step
    mels = np.linspace(0.0, top, _BANDS + 2)
    corners = np.where(mels < 15.0, mels * linear, 1000.0 * np.exp(step * (np.maximum(mels, 15.0) - 15.0)))
    bins = np.linspace(0.0, RATE / 2, _WINDOW // 2 + 1)
    left, middle, right = corners[:-2, np.newaxis], corners[1:-1, np.newaxis], corners[2:, np.newaxis]
    rising = (bins - left) / (middle - left)
    falling = (right - bins) / (right - middle)
    triangles: NDArray[np.float64] = np.maximum(0.0, np.minimum(rising, falling)) * (2.0 / (right - left))
    return triangles
