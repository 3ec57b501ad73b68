"""Is the speaker done, or pausing for thought? Judged from the sound of the last eight seconds. Knows no words.

smart-turn v3.2 (https://github.com/pipecat-ai/smart-turn): a Whisper encoder's first layers with a classifier, on
onnxruntime. Its input are Whisper's log-mel features (Radford et al. 2022, as in the published
`WhisperFeatureExtractor(chunk_length=8)` with `do_normalize`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.errors import VoiceError, sentence
from engine.onnx_session import session
from voice.audio_weights import END_OF_TURN, verified
from voice.log_mel import log_mel
from voice.types import RATE, Samples

SECONDS = 8
"""What is heard of a turn: its end."""
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
        path = verified(END_OF_TURN, folder)
        try:
            self._session = session(str(path))
        except Exception as error:  # what onnxruntime raises has no common class
            raise VoiceError(
                sentence("The detector of a turn's end could not be started ({reason})."), reason=str(error)
            ) from error

    def probability(self, samples: Samples) -> float:
        """See `EndOfTurn`."""
        # The output is called "logits", yet the published graph ends in a sigmoid.
        (output,) = self._session.run(None, {"input_features": features(samples)[np.newaxis]})
        return float(output[0, 0])


def features(samples: Samples) -> NDArray[np.float32]:
    """Whisper's features of the last eight seconds, zeros in front where there are fewer; shape (80, 800)."""
    n = SECONDS * RATE
    sound = np.zeros(n, np.float32)
    kept = samples[-n:]
    sound[n - len(kept) :] = kept
    return log_mel((sound - sound.mean()) / np.sqrt(sound.var() + _LEAST_VARIANCE))
