"""The reducer of who speaks when: the ways through it, each by its events."""

from __future__ import annotations

import pytest

from engine.errors import VoiceError
from tests.unit.turn_world import FRAME_S, World, of, turned_off
from voice.audio.streams import DeviceError, Fault
from voice.barge_in import echoes, interrupts
from voice.turn_events import (
    AnswerDone,
    Ask,
    CancelAnswer,
    CloseDevices,
    Commit,
    Duck,
    EndWeighed,
    Judge,
    KeyDown,
    KeyUp,
    LetGo,
    Mode,
    Muted,
    Notify,
    OpenDevices,
    Opened,
    Pause,
    Purpose,
    Resume,
    ShowPartial,
    ShowText,
    Stop,
    TextStatus,
    Transcribe,
    Transcribed,
    TurnOn,
    Withdraw,
)
from voice.turn_state import Phase
from voice.types import RATE


@pytest.fixture
def world() -> World:
    world = World()
    world.open()
    return world


def test_listening_begins_with_the_first_frame() -> None:
    world = World()
    world.do(Opened(world.now_s))
    assert world.state.phase is Phase.OPENING
    world.frame(0.0)
    assert world.state.phase is Phase.LISTENING


def test_a_turn_is_asked_in_the_first_pause_and_stands_after_a_short_one(world: World) -> None:
    world.frames(0.9, 1.0)
    assert world.state.phase is Phase.USER_SPEAKING
    world.frames(0.0, 0.2)
    assert world.state.phase is Phase.ENDPOINTING
    asked = world.finish(Transcribe, "What time is it?")
    assert [command.text for command in of(Ask, asked)] == ["What time is it?"]
    assert not of(Commit, world.commands)
    world.finish(Judge, 0.95)
    commands = world.frames(0.0, 0.06)
    assert not of(Commit, commands)
    commands = world.frames(0.0, 0.06)
    assert [command.question for command in of(Commit, commands)] == [1]
    assert world.state.phase is Phase.THINKING


@pytest.mark.parametrize(("done", "seconds"), [(0.5, 0.7), (0.3, 1.3)])
def test_an_unfinished_sentence_is_given_more_time(world: World, done: float, seconds: float) -> None:
    world.frames(0.9, 1.0)
    world.frames(0.0, 0.25)
    world.finish(Judge, done)
    world.finish(Transcribe, "I would like that.")
    assert not of(Commit, world.frames(0.0, seconds - 0.35))
    assert of(Commit, world.frames(0.0, 0.2))


def test_who_speaks_on_withdraws_the_question(world: World) -> None:
    world.frames(0.9, 1.0)
    world.frames(0.0, 0.3)
    world.finish(Transcribe, "I would like")
    commands = world.frames(0.9, 0.15)
    assert of(Withdraw, commands) and world.state.phase is Phase.USER_SPEAKING
    world.frames(0.0, 0.25)
    (job,) = of(Transcribe, world.jobs.values())
    assert job.start == of(Transcribe, world.commands)[0].start, "the whole turn is transcribed anew"
    world.finish(Transcribe, "I would like a cup of tea")
    world.frames(0.0, 1.3)
    assert [command.text for command in of(Commit, world.commands)] == ["I would like a cup of tea"]


def test_at_most_three_questions_on_speculation_a_turn(world: World) -> None:
    for number in range(5):
        world.frames(0.9, 0.5)
        world.frames(0.0, 0.3)
        world.finish(Transcribe, f"part {number}")
    assert len(of(Ask, world.commands)) == 3
    world.frames(0.0, 1.3)
    assert [command.text for command in of(Commit, world.commands)] == ["part 4"]


def test_a_late_transcription_is_waited_for_and_then_given_up(world: World) -> None:
    world.frames(0.9, 0.5)
    world.frames(0.0, 2.0)
    assert world.state.phase is Phase.ENDPOINTING
    (job,) = of(Transcribe, world.jobs.values())
    while world.state.phase is Phase.ENDPOINTING:
        world.frame(0.0)
        world.wait(0.0)
    assert world.state.phase is Phase.LISTENING and of(Notify, world.commands)
    before = world.state
    assert world.do(Transcribed(world.now_s, job.job, "too late")) == ()
    assert world.state == before


def test_noise_without_words_is_no_turn(world: World) -> None:
    world.frames(0.9, 0.2)
    world.frames(0.0, 0.3)
    world.finish(Transcribe, " ")
    world.frames(0.0, 1.2)
    assert world.state.phase is Phase.LISTENING and not of(Ask, world.commands)


def test_partials_come_while_the_user_speaks(world: World) -> None:
    commands = world.frames(0.9, 0.9)
    assert [command.purpose for command in of(Transcribe, commands)] == [Purpose.PARTIAL]
    assert of(ShowPartial, world.finish(Transcribe, "hello"))


def test_no_partial_begins_in_a_silence(world: World) -> None:
    world.frames(0.9, 0.74)
    assert not of(Transcribe, world.frames(0.0, 0.06)), "it would be in the way of what the pause asks for"
    assert of(Transcribe, world.frames(0.9, 0.1))


def test_an_interruption_is_softened_then_confirmed_then_stopped(world: World) -> None:
    question = world.ask()
    world.speak(question, "The weather is fine today")
    began = world.position
    commands = world.frames(0.9, 0.13)
    assert of(Duck, commands) and world.state.phase is Phase.DUCKED
    world.frames(0.9, 0.25)
    (job,) = world.jobs.values()
    assert job.purpose is Purpose.INTERRUPTION
    commands = world.finish(Transcribe, "no tell me")
    assert [command.question for command in of(CancelAnswer, commands)] == [question]
    assert of(Duck, commands) and world.state.phase is Phase.USER_SPEAKING
    assert world.state.turn.start <= began, "no word of the interruption is lost"


@pytest.mark.parametrize("text", ["mhm", "yeah okay", "the weather is fine", "weather is find to day", ""])
def test_what_is_no_interruption_only_softens(world: World, text: str) -> None:
    question = world.ask()
    world.speak(question, "The weather is fine today")
    world.frames(0.9, 0.4)
    world.finish(Transcribe, text)
    world.frames(0.0, 0.2)
    world.finish(Transcribe, text)
    world.frames(0.0, 0.4)
    assert world.state.phase is Phase.SPEAKING and not world.is_ducked
    assert not of(CancelAnswer, world.commands)


def test_a_cough_is_over_soon(world: World) -> None:
    question = world.ask()
    world.speak(question, "The weather is fine today")
    world.frames(0.9, 0.13)
    assert world.is_ducked
    world.frames(0.0, 0.32)
    assert not world.is_ducked and world.state.phase is Phase.SPEAKING


def test_a_long_interruption_is_looked_at_again(world: World) -> None:
    question = world.ask()
    world.speak(question, "The weather is fine today")
    world.frames(0.9, 0.4)
    world.finish(Transcribe, "the")
    world.frames(0.9, 0.3)
    world.finish(Transcribe, "the")
    world.frame(0.9)
    assert world.state.phase is Phase.SPEAKING
    world.frames(0.9, 0.4)
    assert of(CancelAnswer, world.finish(Transcribe, "the other question I had"))


def test_echo_left_at_the_end_of_an_answer_is_no_turn(world: World) -> None:
    question = world.ask()
    world.speak(question, "The weather is fine today")
    world.frames(0.9, 0.1)
    world.do(AnswerDone(world.now_s, question))
    world.frames(0.9, 0.2)
    world.frames(0.0, 0.3)
    world.finish(Transcribe, "fine today")
    world.frames(0.0, 1.3)
    assert world.state.phase is Phase.LISTENING and len(of(Ask, world.commands)) == 1


def test_half_duplex_hears_nothing_while_it_speaks() -> None:
    world = World(half_duplex=True)
    world.open()
    question = world.ask()
    world.speak(question, "The weather is fine today")
    assert not world.frames(0.9, 3.0)
    world.do(AnswerDone(world.now_s, question))
    assert not world.frames(0.9, 0.28)
    world.frames(0.0, 0.2)
    assert world.state.phase is Phase.LISTENING


def test_push_to_talk_hears_only_while_the_key_is_down() -> None:
    world = World(Mode.PUSH_TO_TALK)
    world.open()
    world.frames(0.9, 2.0)
    assert world.state.phase is Phase.LISTENING
    world.do(KeyDown(world.now_s))
    world.frames(0.9, 1.0)
    world.frames(0.0, 2.0)
    world.finish(Transcribe, "what time")
    assert not of(Commit, world.commands), "the key is still down"
    world.frames(0.9, 1.0)
    world.do(KeyUp(world.now_s))
    world.frames(0.9, 0.2)
    world.finish(Transcribe, "what time is it")
    assert [command.text for command in of(Commit, world.commands)] == ["what time is it"]
    question = world.state.answer
    world.speak(question, "It is noon")
    world.frames(0.0, 1.0)
    world.do(KeyDown(world.now_s))
    assert of(CancelAnswer, world.commands) and world.state.phase is Phase.USER_SPEAKING
    world.do(KeyUp(world.now_s))
    world.frames(0.0, 0.3)
    assert world.state.phase is Phase.LISTENING, "a key that was only touched asks nothing"


def test_dictation_writes_down_and_asks_nothing() -> None:
    world = World(Mode.DICTATION)
    world.open()
    for words in ("dear Anna", "thank you"):
        world.frames(0.9, 1.0)
        world.frames(0.0, 0.3)
        world.finish(Transcribe, words)
        world.frames(0.0, 1.2)
    world.frames(0.9, 1.0)
    world.do(KeyUp(world.now_s))
    world.frames(0.9, 0.2)
    world.finish(Transcribe, "yours")
    assert world.state.phase is Phase.OFF
    texts = [command.text for command in of(ShowText, world.commands) if command.status is TextStatus.COMMITTED]
    assert texts == ["dear Anna", "thank you", "yours"] and not of(Ask, world.commands)


def test_muted_hears_nothing(world: World) -> None:
    world.do(Muted(world.now_s, True))
    world.frames(0.9, 2.0)
    assert world.state.phase is Phase.LISTENING
    world.do(Muted(world.now_s, False))
    world.frames(0.9, 0.2)
    assert world.state.phase is Phase.USER_SPEAKING


def test_pause_stands_still_and_resume_goes_on(world: World) -> None:
    question = world.ask()
    world.speak(question, "One")
    world.do(Pause(world.now_s))
    world.frames(0.9, 2.0)
    assert world.state.phase is Phase.PAUSED and world.is_held
    world.do(Resume(world.now_s))
    assert world.state.phase is Phase.SPEAKING and not world.is_held


def test_stop_ends_an_answer(world: World) -> None:
    question = world.ask()
    assert of(CancelAnswer, world.do(Stop(world.now_s)))[0].question == question
    assert world.state.phase is Phase.LISTENING


def test_a_microphone_that_is_gone_loses_no_word(world: World) -> None:
    world.frames(0.9, 2.0)
    commands = world.fail(DeviceError(Fault.MICROPHONE_GONE))
    (job,) = [command for command in of(Transcribe, commands) if command.purpose is Purpose.RESCUE]
    assert of(Notify, commands) and world.state.phase is Phase.ERROR and job.end - job.start > 1.9 * RATE
    rescued = world.finish(Transcribe, "write to Anna")
    assert [(command.text, command.status) for command in of(ShowText, rescued)] == [
        ("write to Anna", TextStatus.RESCUED)
    ]
    assert of(OpenDevices, world.wait(2.0))
    world.open()
    assert world.state.phase is Phase.LISTENING


def test_a_microphone_that_is_gone_twice_loses_no_word(world: World) -> None:
    """The second time, the words of the first are still being written down."""
    gone = DeviceError(Fault.MICROPHONE_GONE)
    for _ in range(2):
        world.frames(0.9, 2.0)
        world.fail(gone)
        assert of(OpenDevices, world.wait(2.0) + world.wait(2.0))
        world.open()
    first, second = world.jobs
    texts = [world.finish_job(first, "write to Anna"), world.finish_job(second, "about the boat")]
    assert [[command.text for command in of(ShowText, commands)] for commands in texts] == [
        ["write to Anna"],
        ["about the boat"],
    ]


def test_dictation_ends_when_all_its_words_are_written_down() -> None:
    """Those of a time before the microphone was lost, too; what is said meanwhile is none of them."""
    world = World(Mode.DICTATION)
    world.open()
    world.frames(0.9, 2.0)
    world.fail(DeviceError(Fault.MICROPHONE_GONE))
    assert of(OpenDevices, world.wait(2.0))
    world.open()
    world.frames(0.9, 2.0)
    world.do(KeyUp(world.now_s))
    world.frames(0.0, 2.0)
    (rescue,), turn = world.state.rescues, world.state.jobs.turn
    assert turn is not None
    assert [command.text for command in of(ShowText, world.finish_job(turn, "about the boat"))] == ["about the boat"]
    world.frames(0.9, 2.0)
    assert world.state.phase is Phase.LISTENING and world.state.turn is None and list(world.jobs) == [rescue]
    written = world.finish_job(rescue, "write to Anna")
    assert [command.text for command in of(ShowText, written)] == ["write to Anna"]
    assert world.state.phase is Phase.OFF and not world.jobs and not world.is_open


@pytest.mark.parametrize("how", ["late", "failed", "nothing said"])
def test_dictation_that_was_ended_does_not_go_on_listening(how: str) -> None:
    world = World(Mode.DICTATION)
    world.open()
    if how != "nothing said":
        world.frames(0.9, 2.0)
    world.do(KeyUp(world.now_s))
    world.frames(0.0, 1.0)
    if how == "late":
        for _ in range(60):
            world.wait(1.0)
            if world.is_open:
                world.frames(0.0, 0.1)
    elif how == "failed":
        (job,) = [number for number, each in world.jobs.items() if isinstance(each, Transcribe)]
        world.finish_job(job, VoiceError("out of memory"))
    assert world.state.phase is Phase.OFF and not world.jobs and not world.is_open


def test_a_microphone_that_falls_silent_without_a_word_is_noticed(world: World) -> None:
    commands = world.wait(2.1)
    assert [command.error.fault for command in of(Notify, commands)] == [Fault.MICROPHONE_GONE]


def test_retries_come_more_and_more_seldom_and_tell_once() -> None:
    world = World()
    waits = []
    for _ in range(5):
        world.fail(DeviceError(Fault.NO_MICROPHONE))
        began = world.now_s
        while world.state.phase is Phase.ERROR:
            world.wait(0.5)
        waits.append(world.now_s - began)
    assert waits == [2.0, 4.0, 8.0, 10.0, 10.0]
    assert len(of(Notify, world.commands)) == 1


def test_without_a_loudspeaker_the_answer_goes_on_as_text(world: World) -> None:
    question = world.ask()
    world.speak(question, "One")
    commands = world.fail(DeviceError(Fault.OUTPUT_GONE), microphone=False)
    assert [command.question for command in of(LetGo, commands)] == [question]
    assert not of(CancelAnswer, world.commands) and world.state.phase is Phase.LISTENING


def test_a_model_that_says_nothing_is_given_up(world: World) -> None:
    world.ask()
    while world.state.phase is Phase.THINKING:
        world.frames(0.0, 1.5)
        world.wait(0.0)
    assert of(CancelAnswer, world.commands) and of(Notify, world.commands)


def test_what_fails_is_told_and_listening_goes_on(world: World) -> None:
    world.frames(0.9, 1.0)
    world.frames(0.0, 0.3)
    world.finish(Transcribe, VoiceError("it broke"))
    assert of(Notify, world.commands) and world.state.phase is Phase.LISTENING
    question = world.ask()
    commands = world.do(AnswerDone(world.now_s, question, VoiceError("no voice")))
    assert of(Notify, commands) and world.state.phase is Phase.LISTENING


def test_another_mode_goes_on_with_the_open_microphone(world: World) -> None:
    world.ask()
    before = world.position
    commands = world.do(TurnOn(world.now_s, Mode.PUSH_TO_TALK))
    assert of(CancelAnswer, commands) and not of(OpenDevices, commands) and not of(CloseDevices, commands)
    assert world.state.phase is Phase.LISTENING and world.state.mode is Mode.PUSH_TO_TALK
    world.do(KeyDown(world.now_s))
    world.frames(0.9, 0.2)
    (job,) = world.fail(DeviceError(Fault.MICROPHONE_GONE))[:1]
    assert isinstance(job, Transcribe) and job.start >= before, "what was said in the other mode is not heard"
    commands = world.do(TurnOn(world.now_s, Mode.HANDS_FREE))
    assert of(OpenDevices, commands) and world.state.phase is Phase.OPENING, "what failed is opened anew"
    turned_off(world)


def test_another_mode_lets_go_of_what_stood_still(world: World) -> None:
    world.speak(world.ask(), "One")
    world.do(Pause(world.now_s))
    world.do(TurnOn(world.now_s, Mode.DICTATION))
    assert world.state.phase is Phase.LISTENING and not world.is_held
    turned_off(world)


def test_false_starts_cost_no_turn(world: World) -> None:
    for _ in range(20):
        world.frame(0.9)
        world.frames(0.0, 4 * FRAME_S)
    assert world.state.n_turns == 0


def test_words_that_interrupt() -> None:
    own = ("The capital of France is Paris.",)
    assert interrupts("wait, what about Rome", own)
    assert interrupts("Stop!", own)
    assert interrupts("29340", own) and not interrupts("9", own), "a small recogniser writes five words so"
    assert not interrupts("Paris-the capital", own)
    assert not interrupts("Paris is the capital", own)
    assert not interrupts("yeah, right, mhm", own)
    assert not interrupts("Rome", own)
    assert not interrupts("stop", ("He told her to stop.",))
    assert interrupts("he was not an old man", ("The dog said that it was an idea, and he did not go.",)), "small words"
    assert echoes("capital of France", own) and not echoes("capital of Spain", own)


@pytest.mark.parametrize(
    ("text", "is_end"),
    [
        ("I would like to.", False),
        ("Stopp, weil.", False),
        ("And then Mr.", False),
        ("What is it for?", True),
        ("He said: “Go!”", True),
        ("What is it", False),
        ("Seven of...", False),
        ("First the bread,", False),
        ("My number is 20", False),
        ("今日は何曜日です", True),
        ("那么，", False),
    ],
)
def test_words_that_ask_for_more_are_given_more_time(world: World, text: str, is_end: bool) -> None:
    world.frames(0.9, 1.0)
    world.frames(0.0, 0.25)
    world.finish(Judge, 0.99)
    world.finish(Transcribe, text)
    assert bool(of(Commit, world.frames(0.0, 0.25))) is is_end
    world.frames(0.0, 0.8)
    assert of(Commit, world.commands)


@pytest.mark.parametrize(
    ("done", "whole", "seconds"),
    [(0.99, None, 0.3), (0.99, 0.5, 0.3), (0.99, 0.001, 1.3), (0.6, 0.05, 0.65), (0.1, 0.3, 0.65), (0.1, 0.05, 1.3)],
)
def test_words_that_the_model_thinks_whole_end_a_turn_sooner(
    world: World, done: float, whole: float | None, seconds: float
) -> None:
    world.whole = whole
    world.frames(0.9, 1.0)
    world.frames(0.0, 0.25)
    world.finish(Judge, done)
    world.finish(Transcribe, "He was not an old man.")
    world.frames(0.0, seconds - 0.25 - 0.06)
    assert not of(Commit, world.commands)
    assert of(Commit, world.frames(0.0, 0.12))


def test_what_the_model_says_is_waited_for_and_not_for_long(world: World) -> None:
    world.weighs = False
    world.frames(0.9, 1.0)
    world.frames(0.0, 0.25)
    world.finish(Judge, 0.99)
    [asked] = of(Ask, world.finish(Transcribe, "What time is it?"))
    assert not of(Commit, world.frames(0.0, 0.16))
    world.do(EndWeighed(world.now_s, asked.question + 7, 0.9))
    assert not of(Commit, world.commands), "that was another question"
    [commit] = of(Commit, world.do(EndWeighed(world.now_s, asked.question, 0.9)))
    assert commit.question == asked.question
    world.do(AnswerDone(world.now_s, commit.question))
    world.frames(0.9, 1.0)
    world.frames(0.0, 0.25)
    world.finish(Judge, 0.99)
    world.finish(Transcribe, "What time is it?")
    assert of(Commit, world.frames(0.0, 0.4)), "it never came"


def test_a_late_transcript_is_weighed_too(world: World) -> None:
    world.whole = 0.001
    world.frames(0.9, 1.0)
    world.frames(0.0, 0.25)
    world.finish(Judge, 0.99)
    world.frames(0.0, 0.3)
    assert of(Ask, world.finish(Transcribe, "What is the capital of."))
    assert not of(Commit, world.frames(0.0, 0.5))
    assert of(Commit, world.frames(0.0, 0.4))
