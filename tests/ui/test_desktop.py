"""Hearth outside its windows: the quick question, the icon beside the clock, running on, lines when work is done."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.events import DocumentsHappened, MessageAdded, MessageFinished, VoiceHappened
from app.paths import resolve_paths
from app.store.types import MessageState, TextPart
from app.ui.activity import Doing
from app.ui.application import Application
from app.ui.main_window import MainWindow
from app.ui.notifications import LONG_S, Notifications
from app.ui.quick_ask import KEEP, QuickAsk
from app.ui.tray import Tray, state_icon
from app.ui.workspace import Workspace
from app.voice_events import VoiceState, VoiceUse
from engine.context.segments import Role
from engine.fake import FakeEngine
from rag.events import EmbeddingProgress, FilesChanged, ReadingProgress
from rag.types import Unit
from tests.ui.test_shell import WAIT_MS, Shell

SECRET = "the-garden-key"


@pytest.fixture
def shell(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> Iterator[Shell]:
    made = Shell(qtbot, qapp, replace(resolve_paths(tmp_path), models=tmp_path / "models"))
    yield made
    made.stop()


def application_of(shell: Shell) -> Application:
    assert shell.application is not None
    return shell.application


def quick_of(shell: Shell) -> QuickAsk:
    quick = application_of(shell).desktop.quick
    assert quick is not None
    return quick


def ask_quickly(shell: Shell, window: MainWindow, words: str) -> QuickAsk:
    shell.run(window, "quick_ask")
    quick = quick_of(shell)
    QTest.keyClicks(quick.field, words)
    QTest.keyClick(quick.field, Qt.Key.Key_Return)
    shell.qtbot.waitUntil(lambda: len(quick.transcript.message_ids()) == 2, timeout=WAIT_MS)
    answers = window.workspace.answers
    shell.qtbot.waitUntil(lambda: not answers.is_generating(quick.conversation_id), timeout=WAIT_MS)
    return quick


def stored(window: MainWindow) -> list[str]:
    """The ids of the conversations in the store, those in the bin too."""
    services = window.workspace.services
    assert services is not None
    return services.store_call(lambda store: [each.id for each in store.conversations()]).result(10)


def test_a_quick_question_is_an_ordinary_chat(shell: Shell) -> None:
    window = shell.start(FakeEngine(["In the **blue** pot."]))
    quick = ask_quickly(shell, window, "Where is the key?")
    conversation = quick.conversation_id
    assert quick.isVisible()
    assert window.page.conversation_id == "", "the window shows what it showed"
    QTest.keyClick(quick.field, Qt.Key.Key_Escape)
    assert not quick.isVisible()
    assert stored(window) == [conversation]
    shell.run(window, "quick_ask")
    assert quick.field.toPlainText() == ""
    assert quick.transcript.isHidden()


def test_one_may_ask_on(shell: Shell) -> None:
    window = shell.start(FakeEngine(["Blue.", "On the terrace."]))
    quick = ask_quickly(shell, window, "Which pot?")
    QTest.keyClicks(quick.field, "Where?")
    QTest.keyClick(quick.field, Qt.Key.Key_Return)
    shell.qtbot.waitUntil(lambda: len(quick.transcript.message_ids()) == 4, timeout=WAIT_MS)
    assert len(stored(window)) == 1


def test_it_goes_on_in_the_window_with_words_not_asked_yet(shell: Shell) -> None:
    window = shell.start(FakeEngine(["Blue."]))
    quick = ask_quickly(shell, window, "Which pot?")
    conversation = quick.conversation_id
    QTest.keyClicks(quick.field, "and where")
    QTest.keyClick(quick.field, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert not quick.isVisible()
    assert window.page.conversation_id == conversation
    shell.qtbot.waitUntil(lambda: window.page.composer.draft.text == "and where", timeout=WAIT_MS)
    shell.qtbot.waitUntil(lambda: len(window.page.path) == 2, timeout=WAIT_MS)


def test_a_forgotten_question_leaves_nothing(shell: Shell) -> None:
    window = shell.start(FakeEngine(["Blue."]))
    window.workspace.settings.set(KEEP, False)
    quick = ask_quickly(shell, window, "Which pot?")
    assert len(stored(window)) == 1
    quick.close()
    shell.qtbot.waitUntil(lambda: stored(window) == [], timeout=WAIT_MS)
    shell.qtbot.waitUntil(lambda: shell.titles(window) == [], timeout=WAIT_MS)
    shell.stop()
    assert b"Which pot" not in shell.paths.conversations_db.read_bytes()


def test_what_a_crash_left_is_forgotten_at_the_next_start(shell: Shell) -> None:
    window = shell.start(FakeEngine(["Blue.", "Red."]))
    kept = shell.ask(window, "Which colour is kept?")
    window.workspace.settings.set(KEEP, False)
    quick = ask_quickly(shell, window, "Which pot?")
    # As a crash leaves it: nobody closed the small window.
    quick.conversation_id = ""
    shell.stop()
    window = shell.start()
    shell.qtbot.waitUntil(lambda: stored(window) == [kept], timeout=WAIT_MS)


def test_a_question_that_was_closed_as_it_was_sent_does_not_come_back(shell: Shell) -> None:
    window = shell.start(FakeEngine(["Blue."]))
    window.workspace.settings.set(KEEP, False)
    services = window.workspace.services
    assert services is not None
    send, held = services.chat.send, Future[str]()
    services.chat.send = lambda *_given, **_named: held  # type: ignore[method-assign]
    shell.run(window, "quick_ask")
    quick = quick_of(shell)
    QTest.keyClicks(quick.field, "Which pot?")
    QTest.keyClick(quick.field, Qt.Key.Key_Return)
    quick.close()
    shell.run(window, "quick_ask")
    QTest.keyClicks(quick.field, "Which")
    send(None, "Which pot?").add_done_callback(lambda sent: held.set_result(sent.result()))
    shell.qtbot.waitUntil(lambda: held.done() and stored(window) == [], timeout=WAIT_MS)
    assert quick.conversation_id == ""
    assert quick.field.toPlainText() == "Which"
    assert quick.transcript.isHidden()


def test_a_forgotten_question_that_goes_on_is_kept(shell: Shell) -> None:
    window = shell.start(FakeEngine(["Blue."]))
    window.workspace.settings.set(KEEP, False)
    quick = ask_quickly(shell, window, "Which pot?")
    quick.carry()
    shell.qtbot.waitUntil(lambda: len(window.page.path) == 2, timeout=WAIT_MS)
    assert len(stored(window)) == 1


def test_a_start_for_a_quick_question_opens_nothing_else(shell: Shell) -> None:
    window = shell.start(FakeEngine(["Blue."]))
    before = shell.ask(window, "What was open?")
    shell.stop()
    application = shell.begin(FakeEngine(["Red."]), quick=True)
    assert application.windows == []
    quick = quick_of(shell)
    QTest.keyClicks(quick.field, "Which pot?")
    QTest.keyClick(quick.field, Qt.Key.Key_Return)
    shell.qtbot.waitUntil(lambda: len(quick.transcript.message_ids()) == 2, timeout=WAIT_MS)
    shell.stop()
    assert shell.start().page.conversation_id == before, "the session of before is not lost"


def test_files_that_come_before_the_chats_are_open_wait_for_them(shell: Shell, tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear Mr Alder,")
    application = shell.begin(FakeEngine())
    application._on_raised([letter])
    window = application.windows[0]
    shell.qtbot.waitUntil(lambda: len(window.page.composer.draft.attachments) == 1, timeout=WAIT_MS)
    assert window.page.composer.draft.attachments[0].name == "letter.txt"


def test_hearth_runs_on_behind_its_icon_only_where_there_is_one(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    window = shell.start()
    settings = window.workspace.settings
    assert shell.qapp.quitOnLastWindowClosed()
    settings.set("desktop.keep_running", True)
    assert shell.qapp.quitOnLastWindowClosed(), "this screen has no place for an icon"
    monkeypatch.setattr(Tray, "is_shown", property(lambda _tray: True))
    settings.set("desktop.tray", False)
    assert not shell.qapp.quitOnLastWindowClosed()
    settings.set("desktop.keep_running", False)
    assert shell.qapp.quitOnLastWindowClosed()


def test_the_icon_brings_the_windows_back_as_they_were(shell: Shell) -> None:
    window = shell.start(FakeEngine(["Blue."]))
    application = application_of(shell)
    conversation = shell.ask(window, "Which pot?")
    shell.qapp.setQuitOnLastWindowClosed(False)
    shell.run(window, "close_window")
    assert application.windows == []
    application.desktop.tray.open.trigger()
    assert [each.page.conversation_id for each in application.windows] == [conversation]


def test_the_icon_says_what_goes_on(shell: Shell) -> None:
    window = shell.start()
    bridge, tray = window.workspace.bridge, application_of(shell).desktop.tray
    assert tray.state.text() == "Ready"
    bridge.publish(VoiceHappened(VoiceState(use=VoiceUse.DICTATION)))
    shell.qtbot.waitUntil(lambda: tray.state.text() == "Listening to you", timeout=WAIT_MS)
    assert "Listening" in tray.icon.toolTip()
    bridge.publish(VoiceHappened(VoiceState()))
    shell.qtbot.waitUntil(lambda: tray.state.text() == "Ready", timeout=WAIT_MS)
    models = window.workspace.models
    models.download_paused.emit("some model")
    assert tray.state.text() == "Download paused"
    models.downloaded.emit("some model")
    assert tray.state.text() == "Ready"


def test_each_state_looks_its_own_way(workspace: Workspace) -> None:
    pictures = [state_icon(workspace.theme, doing).pixmap(32, 32).toImage() for doing in Doing]
    assert all(one != other for at, one in enumerate(pictures) for other in pictures[:at])


class Lines:
    """Hears the notifications, and the time and the looks that they go by."""

    def __init__(self, workspace: Workspace) -> None:
        self.now, self.unwatched, self.said = 0.0, True, list[str]()
        self.notifications = Notifications(
            workspace.bridge,
            workspace.settings,
            self,
            models=workspace.models,
            weights=workspace.voice_weights,
            now=lambda: self.now,
            unwatched=lambda: self.unwatched,
        )

    def say(self, title: str, line: str) -> None:
        assert title == "Hearth"
        self.said.append(line)


def answer_takes(shell: Shell, window: MainWindow, lines: Lines, seconds: float) -> None:
    """The events of an answer that takes so long, as the services publish them."""
    services, bridge = window.workspace.services, window.workspace.bridge
    assert services is not None
    conversation = shell.ask(window, SECRET)
    done = services.store_call(lambda store: store.path(conversation)).result(10)[-1]
    assert done.role is Role.ASSISTANT
    bridge.chat_event.emit(MessageAdded(replace(done, state=MessageState.STREAMING, parts=())))
    lines.now += seconds
    bridge.chat_event.emit(MessageFinished(replace(done, parts=(TextPart(SECRET),))))


def test_a_long_answer_is_told_without_its_words(shell: Shell) -> None:
    window = shell.start(FakeEngine([SECRET] * 4))
    lines = Lines(window.workspace)
    answer_takes(shell, window, lines, LONG_S + 1)
    assert lines.said == ["An answer is ready."]
    answer_takes(shell, window, lines, LONG_S - 1)
    lines.unwatched = False
    answer_takes(shell, window, lines, LONG_S + 1)
    lines.unwatched = True
    window.workspace.settings.set("desktop.notifications", False)
    answer_takes(shell, window, lines, LONG_S + 1)
    assert lines.said == ["An answer is ready."]


def test_many_files_are_one_piece_of_work(workspace: Workspace) -> None:
    lines, bridge = Lines(workspace), workspace.bridge
    settle = lines.notifications._settle

    def happened(*events: object) -> None:
        for event in events:
            bridge.chat_event.emit(DocumentsHappened(event))  # type: ignore[arg-type]

    happened(ReadingProgress(1, 1, 3))
    lines.now = 15
    happened(EmbeddingProgress(0, 3), FilesChanged((1,)))
    assert settle.isActive()
    happened(ReadingProgress(2, 1, 60, Unit.TIME))
    assert not settle.isActive()
    lines.now = 40
    happened(EmbeddingProgress(4, 8))
    happened(EmbeddingProgress(0, 8))
    settle.stop()
    settle.timeout.emit()
    assert lines.said == ["Your recordings are written down."]
    happened(FilesChanged(()))
    assert not settle.isActive()


def test_a_download_is_told(workspace: Workspace) -> None:
    lines = Lines(workspace)
    workspace.models.download_progressed.emit("a", None)
    lines.now = LONG_S
    workspace.models.downloaded.emit("a")
    workspace.models.downloaded.emit("b")
    assert lines.said == ["A download is complete."]


@pytest.mark.parametrize("end", ["download_failed", "download_paused"])
def test_a_download_that_ended_early_is_measured_from_its_new_beginning(workspace: Workspace, end: str) -> None:
    lines, models = Lines(workspace), workspace.models
    models.download_progressed.emit("a", None)
    getattr(models, end).emit(*("a", "No network.")[: 2 if end == "download_failed" else 1])
    lines.now = LONG_S
    models.download_progressed.emit("a", None)
    models.downloaded.emit("a")
    assert lines.said == []


def test_the_quick_window_waits_for_the_chats(workspace: Workspace, qtbot: QtBot) -> None:
    quick = QuickAsk(workspace)
    qtbot.addWidget(quick)
    quick.open()
    QTest.keyClicks(quick.field, "Early bird")
    QTest.keyClick(quick.field, Qt.Key.Key_Return)
    assert quick.field.toPlainText() == "Early bird"
    assert quick.note.text() == "One moment…"
    assert QGuiApplication.primaryScreen().availableGeometry().contains(quick.geometry())
    quick.close()
