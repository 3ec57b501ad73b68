"""Which microphones and loudspeakers there are, and the sound library itself. Keeps no stream.

PortAudio looks for devices once, when it is initialised; to see what was plugged in later it must be ended and
initialised anew, which no open stream survives.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from voice.audio.streams import DeviceError, Fault

_DENIED = ("access", "denied", "permission", "-2147024891")
"""Of a host's message; the number is Windows' E_ACCESSDENIED."""


@dataclass(frozen=True, slots=True)
class AudioDevice:
    """A device as its host names it. `id` stays the same when devices come and go, unlike PortAudio's index."""

    id: str
    name: str
    rate: int
    """Hertz, its own."""
    inputs: int
    """Channels."""
    outputs: int
    is_default_input: bool = False
    is_default_output: bool = False


class SoundSystem:
    """PortAudio. Any thread; `refresh` ends nothing that runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open = 0

    def library(self) -> ModuleType:
        """`sounddevice`. Raises `DeviceError` where there is no PortAudio."""
        try:
            import sounddevice  # noqa: PLC0415  # initialises PortAudio: up to a second, and only voice needs it
        except (OSError, ImportError) as error:
            raise DeviceError(Fault.NO_SOUND_SYSTEM, reason=str(error)) from error
        library: ModuleType = sounddevice
        return library

    @contextmanager
    def opening(self) -> Iterator[ModuleType]:
        """The library, for opening a stream, with the devices as they are now. Counts the stream if all goes well."""
        with self._lock:
            library = self.library()
            if not self._open:
                self._initialise(library)
            yield library
            self._open += 1

    def closed(self) -> None:
        """A stream that was counted is closed."""
        with self._lock:
            self._open -= 1

    def devices(self) -> tuple[AudioDevice, ...]:
        """What there is now; while a stream is open, what there was when it was opened. Raises `DeviceError`."""
        with self._lock:
            library = self.library()
            if not self._open:
                self._initialise(library)
            return listed(library)

    def _initialise(self, library: Any) -> None:
        # sounddevice has no public way to look for devices again (its issue 125).
        try:
            library._terminate()
            library._initialize()
        except library.PortAudioError as error:
            raise DeviceError(Fault.NO_SOUND_SYSTEM, reason=str(error)) from error


def chosen(devices: tuple[AudioDevice, ...], wanted: str, *, inputs: bool) -> AudioDevice | None:
    """The device of that id; the system's default where `wanted` is "" or not there; None where there is none."""
    usable = [device for device in devices if (device.inputs if inputs else device.outputs)]
    named = next((device for device in usable if device.id == wanted), None) if wanted else None
    default = next(
        (device for device in usable if (device.is_default_input if inputs else device.is_default_output)), None
    )
    return named or default or next(iter(usable), None)


def index_of(library: Any, device: AudioDevice) -> int:
    """Its number in PortAudio's present list. Raises `ValueError` where it is gone."""
    return [found.id for found in listed(library)].index(device.id)


def fault_of(error: Exception, *, microphone: bool) -> DeviceError:
    """What PortAudio's error on opening means to a person."""
    text = str(error)
    if microphone and any(word in text.lower() for word in _DENIED):
        return DeviceError(Fault.DENIED)
    return DeviceError(Fault.NOT_OPENED, reason=text)


def listed(library: Any) -> tuple[AudioDevice, ...]:
    """PortAudio's present list, in its order."""
    hosts = library.query_hostapis()
    default_in, default_out = _defaults(library, hosts)
    seen: dict[str, int] = {}
    devices = []
    for index, raw in enumerate(library.query_devices()):
        name = f"{hosts[raw['hostapi']]['name']}: {raw['name']}"
        # Two devices of one name are told apart by their order.
        seen[name] = seen.get(name, 0) + 1
        devices.append(
            AudioDevice(
                name if seen[name] == 1 else f"{name} #{seen[name]}",
                raw["name"],
                int(raw["default_samplerate"]) or 48_000,
                raw["max_input_channels"],
                raw["max_output_channels"],
                index == default_in,
                index == default_out,
            )
        )
    return tuple(devices)


def _defaults(library: Any, hosts: Any) -> tuple[int, int]:
    """The default host's, -1 where it has none; where it names none at all, the first host's that does."""
    listed = [(host["default_input_device"], host["default_output_device"]) for host in hosts]
    wanted = library.default.hostapi if hosts else -1
    ordered = [listed[wanted], *listed] if 0 <= wanted < len(listed) else listed
    return (
        next((first for first, _ in ordered if first >= 0), -1),
        next((second for _, second in ordered if second >= 0), -1),
    )
