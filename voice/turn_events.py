"""What happens to a conversation by speech, and what is to be done about it: values only.

Positions count samples of `RATE` hertz from the moment the microphone was opened; `at_s` is the injected clock's time.
A *question* is one text put to the model, under a number of its own; a *turn* is one time that the user spoke. A job's
number is given once.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from engine.errors import VoiceError


class Mode(StrEnum):
    HANDS_FREE = "hands_free"
    PUSH_TO_TALK = "push_to_talk"
    DICTATION = "dictation"


class Purpose(StrEnum):
    """Why something is transcribed."""

    PARTIAL = "partial"
    TURN = "turn"
    INTERRUPTION = "interruption"
    RESCUE = "rescue"
    NAME = "name"


class TextStatus(StrEnum):
    """How sure it is that the user said that, and was done."""

    PROVISIONAL = "provisional"
    WITHDRAWN = "withdrawn"
    COMMITTED = "committed"
    RESCUED = "rescued"
    """Said when the microphone failed: not asked, but not to be lost."""


# What happens.


@dataclass(frozen=True, slots=True)
class TurnOn:
    at_s: float
    mode: Mode
    half_duplex: bool = False
    waits_for_name: bool = False
    """Hands-free: fall asleep when nobody speaks to it, and wake by the name."""


@dataclass(frozen=True, slots=True)
class TurnOff:
    at_s: float


@dataclass(frozen=True, slots=True)
class Opened:
    """The devices are open; `output` False: there is none to speak by."""

    at_s: float
    output: bool = True


@dataclass(frozen=True, slots=True)
class DeviceFailed:
    """A device could not be opened, or is gone."""

    at_s: float
    error: VoiceError
    microphone: bool = True


@dataclass(frozen=True, slots=True)
class Frame:
    """`FRAME` samples were heard, up to `position`, with the probability that somebody speaks in them."""

    at_s: float
    position: int
    probability: float


@dataclass(frozen=True, slots=True)
class Tick:
    """Only time has passed."""

    at_s: float


@dataclass(frozen=True, slots=True)
class KeyDown:
    """Of push-to-talk."""

    at_s: float


@dataclass(frozen=True, slots=True)
class KeyUp:
    """Of push-to-talk; ends dictation."""

    at_s: float


@dataclass(frozen=True, slots=True)
class Muted:
    at_s: float
    muted: bool


@dataclass(frozen=True, slots=True)
class Pause:
    at_s: float


@dataclass(frozen=True, slots=True)
class Resume:
    at_s: float


@dataclass(frozen=True, slots=True)
class Stop:
    """A click on "stop": the answer is not wanted any more."""

    at_s: float


@dataclass(frozen=True, slots=True)
class Transcribed:
    at_s: float
    job: int
    text: str


@dataclass(frozen=True, slots=True)
class Judged:
    """That the speaker is done has this probability."""

    at_s: float
    job: int
    probability: float


@dataclass(frozen=True, slots=True)
class JobFailed:
    at_s: float
    job: int
    error: VoiceError


@dataclass(frozen=True, slots=True)
class AnswerGrew:
    """The model works on it: it read a part of the prompt, or wrote."""

    at_s: float
    question: int


@dataclass(frozen=True, slots=True)
class EndWeighed:
    """That the words of the question are whole has this probability, by the model that read them; None: it does not
    say."""

    at_s: float
    question: int
    probability: float | None


@dataclass(frozen=True, slots=True)
class PlaybackStarted:
    at_s: float
    question: int


@dataclass(frozen=True, slots=True)
class SentencePlaying:
    """These words are being given to the loudspeaker."""

    at_s: float
    question: int
    text: str


@dataclass(frozen=True, slots=True)
class AnswerDone:
    """The answer is complete and spoken to its end, or cannot be spoken; with `error`, why."""

    at_s: float
    question: int
    error: VoiceError | None = None


Event: TypeAlias = (
    TurnOn | TurnOff | Opened | DeviceFailed | Frame | Tick | KeyDown | KeyUp | Muted | Pause | Resume | Stop
    | Transcribed | Judged | JobFailed | EndWeighed | AnswerGrew | PlaybackStarted | SentencePlaying | AnswerDone
)  # fmt: skip


# What is to be done.


@dataclass(frozen=True, slots=True)
class OpenDevices:
    """Answered by `Opened` or `DeviceFailed`, then by frames."""


@dataclass(frozen=True, slots=True)
class CloseDevices:
    """No frame comes afterwards."""


@dataclass(frozen=True, slots=True)
class Transcribe:
    """What was said from position `start` to `end`. Answered by `Transcribed` or `JobFailed`."""

    job: int
    turn_id: int
    purpose: Purpose
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Judge:
    """Is the speaker done? Answered by `Judged` or `JobFailed`."""

    job: int
    turn_id: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class CancelJob:
    """Its answer will not be looked at."""

    job: int


@dataclass(frozen=True, slots=True)
class Ask:
    """Put the text to the model; what it answers is kept back, unseen and unheard, until `Commit`."""

    question: int
    turn_id: int
    text: str


@dataclass(frozen=True, slots=True)
class Commit:
    """The turn is over: the question stands, and its answer may be seen and heard."""

    question: int
    turn_id: int
    text: str


@dataclass(frozen=True, slots=True)
class Withdraw:
    """The question was not the whole of it: forget it and its answer. Never after its `Commit`."""

    question: int
    turn_id: int


@dataclass(frozen=True, slots=True)
class CancelAnswer:
    """The user interrupted: the model stops, nothing more is heard, and only what was heard is kept."""

    question: int


@dataclass(frozen=True, slots=True)
class LetGo:
    """Speak no more of this answer; as text it goes on."""

    question: int


@dataclass(frozen=True, slots=True)
class Duck:
    """Playback falls silent where it stands, because somebody may be interrupting, or goes on."""

    on: bool


@dataclass(frozen=True, slots=True)
class Hold:
    """Playback stands still, or goes on."""

    on: bool


@dataclass(frozen=True, slots=True)
class ShowPartial:
    """What was said so far, while it is being said."""

    turn_id: int
    text: str


@dataclass(frozen=True, slots=True)
class ShowText:
    """What was said in the turn."""

    turn_id: int
    text: str
    status: TextStatus


@dataclass(frozen=True, slots=True)
class Notify:
    """Tell the person, once."""

    error: VoiceError


Command: TypeAlias = (
    OpenDevices | CloseDevices | Transcribe | Judge | CancelJob | Ask | Commit | Withdraw | CancelAnswer | LetGo
    | Duck | Hold | ShowPartial | ShowText | Notify
)  # fmt: skip
