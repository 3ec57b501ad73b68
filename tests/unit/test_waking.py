"""Asleep, Hearth hears its name and nothing else: the name in words, and the reducer's way through it."""

from __future__ import annotations

import pytest

from tests.unit.turn_world import World, of
from voice.audio.streams import DeviceError, Fault
from voice.turn_events import AnswerDone, Ask, Commit, Judge, KeyDown, Mode, Purpose, ShowPartial, ShowText, Transcribe
from voice.turn_state import Phase, Rules, samples
from voice.wake_word import after_name, is_called


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("Hey Hearth, what time is it?", "What time is it?"),
        ("Hey, Hearth. What time is it?", "What time is it?"),
        (" hey heart what time is it", "What time is it"),
        ("Okay, Earth! Stop.", "Stop."),
        ("Hello, Harsh. Can you hear me?", "Can you hear me?"),
        ("Hey, Hars.", ""),
        ("Hearth, stop.", "Stop."),
        ("Hey Hearth.", ""),
    ],
)
def test_the_name_is_heard_as_a_small_recogniser_writes_it(text: str, rest: str) -> None:
    assert is_called(text) and after_name(text) == rest


@pytest.mark.parametrize(
    "text",
    [
        "",
        "What time is it?",
        "The hearth is warm.",
        "Heart disease is common.",
        "Hey, heartbreaking news.",
        "Hearth's fire is out.",
        "Hey you, look at the earth.",
        "Hey, Harry.",
        "Okay, hard to say.",
        "Harsh words.",
        "Earth is a planet.",
    ],
)
def test_other_words_are_nobodys_name(text: str) -> None:
    assert not is_called(text) and after_name(text) == text


@pytest.fixture
def world() -> World:
    """Asleep."""
    world = World(waits_for_name=True)
    world.open()
    assert world.state.phase is Phase.LISTENING, "who turns it on wants to speak"
    world.frames(0.0, Rules().awake + 0.1)
    world.wait(0.0)
    assert world.state.phase is Phase.ASLEEP
    return world


def test_without_the_setting_it_never_sleeps() -> None:
    for world in (World(), World(Mode.PUSH_TO_TALK, waits_for_name=True)):
        world.open()
        world.frames(0.0, 60.0)
        world.wait(0.0)
        assert world.state.phase is Phase.LISTENING


def test_it_wakes_by_its_name_and_hears_all_of_the_question(world: World) -> None:
    world.frames(0.9, 1.7)
    (look,) = of(Transcribe, world.commands)
    assert look.purpose is Purpose.NAME and look.end - look.start <= samples(Rules().name_within) + 1024
    world.finish(Transcribe, "Hey Hearth, what time")
    assert world.state.phase is Phase.USER_SPEAKING
    world.frames(0.9, 0.5)
    world.frames(0.0, 0.3)
    whole = of(Transcribe, world.commands)[-1]
    assert (whole.purpose, whole.start) == (Purpose.TURN, look.start)
    world.finish(Judge, 0.99)
    world.finish(Transcribe, "Hey Hearth, what time is it?")
    world.frames(0.0, 0.3)
    assert [command.text for command in of(Commit, world.commands)] == ["What time is it?"]


def test_a_call_alone_wakes_it_for_the_next_words(world: World) -> None:
    world.frames(0.9, 0.6)
    world.frames(0.0, 0.35)
    world.finish(Transcribe, "Hey Hearth.")
    world.frames(0.0, 0.2)
    world.finish(Judge, 0.99)
    world.finish(Transcribe, "Hey Hearth.")
    world.frames(0.0, 0.4)
    assert world.state.phase is Phase.LISTENING and not of(Ask, world.commands)
    world.ask("What time is it?")
    assert [command.text for command in of(Commit, world.commands)] == ["What time is it?"]


def test_what_is_said_to_others_is_looked_at_once_told_to_nobody_and_forgotten(world: World) -> None:
    world.frames(0.9, 5.0)
    world.finish(Transcribe, "I told him to go home")
    world.frames(0.9, 5.0)
    world.frames(0.0, 0.5)
    assert len(of(Transcribe, world.commands)) == 1
    assert not of(ShowPartial, world.commands) and not of(ShowText, world.commands) and not of(Ask, world.commands)
    assert world.state.phase is Phase.ASLEEP and world.state.turn is None
    world.frames(0.9, 0.5)
    world.frames(0.0, 0.35)
    first, second = of(Transcribe, world.commands)
    assert second.start >= first.end, "no word is looked at twice"


def test_a_microphone_that_fails_rescues_no_word_that_was_said_to_others(world: World) -> None:
    world.frames(0.9, 1.0)
    world.fail(DeviceError(Fault.MICROPHONE_GONE), microphone=True)
    assert Purpose.RESCUE not in [command.purpose for command in of(Transcribe, world.commands)]


def test_the_key_wakes_it_too(world: World) -> None:
    world.frames(0.9, 1.0)
    world.do(KeyDown(world.now_s))
    assert world.state.phase is Phase.USER_SPEAKING
    world.frames(0.0, 2.0)
    assert world.state.phase is not Phase.ASLEEP


def test_it_falls_asleep_again_after_the_answer(world: World) -> None:
    world.frames(0.9, 1.7)
    world.finish(Transcribe, "Hearth, what time is it?")
    world.frames(0.0, 0.3)
    world.finish(Judge, 0.99)
    world.finish(Transcribe, "Hearth, what time is it?")
    world.frames(0.0, 0.3)
    question = world.state.answer
    assert question is not None
    world.speak(question, "It is nine.")
    world.do(AnswerDone(world.now_s, question))
    world.frames(0.0, Rules().awake / 2)
    world.wait(0.0)
    assert world.state.phase is Phase.LISTENING
    world.frames(0.0, Rules().awake / 2 + 0.1)
    world.wait(0.0)
    assert world.state.phase is Phase.ASLEEP
