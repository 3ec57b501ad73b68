"""Whisper's features of sound: log-mel spectra, 100 a second, in 80 bands. Knows no model.

As in Radford et al. 2022 and in OpenAI's `whisper.audio.log_mel_spectrogram`, computed with numpy alone.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from voice.types import RATE, Samples

HOP = RATE // 100
"""Samples a frame."""
BANDS = 80
_WINDOW = 400
_LEAST_POWER = 1e-10


def log_mel(sound: Samples) -> NDArray[np.float32]:
    """Features of samples of `RATE` hertz; shape (`BANDS`, len(sound) // `HOP`), about -1..1."""
    padded = np.pad(sound.astype(np.float64), _WINDOW // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[: len(sound) // HOP * HOP : HOP]
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
    mels = np.linspace(0.0, top, BANDS + 2)
    corners = np.where(mels < 15.0, mels * linear, 1000.0 * np.exp(step * (np.maximum(mels, 15.0) - 15.0)))
    bins = np.linspace(0.0, RATE / 2, _WINDOW // 2 + 1)
    left, middle, right = corners[:-2, np.newaxis], corners[1:-1, np.newaxis], corners[2:, np.newaxis]
    rising = (bins - left) / (middle - left)
    falling = (right - bins) / (right - middle)
    triangles: NDArray[np.float64] = np.maximum(0.0, np.minimum(rising, falling)) * (2.0 / (right - left))
    return triangles
