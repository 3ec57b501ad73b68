"""The user's turn in the reducer: it begins, pauses, goes on, ends, and becomes a question. Pure; see `voice.turns`.

Speculation: in the first pause what was said is transcribed and asked, and the answer kept back until the silence has
lasted long enough. Whoever speaks on withdraws the question.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

from engine.errors import VoiceError, sentence
from voice.barge_in import echoes
from voice.turn_events import (
    Ask,
    CancelJob,
    Command,
    Commit,
    Frame,
    Judge,
    Mode,
    Notify,
    Purpose,
    ShowPartial,
    ShowText,
    TextStatus,
    Transcribe,
    Withdraw,
)
from voice.turn_state import Jobs, Phase, Rules, Turn, TurnState, samples
from voice.unfinished import asks_for_more
from voice.wake_word import after_name

Outcome: TypeAlias = tuple[TurnState, tuple[Command, ...]]

_NOT_TRANSCRIBED = sentence("What you said could not be written down in time. Please say it again.")


def idle(state: TurnState, at_s: float) -> TurnState:
    """Listening for somebody to begin; where the name is waited for, not for long."""
    return replace(
        state,
        phase=Phase.LISTENING,
        turn=None,
        interruption=None,
        answer=None,
        is_audible=False,
        deadline_s=at_s + state.rules.awake if state.waits_for_name else None,
        frames_by_s=at_s + state.rules.frames_within,
    )


def begin(state: TurnState, start: int, preroll: float | None = None) -> TurnState:
    """A new turn whose first word is at `start`, or a little before: `preroll` seconds."""
    preroll = state.rules.preroll if preroll is None else preroll
    start = max(start - samples(preroll), state.heard_until, 0)
    turn = Turn(
        state.n_turns + 1,
        start,
        may_be_echo=start < state.spoken_until,
        next_partial=start + samples(state.rules.partial_every),
    )
    return replace(
        state,
        phase=Phase.USER_SPEAKING,
        turn=turn,
        interruption=None,
        answer=None,
        is_audible=False,
        n_turns=turn.id,
        deadline_s=None,
    )


def listened(state: TurnState) -> Outcome:
    """A frame while nobody's turn is on."""
    hands_free = state.mode is not Mode.PUSH_TO_TALK
    start = state.hearing.run_from
    if hands_free and start is not None and state.hearing.run >= samples(state.rules.begins):
        return begin(state, start), ()
    return state, ()


def spoke(state: TurnState) -> Outcome:
    """A frame while the user speaks."""
    turn, hearing, rules = _turn(state), state.hearing, state.rules
    too_long = hearing.position - turn.start >= samples(rules.longest_turn)
    if too_long or _key_was_let_go(state):
        return _paused(replace(state, turn=replace(turn, is_due=True)))
    if hearing.silence >= samples(rules.speculate) and hearing.last_voiced > turn.start:
        return _paused(state)
    # In a silence no partial is begun: what is asked when it has lasted would wait for that.
    speaks = hearing.last_voiced == hearing.position > turn.start
    if speaks and hearing.position >= turn.next_partial and state.jobs.partial is None:
        turn = replace(turn, next_partial=hearing.position + samples(rules.partial_every))
        return transcribing(replace(state, turn=turn), Purpose.PARTIAL, turn.start)
    return state, ()


def waited(state: TurnState, frame: Frame) -> Outcome:
    """A frame of a silence that may be the end."""
    turn, hearing, rules = _turn(state), state.hearing, state.rules
    if not turn.is_due and hearing.run >= samples(rules.begins):
        return _resumed(state)
    too_long = hearing.position - turn.start >= samples(rules.longest_turn)
    if turn.is_due or too_long or _key_was_let_go(state) or _is_over(state):
        return _ended(replace(state, turn=replace(turn, is_due=True)), frame.at_s)
    return state, ()


def transcribed(state: TurnState, text: str, at_s: float) -> Outcome:
    """All of the turn so far. What only repeats Hearth's own words is no turn."""
    turn = _turn(state)
    if turn.may_be_echo and echoes(text, lately(state, at_s)):
        text = ""
    text = after_name(text.strip()) if state.waits_for_name else text.strip()
    turn = replace(turn, text=text, is_transcribed=True)
    state = replace(state, turn=turn, jobs=replace(state.jobs, turn=None))
    may_be_asked = turn.text and state.mode is not Mode.DICTATION and turn.asked < state.rules.revisions
    if may_be_asked and not turn.is_due:
        return _asked(state)
    if turn.is_due or (state.phase is Phase.ENDPOINTING and _is_over(state)):
        return _ended(state, at_s)
    return state, (ShowPartial(turn.id, turn.text),) if turn.text else ()


def weighed(state: TurnState, question: int, whole: float | None, at_s: float) -> Outcome:
    """The model has read the question, or will not."""
    turn = state.turn
    if turn is None or turn.question != question:
        return state, ()
    state = replace(state, turn=replace(turn, whole=whole, is_weighed=True))
    return _ended(state, at_s) if state.phase is Phase.ENDPOINTING and _is_over(state) else (state, ())


def rescued(state: TurnState) -> Outcome:
    """The microphone failed: what was said of a turn is written down, and not asked."""
    turn = state.turn
    state, commands = dropped_turn(state)
    if turn is None or state.hearing.last_voiced <= turn.start:
        return state, commands
    state, more = transcribing(state, Purpose.RESCUE, turn.start, turn.id)
    return state, (*commands, *more)


def dropped_turn(state: TurnState) -> Outcome:
    """Nothing comes of the turn: its question is withdrawn, its jobs are not waited for."""
    state, commands = without_jobs(state)
    turn = state.turn
    if turn is not None and turn.question is not None:
        commands = (*commands, *_withdrawing(turn))
    return replace(state, turn=None, heard_until=state.hearing.position), commands


def without_jobs(state: TurnState) -> Outcome:
    """All jobs but rescues are given up."""
    return replace(state, jobs=Jobs()), tuple(CancelJob(job) for job in state.jobs.running())


def transcribing(state: TurnState, purpose: Purpose, start: int, turn_id: int | None = None) -> Outcome:
    """A job for what was said from `start` until now, under a number of its own."""
    job = state.n_jobs + 1
    whose = turn_id if turn_id is not None else state.turn.id if state.turn is not None else 0
    command = Transcribe(job, whose, purpose, start, state.hearing.position)
    if purpose is Purpose.RESCUE:
        return replace(state, rescues=(*state.rescues, job), n_jobs=job), (command,)
    return replace(state, jobs=replace(state.jobs, **{purpose.value: job}), n_jobs=job), (command,)


def lately(state: TurnState, at_s: float) -> tuple[str, ...]:
    """What Hearth said that may still come back as an echo."""
    return tuple(said.text for said in state.said if said.at_s >= at_s - state.rules.said_kept)


def late(state: TurnState, at_s: float) -> Outcome:
    """The transcription did not come."""
    state, commands = dropped_turn(state)
    return idle(state, at_s), (*commands, Notify(VoiceError(_NOT_TRANSCRIBED)))


def _paused(state: TurnState) -> Outcome:
    """It may be over: transcribe it all, and judge."""
    turn = _turn(state)
    state, commands = without_jobs(state)
    turn = replace(turn, done=0.0, is_transcribed=False, heard_to=state.hearing.position)
    state = replace(state, phase=Phase.ENDPOINTING, turn=turn)
    if state.hearing.last_voiced <= turn.start:
        # A key was held, and nobody spoke.
        return replace(state, turn=replace(turn, text="", is_transcribed=True)), commands
    state, more = transcribing(state, Purpose.TURN, turn.start)
    commands += more
    if not turn.is_due and state.mode is not Mode.PUSH_TO_TALK:
        job = state.n_jobs + 1
        commands += (Judge(job, turn.id, turn.start, state.hearing.position),)
        state = replace(state, jobs=replace(state.jobs, judge=job), n_jobs=job)
    return state, commands


def _resumed(state: TurnState) -> Outcome:
    """It was a pause: what was asked is withdrawn."""
    turn = _turn(state)
    state, commands = without_jobs(state)
    if turn.question is not None:
        commands = (*commands, *_withdrawing(turn))
    next_partial = state.hearing.position + samples(state.rules.partial_every)
    turn = replace(turn, question=None, is_transcribed=False, done=0.0, whole=None, next_partial=next_partial)
    return replace(state, phase=Phase.USER_SPEAKING, turn=turn, deadline_s=None), commands


def _asked(state: TurnState) -> Outcome:
    turn = _turn(state)
    question = state.n_questions + 1
    turn = replace(turn, question=question, asked=turn.asked + 1, whole=None, is_weighed=False)
    commands = (Ask(question, turn.id, turn.text), ShowText(turn.id, turn.text, TextStatus.PROVISIONAL))
    return replace(state, turn=turn, n_questions=question), commands


def _ended(state: TurnState, at_s: float) -> Outcome:
    """The turn is over, as soon as its words are known."""
    turn = _turn(state)
    if not turn.is_transcribed:
        deadline_s = state.deadline_s if state.deadline_s is not None else at_s + state.rules.transcribed_within
        return replace(state, deadline_s=deadline_s), ()
    state, commands = without_jobs(state)
    # What is said from then on belongs to the next turn.
    state = replace(state, heard_until=turn.heard_to)
    if not turn.text:
        return idle(state, at_s), commands
    if state.mode is Mode.DICTATION:
        return idle(state, at_s), (*commands, ShowText(turn.id, turn.text, TextStatus.COMMITTED))
    if turn.question is None:
        state, more = _asked(state)
        turn = _turn(state)
        commands += more[:1]
    assert turn.question is not None
    commands += (
        Commit(turn.question, turn.id, turn.text),
        ShowText(turn.id, turn.text, TextStatus.COMMITTED),
    )
    state = replace(
        state,
        phase=Phase.THINKING,
        turn=None,
        answer=turn.question,
        is_audible=False,
        deadline_s=at_s + state.rules.answer_within,
    )
    return state, commands


def _withdrawing(turn: Turn) -> tuple[Command, ...]:
    assert turn.question is not None
    return Withdraw(turn.question, turn.id), ShowText(turn.id, turn.text, TextStatus.WITHDRAWN)


def _is_over(state: TurnState) -> bool:
    """The silence has lasted as long as what was said, and how, asks for."""
    may_end = state.mode is not Mode.PUSH_TO_TALK and not state.key_is_down
    return may_end and state.hearing.silence >= samples(_wait(_turn(state), state.rules))


def _wait(turn: Turn, rules: Rules) -> float:
    # Only once it is known what was said: a short silence behind "and" is no end.
    breaks_off = turn.whole is not None and turn.whole < rules.broken_off
    if not turn.is_transcribed or asks_for_more(turn.text) or breaks_off:
        return rules.long_wait
    if turn.done > rules.done:
        is_known = turn.question is None or turn.is_weighed
        return rules.short_wait if is_known else rules.weighed_within
    is_whole = turn.whole is not None and turn.whole >= rules.whole
    return rules.middle_wait if is_whole or turn.done > rules.likely else rules.long_wait


def _key_was_let_go(state: TurnState) -> bool:
    turn = _turn(state)
    tail = samples(state.rules.key_tail)
    return turn.key_up is not None and state.hearing.position >= turn.key_up + tail


def _turn(state: TurnState) -> Turn:
    assert state.turn is not None
    return state.turn
