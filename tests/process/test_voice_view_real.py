"""A conversation in the window: spoken to a real model, written into the transcript, and answered aloud."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.events import ChatEvent
from app.paths import Paths
from app.read_ahead import ReadAhead
from app.services import Services
from app.settings import Settings
from app.store.types import MessageState
from app.ui.application import Application
from app.ui.main_window import MainWindow
from app.voice import VoiceService
from engine.worker.client import EngineClient
from tests.process import voice_children
from tests.process.test_voice_process import SETUP, likeness
from tests.unit.chat_bench import disposable_paths, nowhere
from tests.voice_audio_weights import voice_audio_folder
from tests.voice_weights import voice_folder
from voice import audio_weights, weights
from voice.audio.resampling import resample
from voice.client import VoiceClient
from voice.speech.client import SpeechClient
from voice.types import RATE

pytestmark = pytest.mark.weights
PATIENCE_MS = 60_000
QUESTION = "What is the capital of France?"


@pytest.fixture
def speech() -> Iterator[SpeechClient]:
    client = SpeechClient(SETUP.speech)
    yield client
    client.close()


@pytest.fixture
def window(qtbot: QtBot, qapp: QApplication, tmp_path: Path, qwen_small: Path) -> Iterator[MainWindow]:
    paths = disposable_paths(tmp_path)
    paths.create()
    paths.voice.mkdir()
    for files, where in ((weights.FILES, voice_folder()), (audio_weights.FILES, voice_audio_folder())):
        for file in files:
            (paths.voice / file.file_name).symlink_to(where / file.file_name)

    def open_services(paths: Paths, settings: Settings, publish: Callable[[ChatEvent], None]) -> Services:
        for key, value in (
            ("chat.automatic_titles", False), ("chat.temperature", 0.0), ("chat.max_tokens", 24),
            ("model.n_threads", 1), ("model.n_ctx", 2048),
            ("voice.language", "en"),
        ):  # fmt: skip
            settings.override(key, value)
        services = Services.open(
            paths, publish=publish, settings=settings, engine=EngineClient(), places=nowhere(tmp_path)
        )
        services.models.load(qwen_small).result(PATIENCE_MS / 1000)
        services._voice = VoiceService(
            paths,
            settings,
            services.chat,
            ReadAhead(services.store_call, services.engine, settings, pool=services.pool),
            services._publish,
            pool=services.pool,
            make_client=partial(VoiceClient, entry_point=partial(voice_children.scripted, folder=tmp_path)),
        )
        return services

    application = Application(qapp, paths, open_services=open_services)
    application.start()
    made = application.windows[0]
    qtbot.waitUntil(lambda: made.workspace.services is not None, timeout=PATIENCE_MS)
    yield made
    application.close()
    qapp.setStyleSheet("")


def test_a_question_is_spoken_and_answered_in_the_window(
    window: MainWindow, qtbot: QtBot, speech: SpeechClient, tmp_path: Path
) -> None:
    question = speech.synthesize(QUESTION)
    told: list[object] = []
    window.workspace.bridge.chat_event.connect(told.append)
    window.actions_of.action("talk").trigger()
    flow = window._voice
    assert flow is not None
    words = [flow.view.words.text()]
    qtbot.waitUntil(lambda: flow.view.words.text() == "Ready", timeout=PATIENCE_MS)
    flow.view.mode.click()  # hands-free
    qtbot.waitUntil(lambda: flow.view.words.text() == "Listening", timeout=PATIENCE_MS)
    asked = tmp_path / "asked.npy"
    np.save(asked, resample(question.samples, question.rate, RATE))
    asked.replace(tmp_path / voice_children.QUESTION)

    def answered() -> None:
        text = flow.view.words.text()
        if words[-1] != text:
            words.append(text)
        path = window.page.path
        spoken = len(path) == 2 and path[1].state is MessageState.COMPLETE
        done = spoken and "Speaking" in words and text == "Listening"
        assert done, (words, path, [event for event in told if "VoiceLevel" not in repr(event)])

    with contextlib.suppress(qtbot.TimeoutError):
        qtbot.waitUntil(answered, timeout=PATIENCE_MS)
    answered()
    assert words[0] == "Starting…" and "Thinking" in words, words
    asked, answer = window.page.path
    assert likeness(asked.text, QUESTION) > 0.9 and "Paris" in answer.text
    heard, said = flow.view.captions.shown
    assert heard.is_person and heard.firm == asked.text
    assert not said.is_person and "Paris" in said.firm and not said.rest
    QTest.keyClick(flow.view, Qt.Key.Key_Escape)
    assert not flow.is_open and window.page.transcript.isVisible()
    assert window.page.transcript.message_ids() == [asked.id, answer.id]
    qtbot.waitUntil((tmp_path / voice_children.HEARD).exists, timeout=PATIENCE_MS)
    read_back = speech.transcribe(np.load(tmp_path / voice_children.HEARD), language="en").text
    assert "paris" in read_back.lower() and likeness(read_back, answer.text) > 0.7, (read_back, answer.text)
