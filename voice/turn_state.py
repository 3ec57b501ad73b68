"""Where a conversation by speech stands, as one value; and the numbers it goes by.

The thresholds were measured (74 pauses inside turns; answers played into the microphone at -10 dB): see
ARCHITECTURE.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

from voice.turn_events import Frame, Mode
from voice.types import RATE


class Phase(StrEnum):
    OFF = "off"
    OPENING = "opening"
    LISTENING = "listening"
    ASLEEP = "asleep"
    """Only its name is listened for."""
    USER_SPEAKING = "user_speaking"
    ENDPOINTING = "endpointing"
    THINKING = "thinking"
    SPEAKING = "speaking"
    DUCKED = "ducked"
    PAUSED = "paused"
    ERROR = "error"


def samples(seconds: float) -> int:
    return round(seconds * RATE)


@dataclass(frozen=True, slots=True)
class Rules:
    """All in seconds, but for what says otherwise."""

    voiced_from: float = 0.5
    """A probability: speech begins."""
    voiced_to: float = 0.35
    """A probability: speech ends below."""
    gap: float = 0.096
    """A run of speech may be broken for so long."""
    begins: float = 0.096
    """A run that begins or resumes a turn."""
    preroll: float = 0.3
    """What is heard from before the detector fired."""
    speculate: float = 0.096
    """Silence after which is transcribed, judged and asked. Later, a transcript has a full stop behind any word."""
    done: float = 0.8
    likely: float = 0.4
    """Probabilities that the speaker is done: where the words do not ask for more, `short_wait` of silence ends the
    turn above the one, `middle_wait` above the other, else `long_wait`."""
    whole: float = 0.12
    broken_off: float = 0.005
    """Probabilities that the words are whole, by the model: from the one on, `middle_wait` ends the turn however it
    sounded, and below the other `long_wait` only."""
    short_wait: float = 0.3
    weighed_within: float = 0.55
    """What the model says is not waited for any longer."""
    middle_wait: float = 0.65
    long_wait: float = 1.3
    revisions: int = 3
    """Questions put on speculation in a turn."""
    partial_every: float = 0.8
    longest_turn: float = 110.0
    key_tail: float = 0.15
    """What is still heard after the key was let go."""
    ducks: float = 0.096
    """A run of speech while Hearth speaks that makes it fall silent for a moment."""
    confirms: float = 0.2
    """As much speech, which a short word lasts, and words, make it stop."""
    checks_every: float = 0.3
    unducks: float = 0.6
    unducks_first: float = 0.3
    """Where it was but a sound, too short for a word."""
    interruption_preroll: float = 0.5
    """The canceller swallows the beginning of who speaks against Hearth, so that the detector fires later."""
    unducks_at_last: float = 1.5
    """Where the words are still being transcribed."""
    said_kept: float = 10.0
    """What Hearth said so recently may be its own echo."""
    awake: float = 20.0
    """Without a word to Hearth for so long, it must be called by its name again."""
    name_within: float = 1.6
    """Of what somebody says, so much is looked at for the name."""
    name_after: float = 0.3
    """Silence in front of the name: in the middle of a talk nobody is called."""
    rings: float = 0.3
    """The room and the device still sound when playback has ended."""
    open_within: float = 10.0
    frames_within: float = 2.0
    """Without sound from the microphone for so long, it is gone."""
    transcribed_within: float = 15.0
    answer_within: float = 180.0
    """Without a sign of life from the model."""
    playback_within: float = 60.0
    """Without a sign of life from model or playback, while speaking."""
    retry_first: float = 2.0
    retry_at_most: float = 10.0


@dataclass(frozen=True, slots=True)
class Hearing:
    """The run of speech that goes on, if one does. Positions and counts of samples."""

    position: int = 0
    run_from: int | None = None
    run: int = 0
    """Voiced samples in it."""
    last_voiced: int = 0
    """Where the last voiced frame ended."""

    @property
    def silence(self) -> int:
        return self.position - self.last_voiced

    def heard(self, frame: Frame, rules: Rules, *, deaf: bool) -> Hearing:
        """After one frame more; `deaf`: taken for silence."""
        start = self.position
        threshold = rules.voiced_from if self.run_from is None else rules.voiced_to
        if not deaf and frame.probability >= threshold:
            run_from = start if self.run_from is None else self.run_from
            return Hearing(frame.position, run_from, self.run + frame.position - start, frame.position)
        if frame.position - self.last_voiced >= samples(rules.gap):
            return Hearing(frame.position, None, 0, self.last_voiced)
        return replace(self, position=frame.position)


@dataclass(frozen=True, slots=True)
class Turn:
    """What the user is saying, or has just said."""

    id: int
    start: int
    """Position of its first sample."""
    text: str = ""
    is_transcribed: bool = False
    """`text` is all that was said so far."""
    heard_to: int = 0
    """Position up to which it is being transcribed, or was."""
    is_checked: bool = False
    """Its beginning was looked at for the name."""
    may_be_echo: bool = False
    """It began while Hearth was to be heard."""
    is_due: bool = False
    """It is over, as soon as it is transcribed."""
    done: float = 0.0
    """The probability that the speaker is done, as last judged."""
    whole: float | None = None
    """The probability that `text` is whole, by the model; None: it cannot say, or is not done."""
    is_weighed: bool = False
    """There is nothing more to wait for of that."""
    asked: int = 0
    """Questions put on speculation."""
    question: int | None = None
    """The one that is open."""
    key_up: int | None = None
    """Position at which the key was let go."""
    next_partial: int = 0


@dataclass(frozen=True, slots=True)
class Interruption:
    """Somebody speaks while Hearth thinks or speaks; maybe to it."""

    start: int
    ducked: int
    """Position at which Hearth fell silent."""
    voiced: int = 0
    checked: int = 0
    """Position up to which its words were asked for."""
    is_given_up: bool = False
    """As loud as before; its words are still looked at while it goes on."""


@dataclass(frozen=True, slots=True)
class Said:
    """Words of Hearth's own, given to the loudspeaker at `at_s`."""

    at_s: float
    text: str


@dataclass(frozen=True, slots=True)
class Jobs:
    """The numbers of what is being worked on; None: nothing."""

    partial: int | None = None
    turn: int | None = None
    judge: int | None = None
    interruption: int | None = None
    name: int | None = None

    def running(self) -> tuple[int, ...]:
        found = (self.partial, self.turn, self.judge, self.interruption, self.name)
        return tuple(job for job in found if job is not None)


@dataclass(frozen=True, slots=True)
class TurnState:
    phase: Phase = Phase.OFF
    mode: Mode = Mode.HANDS_FREE
    rules: Rules = field(default_factory=Rules)
    half_duplex: bool = False
    waits_for_name: bool = False
    """It falls asleep when nobody speaks to it."""
    is_muted: bool = False
    key_is_down: bool = False
    is_finishing: bool = False
    """Dictation ends as soon as all its words are written down."""
    hearing: Hearing = field(default_factory=Hearing)
    deaf_until: int = 0
    spoken_until: int = 0
    """Position up to which Hearth's last answer may be heard."""
    heard_until: int = 0
    """Where the turn before ended: nothing is heard twice."""
    turn: Turn | None = None
    interruption: Interruption | None = None
    answer: int | None = None
    """The question whose answer is on its way or being spoken."""
    is_audible: bool = False
    """Something of the answer was played."""
    said: tuple[Said, ...] = ()
    jobs: Jobs = field(default_factory=Jobs)
    rescues: tuple[int, ...] = ()
    """Jobs for what was said before the microphone was lost, each time it was. Only turning off ends them."""
    n_jobs: int = 0
    """Given out so far; likewise the others."""
    n_turns: int = 0
    n_questions: int = 0
    deadline_s: float | None = None
    """When the phase has lasted too long."""
    frames_by_s: float | None = None
    """When the next frame must have come."""
    retry_s: float = 0.0
    """What was last waited before the devices were opened anew; 0: they worked."""
    notified: str = ""
    """The template of the last fault of a device that was told."""

    def next_deadline_s(self) -> float | None:
        """When a `Tick` is due."""
        times = [time for time in (self.deadline_s, self.frames_by_s) if time is not None]
        return min(times, default=None)
