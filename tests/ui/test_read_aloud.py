"""Reading an answer aloud, with a scripted voice: the action, the mark, the keys, and what is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.paths import resolve_paths
from app.ui.main_window import MainWindow
from app.ui.message_actions import Action, ActionRow
from app.ui.message_widget import MessageWidget
from engine.fake import FakeAnswer, FakeEngine
from tests.ui.test_shell import WAIT_MS, Shell
from tests.ui.voice_posing import PosingVoice, pose
from voice.tts.sentences import SentenceSplitter
from voice.turn_state import Phase

ANSWER = "The ferry sails twice a day [1]. See the code:\n\n```python\nprint(1)\n```\n\nThat is all [1, 2]."


@pytest.fixture
def shell(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> Iterator[Shell]:
    made = Shell(qtbot, qapp, replace(resolve_paths(tmp_path), models=tmp_path / "models"))
    yield made
    made.stop()


@pytest.fixture
def window(shell: Shell) -> MainWindow:
    made = shell.start(FakeEngine([FakeAnswer(ANSWER, reasoning="Hm."), "Another answer."]))
    shell.qtbot.waitUntil(lambda: made.workspace.services is not None, timeout=WAIT_MS)
    shell.ask(made, "When does it sail?")
    return made


@pytest.fixture
def voice(window: MainWindow) -> PosingVoice:
    services = window.workspace.services
    assert services is not None
    return pose(services)


def view(window: MainWindow, place: int = -1) -> MessageWidget:
    found = window.page.transcript.message_view(window.page.path[place].id)
    assert found is not None
    return found


def test_an_answer_is_read_and_marked_and_stopped(window: MainWindow, voice: PosingVoice) -> None:
    row = view(window).findChild(ActionRow)
    assert row is not None
    read = row.buttons[Action.READ_ALOUD]
    assert read.accessibleName() == "Read aloud"
    read.click()
    message = window.page.path[-1]
    assert voice.asked == [("read_aloud", message.id, ANSWER)], "the answer without its reasoning"
    assert read.accessibleName() == "Stop reading"
    assert view(window).accessibleDescription().startswith("Being read aloud.")
    read.click()
    assert voice.asked[-1] == ("end",) and read.accessibleName() == "Read aloud"
    assert "Being read" not in view(window).accessibleDescription()


def test_it_ends_by_itself(window: MainWindow, voice: PosingVoice, shell: Shell) -> None:
    shell.run(window, "read_aloud")
    assert window.workspace.voice.read_message == window.page.path[-1].id
    voice.phase(Phase.OFF)
    assert window.workspace.voice.read_message == ""


def test_the_menu_of_the_message_names_it(window: MainWindow, voice: PosingVoice) -> None:
    def titles() -> list[str]:
        return [action.text() for action in view(window).menu().actions()]

    assert "Read aloud" in titles() and "Stop reading" not in titles()
    next(action for action in view(window).menu().actions() if action.text() == "Read aloud").trigger()
    assert voice.asked[0][0] == "read_aloud" and "Stop reading" in titles()
    own = [action.text() for action in view(window, 0).menu().actions()]
    assert "Read aloud" not in own, "a question is not read"


def test_keys_read_the_last_answer_and_escape_stops(window: MainWindow, voice: PosingVoice) -> None:
    window.activateWindow()
    field = window.page.composer.focusProxy()
    assert field is not None
    modifiers = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(field, Qt.Key.Key_R, modifiers)
    assert voice.asked == [("read_aloud", window.page.path[-1].id, ANSWER)]
    QTest.keyClick(field, Qt.Key.Key_Escape)
    assert voice.asked[-1] == ("end",)


def test_another_message_takes_over_the_mark(window: MainWindow, voice: PosingVoice, shell: Shell) -> None:
    first = window.page.path[-1]
    window.page.requests.read_aloud(first.id)
    conversation = window.page.conversation_id
    shell.ask(window, "And back?")
    second = window.page.path[-1]
    assert second.id != first.id and window.page.conversation_id == conversation
    window.page.requests.read_aloud(second.id)
    assert [asked[1] for asked in voice.asked] == [first.id, second.id]
    transcript = window.page.transcript
    first_view, second_view = transcript.message_view(first.id), transcript.message_view(second.id)
    assert first_view is not None and second_view is not None
    assert "Being read" in second_view.accessibleDescription()
    assert "Being read" not in first_view.accessibleDescription()


def test_the_mark_is_there_again_when_the_chat_is(window: MainWindow, voice: PosingVoice, shell: Shell) -> None:
    conversation = window.page.conversation_id
    shell.run(window, "read_aloud")
    window.page.open("")
    window.page.open(conversation)
    shell.qtbot.waitUntil(lambda: len(window.page.path) == 2, timeout=WAIT_MS)
    shell.qtbot.waitUntil(lambda: "Being read" in view(window).accessibleDescription(), timeout=WAIT_MS)


def test_what_is_said_of_an_answer_names_the_code_and_no_citation(window: MainWindow) -> None:
    text = window.page.path[-1].text
    splitter = SentenceSplitter()
    chunks = [*splitter.feed(text), *splitter.end()]
    assert chunks[0].start == 0 and chunks[-1].end == len(text), "nothing is dropped"
    said = " ".join(chunk.text for chunk in chunks if chunk.text)
    assert said == "The ferry sails twice a day. See the code: The code is on screen. That is all."
