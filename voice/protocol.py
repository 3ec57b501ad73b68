"""The messages between the voice process and its client: versioned JSON over a pipe. Knows no process.

Sound never travels here: what is heard and spoken stays in the voice process.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.errors import VoiceError
from engine.worker import envelope
from engine.worker.envelope import enveloped, error_of, opened
from voice.audio.devices import AudioDevice
from voice.audio.streams import DeviceError, Fault
from voice.speech.choice import SpeechChoice
from voice.turn_events import Mode, TextStatus
from voice.turn_state import Phase
from voice.types import VoiceName

VERSION = 1
MESSAGE_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class VoiceSetup:
    """All that the voice process is started with. `folder` holds the files of `voice.audio_weights`."""

    folder: Path
    speech: SpeechChoice
    microphone: str = ""
    """A device's id; "" is the system's default. Likewise `loudspeaker`."""
    loudspeaker: str = ""
    cancels_echo: bool = True
    """Without, Hearth does not listen while it speaks."""


# To the process.


@dataclass(frozen=True, slots=True)
class Begin:
    """The first message. Not answered; nothing is opened or loaded yet."""

    setup: VoiceSetup


@dataclass(frozen=True, slots=True)
class Listen:
    """See `VoicePipeline.turn_on`. Answered by phases, and by `Noticed` where it cannot be."""

    mode: Mode
    half_duplex: bool | None
    waits_for_name: bool = False


@dataclass(frozen=True, slots=True)
class Leave:
    """See `VoicePipeline.turn_off`."""


@dataclass(frozen=True, slots=True)
class Key:
    down: bool


@dataclass(frozen=True, slots=True)
class Mute:
    on: bool


@dataclass(frozen=True, slots=True)
class StopAnswer:
    """See `VoicePipeline.stop`."""


@dataclass(frozen=True, slots=True)
class Choose:
    """See `VoicePipeline.choose`. `language` is of what is heard, "" lets the recogniser find out."""

    voice: str
    speed: float
    language: str


@dataclass(frozen=True, slots=True)
class Say:
    question: int
    delta: str


@dataclass(frozen=True, slots=True)
class Progressed:
    question: int


@dataclass(frozen=True, slots=True)
class EndWeighed:
    question: int
    probability: float | None


@dataclass(frozen=True, slots=True)
class AnswerEnded:
    question: int


@dataclass(frozen=True, slots=True)
class ListDevices:
    """Answered by `Devices` or `Refused`."""

    call_id: int


@dataclass(frozen=True, slots=True)
class ListVoices:
    """Answered by `Voices` or `Refused`."""

    call_id: int


@dataclass(frozen=True, slots=True)
class ReadAloud:
    """See `voice.reading.Reader`. Answered by `ReadToEnd` or `Refused` when it is over."""

    call_id: int
    text: str


@dataclass(frozen=True, slots=True)
class StopReading:
    """What is being read ends."""


@dataclass(frozen=True, slots=True)
class Quit:
    """Close everything, and end."""


Question = ListDevices | ListVoices | ReadAloud
Command = (
    Begin | Listen | Leave | Key | Mute | StopAnswer | Choose | Say | Progressed | EndWeighed | AnswerEnded
    | ListDevices | ListVoices | ReadAloud | StopReading | Quit
)  # fmt: skip


# From the process: the calls of `voice.listener.Listener`, and answers.


@dataclass(frozen=True, slots=True)
class PhaseChanged:
    phase: Phase


@dataclass(frozen=True, slots=True)
class Level:
    heard: float
    spoken: float


@dataclass(frozen=True, slots=True)
class PartialHeard:
    turn_id: int
    stable: str
    tail: str


@dataclass(frozen=True, slots=True)
class TextHeard:
    turn_id: int
    text: str
    status: TextStatus


@dataclass(frozen=True, slots=True)
class Asked:
    question: int
    turn_id: int
    text: str


@dataclass(frozen=True, slots=True)
class Committed:
    question: int
    turn_id: int
    text: str


@dataclass(frozen=True, slots=True)
class Withdrawn:
    question: int


@dataclass(frozen=True, slots=True)
class Interrupted:
    question: int
    characters: int


@dataclass(frozen=True, slots=True)
class SpokenSoFar:
    question: int
    characters: int


@dataclass(frozen=True, slots=True)
class Done:
    question: int


@dataclass(frozen=True, slots=True)
class Noticed:
    """`device` says which `DeviceError` it is, None: another `VoiceError`."""

    fault: envelope.Fault
    device: Fault | None


@dataclass(frozen=True, slots=True)
class Devices:
    call_id: int
    devices: tuple[AudioDevice, ...]


@dataclass(frozen=True, slots=True)
class Voices:
    call_id: int
    voices: tuple[VoiceName, ...]


@dataclass(frozen=True, slots=True)
class ReadToEnd:
    """Or stopped."""

    call_id: int


@dataclass(frozen=True, slots=True)
class Refused:
    """Why there is no answer."""

    call_id: int
    why: Noticed


Answer = Devices | Voices | ReadToEnd
Told = (
    PhaseChanged | Level | PartialHeard | TextHeard | Asked | Committed | Withdrawn | Interrupted | SpokenSoFar | Done
    | Noticed
)  # fmt: skip
Report = (
    PhaseChanged | Level | PartialHeard | TextHeard | Asked | Committed | Withdrawn | Interrupted | SpokenSoFar | Done
    | Noticed | Devices | Voices | ReadToEnd | Refused
)  # fmt: skip


def encode(message: Command | Report) -> bytes:
    """Bytes for the pipe. Raises `MessageTooLongError`."""
    return enveloped(message, VERSION, MESSAGE_BYTES)


def decode_command(raw: bytes) -> Command:
    """Raises `ProtocolError`."""
    command: Command = opened(raw, Command, VERSION)
    return command


def decode_report(raw: bytes) -> Report:
    """Raises `ProtocolError`."""
    report: Report = opened(raw, Report, VERSION)
    return report


def noticed(error: VoiceError) -> Noticed:
    """An error on its way."""
    return Noticed(envelope.fault_of(error), error.fault if isinstance(error, DeviceError) else None)


def error_from(message: Noticed) -> VoiceError:
    """The error that came."""
    if message.device is not None:
        return DeviceError(message.device, **dict(message.fault.fields))
    error = error_of(message.fault)
    return error if isinstance(error, VoiceError) else VoiceError(error.template, **error.fields)
