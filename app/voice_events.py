"""What the voice service tells the faces of the program. Values only; knows no window and no sound."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from voice.turn_events import Mode, TextStatus
from voice.turn_state import Phase


class VoiceUse(StrEnum):
    """What microphone and loudspeaker are used for: one thing at a time."""

    NONE = "none"
    CONVERSATION = "conversation"
    DICTATION = "dictation"
    READING = "reading"


@dataclass(frozen=True, slots=True)
class VoiceState:
    """Where voice stands. `phase` is that of a conversation or a dictation."""

    use: VoiceUse = VoiceUse.NONE
    phase: Phase = Phase.OFF
    mode: Mode = Mode.PUSH_TO_TALK
    """Of a conversation."""
    is_muted: bool = False
    conversation_id: str | None = None
    """Of a conversation; None where it begins with the first question."""
    message_id: str = ""
    """Which is being read aloud."""
    problem: str = ""
    """A translated sentence: why nothing can be heard at the moment, or why voice was turned off."""


@dataclass(frozen=True, slots=True)
class VoiceLevel:
    """Root mean squares of microphone and loudspeaker, 0..1, when one has changed; at most 16 times a second."""

    heard: float
    spoken: float


@dataclass(frozen=True, slots=True)
class HeardSoFar:
    """What the person has said in a turn that goes on: `stable` words stay, those of `tail` may change."""

    stable: str
    tail: str


@dataclass(frozen=True, slots=True)
class HeardText:
    """What the person said, and how sure that is. In dictation, `COMMITTED` and `RESCUED` are to be written down."""

    text: str
    status: TextStatus


@dataclass(frozen=True, slots=True)
class SpokenSoFar:
    """So many characters of an answer's text have been spoken."""

    message_id: str
    characters: int


VoiceEvent = VoiceState | VoiceLevel | HeardSoFar | HeardText | SpokenSoFar
