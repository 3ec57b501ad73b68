"""A conversation with everything real but the sound card and the language model: speech in, speech out, interrupted."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

import numpy as np
import pytest

from tests.process.conversation import Companion
from tests.voice_audio_weights import voice_audio_folder
from tests.voice_weights import recordings, whisper_tiny
from voice.audio.echo import WebRtcCanceller
from voice.audio.resampling import resample
from voice.audio.scripted import RecordingSink, ScriptedSource, SimulatedRoom, room_impulse
from voice.endpoint import SmartTurn
from voice.pipeline import Parts, VoicePipeline
from voice.speech.choice import SpeechChoice
from voice.speech.client import SpeechClient
from voice.tts.sentences import SentenceSplitter
from voice.turn_events import Mode
from voice.turn_state import Phase
from voice.types import RATE
from voice.vad import SileroVoiceActivity
from voice.word_end import WordEnd

pytestmark = pytest.mark.weights

ANSWER = (
    "The library opens at nine in the morning. On Sundays it stays closed. Bring your card, please, "
    "because the door only opens with one. The reading room is on the second floor, beside the stairs."
)


@pytest.fixture(scope="module")
def speech() -> Iterator[SpeechClient]:
    client = SpeechClient(SpeechChoice(whisper_tiny()))
    client.prepare()
    yield client
    client.close()


@pytest.fixture
def talk(speech: SpeechClient) -> Iterator[tuple[Companion, ScriptedSource, RecordingSink, VoicePipeline]]:
    room = SimulatedRoom(room_impulse(RATE, gain_db=-10, delay_s=0.02, tail_s=0.2))
    source, sink = ScriptedSource(room=room), RecordingSink(room=room)
    companion = Companion(lambda _text: [word + " " for word in ANSWER.split()])
    parts = Parts(
        source,
        sink,
        WebRtcCanceller(),
        WordEnd(SileroVoiceActivity(voice_audio_folder())),
        SmartTurn(voice_audio_folder()),
        speech,
        speech,
        SentenceSplitter,
    )
    pipeline = VoicePipeline(parts, companion)
    companion.pipeline = pipeline
    pipeline.choose(language="en")
    pipeline.turn_on(Mode.HANDS_FREE)
    companion.wait("phase", Phase.LISTENING)
    yield companion, source, sink, pipeline
    pipeline.close()


def words(text: str) -> list[str]:
    return "".join(c for c in text.lower() if c.isalnum() or c == " ").split()


def likeness(heard: object, text: str) -> float:
    """Of the letters: a rare word may be spelt in another way."""
    return difflib.SequenceMatcher(None, " ".join(words(str(heard))), " ".join(words(text))).ratio()


def said(name: str) -> tuple[np.ndarray, str]:
    found = next(recording for recording in recordings() if name in recording.name)
    return found.samples, found.words


def test_a_question_is_understood_and_the_whole_answer_is_spoken_without_hearing_itself(
    talk: tuple[Companion, ScriptedSource, RecordingSink, VoicePipeline], speech: SpeechClient
) -> None:
    companion, source, sink, _ = talk
    samples, text = said("0930")
    source.say(samples)
    _, asked = companion.wait("commit")
    assert likeness(asked, text) > 0.9
    companion.wait("done", timeout_s=60)
    assert len(companion.all("commit")) == 1 and not companion.all("interrupted")
    heard = np.concatenate([block.samples for block in sink.played])
    read_back = words(speech.transcribe(resample(heard, sink.rate, RATE), language="en").text)
    # How a word is spelt, and "nine" or "9", changes with the silence around it; that all was said does not.
    assert likeness(" ".join(read_back), ANSWER) > 0.9, read_back
    assert abs(len(read_back) - len(words(ANSWER))) <= 3


def test_an_interruption_is_understood_from_its_first_word(
    talk: tuple[Companion, ScriptedSource, RecordingSink, VoicePipeline],
) -> None:
    companion, source, _, _ = talk
    source.say(said("0880")[0])
    companion.wait("phase", Phase.SPEAKING)
    companion.wait("spoken")
    samples, text = said("0930")
    source.say(samples)
    companion.wait("phase", Phase.DUCKED)
    _, characters = companion.wait("interrupted")
    assert 0 < int(str(characters)) < len(ANSWER)
    _, asked = companion.wait("commit", count=2)
    # The canceller swallows a little of the first words while both speak: "he" may come out as "you".
    assert likeness(asked, text) > 0.65 and "might even have been made" in str(asked).casefold(), asked
