"""The pipeline in real time, with an injected microphone and loudspeaker: what goes well, and each fault."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from engine.errors import VoiceError
from tests.process.conversation import (
    Certain,
    Companion,
    LoudnessActivity,
    ScriptedTranscriber,
    ToneSynthesizer,
    noise,
)
from voice.audio.echo import NoCanceller
from voice.audio.scripted import RecordingSink, ScriptedSource
from voice.audio.streams import DeviceError, Fault
from voice.pipeline import Parts, VoicePipeline
from voice.tts.sentences import SentenceSplitter
from voice.turn_events import Mode, TextStatus
from voice.turn_state import Phase


@dataclass
class Talk:
    source: ScriptedSource
    sink: RecordingSink
    transcriber: ScriptedTranscriber
    synthesizer: ToneSynthesizer
    companion: Companion
    pipeline: VoicePipeline

    def begin(self, mode: Mode = Mode.HANDS_FREE, *, half_duplex: bool = False) -> None:
        self.pipeline.turn_on(mode, half_duplex=half_duplex)
        self.companion.wait("phase", Phase.LISTENING)

    def ask(self) -> int:
        """One question, up to the answer's first sample."""
        n = len(self.companion.all("commit"))
        n_spoken = self.companion.all("phase").count((Phase.SPEAKING,))
        self.source.say(noise(0.6))
        question, _ = self.companion.wait("commit", count=n + 1)
        self.companion.wait("phase", Phase.SPEAKING, count=n_spoken + 1)
        assert self.sink.wait_played(5.0)
        assert isinstance(question, int)
        return question


@pytest.fixture
def talk() -> Iterator[Talk]:
    companion = Companion()
    source, sink = ScriptedSource(), RecordingSink(rate=48_000)
    transcriber, synthesizer = ScriptedTranscriber(), ToneSynthesizer()
    parts = Parts(
        source, sink, NoCanceller(), LoudnessActivity(), Certain(), transcriber, synthesizer, SentenceSplitter
    )
    pipeline = VoicePipeline(parts, companion)
    companion.pipeline = pipeline
    yield Talk(source, sink, transcriber, synthesizer, companion, pipeline)
    pipeline.close()
    names = {"turns", "capture", "playback", "synthesize"}
    assert not [thread for thread in threading.enumerate() if thread.name in names]


def seconds_played(talk: Talk) -> float:
    return sum(len(block.samples) for block in talk.sink.played) / talk.sink.rate


def test_a_question_is_answered_and_all_of_it_is_spoken_once(talk: Talk) -> None:
    talk.companion.answer = lambda _text: ("It is ", "noon. ", "The sun is high. ", "Have a good lunch!")
    talk.begin()
    talk.ask()
    talk.companion.wait("done")
    assert " ".join(talk.synthesizer.said) == "It is noon. The sun is high. Have a good lunch!"
    expected = 0.05 * sum(len(text) for text in talk.synthesizer.said)
    assert seconds_played(talk) == pytest.approx(expected, abs=0.06)
    assert [characters for _, characters in talk.companion.all("spoken")][-1] == 47
    talk.companion.wait("phase", Phase.LISTENING, count=2)


def test_an_answer_starts_before_the_silence_that_commits_it_but_is_not_heard(talk: Talk) -> None:
    talk.begin()
    end_s = talk.source.say(noise(0.6))
    talk.companion.wait("commit")
    talk.companion.wait("phase", Phase.SPEAKING)
    assert talk.sink.wait_played(5.0)
    asked_s, commit_s = talk.companion.time_of("ask"), talk.companion.time_of("commit")
    first_s = talk.sink.played[0].at_s
    assert asked_s < commit_s <= first_s + 0.05
    assert first_s > end_s + 0.25, "nothing is heard before the turn is over"


def test_who_speaks_on_gets_one_answer_to_all_of_it(talk: Talk) -> None:
    talk.begin()
    talk.source.say(np.concatenate([noise(0.6), np.zeros(4800, np.float32), noise(0.6)]))
    talk.companion.wait("done")
    assert len(talk.companion.all("withdraw")) == 1 and len(talk.companion.all("commit")) == 1
    assert len(talk.transcriber.heard[-1]) > 1.4 * 16_000, "both halves were transcribed together"


def test_an_interruption_stops_playback_and_says_what_was_heard(talk: Talk) -> None:
    text = "One two three four five six seven eight nine ten eleven twelve. And much more after that."
    talk.companion.answer = lambda _text: (text,)
    talk.begin()
    question = talk.ask()
    talk.transcriber.text = "No, please tell me."
    talk.source.say(np.concatenate([np.zeros(16_000, np.float32), noise(1.0)]))
    told, characters = talk.companion.wait("interrupted")
    assert told == question
    talk.companion.wait("commit", count=2)
    assert text[:characters].strip() and characters < 64 and (text[characters - 1 : characters + 1].count(" ") == 1)
    spoken_s = seconds_played(talk)
    assert characters * 0.05 == pytest.approx(spoken_s, abs=0.6)


def test_stop_is_silent_within_a_few_blocks(talk: Talk) -> None:
    talk.companion.answer = lambda _text: ("One two three four five six seven eight nine ten eleven twelve.",)
    talk.begin()
    talk.ask()
    talk.pipeline.stop()
    talk.companion.wait("interrupted")
    stopped_s = talk.companion.time_of("interrupted")
    talk.companion.wait("phase", Phase.LISTENING, count=2)
    assert talk.sink.played[-1].at_s <= stopped_s + 0.03


def test_half_duplex_does_not_hear_itself(talk: Talk) -> None:
    talk.begin(half_duplex=True)
    talk.ask()
    talk.source.say(noise(0.5))
    talk.companion.wait("done")
    assert not talk.companion.all("interrupted") and len(talk.companion.all("ask")) == 1


def test_muted_keeps_nothing(talk: Talk) -> None:
    talk.begin(Mode.PUSH_TO_TALK)
    talk.pipeline.mute(True)
    talk.pipeline.key(True)
    talk.companion.wait("phase", Phase.USER_SPEAKING)
    end_s = talk.source.say(noise(0.3))
    _until(end_s + 0.2)
    talk.pipeline.key(False)
    talk.companion.wait("phase", Phase.LISTENING, count=2)
    assert not talk.transcriber.heard


def test_a_microphone_unplugged_in_the_middle_of_a_sentence(talk: Talk) -> None:
    talk.begin()
    talk.source.say(noise(3.0))
    talk.companion.wait("phase", Phase.USER_SPEAKING)
    talk.source.fail(DeviceError(Fault.MICROPHONE_GONE))
    (error,) = talk.companion.wait("notice")
    assert error.fault is Fault.MICROPHONE_GONE
    talk.companion.wait("text", TextStatus.RESCUED)
    talk.companion.wait("phase", Phase.LISTENING, count=2)


def test_a_microphone_whose_rate_changes_loses_no_word_and_is_heard_right_afterwards(talk: Talk) -> None:
    talk.begin()
    talk.source.say(noise(3.0))
    talk.companion.wait("phase", Phase.USER_SPEAKING)
    talk.source.fail(DeviceError(Fault.RATE_CHANGED))
    talk.source.rate = 48_000
    (error,) = talk.companion.wait("notice")
    assert error.fault is Fault.RATE_CHANGED
    talk.companion.wait("text", TextStatus.RESCUED)
    talk.companion.wait("phase", Phase.LISTENING, count=2)
    talk.source.say(noise(1.0, 48_000))
    talk.companion.wait("commit")
    seconds = len(talk.transcriber.heard[-1]) / 16_000
    assert 1.0 < seconds < 1.0 + 0.3 + 0.5, "with what came before and the silence that ended it"


def test_no_microphone_is_told_once_and_looked_for_again(talk: Talk) -> None:
    talk.source.refuse(DeviceError(Fault.NO_MICROPHONE))
    talk.pipeline.turn_on(Mode.HANDS_FREE)
    talk.companion.wait("phase", Phase.ERROR, count=2)
    assert len(talk.companion.all("notice")) == 1
    talk.source.refuse(None)
    talk.companion.wait("phase", Phase.LISTENING)
    talk.companion.wait("phase", Phase.LISTENING)


def test_denied_is_a_sentence(talk: Talk) -> None:
    talk.source.refuse(DeviceError(Fault.DENIED))
    talk.pipeline.turn_on(Mode.HANDS_FREE)
    (error,) = talk.companion.wait("notice")
    assert "privacy settings" in str(error)


def test_three_seconds_of_zeros_are_told(talk: Talk) -> None:
    talk.source.mute()
    talk.begin()
    (error,) = talk.companion.wait("notice")
    assert error.fault is Fault.SILENT and talk.pipeline.phase is Phase.LISTENING


def test_a_loudspeaker_gone_while_speaking(talk: Talk) -> None:
    talk.companion.answer = lambda _text: ("One two three four five six seven eight nine ten eleven twelve.",)
    talk.begin()
    question = talk.ask()
    talk.sink.fail(DeviceError(Fault.OUTPUT_GONE))
    (error,) = talk.companion.wait("notice")
    assert error.fault is Fault.OUTPUT_GONE
    talk.companion.wait("done", question)
    assert not talk.companion.all("interrupted"), "as text, the answer goes on"
    talk.source.say(noise(0.6))
    talk.companion.wait("done", count=2)
    talk.ask()


def test_a_loudspeaker_that_comes_back_with_another_rate_speaks_as_fast_as_before(talk: Talk) -> None:
    talk.companion.answer = lambda _text: ("One two three four five six.",)
    talk.begin()
    talk.ask()
    talk.sink.fail(DeviceError(Fault.OUTPUT_GONE))
    talk.companion.wait("done")
    talk.sink.rate, talk.sink.block = 44_100, 882
    talk.source.say(noise(0.6))  # the loudspeaker is looked for again
    talk.companion.wait("done", count=2)
    n_before = len(talk.sink.played)
    talk.source.say(noise(0.6))
    talk.companion.wait("done", count=3)
    seconds = sum(len(block.samples) for block in talk.sink.played[n_before:]) / 44_100
    assert seconds == pytest.approx(0.05 * len("One two three four five six."), abs=0.06)


def test_no_loudspeaker_at_all(talk: Talk) -> None:
    talk.sink.refuse(DeviceError(Fault.NO_OUTPUT))
    talk.begin()
    (error,) = talk.companion.wait("notice")
    assert error.fault is Fault.NO_OUTPUT
    talk.source.say(noise(0.6))
    talk.companion.wait("done")
    assert not talk.sink.played


def test_a_voice_that_fails_leaves_the_text(talk: Talk) -> None:
    talk.begin()
    talk.synthesizer.fault = VoiceError("the voice broke")
    talk.source.say(noise(0.6))
    (error,) = talk.companion.wait("notice")
    assert str(error) == "the voice broke"
    talk.companion.wait("phase", Phase.LISTENING, count=2)


def test_off_while_speaking_leaves_nothing(talk: Talk) -> None:
    talk.begin()
    talk.ask()
    talk.pipeline.turn_off()
    talk.companion.wait("interrupted")
    talk.companion.wait("phase", Phase.OFF)
    talk.pipeline.turn_on(Mode.HANDS_FREE)
    talk.companion.wait("phase", Phase.LISTENING, count=2)
    talk.ask()


def _until(at_s: float) -> None:
    """The scripted microphone runs by the clock."""
    threading.Event().wait(max(0.0, at_s - time.monotonic()))
