"""A world for the reducer: it keeps what the commands began and ended, and holds them to their rules at each step."""

from __future__ import annotations

from collections.abc import Iterable

from engine.errors import VoiceError
from voice.turn_events import (
    AnswerDone,
    Ask,
    CancelAnswer,
    CancelJob,
    CloseDevices,
    Command,
    Commit,
    DeviceFailed,
    Duck,
    EndWeighed,
    Event,
    Frame,
    Hold,
    JobFailed,
    Judge,
    Judged,
    LetGo,
    Mode,
    OpenDevices,
    Opened,
    PlaybackStarted,
    SentencePlaying,
    Tick,
    Transcribe,
    Transcribed,
    TurnOff,
    TurnOn,
    Withdraw,
)
from voice.turn_state import Phase, TurnState
from voice.turns import step
from voice.vad import FRAME

FRAME_S = FRAME / 16_000


class World:
    """`state` after all events so far; time passes with frames and ticks."""

    def __init__(
        self, mode: Mode = Mode.HANDS_FREE, *, half_duplex: bool = False, waits_for_name: bool = False
    ) -> None:
        self.state = TurnState()
        self.now_s = 100.0
        self.position = 0
        self.commands: list[Command] = []
        self.jobs: dict[int, Transcribe | Judge] = {}
        self.ended_jobs: list[int] = []
        self.asked: dict[int, str] = {}
        self.committed: list[int] = []
        self.closed: set[int] = set()
        """Withdrawn, cancelled, let go or done."""
        self.weighs = True
        """The model answers each question's `EndWeighed` at once, by `whole`."""
        self.whole: float | None = None
        self.is_open = False
        self.is_ducked = False
        self.is_held = False
        self.do(TurnOn(self.now_s, mode, half_duplex, waits_for_name))

    def do(self, event: Event) -> tuple[Command, ...]:
        self.state, commands = step(self.state, event)
        if isinstance(event, AnswerDone):
            self.closed.add(event.question)
        for command in commands:
            self._carry_out(command)
        self.commands += commands
        self._check()
        for command in commands:
            if isinstance(command, Ask) and self.weighs:
                self.do(EndWeighed(self.now_s, command.question, self.whole))
        return commands

    def frames(self, probability: float, seconds: float) -> list[Command]:
        """Sound of that probability of speech for so long; the commands it led to."""
        commands: list[Command] = []
        for _ in range(max(1, round(seconds / FRAME_S))):
            commands += self.frame(probability)
        return commands

    def frame(self, probability: float) -> tuple[Command, ...]:
        self.now_s += FRAME_S
        if not self.is_open:
            return ()
        self.position += FRAME
        return self.do(Frame(self.now_s, self.position, probability))

    def wait(self, seconds: float) -> tuple[Command, ...]:
        """Time without sound."""
        self.now_s += seconds
        return self.do(Tick(self.now_s))

    def open(self) -> None:
        self.do(Opened(self.now_s))
        self.frame(0.0)
        assert self.state.phase is not Phase.OPENING

    def finish(self, kind: type, result: object) -> list[Command]:
        """Answer all jobs of that command: with a text, or with a probability."""
        commands: list[Command] = []
        for job in [job for job, command in self.jobs.items() if isinstance(command, kind)]:
            commands += self.finish_job(job, result)
        return commands

    def finish_job(self, job: int, result: object) -> tuple[Command, ...]:
        del self.jobs[job]
        self.ended_jobs.append(job)
        if isinstance(result, VoiceError):
            return self.do(JobFailed(self.now_s, job, result))
        if isinstance(result, float):
            return self.do(Judged(self.now_s, job, result))
        return self.do(Transcribed(self.now_s, job, str(result)))

    def ask(self, text: str = "What time is it?") -> int:
        """A whole turn of the user's; its question."""
        self.frames(0.9, 1.0)
        self.frames(0.0, 0.25)
        self.finish(Judge, 0.99)
        self.finish(Transcribe, text)
        # How long a silence ends it depends on what the model says of its words.
        longest = round((self.state.rules.long_wait + 0.1) / FRAME_S)
        for _ in range(longest):
            if self.state.phase is Phase.THINKING:
                break
            self.frame(0.0)
        assert self.state.phase is Phase.THINKING and self.state.answer is not None
        return self.state.answer

    def speak(self, question: int, *sentences: str) -> None:
        """The answer begins to be heard."""
        self.do(PlaybackStarted(self.now_s, question))
        for sentence in sentences:
            self.do(SentencePlaying(self.now_s, question, sentence))

    def fail(self, error: VoiceError, *, microphone: bool = True) -> tuple[Command, ...]:
        return self.do(DeviceFailed(self.now_s, error, microphone))

    def _carry_out(self, command: Command) -> None:
        if isinstance(command, Transcribe | Judge):
            assert command.job not in self.jobs and command.job not in self.ended_jobs, "a number is given once"
            assert 0 <= command.start <= command.end <= self.state.hearing.position or not self.is_open
            self.jobs[command.job] = command
        elif isinstance(command, CancelJob):
            self.ended_jobs.append(command.job)
            del self.jobs[command.job]
        elif isinstance(command, Ask):
            assert command.question not in self.asked and command.text.strip()
            self.asked[command.question] = command.text
        elif isinstance(command, Commit):
            assert command.question not in self.closed, "what was withdrawn is not spoken"
            assert command.question not in self.committed, "nothing is spoken twice"
            assert command.text == self.asked[command.question]
            self.committed.append(command.question)
        elif isinstance(command, Withdraw):
            assert command.question not in self.committed and command.question not in self.closed
            self.closed.add(command.question)
        elif isinstance(command, CancelAnswer | LetGo):
            assert command.question in self.committed and command.question not in self.closed
            self.closed.add(command.question)
        elif isinstance(command, OpenDevices):
            assert not self.is_open
            self.is_open, self.position = True, 0
        elif isinstance(command, CloseDevices):
            assert self.is_open
            self.is_open = False
        elif isinstance(command, Duck):
            assert command.on != self.is_ducked
            self.is_ducked = command.on
        elif isinstance(command, Hold):
            assert command.on != self.is_held
            self.is_held = command.on

    def _check(self) -> None:
        state = self.state
        assert {*state.jobs.running(), *state.rescues} == set(self.jobs), "what is waited for is what runs"
        assert self.is_ducked == (state.phase is Phase.DUCKED)
        assert self.is_held == (state.phase is Phase.PAUSED)
        assert self.is_open == (state.phase not in (Phase.OFF, Phase.ERROR))
        open_questions = set(self.asked) - self.closed
        expected = {state.answer} if state.answer is not None else set()
        if state.turn is not None and state.turn.question is not None:
            expected.add(state.turn.question)
        assert open_questions == expected
        assert len(expected) <= 1, "one question at a time"
        waiting = state.phase not in (Phase.OFF,)
        assert not waiting or state.next_deadline_s() is not None, "every waiting phase has a time to end it"
        if state.phase is Phase.OFF:
            assert not self.jobs and not open_questions and not self.is_open and not self.is_ducked


def of(kind: type, commands: Iterable[Command]) -> list[Command]:
    return [command for command in commands if isinstance(command, kind)]


def turned_off(world: World) -> None:
    world.do(TurnOff(world.now_s))
    assert world.state.phase is Phase.OFF
