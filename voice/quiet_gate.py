"""Spares the detector of speech while it is as quiet as it has been for a while. Knows loudness only, no speech.

Waiting hands-free lasts for hours, and the network costs more than all the rest of it. What may be the beginning of a
word opens the gate, and the network then hears the moments before it, too, so that it judges as if it had heard all.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from voice.types import Samples
from voice.vad import VoiceActivity

_LOUDER = 1.25
"""Than the quiet of late: 2 dB, which steady noise does not reach, and a word above it does."""
_NOISY = 5e-3
"""Where quiet is as loud as that, a word may not stand out: the gate stays open."""
_LEAST = 1e-4
"""What is softer than -80 dB is no word."""
_RISES = 1.005
"""A frame, of what counts as quiet: 17 % a second. It falls at once."""
_STAYS = 32
"""Frames that it stays open after the last loud one: a second. At first as well, while nothing is known."""
_KEPT = 8


class QuietGate:
    """See `VoiceActivity`: what `activity` says, and 0 where it need not be asked."""

    def __init__(self, activity: VoiceActivity) -> None:
        self._activity = activity
        self._kept: deque[Samples] = deque(maxlen=_KEPT)
        """The last frames that the network has not heard."""
        self._quiet = 1.0
        """How loud the quiet of late was; nothing is known at first."""
        self._open = _STAYS
        """For how many frames more."""

    def probability(self, frame: Samples) -> float:
        """See `VoiceActivity`."""
        edges = np.diff(frame)  # rumble below the voice does not count
        level = float(np.sqrt(np.dot(edges, edges) / len(edges)))
        self._quiet = max(_LEAST, min(level, self._quiet * _RISES))
        self._open = _STAYS if level > min(_LOUDER * self._quiet, _NOISY) else max(0, self._open - 1)
        if not self._open:
            self._kept.append(frame)
            return 0.0
        while self._kept:
            self._activity.probability(self._kept.popleft())
        return self._activity.probability(frame)

    def reset(self) -> None:
        """See `VoiceActivity`."""
        self._activity.reset()
        self._kept.clear()
        self._quiet = 1.0
        self._open = _STAYS
