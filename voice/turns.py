"""Who speaks when: one pure function from a state and an event to the next state and what is to be done.

Knows no threads, no clock and no sound: time comes with the events, and the commands are carried out by
`voice.pipeline`. What a job answers is looked at only while its number is the one waited for, so that nothing stale
acts; every phase that waits has a time by which a `Tick` ends it.
"""

from __future__ import annotations

from dataclasses import replace

from engine.errors import VoiceError, sentence
from voice.audio.streams import DeviceError, Fault
from voice.turn_events import (
    AnswerDone,
    AnswerGrew,
    CancelJob,
    CloseDevices,
    Command,
    DeviceFailed,
    Duck,
    EndWeighed,
    Event,
    Frame,
    Hold,
    JobFailed,
    Judged,
    KeyDown,
    KeyUp,
    LetGo,
    Mode,
    Muted,
    Notify,
    OpenDevices,
    Opened,
    Pause,
    PlaybackStarted,
    Resume,
    SentencePlaying,
    ShowPartial,
    ShowText,
    Stop,
    TextStatus,
    Tick,
    Transcribed,
    TurnOff,
    TurnOn,
)
from voice.turn_interrupting import answered, attended, checked, silenced, taken_over
from voice.turn_state import Hearing, Jobs, Phase, Said, TurnState
from voice.turn_talking import (
    Outcome,
    begin,
    dropped_turn,
    idle,
    late,
    listened,
    rescued,
    spoke,
    transcribed,
    waited,
    weighed,
    without_jobs,
)
from voice.turn_waking import asleep, dozed, named

_NO_ANSWER = sentence("No answer came for too long, so Hearth stopped waiting for it. You can ask again.")
_STUCK = sentence("Speaking got stuck. The answer goes on as text.")
_TALKING = (Phase.THINKING, Phase.SPEAKING, Phase.DUCKED)
_CLOSED = (Phase.OFF, Phase.ERROR)


def step(state: TurnState, event: Event) -> Outcome:
    """The state after `event`, and what to do now, in order."""
    state, commands = _stepped(state, event)
    if state.is_finishing and state.turn is None and not state.rescues:
        state, more = _turned_off(state)
        commands += more
    return state, commands


def _stepped(state: TurnState, event: Event) -> Outcome:
    if isinstance(event, TurnOn):
        return _turned_on(state, event)
    if isinstance(event, TurnOff):
        return _turned_off(state)
    if isinstance(event, Transcribed | Judged | JobFailed):
        return _job_ended(state, event)
    if state.phase is Phase.OFF:
        return state, ()
    if isinstance(event, Frame):
        return _heard(state, event)
    if isinstance(event, Tick):
        return _time_passed(state, event.at_s)
    if isinstance(event, Opened | DeviceFailed):
        return _devices(state, event)
    if isinstance(event, EndWeighed):
        return weighed(state, event.question, event.probability, event.at_s)
    if isinstance(event, AnswerGrew | PlaybackStarted | SentencePlaying | AnswerDone):
        return _answer(state, event)
    return _asked_for(state, event)


def _turned_on(state: TurnState, event: TurnOn) -> Outcome:
    if state.phase in (*_CLOSED, Phase.OPENING):
        state, commands = _turned_off(state)
        state = replace(state, mode=event.mode, half_duplex=event.half_duplex, waits_for_name=_waits_for_name(event))
        return _opening(state, event.at_s), (*commands, OpenDevices())
    # The devices run: only what they are used for changes, and what was heard for the one use is not for the other.
    state, commands = _emptied(state)
    state = replace(
        state,
        mode=event.mode,
        half_duplex=event.half_duplex,
        waits_for_name=_waits_for_name(event),
        key_is_down=False,
        is_finishing=False,
        heard_until=state.hearing.position,
    )
    return idle(state, event.at_s), commands


def _waits_for_name(event: TurnOn) -> bool:
    return event.waits_for_name and event.mode is Mode.HANDS_FREE


def _turned_off(state: TurnState) -> Outcome:
    """Nothing is left running, whatever it was."""
    off = TurnState(
        rules=state.rules,
        is_muted=state.is_muted,
        n_jobs=state.n_jobs,
        n_turns=state.n_turns,
        n_questions=state.n_questions,
    )
    is_closed = state.phase in _CLOSED
    _, commands = _emptied(state)
    commands += tuple(CancelJob(job) for job in state.rescues)
    return off, commands if is_closed else (*commands, CloseDevices())


def _emptied(state: TurnState) -> Outcome:
    """Without a turn and an answer; rescues go on."""
    was_paused = state.phase is Phase.PAUSED
    state, commands = dropped_turn(state)
    state, more = silenced(state)
    commands += more
    return state, (*commands, Hold(False)) if was_paused else commands


def _opening(state: TurnState, at_s: float) -> TurnState:
    return replace(
        state,
        phase=Phase.OPENING,
        hearing=Hearing(),
        deaf_until=0,
        spoken_until=0,
        heard_until=0,
        deadline_s=at_s + state.rules.open_within,
        frames_by_s=None,
    )


def _devices(state: TurnState, event: Opened | DeviceFailed) -> Outcome:
    if isinstance(event, Opened):
        return state, ()  # listening begins with the first frame
    if event.microphone:
        return _failed(state, event.error, event.at_s)
    # Without a loudspeaker the answer goes on as text, and so does listening.
    state, commands = _let_go(state, event.at_s)
    state, more = _told(state, event.error)
    return state, (*commands, *more)


def _failed(state: TurnState, error: VoiceError, at_s: float) -> Outcome:
    """The microphone is lost: words are rescued, the answer goes on as text, and opening is tried again later."""
    if state.phase in _CLOSED:
        return state, ()
    was_paused = state.phase is Phase.PAUSED
    state, commands = _let_go(state, at_s)
    # What was not said to Hearth is not written down.
    state, more = dropped_turn(state) if state.phase is Phase.ASLEEP else rescued(state)
    commands += (*more, CloseDevices())
    if was_paused:
        commands += (Hold(False),)
    state, more = _told(state, error)
    rules = state.rules
    retry_s = min(max(2 * state.retry_s, rules.retry_first), rules.retry_at_most)
    state = replace(
        state, phase=Phase.ERROR, retry_s=retry_s, deadline_s=at_s + retry_s, frames_by_s=None, key_is_down=False
    )
    return state, (*commands, *more)


def _told(state: TurnState, error: VoiceError) -> Outcome:
    """The same fault of a device is told once, until the device has worked again."""
    if state.notified == error.template:
        return state, ()
    return replace(state, notified=error.template), (Notify(error),)


def _let_go(state: TurnState, at_s: float) -> Outcome:
    """Hearth speaks no more of its answer."""
    if state.answer is None:
        return state, ()
    question = state.answer
    is_paused = state.phase is Phase.PAUSED
    state, commands = answered(state, at_s)
    if is_paused:
        state = replace(state, phase=Phase.PAUSED)
    return state, (LetGo(question), *commands)


def _heard(state: TurnState, frame: Frame) -> Outcome:
    if state.phase is Phase.ERROR or frame.position <= state.hearing.position:
        return state, ()
    before = state.hearing
    is_speaking_alone = state.half_duplex and state.is_audible and state.answer is not None
    deaf = state.is_muted or is_speaking_alone or frame.position <= state.deaf_until or state.phase is Phase.PAUSED
    hearing = before.heard(frame, state.rules, deaf=deaf)
    state = replace(state, hearing=hearing, frames_by_s=frame.at_s + state.rules.frames_within)
    if state.phase is Phase.OPENING:
        state = idle(replace(state, retry_s=0.0, notified=""), frame.at_s)
        return (begin(state, hearing.position), ()) if state.key_is_down else (state, ())
    if state.phase is Phase.LISTENING:
        return (state, ()) if state.is_finishing else listened(state)
    if state.phase is Phase.ASLEEP:
        return dozed(state)
    if state.phase is Phase.USER_SPEAKING:
        return spoke(state)
    if state.phase is Phase.ENDPOINTING:
        return waited(state, frame)
    if state.phase in _TALKING:
        voiced = hearing.last_voiced - max(before.last_voiced, before.position)
        return attended(state, frame, max(0, voiced))
    return state, ()


def _time_passed(state: TurnState, at_s: float) -> Outcome:
    if state.frames_by_s is not None and at_s >= state.frames_by_s:
        return _failed(state, DeviceError(Fault.MICROPHONE_GONE), at_s)
    if state.deadline_s is None or at_s < state.deadline_s:
        return state, ()
    if state.phase is Phase.ERROR:
        return _opening(state, at_s), (OpenDevices(),)
    if state.phase is Phase.OPENING:
        return _failed(state, DeviceError(Fault.SILENT), at_s)
    if state.phase is Phase.ENDPOINTING:
        return late(state, at_s)
    if state.phase is Phase.LISTENING:
        return asleep(state), ()
    if state.is_audible:
        state, commands = _let_go(state, at_s)
        return state, (*commands, Notify(VoiceError(_STUCK)))
    state, commands = silenced(state)
    return idle(state, at_s), (*commands, Notify(VoiceError(_NO_ANSWER)))


def _job_ended(state: TurnState, event: Transcribed | Judged | JobFailed) -> Outcome:
    jobs, job = state.jobs, event.job
    if job in state.rescues:
        return _rescue_ended(state, event)
    if job not in jobs.running():
        return state, ()  # given up in the meantime
    if isinstance(event, JobFailed):
        return _job_failed(state, event)
    if isinstance(event, Judged):
        turn = state.turn
        state = replace(state, jobs=replace(jobs, judge=None))
        return (replace(state, turn=replace(turn, done=event.probability)) if turn is not None else state), ()
    if job == jobs.turn:
        return transcribed(state, event.text, event.at_s)
    if job == jobs.interruption:
        return checked(state, event.text, event.at_s)
    if job == jobs.name:
        return named(state, event.text)
    state = replace(state, jobs=replace(jobs, partial=None))
    return state, (ShowPartial(state.turn.id, event.text),) if state.turn is not None else ()


def _rescue_ended(state: TurnState, event: Transcribed | Judged | JobFailed) -> Outcome:
    state = replace(state, rescues=tuple(job for job in state.rescues if job != event.job))
    if isinstance(event, JobFailed):
        return state, (Notify(event.error),)
    text = event.text.strip() if isinstance(event, Transcribed) else ""
    return state, (ShowText(state.n_turns, text, TextStatus.RESCUED),) if text else ()


def _job_failed(state: TurnState, event: JobFailed) -> Outcome:
    jobs = state.jobs
    if event.job == jobs.turn:
        state, commands = dropped_turn(replace(state, jobs=replace(jobs, turn=None)))
        return idle(state, event.at_s), (*commands, Notify(event.error))
    # A partial, a judgement or a check that failed is one that did not come.
    kept = {name: None for name in Jobs.__slots__ if getattr(jobs, name) == event.job}
    return replace(state, jobs=replace(jobs, **kept)), ()


def _answer(state: TurnState, event: AnswerGrew | PlaybackStarted | SentencePlaying | AnswerDone) -> Outcome:
    if event.question != state.answer:
        return state, ()
    rules, at_s = state.rules, event.at_s
    if isinstance(event, AnswerDone):
        is_paused = state.phase is Phase.PAUSED
        state, commands = answered(state, at_s)
        if is_paused:
            state = replace(state, phase=Phase.PAUSED)
        return state, (*commands, Notify(event.error)) if event.error is not None else commands
    if isinstance(event, PlaybackStarted):
        state = replace(state, is_audible=True)
        if state.phase is Phase.THINKING:
            state = replace(state, phase=Phase.SPEAKING)
    if isinstance(event, SentencePlaying):
        lately = tuple(said for said in state.said if said.at_s >= at_s - 2 * rules.said_kept)
        state = replace(state, said=(*lately, Said(at_s, event.text)))
    if state.deadline_s is not None:
        within = rules.playback_within if state.is_audible else rules.answer_within
        state = replace(state, deadline_s=at_s + within)
    return state, ()


def _asked_for(state: TurnState, event: KeyDown | KeyUp | Muted | Pause | Resume | Stop) -> Outcome:
    """What the user does by hand."""
    if isinstance(event, Muted):
        return replace(state, is_muted=event.muted), ()
    if isinstance(event, KeyDown):
        return _key_down(state)
    if isinstance(event, KeyUp):
        return _key_up(state)
    if isinstance(event, Stop):
        return _stopped(state, event.at_s)
    if isinstance(event, Pause):
        return _rested(state)
    return _resumed(state, event.at_s)


def _key_down(state: TurnState) -> Outcome:
    if state.phase in (Phase.PAUSED, Phase.ERROR) or state.mode is Mode.DICTATION:
        return state, ()
    state = replace(state, key_is_down=True)
    if state.turn is not None:
        state = replace(state, turn=replace(state.turn, key_up=None))
    if state.phase is Phase.LISTENING:
        return begin(state, state.hearing.position), ()
    if state.phase is Phase.ASLEEP:
        state, commands = dropped_turn(state)
        return begin(state, state.hearing.position), commands
    if state.phase in _TALKING:
        return taken_over(state, state.hearing.position)
    return state, ()


def _key_up(state: TurnState) -> Outcome:
    state = replace(state, key_is_down=False)
    if state.mode is Mode.DICTATION and state.phase is not Phase.ERROR:
        state = replace(state, is_finishing=True)
    if state.turn is not None:
        state = replace(state, turn=replace(state.turn, key_up=state.hearing.position))
    return state, ()


def _stopped(state: TurnState, at_s: float) -> Outcome:
    if state.answer is None:
        return state, ()
    is_paused = state.phase is Phase.PAUSED
    state, commands = silenced(state)
    state = idle(state, at_s)
    return (replace(state, phase=Phase.PAUSED) if is_paused else state), commands


def _rested(state: TurnState) -> Outcome:
    """Nobody is listened to, and an answer stands still."""
    if state.phase in (Phase.OPENING, Phase.ERROR, Phase.PAUSED):
        return state, ()
    commands: tuple[Command, ...]
    if state.phase in _TALKING:
        unducked = (Duck(False),) if state.phase is Phase.DUCKED else ()
        state, commands = without_jobs(replace(state, interruption=None))
        commands = (*commands, *unducked)
    else:
        state, commands = dropped_turn(state)
    state = replace(state, phase=Phase.PAUSED, key_is_down=False, deadline_s=None)
    return state, (*commands, Hold(True))


def _resumed(state: TurnState, at_s: float) -> Outcome:
    if state.phase is not Phase.PAUSED:
        return state, ()
    state = replace(state, heard_until=state.hearing.position)
    if state.answer is None:
        return idle(state, at_s), (Hold(False),)
    phase = Phase.SPEAKING if state.is_audible else Phase.THINKING
    return replace(state, phase=phase, deadline_s=at_s + state.rules.answer_within), (Hold(False),)
