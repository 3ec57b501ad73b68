"""From one rate to another with soxr, whole or as a stream. Knows no devices."""

from __future__ import annotations

from typing import Any

import numpy as np
import soxr

from voice.types import Samples


def resample(samples: Samples, from_rate: int, to_rate: int) -> Samples:
    """All at once."""
    if from_rate == to_rate:
        return samples
    return np.asarray(soxr.resample(samples, from_rate, to_rate), np.float32)


class ResamplingStream:
    """Block by block, without seams; what comes out lags by a few milliseconds."""

    def __init__(self, from_rate: int, to_rate: int) -> None:
        self._stream: Any = None
        if from_rate != to_rate:
            # "MQ" keeps the passband to 90 % and lags by less than a frame; HQ's gain is above what is heard here.
            self._stream = soxr.ResampleStream(from_rate, to_rate, 1, dtype="float32", quality="MQ")

    def push(self, samples: Samples) -> Samples:
        """What is ready after `samples`; maybe nothing."""
        if self._stream is None:
            return samples
        return np.asarray(self._stream.resample_chunk(samples), np.float32)
