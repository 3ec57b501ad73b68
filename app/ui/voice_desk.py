"""Where the windows ask for microphone and loudspeaker: who dictates, which answer is read aloud. Main thread only.

Knows no widget. Microphone and loudspeaker are the `VoiceService`'s, which is made with the first wish.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.events import ChatEvent, VoiceHappened
from app.ui.bridge import EventBridge
from app.voice_events import HeardSoFar, HeardText, VoiceLevel, VoiceState, VoiceUse
from voice.turn_events import TextStatus
from voice.turn_state import Phase

if TYPE_CHECKING:
    from app.services import Services
    from voice.audio.devices import AudioDevice
    from voice.types import VoiceName

_WRITTEN = (TextStatus.COMMITTED, TextStatus.RESCUED)


class VoiceDesk(QObject):
    """One window dictates at a time. Whatever comes after a dictation waits until its last words are written."""

    changed = Signal()
    """`state` is another one, or somebody else dictates."""
    level_changed = Signal(float)
    """Root mean square of the microphone, 0..1, while somebody dictates."""
    heard_so_far = Signal(str, str)
    """Words of a dictation that stay, and words that may change."""
    heard = Signal(str)
    """Words of a dictation, to be written."""

    def __init__(self, bridge: EventBridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.state = VoiceState()
        self._services: Services | None = None
        self._dictator: object = None
        self._is_ending = False
        self._next: Callable[[], None] | None = None
        bridge.chat_event.connect(self._on_chat_event)

    def attach(self, services: Services) -> None:
        self._services = services

    def detach(self) -> None:
        self._services, self._next = None, None
        self._take(VoiceState())

    @property
    def is_attached(self) -> bool:
        """Something can be asked for."""
        return self._services is not None

    def is_dictating(self, who: object) -> bool:
        """`who` dictates, or has just ended and waits for the last words."""
        return self._dictator is who and self.state.use is VoiceUse.DICTATION

    @property
    def is_ending(self) -> bool:
        """The microphone is to be closed; words may still come."""
        return self._is_ending

    @property
    def read_message(self) -> str:
        """The id of the message that is being read aloud, "" for none."""
        return self.state.message_id if self.state.use is VoiceUse.READING else ""

    def dictate(self, who: object) -> None:
        """Write down what is said, for `who`. The weights must be there."""

        def begin() -> None:
            if self._services is not None:
                self._dictator, self._is_ending = who, False
                self._services.voice.dictate()

        self._after_dictation(begin)

    def end_dictation(self) -> None:
        """What has been said still comes."""
        if self._services is None:
            return
        if self.state.use is VoiceUse.DICTATION and self.state.phase is Phase.ERROR:
            self._services.voice.end()  # there is no microphone that could be told to close
        else:
            self._services.voice.end_dictation()
        self._is_ending = True
        self.changed.emit()

    def read_aloud(self, message_id: str, text: str) -> None:
        """Read a text in Markdown, instead of what is being read."""

        def begin() -> None:
            if self._services is not None:
                self._services.voice.read_aloud(message_id, text)

        self._after_dictation(begin)

    def stop_reading(self) -> None:
        """Silence, if something is being read."""
        if self._services is not None and self.state.use is VoiceUse.READING:
            self._services.voice.end()

    def devices(self) -> Future[tuple[AudioDevice, ...]]:
        """See `VoiceService.devices`. Only while attached."""
        assert self._services is not None
        return self._services.voice.devices()

    def voices(self) -> Future[tuple[tuple[str, VoiceName], ...]]:
        """See `VoiceService.voices`. Only while attached."""
        assert self._services is not None
        return self._services.voice.voices()

    def _after_dictation(self, begin: Callable[[], None]) -> None:
        if self.state.use is VoiceUse.DICTATION:
            self._next = begin
            if not self._is_ending:
                self.end_dictation()
        else:
            begin()

    def _on_chat_event(self, event: ChatEvent) -> None:
        if not isinstance(event, VoiceHappened):
            return
        match event.event:
            case VoiceState() as state:
                self._take(state)
            case VoiceLevel(heard) if self.state.use is VoiceUse.DICTATION:
                self.level_changed.emit(heard)
            case HeardSoFar(stable, tail) if self.state.use is VoiceUse.DICTATION:
                self.heard_so_far.emit(stable, tail)
            case HeardText(text, status) if self.state.use is VoiceUse.DICTATION and status in _WRITTEN:
                self.heard.emit(text)

    def _take(self, state: VoiceState) -> None:
        self.state = state
        if state.use is VoiceUse.DICTATION:
            self.changed.emit()
            return
        self._is_ending = False
        self.changed.emit()
        begin, self._next = self._next, None
        if begin is not None:
            begin()
