"""Whatever happens in whatever order: the rules of `World` hold, every phase has a way out, nothing stale acts."""

from __future__ import annotations

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from engine.errors import VoiceError
from tests.unit.turn_world import World, turned_off
from voice.audio.streams import DeviceError, Fault
from voice.turn_events import (
    AnswerDone,
    AnswerGrew,
    EndWeighed,
    Judge,
    Judged,
    KeyDown,
    KeyUp,
    Mode,
    Muted,
    Opened,
    Pause,
    PlaybackStarted,
    Resume,
    SentencePlaying,
    Stop,
    Transcribed,
    TurnOff,
    TurnOn,
)
from voice.turn_state import Phase

TEXTS = ("", "mhm", "stop", "what time is it", "the weather is fine", "Hey Hearth, what time is it?")
ACTIONS = st.one_of(
    st.tuples(st.just("speech"), st.sampled_from([0.03, 0.1, 0.2, 0.4, 1.0])),
    st.tuples(st.just("silence"), st.sampled_from([0.03, 0.1, 0.2, 0.5, 1.3])),
    st.tuples(st.just("wait"), st.sampled_from([0.1, 1.0, 3.0, 200.0])),
    st.tuples(st.just("result"), st.sampled_from(TEXTS)),
    st.tuples(st.just("result"), st.sampled_from(TEXTS)),
    st.tuples(st.just("job fails"), st.just(0)),
    st.tuples(st.just("stale"), st.sampled_from(TEXTS)),
    st.tuples(st.just("answer"), st.sampled_from(["grew", "started", "sentence", "done", "failed"])),
    st.tuples(st.just("answer"), st.sampled_from(["started", "done"])),
    st.tuples(st.just("device"), st.sampled_from(["microphone", "output", "opened"])),
    st.tuples(st.just("hand"), st.sampled_from([KeyDown, KeyUp, Pause, Resume, Stop])),
    st.tuples(st.just("mute"), st.booleans()),
    st.tuples(st.just("whole turn"), st.booleans()),
    st.tuples(st.just("weighs"), st.booleans()),
    st.tuples(st.just("weighed"), st.sampled_from([None, 0.001, 0.05, 0.9])),
    st.tuples(st.just("off"), st.just(0)),
    st.tuples(st.just("on"), st.sampled_from(list(Mode))),
)
SCRIPTS = st.lists(ACTIONS, max_size=60)


def act(world: World, action: str, value: object) -> None:  # noqa: PLR0912  # one case an action
    match action:
        case "speech" | "silence":
            world.frames(0.9 if action == "speech" else 0.01, value)
        case "whole turn" if world.state.phase is Phase.LISTENING and not world.state.is_muted:
            if world.state.mode is Mode.HANDS_FREE and not world.state.key_is_down and not world.jobs:
                world.frames(0.0, 0.5)
                question = world.ask()
                if value:
                    world.speak(question, "the weather is fine")
        case "wait":
            world.wait(value)
        case "result" if world.jobs:
            job, command = next(iter(world.jobs.items()))
            world.finish_job(
                job, 0.95 if isinstance(command, Judge) and value else 0.1 if isinstance(command, Judge) else value
            )
        case "job fails" if world.jobs:
            world.finish_job(next(iter(world.jobs)), VoiceError("it broke"))
        case "stale" if world.ended_jobs:
            before = world.state
            for job in world.ended_jobs[-3:]:
                assert world.do(Transcribed(world.now_s, job, str(value))) == ()
                assert world.do(Judged(world.now_s, job, 1.0)) == ()
            assert world.state == before
        case "answer" if world.asked:
            _answer(world, str(value))
        case "device":
            if value == "opened":
                world.do(Opened(world.now_s))
            else:
                fault = Fault.MICROPHONE_GONE if value == "microphone" else Fault.OUTPUT_GONE
                world.fail(DeviceError(fault), microphone=value == "microphone")
        case "hand":
            world.do(value(world.now_s))
        case "weighs":
            world.weighs = value
        case "weighed" if world.asked:
            world.whole = value
            world.do(EndWeighed(world.now_s, max(world.asked), value))
        case "mute":
            world.do(Muted(world.now_s, value))
        case "off":
            world.do(TurnOff(world.now_s))
        case "on":
            world.do(TurnOn(world.now_s, value))


def _answer(world: World, what: str) -> None:
    question = world.state.answer
    if question is None:
        # About an answer that is over: nothing may come of it.
        before = world.state
        question = max(world.asked)
        if question in world.closed:
            assert world.do(PlaybackStarted(world.now_s, question)) == ()
            assert world.do(AnswerDone(world.now_s, question)) == ()
            assert world.state == before
        return
    now_s = world.now_s
    events = {
        "grew": AnswerGrew(now_s, question),
        "started": PlaybackStarted(now_s, question),
        "sentence": SentencePlaying(now_s, question, "the weather is fine"),
        "done": AnswerDone(now_s, question),
        "failed": AnswerDone(now_s, question, VoiceError("no voice")),
    }
    world.do(events[what])


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(list(Mode)), st.booleans(), st.booleans(), SCRIPTS)
def test_the_rules_hold_and_off_leaves_nothing_running(
    mode: Mode, half_duplex: bool, waits_for_name: bool, script: list
) -> None:
    world = World(mode, half_duplex=half_duplex, waits_for_name=waits_for_name)
    for action, value in script:
        act(world, action, value)
    turned_off(world)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(list(Mode)), st.booleans(), SCRIPTS, st.booleans())
def test_every_waiting_phase_ends_by_itself(mode: Mode, waits_for_name: bool, script: list, has_sound: bool) -> None:
    """With nothing but time, with or without a microphone that runs, it comes to rest."""
    world = World(mode, waits_for_name=waits_for_name)
    for action, value in script:
        act(world, action, value)
    world.do(KeyUp(world.now_s))
    seen = []
    for _ in range(4000):
        seen.append(world.state.phase)
        if has_sound and world.is_open:
            world.frames(0.0, 0.5)
            world.wait(0.0)
        else:
            world.wait(0.5)
        if seen[-30:] in ([Phase.LISTENING] * 30, [Phase.ASLEEP] * 30):
            break
        if world.state.phase in (Phase.OFF, Phase.PAUSED):
            break
    waiting = {Phase.USER_SPEAKING, Phase.ENDPOINTING, Phase.THINKING, Phase.SPEAKING, Phase.DUCKED}
    assert world.state.phase not in waiting
    if has_sound:
        assert world.state.phase in (Phase.OFF, Phase.PAUSED, Phase.LISTENING, Phase.ASLEEP)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SCRIPTS)
@example([("speech", 0.03), ("weighs", False), ("whole turn", False)])
@example([("whole turn", False), ("weighed", 0.001), ("silence", 1.3), ("result", ""), ("whole turn", True)])
def test_all_that_is_said_is_heard_once(script: list) -> None:
    """Turns do not overlap: no sample is transcribed for two turns."""
    world = World()
    spans: dict[int, tuple[int, int]] = {}
    for action, value in script:
        if action in ("on", "off", "device", "wait"):
            continue
        act(world, action, value)
        if world.state.phase is Phase.THINKING and world.state.n_turns not in spans:
            spans[world.state.n_turns] = (0, world.state.heard_until)
        turn = world.state.turn
        if turn is not None:
            assert all(end <= turn.start for number, (_, end) in spans.items() if number < turn.id)
