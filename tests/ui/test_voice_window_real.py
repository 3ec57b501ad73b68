"""The window with a real voice process, real weights and scripted devices: a recording in, words in the composer; an
answer out, heard again.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.paths import resolve_paths
from app.ui.composer_microphone import Stage
from app.ui.main_window import MainWindow
from engine.fake import FakeEngine
from tests.process import voice_children
from tests.process.test_voice_process import SETUP, clip, likeness
from tests.process.voice_of_window import give_voice, link_weights
from tests.ui.test_shell import Shell
from voice.speech.client import SpeechClient

pytestmark = pytest.mark.weights
WAIT_MS = 60_000
ANSWER = """The library opens at **nine** in the morning [1].

```python
print("closed")
```

On Sundays it stays closed."""
CODE = """```python
print("zu")
```"""
GERMAN = """Der Leuchtturm wurde im Sturm beschädigt und bleibt bis zum Sommer geschlossen.

```python
print("zu")
```

Danach öffnet er wieder für alle Gäste der Insel."""
SPOKEN = "The library opens at nine in the morning. The code is on screen. On Sundays it stays closed."


@pytest.fixture
def shell(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> Iterator[Shell]:
    paths = replace(resolve_paths(tmp_path / "data"), models=tmp_path / "models")
    link_weights(paths)
    made = Shell(qtbot, qapp, paths)
    yield made
    made.stop()


@pytest.fixture
def window(shell: Shell, tmp_path: Path, request: pytest.FixtureRequest) -> MainWindow:
    made = shell.start(FakeEngine([getattr(request, "param", ANSWER)]))
    shell.qtbot.waitUntil(lambda: made.workspace.services is not None, timeout=WAIT_MS)
    services = made.workspace.services
    assert services is not None
    services.settings.override("voice.language", "en")
    give_voice(services, tmp_path)
    return made


def test_a_recording_becomes_words_in_the_composer(window: MainWindow, shell: Shell, tmp_path: Path) -> None:
    clips = [clip("0870"), clip("0890")]  # long enough for words to come meanwhile, on a busy machine too
    words = " ".join(said for _samples, said in clips)
    np.save(tmp_path / voice_children.QUESTION, np.concatenate([samples for samples, _said in clips]))
    composer = window.page.composer
    stages: list[Stage] = []
    shown: list[str] = []
    window.workspace.voice.changed.connect(lambda: stages.append(composer.microphone.stage))
    window.workspace.voice.heard_so_far.connect(lambda *_: shown.append(composer.provisional_words))
    composer.insert_text("He writes:")
    composer.microphone.click()
    shell.qtbot.waitUntil(lambda: likeness(composer.draft.text, f"He writes: {words}") > 0.85, timeout=WAIT_MS)
    composer.microphone.click()
    shell.qtbot.waitUntil(lambda: composer.microphone.stage is Stage.OFF, timeout=WAIT_MS)
    assert likeness(composer.draft.text, f"He writes: {words}") > 0.9, composer.draft.text
    assert composer.draft.text.startswith("He writes: ")
    assert any(shown), "words were shown while they were being said"
    assert stages[0] is Stage.OPENING and Stage.LISTENING in stages
    assert not window.page.path and composer.provisional_words == ""


def test_an_answer_is_read_aloud(window: MainWindow, shell: Shell, tmp_path: Path) -> None:
    shell.ask(window, "When does the library open?")
    shell.run(window, "read_aloud")
    voice = window.workspace.voice
    shell.qtbot.waitUntil(lambda: voice.read_message == window.page.path[-1].id, timeout=WAIT_MS)
    shell.qtbot.waitUntil(lambda: not voice.read_message, timeout=WAIT_MS)
    shell.qtbot.waitUntil((tmp_path / voice_children.HEARD).is_file, timeout=WAIT_MS)
    shell.stop()
    speech = SpeechClient(SETUP.speech)
    try:
        heard = speech.transcribe(np.load(tmp_path / voice_children.HEARD), language="en").text
    finally:
        speech.close()
    assert likeness(heard, SPOKEN) > 0.9, heard


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="this computer has no voice that speaks German")
@pytest.mark.parametrize("window", [GERMAN], indirect=True)
def test_a_german_answer_is_read_by_a_german_voice(window: MainWindow, shell: Shell, tmp_path: Path) -> None:
    shell.ask(window, "Und der Leuchtturm?")
    shell.run(window, "read_aloud")
    voice = window.workspace.voice
    shell.qtbot.waitUntil(lambda: bool(voice.read_message), timeout=WAIT_MS)
    shell.qtbot.waitUntil(lambda: not voice.read_message, timeout=WAIT_MS)
    shell.qtbot.waitUntil((tmp_path / voice_children.HEARD).is_file, timeout=WAIT_MS)
    shell.stop()
    speech = SpeechClient(SETUP.speech)
    try:
        heard = speech.transcribe(np.load(tmp_path / voice_children.HEARD), language="de").text
    finally:
        speech.close()
    # That voice is hard to understand for a recogniser; an English one would be no German at all.
    assert likeness(heard, GERMAN.replace(CODE, "Der Code steht auf dem Bildschirm.")) > 0.6, heard


def test_reading_is_stopped_by_dictation(window: MainWindow, shell: Shell, tmp_path: Path) -> None:
    shell.ask(window, "When does the library open?")
    shell.run(window, "read_aloud")
    voice, composer = window.workspace.voice, window.page.composer
    shell.qtbot.waitUntil(lambda: bool(voice.read_message), timeout=WAIT_MS)
    composer.microphone.click()
    shell.qtbot.waitUntil(lambda: composer.microphone.stage is Stage.LISTENING, timeout=WAIT_MS)
    assert voice.read_message == ""
    composer.microphone.click()
    shell.qtbot.waitUntil(lambda: composer.microphone.stage is Stage.OFF, timeout=WAIT_MS)
    assert composer.draft.text == ""
