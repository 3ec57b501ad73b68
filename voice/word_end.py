"""Hears a word end when its sound ends. Knows loudness only, no speech.

The detector of speech goes on hearing a voice for up to 0.3 s after it fell silent, and everybody who waits for an
answer waits so much longer. What is as quiet as the room, right after something much louder, is no word. Where the room
is not much quieter than who speaks in it, that is never so, and the detector alone counts.
"""

from __future__ import annotations

import numpy as np

from voice.types import Samples
from voice.vad import VoiceActivity

_ROOM = 2.0
"""Times as loud as the quiet of late, which is 6 dB more: what is softer is the room."""
_FALLS = 0.12
"""Of how loud it was just now: 18 dB less, which the soft sounds at the end of a word are above."""
_LEAST = 1e-4
"""-80 dB: what is softer is no room, but a device that is silent."""
_RISES = 1.005
"""A frame, of what counts as quiet: 17 % a second. It falls at once."""
_FADES = 0.97
"""A frame, of what counts as loud: 8 dB a second. It rises at once."""


class WordEnd:
    """See `VoiceActivity`: what `activity` says, and 0 where the sound has just ended."""

    def __init__(self, activity: VoiceActivity) -> None:
        self._activity = activity
        self._quiet = 1.0
        self._loud = 0.0

    def probability(self, frame: Samples) -> float:
        """See `VoiceActivity`."""
        level = float(np.sqrt(np.dot(frame, frame) / len(frame)))
        if level > _LEAST:
            self._quiet = min(level, self._quiet * _RISES)
        self._loud = max(level, self._loud * _FADES)
        probability = self._activity.probability(frame)
        has_ended = level < min(max(_LEAST, _ROOM * self._quiet), _FALLS * self._loud)
        return 0.0 if has_ended else probability

    def reset(self) -> None:
        """See `VoiceActivity`."""
        self._activity.reset()
        self._quiet = 1.0
        self._loud = 0.0
