"""A whole conversation by speech: a spoken question, a real model's answer, heard again; interrupted, and stored."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest

from app.conversing import SpokenConversation
from app.events import ChatEvent
from app.read_ahead import ReadAhead
from app.services import Services
from app.settings import Settings
from app.spoken_languages import SpokenLanguages
from app.store.types import MessageState, StoredMessage
from engine.types import SamplingParams
from engine.worker.client import EngineClient
from tests.benchmarks.asking import never_end
from tests.process import voice_children
from tests.process.conversation import Companion
from tests.process.test_cli_real import PATIENCE_S
from tests.process.test_engine_faults import pid_of
from tests.process.test_voice_process import SETUP, clip, likeness
from tests.unit.chat_bench import WAIT_S, disposable_paths, nowhere
from tests.voice_weights import voice_folder
from voice.audio.resampling import resample
from voice.client import VoiceClient
from voice.protocol import VoiceSetup
from voice.speech.choice import Speaking
from voice.speech.client import SpeechClient
from voice.turn_events import Mode
from voice.turn_state import Phase
from voice.types import RATE, Samples

pytestmark = pytest.mark.weights
TALK_S = 120.0


class Desk:
    """Services with a model, and a conversation by speech on scripted devices."""

    def __init__(
        self, folder: Path, model: Path, most_tokens: int, *, endless: bool, setup: VoiceSetup = SETUP
    ) -> None:
        self.folder = folder
        takers: list[Callable[[ChatEvent], None]] = []
        settings = Settings.load(disposable_paths(folder).settings_file)
        for key, value in (("chat.automatic_titles", False), ("model.n_threads", 1), ("model.n_ctx", 2048)):
            settings.override(key, value)
        self.services = Services.open(
            disposable_paths(folder),
            publish=lambda event: [take(event) for take in takers] and None,
            engine=EngineClient(),
            settings=settings,
            places=nowhere(folder),
        )
        services = self.services
        services.models.load(model).result(PATIENCE_S)
        self.heard = Companion()
        self.heard.ask = lambda *_: None  # type: ignore[method-assign]  # the model answers here
        self.spoken = SpokenConversation(
            services.chat,
            ReadAhead(services.store_call, services.engine, services.settings, pool=services.pool),
            self.heard,
            takers.append,
            sampling=SamplingParams(
                temperature=0.0, max_tokens=most_tokens, logit_bias=never_end(model) if endless else ()
            ),
        )
        takers.append(self.spoken.take)
        entry_point = partial(voice_children.scripted, folder=folder, languages=SpokenLanguages())
        self.voice = VoiceClient(setup, self.spoken, entry_point=entry_point)
        self.voice.choose(language="en")
        self.spoken.line = self.voice

    def ask(self, samples: Samples) -> None:
        """Once what hears is loaded, which takes seconds on a busy machine."""
        self.voice.turn_on(Mode.HANDS_FREE)
        self.voice.voices().result(TALK_S)
        half = self.folder / "half"
        with half.open("wb") as file:
            np.save(file, samples)
        half.rename(self.folder / voice_children.QUESTION)

    def messages(self) -> list[StoredMessage]:
        known = self.spoken.conversation_id
        assert known is not None and self.services.chat.wait_until_idle(WAIT_S)
        return self.services.store_call(lambda store: store.path(known)).result(WAIT_S)

    def close(self) -> None:
        self.voice.close()
        self.services.close()


class MakeDesk(Protocol):
    """`endless`: the model would write on, were it not for `most_tokens`."""

    def __call__(self, most_tokens: int, *, endless: bool = False, setup: VoiceSetup = SETUP) -> Desk: ...


@pytest.fixture
def desk(tmp_path: Path, qwen_small: Path) -> Iterator[MakeDesk]:
    made: list[Desk] = []

    def make(most_tokens: int, *, endless: bool = False, setup: VoiceSetup = SETUP) -> Desk:
        made.append(Desk(tmp_path, qwen_small, most_tokens, endless=endless, setup=setup))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.mark.parametrize("speaking", [Speaking.HIBARI, Speaking.KOKORO])
def test_a_spoken_question_is_answered_aloud_and_stored(desk: MakeDesk, speaking: Speaking) -> None:
    speech = SpeechClient(SETUP.speech)
    try:
        question = speech.synthesize("What is the capital of France?")
        d = desk(24, setup=replace(SETUP, speech=replace(SETUP.speech, speaking=speaking, voices=voice_folder())))
        d.ask(resample(question.samples, question.rate, RATE))
        d.heard.wait("done", timeout_s=TALK_S)
        d.voice.turn_off()
        d.heard.wait("phase", Phase.OFF)
        asked, answer = d.messages()
        assert likeness(asked.text, "What is the capital of France?") > 0.9
        assert "Paris" in answer.text and answer.state is MessageState.COMPLETE
        d.voice.close()
        heard = speech.transcribe(np.load(d.folder / voice_children.HEARD), language="en").text
        assert "paris" in heard.lower() and likeness(heard, answer.text) > 0.7, (heard, answer.text)
        assert not d.heard.all("notice")
    finally:
        speech.close()


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="this computer has no voice that speaks German")
def test_a_german_question_is_answered_in_german_by_a_german_voice(desk: MakeDesk) -> None:
    speech = SpeechClient(replace(SETUP.speech, speaking=Speaking.SYSTEM))
    try:
        german = next(voice.id for voice in speech.voices() if voice.language == "de")
        question = speech.synthesize("Was ist die Hauptstadt von Frankreich?", voice=german)
        d = desk(24)
        d.voice.choose(language="")  # nobody said which language it is
        d.ask(resample(question.samples, question.rate, RATE))
        d.heard.wait("done", timeout_s=TALK_S)
        d.voice.turn_off()
        d.heard.wait("phase", Phase.OFF)
        asked, answer = d.messages()
        assert likeness(asked.text, "Was ist die Hauptstadt von Frankreich?") > 0.8, asked.text
        assert SpokenLanguages().of(answer.text) == "de", answer.text
        d.voice.close()
        heard = np.load(d.folder / voice_children.HEARD)
        assert speech.transcribe(heard).language == "de"
        assert likeness(speech.transcribe(heard, language="de").text, answer.text) > 0.5
    finally:
        speech.close()


def test_what_was_not_heard_of_an_answer_to_a_recorded_question_is_not_counted(desk: MakeDesk) -> None:
    d = desk(120, endless=True)
    d.ask(clip("0930")[0])
    d.heard.wait("spoken", timeout_s=TALK_S)
    d.voice.stop()
    question, characters = d.heard.wait("interrupted", timeout_s=TALK_S)
    assert question == 1 and isinstance(characters, int) and characters > 0
    asked, answer = d.messages()
    assert likeness(asked.text, clip("0930")[1]) > 0.9
    answer = d.messages()[1]  # the store's thread has cut it by now
    assert answer.state is MessageState.STOPPED and 0 < len(answer.text) <= characters + 1


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_model_that_crashes_while_it_is_spoken_loses_nothing(desk: MakeDesk) -> None:
    d = desk(400, endless=True)
    d.ask(clip("0930")[0])
    d.heard.wait("spoken", timeout_s=TALK_S)
    engine = d.services.engine
    assert isinstance(engine, EngineClient)
    os.kill(pid_of(engine), signal.SIGKILL)
    d.heard.wait("done", 1, timeout_s=TALK_S)
    _, answer = d.messages()
    assert answer.state is MessageState.INTERRUPTED and answer.text and answer.error
    assert d.heard.all("spoken")[-1][1] >= len(answer.text.rstrip()), "what had come was spoken to its end"
    d.voice.turn_off()
    d.heard.wait("phase", Phase.OFF)
    d.ask(clip("0880")[0])
    d.heard.wait("spoken", 2, timeout_s=TALK_S)
    d.voice.turn_off()
    assert likeness(d.messages()[2].text, clip("0880")[1]) > 0.9
