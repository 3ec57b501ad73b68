"""A microphone and a loudspeaker through PortAudio. The callbacks only copy; what is heard is no business of theirs.

PortAudio calls back on a thread of its own. A stream that ends without being asked to has lost its device, or the
system has changed its rate; PulseAudio says nothing at all when a device is unplugged, so that who reads must also
count the time in which nothing came.
"""

from __future__ import annotations

import threading
from typing import Any

from voice.audio.devices import SoundSystem, chosen, fault_of, index_of, listed
from voice.audio.ring import SampleRing
from voice.audio.streams import FADE_S, DeviceError, Fault
from voice.types import RATE, Samples
from voice.vad import FRAME

_BACKLOG_S = 10
"""What the microphone may be ahead of who reads it."""
_AHEAD_BLOCKS = 2
"""Blocks of 20 ms that wait for the device: as little as keeps it from running dry."""
_LATENCY_S = 0.03
"""Asked of the device; "low" stutters on PulseAudio."""
_FALLBACK_RATE = 48_000


class _Stream:
    """One stream of either direction: opened with the right words, its end noticed, closed once."""

    def __init__(self, system: SoundSystem, device_id: str, *, microphone: bool) -> None:
        self._system = system
        self._device_id = device_id
        self._microphone = microphone
        self._stream: Any = None
        self._lock = threading.Lock()
        self._finished = threading.Event()
        self._ring = SampleRing(1)
        self.rate = _FALLBACK_RATE
        """Hertz; the device's own from `start` on."""

    def start(self) -> None:
        """See `AudioSource`, `AudioSink`."""
        if self._stream is not None:
            return
        with self._system.opening() as library:
            device = chosen(listed(library), self._device_id, inputs=self._microphone)
            if device is None:
                raise DeviceError(Fault.NO_MICROPHONE if self._microphone else Fault.NO_OUTPUT)
            self.rate = device.rate
            # Each start has its own end: a stream closed before may still report its own.
            self._finished = finished = threading.Event()
            self._ring = ring = SampleRing(self._capacity())

            def ended() -> None:
                finished.set()
                ring.close()

            stream = self._opened(library, index_of(library, device), ring, ended)
        with self._lock:
            self._stream = stream

    def stop(self) -> None:
        """See `AudioSource`, `AudioSink`."""
        with self._lock:
            stream, self._stream = self._stream, None
        if stream is not None:
            # Throws away what the device still holds, where stop() would play it.
            stream.abort(ignore_errors=True)
            stream.close(ignore_errors=True)
            self._ring.close()
            self._system.closed()

    def _opened(self, library: Any, index: int, ring: SampleRing, ended: Any) -> Any:
        """A running stream of one channel, or of two where the device has no fewer. Raises `DeviceError`."""
        make = library.InputStream if self._microphone else library.OutputStream
        fault: Exception | None = None
        for channels in (1, 2):
            stream: Any = None
            try:
                stream = make(
                    device=index,
                    samplerate=self.rate,
                    channels=channels,
                    dtype="float32",
                    latency=_LATENCY_S,
                    callback=_capturing(ring) if self._microphone else _playing(ring),
                    finished_callback=ended,
                )
                stream.start()
            except (library.PortAudioError, ValueError) as error:
                if stream is not None:
                    stream.close(ignore_errors=True)
                fault = fault or error
            else:
                return stream
        assert fault is not None
        raise fault_of(fault, microphone=self._microphone) from fault

    def _capacity(self) -> int:
        return self.rate * _BACKLOG_S if self._microphone else self.rate // 50 * _AHEAD_BLOCKS

    def _check(self) -> None:
        """Raises `DeviceError` if the stream ended by itself. What became of its device shows when it is reopened."""
        if self._finished.is_set() and self._stream is not None:
            raise DeviceError(Fault.MICROPHONE_GONE if self._microphone else Fault.OUTPUT_GONE)


class Microphone(_Stream):
    """See `AudioSource`. `device_id` "" is the system's default, also where the one wanted is not there."""

    def __init__(self, system: SoundSystem, device_id: str = "") -> None:
        super().__init__(system, device_id, microphone=True)

    def read(self, timeout_s: float) -> Samples | None:
        """See `AudioSource`."""
        self._check()
        samples = self._ring.take_all(timeout_s, at_least=self.rate * FRAME // RATE)
        if samples is None:
            self._check()
        return samples


class Loudspeaker(_Stream):
    """See `AudioSink`. `device_id` "" is the system's default, also where the one wanted is not there."""

    def __init__(self, system: SoundSystem, device_id: str = "") -> None:
        super().__init__(system, device_id, microphone=False)

    @property
    def block(self) -> int:
        """See `AudioSink`."""
        return self.rate // 50

    @property
    def latency_s(self) -> float:
        """See `AudioSink`."""
        with self._lock:
            return float(self._stream.latency) if self._stream is not None else 0.0

    def write(self, samples: Samples, timeout_s: float) -> bool:
        """See `AudioSink`."""
        self._check()
        written = self._ring.put_when_room(samples, timeout_s)
        if not written:
            self._check()
        return written

    def hush(self) -> int:
        """See `AudioSink`."""
        return self._ring.fade_out(int(FADE_S * self.rate))

    def flush(self) -> int:
        """See `AudioSink`."""
        return self._ring.clear()


def _capturing(ring: SampleRing) -> Any:
    def heard(block: Any, _frames: int, _time: Any, _status: Any) -> None:
        ring.put(block[:, 0])

    return heard


def _playing(ring: SampleRing) -> Any:
    def wanted(block: Any, _frames: int, _time: Any, _status: Any) -> None:
        n = ring.take_into(block[:, 0])
        block[n:, 0] = 0.0
        block[:, 1:] = block[:, :1]

    return wanted
