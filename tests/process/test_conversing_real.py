"""A whole conversation by speech: a spoken question, a real model's answer, heard again; interrupted, and stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from app.conversing import SpokenConversation
from app.events import ChatEvent
from app.read_ahead import ReadAhead
from app.services import Services
from app.settings import Settings
from app.store.types import MessageState, StoredMessage
from engine.types import SamplingParams
from engine.worker.client import EngineClient
from tests.process import voice_children
from tests.process.conversation import Companion
from tests.process.test_cli_real import PATIENCE_S
from tests.process.test_voice_process import SETUP, clip, likeness
from tests.unit.chat_bench import WAIT_S, disposable_paths, nowhere
from voice.audio.resampling import resample
from voice.client import VoiceClient
from voice.speech.client import SpeechClient
from voice.turn_events import Mode
from voice.turn_state import Phase
from voice.types import RATE, Samples

pytestmark = pytest.mark.weights
TALK_S = 120.0


class Desk:
    """Services with a model, and a conversation by speech on scripted devices."""

    def __init__(self, folder: Path, model: Path, most_tokens: int) -> None:
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
            sampling=SamplingParams(temperature=0.0, max_tokens=most_tokens),
        )
        takers.append(self.spoken.take)
        self.voice = VoiceClient(SETUP, self.spoken, entry_point=partial(voice_children.scripted, folder=folder))
        self.voice.choose(language="en")
        self.spoken.line = self.voice

    def ask(self, samples: Samples) -> None:
        np.save(self.folder / voice_children.QUESTION, samples)
        self.voice.turn_on(Mode.HANDS_FREE)

    def messages(self) -> list[StoredMessage]:
        known = self.spoken.conversation_id
        assert known is not None and self.services.chat.wait_until_idle(WAIT_S)
        return self.services.store_call(lambda store: store.path(known)).result(WAIT_S)

    def close(self) -> None:
        self.voice.close()
        self.services.close()


@pytest.fixture
def desk(tmp_path: Path, qwen_small: Path) -> Iterator[Callable[[int], Desk]]:
    made: list[Desk] = []

    def make(most_tokens: int) -> Desk:
        made.append(Desk(tmp_path, qwen_small, most_tokens))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_a_spoken_question_is_answered_aloud_and_stored(desk: Callable[[int], Desk]) -> None:
    speech = SpeechClient(SETUP.speech)
    try:
        question = speech.synthesize("What is the capital of France?")
        d = desk(24)
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


def test_what_was_not_heard_of_an_answer_to_a_recorded_question_is_not_counted(desk: Callable[[int], Desk]) -> None:
    d = desk(120)
    d.ask(clip("0930")[0])
    d.heard.wait("spoken", timeout_s=TALK_S)
    d.voice.stop()
    question, characters = d.heard.wait("interrupted", timeout_s=TALK_S)
    assert question == 1 and isinstance(characters, int) and characters > 0
    asked, answer = d.messages()
    assert likeness(asked.text, clip("0930")[1]) > 0.9
    answer = d.messages()[1]  # the store's thread has cut it by now
    assert answer.state is MessageState.STOPPED and 0 < len(answer.text) <= characters + 1
