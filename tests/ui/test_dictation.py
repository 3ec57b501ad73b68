"""Dictation over the whole window, with a scripted voice: press, hold, words that come, and where they stand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.downloader.order import Progress
from app.downloader.order import Stage as DownloadStage
from app.paths import resolve_paths
from app.store.types import Draft
from app.ui.composer import Composer
from app.ui.composer_microphone import Stage
from app.ui.composer_text import ComposerText
from app.ui.main_window import MainWindow
from app.voice_events import VoiceState, VoiceUse
from engine.fake import FakeEngine
from tests.ui.test_shell import WAIT_MS, Shell
from tests.ui.voice_posing import PosingVoice, pose, put_weights
from voice.turn_events import TextStatus
from voice.turn_state import Phase

LEFT = Qt.MouseButton.LeftButton
DICTATE = (Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)


@pytest.fixture
def shell(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> Iterator[Shell]:
    paths = replace(resolve_paths(tmp_path), models=tmp_path / "models")
    put_weights(paths)
    made = Shell(qtbot, qapp, paths)
    yield made
    made.stop()


@pytest.fixture
def window(shell: Shell) -> MainWindow:
    made = shell.start(FakeEngine(["Fine."]))
    shell.qtbot.waitUntil(lambda: made.workspace.services is not None, timeout=WAIT_MS)
    shell.qtbot.waitUntil(lambda: made.workspace.models.scanned, timeout=WAIT_MS)
    return made


@pytest.fixture
def voice(window: MainWindow) -> PosingVoice:
    services = window.workspace.services
    assert services is not None
    return pose(services)


def field(window: MainWindow) -> ComposerText:
    found = window.page.composer.findChild(ComposerText)
    assert found is not None
    return found


def composer(window: MainWindow) -> Composer:
    return window.page.composer


def provisional(window: MainWindow) -> str:
    block = field(window).textCursor().block()
    return block.layout().preeditAreaText()


def begin(window: MainWindow, voice: PosingVoice) -> None:
    composer(window).microphone.click()
    voice.phase(Phase.LISTENING)
    assert composer(window).microphone.stage is Stage.LISTENING


def test_a_click_begins_and_another_ends_and_the_last_words_are_written(window: MainWindow, voice: PosingVoice) -> None:
    microphone = composer(window).microphone
    microphone.click()
    assert voice.asked == [("dictate",)] and microphone.stage is Stage.OPENING and microphone.isChecked()
    voice.phase(Phase.LISTENING)
    assert microphone.stage is Stage.LISTENING and microphone.accessibleName() == "Stop dictating"
    voice.level(0.1)
    assert microphone.ring > 0.5
    voice.phase(Phase.USER_SPEAKING)
    voice.so_far("go forward", "ten")
    microphone.click()
    assert voice.asked[-1] == ("end_dictation",) and microphone.stage is Stage.ENDING
    voice.text("Go forward ten meters.")
    voice.phase(Phase.OFF)
    assert composer(window).draft.text == "Go forward ten meters."
    assert microphone.stage is Stage.OFF and not microphone.isChecked() and microphone.accessibleName() == "Dictate"
    assert not window.page.path, "nothing is sent"


def test_words_so_far_are_shown_and_are_not_in_the_draft(window: MainWindow, voice: PosingVoice, qtbot: QtBot) -> None:
    QTest.keyClicks(field(window), "Well, ")
    drafts: list[Draft] = []
    composer(window).flush_draft()
    composer(window).draft_changed.connect(drafts.append)
    begin(window, voice)
    voice.so_far("the quick", "brawn")
    assert provisional(window) == "the quick brawn"
    colors = [each.format.foreground().color() for each in field(window).textCursor().block().layout().formats()]
    theme = window.workspace.theme
    assert colors == [theme.color("text_muted"), theme.color("text_faint")]
    voice.so_far("the quick brown", "fox")
    assert provisional(window) == "the quick brown fox"
    assert composer(window).draft.text == "Well, " and field(window).toPlainText() == "Well, "
    composer(window).flush_draft()
    assert drafts == []
    voice.text("The quick brown fox.")
    assert provisional(window) == "" and composer(window).draft.text == "Well, the quick brown fox."
    voice.phase(Phase.LISTENING)
    voice.text("It jumps.")
    assert composer(window).draft.text == "Well, the quick brown fox. It jumps."
    composer(window).flush_draft()
    assert drafts[-1].text == "Well, the quick brown fox. It jumps."
    field(window).undo()
    assert composer(window).draft.text == "Well, the quick brown fox."
    field(window).undo()
    assert composer(window).draft.text == "Well, "


def test_a_held_button_listens_while_it_is_held(window: MainWindow, voice: PosingVoice, qtbot: QtBot) -> None:
    microphone = composer(window).microphone
    QTest.mousePress(microphone, LEFT)
    assert voice.asked == [("dictate",)]
    voice.phase(Phase.LISTENING)
    qtbot.waitUntil(lambda: not window.page.dictation._hold.isActive())
    QTest.mouseMove(microphone, microphone.rect().bottomRight() * 3)
    assert voice.asked == [("dictate",)], "a pointer that strays ends nothing"
    QTest.mouseRelease(microphone, LEFT)
    assert voice.asked == [("dictate",), ("end_dictation",)]


def test_the_button_can_be_held_by_keyboard(window: MainWindow, voice: PosingVoice, qtbot: QtBot) -> None:
    window.activateWindow()
    microphone = composer(window).microphone
    microphone.setFocus()
    QTest.keyPress(microphone, Qt.Key.Key_Space)
    assert voice.asked == [("dictate",)]
    voice.phase(Phase.LISTENING)
    qtbot.waitUntil(lambda: not window.page.dictation._hold.isActive())
    assert microphone.hasFocus() and len(voice.asked) == 1
    QTest.keyRelease(microphone, Qt.Key.Key_Space)
    assert voice.asked[-1] == ("end_dictation",)


def test_the_held_shortcut_listens_while_it_is_held(window: MainWindow, voice: PosingVoice, qtbot: QtBot) -> None:
    window.activateWindow()
    QTest.keyPress(field(window), *DICTATE)
    assert voice.asked == [("dictate",)]
    voice.phase(Phase.LISTENING)
    QApplication.sendEvent(field(window), QKeyEvent(QEvent.Type.KeyRelease, DICTATE[0], DICTATE[1], "", True))
    assert len(voice.asked) == 1, "a key that repeats is still held"
    qtbot.waitUntil(lambda: not window.page.dictation._hold.isActive())
    QTest.keyRelease(field(window), *DICTATE)
    assert voice.asked[-1] == ("end_dictation",)
    assert field(window).toPlainText() == ""


def test_a_short_press_of_the_shortcut_goes_on_until_the_next(window: MainWindow, voice: PosingVoice) -> None:
    window.activateWindow()
    QTest.keyClick(field(window), *DICTATE)
    assert voice.asked == [("dictate",)]
    voice.phase(Phase.LISTENING)
    QTest.keyClick(field(window), *DICTATE)
    assert voice.asked == [("dictate",), ("end_dictation",)]


def test_the_menu_begins_and_a_letter_ends_nothing(window: MainWindow, voice: PosingVoice, shell: Shell) -> None:
    shell.run(window, "dictate")
    voice.phase(Phase.LISTENING)
    QTest.keyClicks(field(window), "mm")
    assert voice.asked == [("dictate",)]


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Escape])
def test_enter_and_escape_end_it_and_send_nothing(window: MainWindow, voice: PosingVoice, key: Qt.Key) -> None:
    QTest.keyClicks(field(window), "Hello")
    begin(window, voice)
    QTest.keyClick(field(window), key)
    assert voice.asked[-1] == ("end_dictation",)
    voice.text("There.")
    voice.phase(Phase.OFF)
    assert composer(window).draft.text == "Hello there." and not window.page.path


def test_escape_ends_it_from_anywhere_in_the_window(window: MainWindow, voice: PosingVoice) -> None:
    assert not window.actions_of.action("stop").isEnabled()
    begin(window, voice)
    window.activateWindow()
    composer(window).microphone.setFocus()
    QTest.keyClick(composer(window).microphone, Qt.Key.Key_Escape)
    assert voice.asked[-1] == ("end_dictation",)
    voice.phase(Phase.OFF)
    assert not window.actions_of.action("stop").isEnabled()


def test_words_go_where_dictation_began(window: MainWindow, voice: PosingVoice) -> None:
    QTest.keyClicks(field(window), "one three")
    cursor = field(window).textCursor()
    cursor.setPosition(3)
    field(window).setTextCursor(cursor)
    begin(window, voice)
    voice.so_far("Two")
    QTest.keyClick(field(window), Qt.Key.Key_End)
    QTest.keyClicks(field(window), " four")
    QApplication.processEvents()
    assert provisional(window) == " two", "typing elsewhere moves nothing"
    voice.text("Two.")
    assert composer(window).draft.text == "one two three four"
    assert field(window).textCursor().position() == len("one two three four"), "the cursor stays where it was"


def test_the_cursor_follows_the_words(window: MainWindow, voice: PosingVoice) -> None:
    begin(window, voice)
    voice.so_far("Hello", "wor")
    before = field(window).provisional.caret()
    assert before is not None and before.x() > field(window).fontMetrics().horizontalAdvance("Hello w")
    voice.text("Hello world.")
    assert field(window).provisional.caret() is None
    assert field(window).textCursor().atEnd()


def test_a_click_into_the_text_does_not_lose_the_words(window: MainWindow, voice: PosingVoice, qtbot: QtBot) -> None:
    QTest.keyClicks(field(window), "one")
    begin(window, voice)
    voice.so_far("two")
    QTest.mouseClick(field(window).viewport(), LEFT)
    qtbot.waitUntil(lambda: provisional(window) == " two")


def test_what_was_said_before_the_microphone_failed_is_written(window: MainWindow, voice: PosingVoice) -> None:
    begin(window, voice)
    voice.phase(Phase.USER_SPEAKING)
    voice.so_far("save", "me")
    voice.phase(Phase.ERROR)
    assert composer(window).microphone.stage is Stage.OPENING
    voice.text("Save me.", TextStatus.RESCUED)
    assert composer(window).draft.text == "Save me."
    composer(window).microphone.click()
    assert voice.asked[-1] == ("end",), "a microphone that is gone cannot be told to close"
    assert composer(window).microphone.stage is Stage.OFF


def test_words_that_were_sure_are_kept_when_the_voice_dies(window: MainWindow, voice: PosingVoice) -> None:
    begin(window, voice)
    voice.phase(Phase.USER_SPEAKING)
    voice.so_far("keep these", "not")
    voice.phase(Phase.OFF)
    assert composer(window).draft.text == "Keep these" and provisional(window) == ""


def test_withdrawn_and_provisional_texts_are_not_written(window: MainWindow, voice: PosingVoice) -> None:
    begin(window, voice)
    voice.text("No.", TextStatus.WITHDRAWN)
    voice.text("Perhaps.", TextStatus.PROVISIONAL)
    assert composer(window).draft.text == ""


def test_another_chat_ends_it_and_the_words_stay_with_the_first(
    window: MainWindow, voice: PosingVoice, shell: Shell
) -> None:
    conversation = shell.ask(window, "How are you?")
    QTest.keyClicks(field(window), "I think")
    begin(window, voice)
    voice.so_far("we", "should")
    window.page.open("")
    assert voice.asked[-1] == ("end_dictation",)
    assert provisional(window) == "" and composer(window).draft.text == ""
    voice.text("We should go.")
    voice.phase(Phase.OFF)
    assert composer(window).draft.text == ""
    window.page.open(conversation)
    shell.qtbot.waitUntil(lambda: composer(window).draft.text == "I think we should go.", timeout=WAIT_MS)


def test_one_window_dictates_and_the_next_waits_for_the_last_words(
    window: MainWindow, voice: PosingVoice, shell: Shell
) -> None:
    shell.run(window, "new_window")
    assert shell.application is not None
    second = shell.application.windows[1]
    begin(window, voice)
    composer(second).microphone.click()
    assert voice.asked == [("dictate",), ("end_dictation",)]
    voice.text("For the first.")
    voice.phase(Phase.OFF)
    assert voice.asked == [("dictate",), ("end_dictation",), ("dictate",)]
    voice.phase(Phase.LISTENING)
    voice.text("For the second.")
    assert composer(window).draft.text == "For the first." and composer(second).draft.text == "For the second."
    assert composer(window).microphone.stage is Stage.OFF and composer(second).microphone.stage is Stage.LISTENING


def test_a_conversation_by_speech_is_no_dictation(window: MainWindow, voice: PosingVoice) -> None:
    voice.tell(VoiceState(VoiceUse.CONVERSATION, Phase.LISTENING))
    voice.so_far("hello")
    voice.text("Hello.")
    assert composer(window).draft.text == "" and composer(window).microphone.stage is Stage.OFF


def test_a_window_that_closes_keeps_the_words_that_are_known(
    window: MainWindow, voice: PosingVoice, shell: Shell
) -> None:
    begin(window, voice)
    voice.so_far("not", "lost")
    shell.stop()
    again = shell.start()
    shell.qtbot.waitUntil(lambda: composer(again).draft.text == "Not lost", timeout=WAIT_MS)


def test_without_weights_a_click_offers_to_fetch_them(window: MainWindow, voice: PosingVoice) -> None:
    for file in window.workspace.paths.voice.iterdir():
        file.unlink()
    composer(window).microphone.click()
    toast = window.toasts.current
    assert voice.asked == [] and toast is not None and toast.button is not None
    assert "88 MB" in toast.label.text() and toast.button.text() == "Fetch them"
    fetch = window.workspace.voice_weights
    told: list[object] = []
    fetch.start = lambda: told.append("start")  # type: ignore[method-assign]
    toast.button.click()
    fetch.progressed.emit(Progress(DownloadStage.DOWNLOADING, "", 22_000_000, 88_000_000))
    assert "25 %" in composer(window).microphone.accessibleDescription()
    put_weights(window.workspace.paths)
    fetch.fetched.emit()
    toast = window.toasts.current
    assert toast is not None and toast.button is not None and "dictate" in toast.label.text()
    toast.button.click()
    assert voice.asked == [("dictate",)]
