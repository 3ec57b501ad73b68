"""In which language a sentence of an answer is, what is said in it besides, and whose voice speaks it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from app import cli_voice
from app.bootstrap import Start
from app.command_line import Arguments
from app.console import Console
from app.paths import resolve_paths
from app.settings import Settings
from app.spoken_languages import SpokenLanguages
from engine.cancel import CancelToken
from engine.errors import VoiceError
from tests.process.conversation import ToneSynthesizer
from voice.audio.echo import NoCanceller
from voice.audio.scripted import RecordingSink
from voice.speaker import Speaker
from voice.speech.choice import Speaking
from voice.tts.other_voices import OtherVoices
from voice.tts.sentences import Chunk, SentenceSplitter
from voice.tts.speakable import ENGLISH
from voice.types import Sound, VoiceName

ENGLISH_TEXT = "The lighthouse was built in 1847, and it is the oldest of the three that stand on the island."
GERMAN_TEXT = (
    "Der Leuchtturm wurde 1847 gebaut und ist der älteste auf der Insel. Er steht seit dem Sturm leer.\n\n"
    "```python\nfor each in the_list_of_the_lights:\n    print('and the rest of it')\n```\n"
)
LANGUAGES = SpokenLanguages()


def chunks(answer: str, question: str = "") -> list[Chunk]:
    splitter = SentenceSplitter(languages=LANGUAGES)
    splitter.expect(question)
    found = [chunk for word in answer.split(" ") for chunk in splitter.feed(f"{word} ")]
    return [chunk for chunk in (*found, *splitter.end()) if chunk.text]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (ENGLISH_TEXT, "en"),
        (GERMAN_TEXT, "de"),
        ("Le phare a été construit en 1847 par une ingénieure et reste le plus ancien de l'île.", "fr"),
        ("灯台は島にあります。", "ja"),
        ("```\nder die das\n```", ""),
        ("Sure, no problem.", ""),
        ("42", ""),
        ("", ""),
    ],
)
def test_the_language_is_that_of_the_prose_where_it_can_be_told(text: str, language: str) -> None:
    assert LANGUAGES.of(text) == language


def test_phrases_without_a_translation_are_english() -> None:
    assert LANGUAGES.phrases("de").code == "Der Code steht auf dem Bildschirm."
    assert LANGUAGES.phrases("fr") == ENGLISH


def test_a_german_answer_is_german_to_its_last_phrase() -> None:
    found = chunks(GERMAN_TEXT)
    assert {chunk.language for chunk in found} == {"de"}
    assert found[-1].text == "Der Code steht auf dem Bildschirm."


def test_a_short_beginning_is_in_the_language_of_the_question() -> None:
    question = "Wie alt ist eigentlich der Leuchtturm auf der Insel?"
    assert next(chunk.language for chunk in chunks(f"Gerne, {GERMAN_TEXT}", question)) == "de"
    assert [chunk.language for chunk in chunks(f"Gerne, {GERMAN_TEXT}")][:2] == ["en", "de"]


def test_each_sentence_has_its_own_language() -> None:
    found = chunks(f"{ENGLISH_TEXT} Der Leuchtturm wurde vor langer Zeit gebaut und steht heute leer. {ENGLISH_TEXT}")
    assert [chunk.language for chunk in found if len(chunk.text) > 40] == ["en", "de", "en"]


class Voices(ToneSynthesizer):
    """A computer's, and which of them spoke."""

    def __init__(self, *voices: VoiceName, fault: VoiceError | None = None) -> None:
        super().__init__()
        self._voices, self._fault = voices, fault
        self.n_asked = 0
        self.spoke: list[tuple[str, str]] = []

    def voices(self) -> Sequence[VoiceName]:
        self.n_asked += 1
        if self._fault is not None:
            raise self._fault
        return self._voices

    def synthesize(self, text: str, *, voice: str = "", speed: float = 1.0, cancel: CancelToken | None = None) -> Sound:
        self.spoke.append((voice, text))
        return super().synthesize(text[:2], voice=voice, speed=speed, cancel=cancel)


def spoken(others: Voices, text: str) -> Voices:
    """What the own voice was given; the others were given the rest."""
    own, ended = Voices(), Ended()
    sink = RecordingSink()
    speaker = Speaker(
        own, sink, NoCanceller(), lambda: SentenceSplitter(languages=LANGUAGES), ended, others=OtherVoices(others)
    )
    speaker.open()
    speaker.begin(1)
    speaker.say(1, text)
    speaker.ended(1)
    speaker.commit(1)
    assert ended.event.wait(20)
    speaker.close()
    return own


class Ended:
    """See `voice.speaker.Mouth`."""

    def __init__(self) -> None:
        import threading

        self.event = threading.Event()

    def started(self, question: int) -> None: ...

    def playing(self, question: int, text: str) -> None: ...

    def spoken(self, question: int, characters: int) -> None: ...

    def done(self, question: int, error: VoiceError | None) -> None:
        self.event.set()

    def output_failed(self, error: VoiceError) -> None: ...


GERMAN = "Der Leuchtturm wurde vor langer Zeit gebaut und steht heute leer."


def test_each_sentence_is_spoken_by_a_voice_of_its_language() -> None:
    others = Voices(VoiceName("daniel", "Daniel", "en"), VoiceName("anna", "Anna", "de"), VoiceName("eva", "Eva", "de"))
    own = spoken(others, f"{ENGLISH_TEXT} {GERMAN} {ENGLISH_TEXT}")
    assert others.spoke == [("anna", GERMAN)] and others.n_asked == 1
    assert all("Leuchtturm" not in text for _, text in own.spoke) and own.spoke


def test_nobody_is_asked_for_english() -> None:
    others = Voices(VoiceName("anna", "Anna", "de"))
    assert spoken(others, ENGLISH_TEXT).spoke and others.n_asked == 0


@pytest.mark.parametrize("fault", [None, VoiceError("none")])
def test_without_a_voice_of_the_language_the_own_one_speaks(fault: VoiceError | None) -> None:
    others = Voices(VoiceName("daniel", "Daniel", "en"), fault=fault)
    assert [text for _, text in spoken(others, f"{GERMAN} {GERMAN}").spoke] and not others.spoke


def test_hearth_say_speaks_by_the_same_voices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clients = {Speaking.HIBARI: Voices(), Speaking.SYSTEM: Voices(VoiceName("anna", "Anna", "de"))}
    monkeypatch.setattr(cli_voice, "SpeechClient", lambda choice, **_more: clients[choice.speaking])
    arguments = Arguments(words=(ENGLISH_TEXT, GERMAN), output=tmp_path / "said.wav")
    assert cli_voice.say(arguments, Start(resolve_paths(tmp_path), Settings()), Console()) == 0
    assert clients[Speaking.SYSTEM].spoke == [("anna", GERMAN)]
    assert "".join(text for _, text in clients[Speaking.HIBARI].spoke).startswith("The lighthouse")
