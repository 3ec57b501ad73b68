"""Where a conversation by speech stands, in words and as a mood. Knows no widget but the picture's moods."""

from __future__ import annotations

from app.i18n import tr
from app.ui.voice_picture import Mood
from app.voice_events import VoiceState
from voice.turn_events import Mode
from voice.turn_state import Phase

HEARING = (Phase.LISTENING, Phase.ASLEEP, Phase.USER_SPEAKING, Phase.ENDPOINTING)
TALKING = (Phase.THINKING, Phase.SPEAKING, Phase.DUCKED)


def state_text(state: VoiceState) -> str:
    """What goes on; a problem in its own words."""
    if state.problem:
        return state.problem
    if state.is_muted and state.phase in HEARING:
        return tr("Muted")
    match state.phase:
        case Phase.OPENING:
            return tr("Starting…")
        case Phase.LISTENING if state.mode is Mode.PUSH_TO_TALK:
            return tr("Ready")
        case Phase.ASLEEP:
            return tr("Waiting to be called")
        case Phase.LISTENING | Phase.USER_SPEAKING | Phase.ENDPOINTING:
            return tr("Listening")
        case Phase.THINKING:
            return tr("Thinking")
        case Phase.SPEAKING | Phase.DUCKED:
            return tr("Speaking")
        case Phase.PAUSED:
            return tr("Paused")
        case _:
            return tr("Voice is off")


def hint_text(state: VoiceState, talk_keys: str = "", mute_keys: str = "") -> str:
    """What can be done now, "" where nothing needs to be said."""
    if state.problem or state.phase not in HEARING:
        return ""
    if state.is_muted:
        return tr("Hearth hears nothing until you press {keys}.", keys=mute_keys)
    if state.phase is Phase.ASLEEP:
        return tr("Say “Hey Hearth” and what you want.")
    if state.mode is Mode.HANDS_FREE:
        return tr("Just talk. You can interrupt at any time.") if state.phase is Phase.LISTENING else ""
    if state.phase is Phase.LISTENING:
        return tr("Hold the button or {keys} while you speak.", keys=talk_keys)
    return tr("Let go when you are done.")


def mood_of(state: VoiceState) -> Mood:
    """Whose turn it is to move the picture."""
    if state.phase in HEARING:
        waits = state.phase is Phase.ASLEEP or (state.mode is Mode.PUSH_TO_TALK and state.phase is Phase.LISTENING)
        return Mood.STILL if state.is_muted or waits or state.problem else Mood.LISTENING
    if state.phase is Phase.THINKING:
        return Mood.THINKING
    return Mood.SPEAKING if state.phase in TALKING else Mood.STILL
