"""Somebody speaks while Hearth thinks or speaks: it falls silent first, then words decide. Pure; see `voice.turns`.

The canceller leaves a little of Hearth's own voice, and swallows a little of the user's, so that speech alone is no
proof; nor is a "mhm".
"""

from __future__ import annotations

from dataclasses import replace

from voice.barge_in import interrupts
from voice.turn_events import CancelAnswer, CancelJob, Command, Duck, Frame, Mode, Purpose
from voice.turn_state import Interruption, Phase, TurnState, samples
from voice.turn_talking import Outcome, begin, idle, lately, transcribing, without_jobs


def attended(state: TurnState, frame: Frame, voiced: int) -> Outcome:
    """A frame while Hearth thinks or speaks; `voiced` samples of it are speech."""
    hearing, rules = state.hearing, state.rules
    if state.mode is not Mode.HANDS_FREE:
        return state, ()
    if state.interruption is None:
        if hearing.run_from is None or hearing.run < samples(rules.ducks):
            return state, ()
        interruption = Interruption(hearing.run_from, frame.position, hearing.run)
        return replace(state, phase=Phase.DUCKED, interruption=interruption), (Duck(True),)
    interruption = replace(state.interruption, voiced=state.interruption.voiced + voiced)
    state = replace(state, interruption=interruption)
    if state.jobs.interruption is None and _has_more_words(state, interruption):
        state = replace(state, interruption=replace(interruption, checked=hearing.position))
        start = max(interruption.start - samples(rules.interruption_preroll), state.heard_until, 0)
        return transcribing(state, Purpose.INTERRUPTION, start)
    is_over = hearing.run_from is None and state.jobs.interruption is None
    if interruption.is_given_up:
        return (replace(state, interruption=None) if is_over else state), ()
    lasted = frame.position - interruption.ducked
    asked = state.jobs.interruption is not None and lasted < samples(rules.unducks_at_last)
    is_sound = is_over and interruption.voiced < samples(rules.confirms)
    if lasted >= samples(rules.unducks_first if is_sound else rules.unducks) and not asked:
        kept = None if is_over else replace(interruption, is_given_up=True)
        return replace(state, phase=_back(state), interruption=kept), (Duck(False),)
    return state, ()


def checked(state: TurnState, text: str, at_s: float) -> Outcome:
    """The words of who may be interrupting."""
    state = replace(state, jobs=replace(state.jobs, interruption=None))
    if state.interruption is None or not interrupts(text, lately(state, at_s)):
        return state, ()
    return taken_over(state, state.interruption.start)


def taken_over(state: TurnState, start: int) -> Outcome:
    """The user speaks now, from position `start`: Hearth stops."""
    preroll = state.rules.interruption_preroll if state.interruption is not None else state.rules.preroll
    state, commands = silenced(state)
    return begin(state, start, preroll), commands


def silenced(state: TurnState) -> Outcome:
    """Hearth stops; who interrupted it is the caller's."""
    state, commands = without_jobs(state)
    if state.answer is not None:
        commands = (*commands, CancelAnswer(state.answer))
    return replace(state, answer=None, is_audible=False, interruption=None), (*commands, *_undone(state))


def answered(state: TurnState, at_s: float) -> Outcome:
    """The answer came to its end; whoever is speaking by then has the word."""
    interruption = state.interruption
    commands = _undone(state)
    if state.jobs.interruption is not None:
        commands = (CancelJob(state.jobs.interruption), *commands)
    state = replace(state, jobs=replace(state.jobs, interruption=None))
    if state.is_audible:
        state = replace(state, spoken_until=state.hearing.position + samples(state.rules.rings))
    if interruption is not None and state.hearing.run_from is not None and _is_user(state, interruption):
        return begin(state, interruption.start, state.rules.interruption_preroll), commands
    if state.half_duplex and state.is_audible:
        state = replace(state, deaf_until=state.spoken_until)
    return idle(state, at_s), commands


def _is_user(state: TurnState, interruption: Interruption) -> bool:
    """Speech that was refuted as Hearth's own echo does not begin a turn; what nobody has looked at does."""
    return not interruption.is_given_up and state.mode is Mode.HANDS_FREE


def _has_more_words(state: TurnState, interruption: Interruption) -> bool:
    """Enough speech for words, and enough since they were last asked for, or its end."""
    rules, hearing = state.rules, state.hearing
    if interruption.voiced < samples(rules.confirms) or hearing.last_voiced <= interruption.checked:
        return False
    since = hearing.position - interruption.checked
    return since >= samples(rules.checks_every) or hearing.silence >= samples(rules.gap)


def _back(state: TurnState) -> Phase:
    return Phase.SPEAKING if state.is_audible else Phase.THINKING


def _undone(state: TurnState) -> tuple[Command, ...]:
    is_ducked = state.interruption is not None and not state.interruption.is_given_up
    return (Duck(False),) if is_ducked else ()
