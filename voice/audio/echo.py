"""Takes what the loudspeaker played out of what the microphone hears. Knows no speech and opens no device.

WebRTC's third echo canceller (https://webrtc.googlesource.com/src, modules/audio_processing/aec3) by `pywebrtc-audio`:
it finds the delay between both sides by itself, as long as the far end is told before its echo comes back.
"""

from __future__ import annotations

import threading
from typing import Protocol

import numpy as np

from engine.errors import VoiceError, sentence
from voice.audio.resampling import ResamplingStream
from voice.types import RATE, Samples

FRAME = RATE // 100
"""10 ms, what the canceller works on."""
_RINGS = 2 * RATE
"""After so much silence no echo is left, whatever the delay."""
_MAX_AHEAD = RATE // 5
"""The far end may wait for the microphone so long; more is a clock that runs faster, and is dropped."""


class EchoCanceller(Protocol):
    """`played` from the playback thread, `cancel` from the capture thread."""

    def played(self, samples: Samples, rate: int) -> None:
        """Exactly what was given to the loudspeaker just now, silence included."""
        ...

    def cancel(self, near: Samples) -> Samples:
        """What the microphone heard, `RATE` hertz, any length: whole frames of it without the echo, the rest later.

        What comes out lines up with what went in.
        """
        ...

    def reset(self) -> None:
        """Forget the room: a device was opened anew."""
        ...


class NoCanceller:
    """See `EchoCanceller`: passes on what it hears. With it, hands-free must be half duplex."""

    def played(self, samples: Samples, rate: int) -> None:
        """See `EchoCanceller`."""

    def cancel(self, near: Samples) -> Samples:
        """See `EchoCanceller`."""
        return near

    def reset(self) -> None:
        """See `EchoCanceller`."""


class WebRtcCanceller:
    """See `EchoCanceller`. 5 ms of CPU for a second of sound. Raises `VoiceError` where the library is missing."""

    def __init__(self) -> None:
        try:
            from pywebrtc_audio import EchoCanceller as Aec3  # noqa: PLC0415  # a native library; only voice needs it
        except ImportError as error:
            raise VoiceError(
                sentence("Echo cancellation cannot be used ({reason}). Hearth does not listen while it speaks."),
                reason=str(error),
            ) from error
        self._canceller = Aec3(sample_rate=RATE)
        self._lock = threading.Lock()
        self._resampling: tuple[int, ResamplingStream] | None = None
        self._far: Samples = np.zeros(0, np.float32)
        self._near: Samples = np.zeros(0, np.float32)
        self._near_came = False
        self._quiet = 0
        """Samples of silence at the far end's end."""

    def played(self, samples: Samples, rate: int) -> None:
        """See `EchoCanceller`."""
        with self._lock:
            if self._resampling is None or self._resampling[0] != rate:
                self._resampling = (rate, ResamplingStream(rate, RATE))
            self._far = np.concatenate([self._far, self._resampling[1].push(samples)])
            if len(self._far) > _MAX_AHEAD and self._near_came:
                self._far = self._far[-_MAX_AHEAD:]

    def cancel(self, near: Samples) -> Samples:
        """See `EchoCanceller`."""
        self._near = np.concatenate([self._near, near])
        n = len(self._near) // FRAME * FRAME
        whole, self._near = self._near[:n], self._near[n:]
        far = self._far_end(n)
        self._quiet = 0 if far.any() else self._quiet + n
        if self._quiet > _RINGS:
            return whole  # nothing is left to cancel, and most of the time nothing plays
        frames = [self._canceller.process(whole[at : at + FRAME], far[at : at + FRAME]) for at in range(0, n, FRAME)]
        return np.concatenate(frames) if frames else np.zeros(0, np.float32)

    def reset(self) -> None:
        """See `EchoCanceller`."""
        with self._lock:
            self._far = np.zeros(0, np.float32)
            self._near = np.zeros(0, np.float32)
            self._near_came = False
            self._canceller.reset()

    def _far_end(self, n: int) -> Samples:
        """As much of the far end, silence in front where it has not come."""
        with self._lock:
            if not self._near_came and n:
                # Both begin together: what was played before the microphone ran is nobody's echo.
                self._near_came = True
                self._far = self._far[-n:]
            out, self._far = self._far[:n], self._far[n:]
        return np.pad(out, (n - len(out), 0))
