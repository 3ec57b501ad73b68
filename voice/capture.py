"""From the microphone to frames: resampled, without echo, recorded, each with its probability of speech.

One thread, which sleeps until the device has something. Knows no turns.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

import numpy as np

from engine.errors import VoiceError
from voice.audio.echo import EchoCanceller
from voice.audio.resampling import ResamplingStream
from voice.audio.streams import AudioSource, DeviceError, Fault
from voice.recording import Recording
from voice.types import RATE, Samples
from voice.vad import FRAME, VoiceActivity

_WAIT_S = 0.5
SOFT = 0.03
"""-30 dB: an echo that costs no words."""
_SILENT_S = 3.0
"""Of nothing but zeros: no microphone that works is so quiet."""


class Ears(Protocol):
    """Who hears. All from the capture thread; must return at once."""

    def frame(self, position: int, probability: float, level: float) -> None:
        """`FRAME` samples up to `position`; `level` is their root mean square, 0..1."""
        ...

    def silent(self, error: VoiceError) -> None:
        """Nothing but zeros for three seconds; once, until something was heard again."""
        ...

    def failed(self, error: VoiceError) -> None:
        """The microphone is gone; nothing comes any more."""
        ...


class Capture:
    """Reads an opened source until `stop`. `recording` gets what was heard, without echo; zeros while `mute` is set.

    `far_level` is how loud the loudspeaker was of late. Where that is too soft to matter, the recording keeps the
    microphone itself: the canceller swallows parts of who speaks against it, which costs transcription words.
    """

    def __init__(
        self,
        source: AudioSource,
        canceller: EchoCanceller,
        activity: VoiceActivity,
        recording: Recording,
        ears: Ears,
        *,
        mute: threading.Event,
        far_level: Callable[[], float],
    ) -> None:
        self._source = source
        self._canceller = canceller
        self._activity = activity
        self._recording = recording
        self._ears = ears
        self._mute = mute
        self._far_level = far_level
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)

    def start(self) -> None:
        """Begin; the source has been started."""
        self._canceller.reset()
        self._activity.reset()
        self._thread.start()

    def stop(self) -> None:
        """No frame comes afterwards. Stops the source, too."""
        self._stopped.set()
        self._source.stop()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        try:
            self._hear()
        except VoiceError as error:
            if not self._stopped.is_set():
                self._ears.failed(error)

    def _hear(self) -> None:
        resampling = ResamplingStream(self._source.rate, RATE)
        zeros = _Zeros(self._source.rate)
        waiting = near = np.zeros(0, np.float32)
        while not self._stopped.is_set():
            block = self._source.read(_WAIT_S)
            if block is None:
                continue  # who counts the time is told nothing, and notices
            if zeros.are_too_many(block):
                self._ears.silent(DeviceError(Fault.SILENT))
            resampled = resampling.push(block)
            near = np.concatenate([near, resampled])
            waiting = np.concatenate([waiting, self._canceller.cancel(resampled)])
            whole = len(waiting) // FRAME * FRAME
            for at in range(0, whole, FRAME):
                if self._stopped.is_set():
                    return
                self._frame(waiting[at : at + FRAME], near[at : at + FRAME])
            waiting, near = waiting[whole:], near[whole:]

    def _frame(self, samples: Samples, near: Samples) -> None:
        if self._mute.is_set():
            samples = near = np.zeros_like(samples)
        position = self._recording.put(near if self._far_level() < SOFT else samples)
        level = float(np.sqrt(np.mean(np.square(samples))))
        self._ears.frame(position, self._activity.probability(samples), min(level, 1.0))


class _Zeros:
    """Counts them. macOS gives zeros to a program that may not use the microphone."""

    def __init__(self, rate: int) -> None:
        self._limit = int(rate * _SILENT_S)
        self._n = 0

    def are_too_many(self, block: Samples) -> bool:
        """True once, when there have been three seconds of them in a row."""
        before = self._n
        self._n = 0 if block.any() else self._n + len(block)
        return before < self._limit <= self._n
