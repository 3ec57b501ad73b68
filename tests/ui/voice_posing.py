"""A voice service for tests of the window: tells what a test says, and keeps what was asked of it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace

from app.events import ChatEvent, VoiceHappened
from app.paths import Paths
from app.services import Services
from app.voice_events import HeardSoFar, HeardText, VoiceEvent, VoiceLevel, VoiceState, VoiceUse
from app.weights_bundle import VOICE
from engine.errors import VoiceError
from voice.audio.devices import AudioDevice
from voice.audio.streams import DeviceError, Fault
from voice.turn_events import Mode, TextStatus
from voice.turn_state import Phase
from voice.types import VoiceName

DEVICES = (
    AudioDevice("ALSA: Built-in Microphone", "Built-in Microphone", 48_000, 2, 0, is_default_input=True),
    AudioDevice("ALSA: Desk Microphone", "Desk Microphone", 44_100, 1, 0),
    AudioDevice("ALSA: Speakers", "Speakers", 48_000, 0, 2, is_default_output=True),
)
VOICES = (
    ("hibari:heart", VoiceName("heart", "Heart", "en")),
    ("system:anna", VoiceName("anna", "Anna", "de")),
    ("system:daniel", VoiceName("daniel", "Daniel", "en")),
    ("system:amelie", VoiceName("amelie", "Amélie", "fr")),
)


class PosingVoice:
    """See `app.voice.VoiceService`."""

    def __init__(self, publish: Callable[[ChatEvent], None]) -> None:
        self._publish = publish
        self.asked: list[tuple[str, ...]] = []
        self.state = VoiceState()
        self.sound_fault: VoiceError | None = None
        self.known = VOICES

    # What a test says

    def tell(self, event: VoiceEvent) -> None:
        if isinstance(event, VoiceState):
            self.state = event
        self._publish(VoiceHappened(event))

    def phase(self, phase: Phase) -> None:
        self.tell(replace(self.state, phase=phase) if phase is not Phase.OFF else VoiceState())

    def so_far(self, stable: str, tail: str = "") -> None:
        self.tell(HeardSoFar(stable, tail))

    def text(self, text: str, status: TextStatus = TextStatus.COMMITTED) -> None:
        self.tell(HeardText(text, status))

    def level(self, heard: float) -> None:
        self.tell(VoiceLevel(heard, 0.0))

    # What the window asks

    def dictate(self) -> None:
        self.asked.append(("dictate",))
        self.tell(VoiceState(VoiceUse.DICTATION, Phase.OPENING, Mode.DICTATION))

    def end_dictation(self) -> None:
        self.asked.append(("end_dictation",))

    def end(self) -> None:
        self.asked.append(("end",))
        self.tell(VoiceState())

    def read_aloud(self, message_id: str, text: str) -> None:
        self.asked.append(("read_aloud", message_id, text))
        self.tell(VoiceState(VoiceUse.READING, message_id=message_id))

    def devices(self) -> Future[tuple[AudioDevice, ...]]:
        future: Future[tuple[AudioDevice, ...]] = Future()
        if self.sound_fault is not None:
            future.set_exception(self.sound_fault)
        else:
            future.set_result(DEVICES)
        return future

    def voices(self) -> Future[tuple[tuple[str, VoiceName], ...]]:
        future: Future[tuple[tuple[str, VoiceName], ...]] = Future()
        future.set_result(self.known)
        return future

    def take(self, event: ChatEvent) -> None:
        pass

    def close(self) -> None:
        pass


def pose(services: Services) -> PosingVoice:
    """Put one in the place of the real one."""
    posing = PosingVoice(services._publish)
    services._voice = posing  # type: ignore[assignment]
    return posing


def put_weights(paths: Paths) -> None:
    """Files as long as the real ones, which nobody reads."""
    paths.voice.mkdir(parents=True, exist_ok=True)
    for file in VOICE.files:
        with (paths.voice / file.file_name).open("wb") as written:
            written.truncate(file.size_bytes)


NO_SOUND = DeviceError(Fault.NO_SOUND_SYSTEM, reason="there is none")
