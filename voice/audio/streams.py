"""What sound comes from and goes to: the protocols of a microphone and a loudspeaker. Opens nothing itself."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from engine.errors import VoiceError, sentence
from voice.types import Samples

FADE_S = 0.005
"""So short that nobody waits for it, and yet without a click."""


class Fault(StrEnum):
    """What can go wrong with a device."""

    NO_MICROPHONE = "no_microphone"
    NO_OUTPUT = "no_output"
    DENIED = "denied"
    MICROPHONE_GONE = "microphone_gone"
    OUTPUT_GONE = "output_gone"
    SILENT = "silent"
    RATE_CHANGED = "rate_changed"
    NOT_OPENED = "not_opened"
    NO_SOUND_SYSTEM = "no_sound_system"


_SENTENCES = {
    Fault.NO_MICROPHONE: sentence("No microphone was found. Plug one in, or go on by typing."),
    Fault.NO_OUTPUT: sentence("No loudspeaker or headset was found. Answers are shown, not spoken."),
    Fault.DENIED: sentence(
        "Hearth may not use the microphone. Allow it in the privacy settings of your system, then try again."
    ),
    Fault.MICROPHONE_GONE: sentence("The microphone is gone. Hearth goes on listening when it is back."),
    Fault.OUTPUT_GONE: sentence("The loudspeaker or headset is gone. The answer goes on as text."),
    Fault.SILENT: sentence(
        "The microphone gives nothing but silence. Is it muted, or is Hearth not allowed to use it? "
        "See the privacy settings of your system."
    ),
    Fault.RATE_CHANGED: sentence("The sound device was set up anew by the system. Hearth opens it again."),
    Fault.NOT_OPENED: sentence("The sound device could not be opened ({reason}). Is another program using it?"),
    Fault.NO_SOUND_SYSTEM: sentence("The sound of this computer cannot be used ({reason}). Go on by typing."),
}


class DeviceError(VoiceError):
    """A device failed. The program can tell by `fault`, a person by the sentence."""

    def __init__(self, fault: Fault, **fields: object) -> None:
        self.fault = fault
        super().__init__(_SENTENCES[fault], **fields)


class AudioSource(Protocol):
    """A microphone. `read` from one thread; `start` and `stop` from any, not at once. Can be started again."""

    @property
    def rate(self) -> int:
        """Hertz; known from `start` on."""
        ...

    def start(self) -> None:
        """Open it; the first samples may come two seconds later. Raises `DeviceError`."""
        ...

    def read(self, timeout_s: float) -> Samples | None:
        """All that came since the last call, at least 32 ms of it; None where so much did not come in `timeout_s`.

        Raises `DeviceError` from the moment the device has failed.
        """
        ...

    def stop(self) -> None:
        """Close it. A waiting `read` returns None. Calling it again does nothing."""
        ...


class AudioSink(Protocol):
    """A loudspeaker that asks for samples a little ahead. `write` from one thread; the others from any."""

    @property
    def rate(self) -> int:
        """Hertz; known from `start` on."""
        ...

    @property
    def block(self) -> int:
        """Samples to write at once: 20 ms."""
        ...

    @property
    def latency_s(self) -> float:
        """From leaving the buffer to the air, as the device says."""
        ...

    def start(self) -> None:
        """Open it. Raises `DeviceError`."""
        ...

    def write(self, samples: Samples, timeout_s: float) -> bool:
        """Hand over one block when there is room for it; False where there was none for `timeout_s`.

        Raises `DeviceError` from the moment the device has failed.
        """
        ...

    def hush(self) -> int:
        """What was handed over and not yet taken falls silent, and still takes its time; how many samples that was."""
        ...

    def flush(self) -> int:
        """Throw away what was handed over and not yet taken by the device; how many samples that was."""
        ...

    def stop(self) -> None:
        """Close it. Calling it again does nothing."""
        ...
