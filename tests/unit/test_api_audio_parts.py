"""Sound and transcripts in the formats that OpenAI's clients ask for, and which voice a name stands for."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pysubs2
import pytest
import soundfile
from openai.types.audio import TranscriptionVerbose

from app.api.faults import BusyError, InvalidRequestError
from app.api.sound_formats import FORMATS, RATE, sound_file
from app.api.speech import LocalSpeech
from app.api.transcripts import PLAIN, Heard, as_json, as_verbose_json
from app.paths import Paths, resolve_paths
from app.settings import Settings
from engine.errors import VoiceError
from voice.speech.choice import Speaking, SpeechChoice
from voice.types import Segment, Sound, VoiceName

HEARD = Heard((Segment(0.0, 1.25, " Go forward."), Segment(2.0, 3.5, "Ten {metres}.")), 3.75, "en")


def tone(seconds: float, rate: int) -> Sound:
    return Sound(np.sin(np.arange(int(seconds * rate)) * 2 * np.pi * 440 / rate).astype(np.float32) * 0.5, rate)


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "pcm"])
def test_every_format_holds_the_sound(name: str) -> None:
    made = sound_file([tone(0.5, 22_050), tone(1.0, 16_000)], FORMATS[name])
    samples, rate = soundfile.read(io.BytesIO(made))
    assert (rate, samples.ndim) in ((RATE, 1), (48_000, 1))
    assert len(samples) / rate == pytest.approx(1.5, abs=0.1)
    spectrum = np.abs(np.fft.rfft(samples))
    assert np.argmax(spectrum) * rate / len(samples) == pytest.approx(440, abs=3)


def test_bare_samples_have_16_bits_and_keep_their_loudness() -> None:
    samples = np.frombuffer(sound_file([tone(0.5, RATE)], FORMATS["pcm"]), "<i2")
    assert len(samples) == RATE // 2
    assert np.abs(samples).max() == pytest.approx(0.5 * 32767, rel=0.01)
    loud = Sound(np.array([-3.0, 3.0], np.float32), RATE)
    assert np.frombuffer(sound_file([loud], FORMATS["pcm"]), "<i2").tolist() == [-32767, 32767]


def test_a_transcript_is_told_in_every_form() -> None:
    assert as_json(HEARD) == {"text": "Go forward. Ten {metres}.", "usage": {"type": "duration", "seconds": 4}}
    told = as_verbose_json(HEARD)
    assert (told["language"], told["duration"], told["text"]) == ("english", 3.75, "Go forward. Ten {metres}.")
    strict = TranscriptionVerbose.model_validate(told, strict=True)
    assert strict.segments is not None
    second = strict.segments[1]
    assert (second.id, second.start, second.end, second.text) == (1, 2.0, 3.5, "Ten {metres}.")
    assert second.no_speech_prob < 0.6 and second.avg_logprob > -1 and second.compression_ratio < 2.4, "kept"
    for form in ("srt", "vtt"):
        write, _media_type = PLAIN[form]
        events = pysubs2.SSAFile.from_string(write(HEARD), form)
        assert [(event.start, event.end) for event in events] == [(0, 1250), (2000, 3500)]
    assert PLAIN["text"][0](HEARD) == "Go forward. Ten {metres}.\n"


def test_silence_is_no_text() -> None:
    silent = Heard((), 2.0)
    assert as_json(silent)["text"] == "" and as_verbose_json(silent)["segments"] == []


class _Client:
    """Speaks a tone a word, and remembers how it was asked."""

    def __init__(self, choice: SpeechChoice, asked: list[tuple[Any, ...]]) -> None:
        self._choice, self._asked = choice, asked
        self.closed = False

    def synthesize(self, text: str, *, voice: str = "", speed: float = 1.0, cancel: object = None) -> Sound:
        self._asked.append((self._choice.speaking, text, voice, speed))
        return tone(0.1 * len(text.split()), RATE)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def asked() -> list[tuple[Any, ...]]:
    return []


@pytest.fixture
def speech(tmp_path: Path, asked: list[tuple[Any, ...]]) -> LocalSpeech:
    def voices(_paths: Paths) -> Sequence[tuple[str, VoiceName]]:
        return (("hibari:heart", VoiceName("heart", "Heart", "en")), ("system:de/anna", VoiceName("de/anna", "Anna")))

    return LocalSpeech(
        replace(resolve_paths(tmp_path), models=tmp_path / "models"),
        Settings(),
        make_client=lambda choice: _Client(choice, asked),  # type: ignore[arg-type, return-value]
        list_voices=voices,
    )


def test_the_names_of_other_services_are_the_voice_of_the_settings(
    speech: LocalSpeech, asked: list[tuple[Any, ...]]
) -> None:
    sounds = list(speech.speak("It is open. Come in, please.", voice="alloy", speed=1.5))
    assert len(sounds) == len(asked) >= 1
    assert {(speaking, voice, speed) for speaking, _text, voice, speed in asked} == {(Speaking.HIBARI, "", 1.5)}
    assert " ".join(text for _speaking, text, _voice, _speed in asked) == "It is open. Come in, please."


@pytest.mark.parametrize("name", ["Anna", "anna", "de/anna", "system:de/anna"])
def test_a_voice_of_this_computer_is_found_by_its_name(
    speech: LocalSpeech, asked: list[tuple[Any, ...]], name: str
) -> None:
    list(speech.speak("Hello.", voice=name))
    assert asked == [(Speaking.SYSTEM, "Hello.", "de/anna", 1.0)]


def test_what_cannot_be_spoken_is_said_before_the_first_sound(speech: LocalSpeech) -> None:
    with pytest.raises(InvalidRequestError, match="Heart, Anna"):
        speech.speak("Hello.", voice="nobody")
    with pytest.raises(InvalidRequestError, match="nothing to say"):
        speech.speak(" \n ", voice="alloy")
    speech.close()
    with pytest.raises(BusyError, match="closing"):
        speech.speak("Hello.")


def test_hearing_names_what_is_missing(speech: LocalSpeech, tmp_path: Path) -> None:
    with pytest.raises(VoiceError, match="hearth fetch voice"):
        speech.hear(tmp_path / "no.wav")
