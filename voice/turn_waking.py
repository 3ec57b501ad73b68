"""Asleep, only the name is listened for, at the beginning of what somebody says. Pure; see `voice.turns`.

What was said to others is transcribed for its first words only, told to nobody, and forgotten.
"""

from __future__ import annotations

from dataclasses import replace

from voice.turn_events import Purpose
from voice.turn_state import Phase, TurnState, samples
from voice.turn_talking import Outcome, begin, dropped_turn, transcribing
from voice.wake_word import is_called


def asleep(state: TurnState) -> TurnState:
    """Nobody has spoken to Hearth for a while."""
    return replace(state, phase=Phase.ASLEEP, deadline_s=None)


def dozed(state: TurnState) -> Outcome:
    """A frame while only the name is listened for."""
    turn, hearing, rules = state.turn, state.hearing, state.rules
    if turn is None:
        start = hearing.run_from
        if start is None or hearing.run < samples(rules.begins):
            return state, ()
        return replace(begin(state, start), phase=Phase.ASLEEP), ()
    if state.jobs.name is not None:
        return state, ()
    if not turn.is_checked:
        long_enough = hearing.position - turn.start >= samples(rules.name_within)
        if not long_enough and hearing.silence < samples(rules.name_after):
            return state, ()
        return transcribing(replace(state, turn=replace(turn, is_checked=True)), Purpose.NAME, turn.start)
    if hearing.silence >= samples(rules.name_after):
        return dropped_turn(state)
    return state, ()


def named(state: TurnState, text: str) -> Outcome:
    """The first words of what somebody says."""
    state = replace(state, jobs=replace(state.jobs, name=None))
    if state.phase is not Phase.ASLEEP or state.turn is None or not is_called(text):
        return state, ()
    return replace(state, phase=Phase.USER_SPEAKING), ()
