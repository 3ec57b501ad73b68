"""The whole window with the real store and a scripted engine: write, read, find, rename, delete, restart."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from app.events import ChatEvent
from app.paths import Paths, resolve_paths
from app.services import Services
from app.settings import Settings
from app.ui.application import Application
from app.ui.main_window import MainWindow
from engine.context.segments import Role
from engine.engine import EngineStatus
from engine.fake import FakeAnswer, FakeEngine
from engine.model.discovery_stores import Places
from tests.unit.gguf_writing import tiny_model

WAIT_MS = 10_000


class Shell:
    """The program on one data folder, started and stopped as a person would."""

    def __init__(self, qtbot: QtBot, qapp: QApplication, paths: Paths) -> None:
        self.qtbot, self.qapp, self.paths = qtbot, qapp, paths
        self.application: Application | None = None

    def start(self, engine: FakeEngine | None = None, *, files: tuple[Path, ...] = ()) -> MainWindow:
        window = self.begin(engine, files=files).windows[0]
        self.qtbot.waitUntil(lambda: window.workspace.library.loaded, timeout=WAIT_MS)
        return window

    def begin(
        self, engine: FakeEngine | None = None, *, files: tuple[Path, ...] = (), quick: bool = False
    ) -> Application:
        """Without waiting for the chats."""
        made = engine or FakeEngine()
        nowhere = Places(home=self.paths.data / "nobody", environment={}, system=self.paths.data / "nowhere")

        def open_services(paths: Paths, settings: Settings, publish: Callable[[ChatEvent], None]) -> Services:
            settings.override("chat.automatic_titles", False)  # a title would take an answer of the script
            return Services.open(paths, publish=publish, settings=settings, engine=made, places=nowhere)

        self.application = Application(self.qapp, self.paths, files=files, open_services=open_services)
        self.application.start(quick=quick)
        return self.application

    def stop(self) -> None:
        if self.application is not None:
            self.application.close()
            self.application = None
            self.qapp.setStyleSheet("")

    def ask(self, window: MainWindow, words: str, *, wait: bool = True) -> str:
        """Type a question and send it; returns the conversation's id once it is answered."""
        window.page.focus_composer()
        composer = window.page.composer
        QTest.keyClicks(composer.focusProxy() or composer, words)
        QTest.keyClick(composer.focusProxy() or composer, Qt.Key.Key_Return)
        self.qtbot.waitUntil(lambda: bool(window.page.conversation_id), timeout=WAIT_MS)
        if wait:
            self.wait_until_answered(window)
        return window.page.conversation_id

    def wait_until_answered(self, window: MainWindow) -> None:
        def answered() -> bool:
            path = window.page.path
            return not window.page.is_generating and bool(path) and path[-1].role is Role.ASSISTANT

        self.qtbot.waitUntil(answered, timeout=WAIT_MS)

    def titles(self, window: MainWindow) -> list[str]:
        model = window.sidebar.model
        return [str(model.index_of(key).data()) for key in model.conversation_ids()]

    def run(self, window: MainWindow, command: str) -> None:
        window.actions_of.action(command).trigger()


@pytest.fixture
def shell(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> Iterator[Shell]:
    paths = replace(resolve_paths(tmp_path), models=tmp_path / "models")
    made = Shell(qtbot, qapp, paths)
    yield made
    made.stop()


def test_a_question_is_answered_and_listed(shell: Shell) -> None:
    window = shell.start(FakeEngine(["Once a day is **enough**."]))
    shell.ask(window, "How often do I feed it?")
    assert [message.text for message in window.page.path] == ["How often do I feed it?", "Once a day is **enough**."]
    shell.qtbot.waitUntil(lambda: shell.titles(window) != [], timeout=WAIT_MS)
    assert "How often" in shell.titles(window)[0]
    assert window.windowTitle().startswith("How often")


def test_everything_is_there_after_a_restart(shell: Shell) -> None:
    window = shell.start(FakeEngine(["Basil likes it warm."]))
    conversation = shell.ask(window, "What does basil need?")
    shell.stop()
    again = shell.start()
    assert again.page.conversation_id == conversation
    shell.qtbot.waitUntil(lambda: len(again.page.path) == 2, timeout=WAIT_MS)
    assert again.page.path[1].text == "Basil likes it warm."


def test_a_draft_survives_a_restart(shell: Shell) -> None:
    window = shell.start()
    QTest.keyClicks(window.page.composer.focusProxy() or window, "half a thought")
    shell.stop()
    again = shell.start()
    shell.qtbot.waitUntil(lambda: again.page.composer.draft.text == "half a thought", timeout=WAIT_MS)


def test_search_finds_words_of_an_answer_and_opens_it(shell: Shell) -> None:
    window = shell.start(FakeEngine(["The zeppelin lands at noon.", "Nothing of the sort."]))
    first = shell.ask(window, "When?")
    shell.run(window, "new_chat")
    shell.ask(window, "What else?")
    assert window.page.conversation_id != first
    shell.run(window, "search")
    assert window.sidebar.search.hasFocus() or window.sidebar.isVisible()
    with shell.qtbot.waitSignal(window.sidebar.results.searched, timeout=WAIT_MS):
        window.sidebar.search.setText("zeppelin")
    hits = window.sidebar.results.model.hits
    assert [hit.conversation_id for hit in hits] == [first]
    QTest.keyClick(window.sidebar.search, Qt.Key.Key_Return)
    shell.qtbot.waitUntil(lambda: window.page.conversation_id == first, timeout=WAIT_MS)


def test_search_that_finds_nothing_says_so(shell: Shell) -> None:
    window = shell.start()
    with shell.qtbot.waitSignal(window.sidebar.results.searched, timeout=WAIT_MS):
        window.sidebar.search.setText("zeppelin")
    assert window.sidebar.results.model.hits == []
    QTest.keyClick(window.sidebar.search, Qt.Key.Key_Escape)
    assert window.sidebar.search.text() == ""


def test_rename_in_place(shell: Shell) -> None:
    window = shell.start()
    shell.ask(window, "Something")
    shell.qtbot.waitUntil(lambda: shell.titles(window) != [], timeout=WAIT_MS)
    shell.run(window, "rename")
    editor = window.sidebar.list.findChild(QLineEdit)
    assert editor is not None
    editor.selectAll()
    QTest.keyClicks(editor, "My own name")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    shell.qtbot.waitUntil(lambda: shell.titles(window) == ["My own name"], timeout=WAIT_MS)
    assert window.windowTitle().startswith("My own name")


def test_delete_and_undo(shell: Shell) -> None:
    window = shell.start()
    conversation = shell.ask(window, "Short-lived")
    shell.qtbot.waitUntil(lambda: shell.titles(window) != [], timeout=WAIT_MS)
    shell.run(window, "delete")
    shell.qtbot.waitUntil(lambda: shell.titles(window) == [], timeout=WAIT_MS)
    assert window.page.conversation_id == ""
    shell.qtbot.waitUntil(lambda: window.toasts.current is not None, timeout=WAIT_MS)
    toast = window.toasts.current
    assert toast is not None
    assert toast.button is not None
    toast.button.click()
    shell.qtbot.waitUntil(lambda: window.sidebar.model.conversation_ids() == [conversation], timeout=WAIT_MS)


def test_pin_archive_and_tags_show_in_the_list(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    window = shell.start()
    conversation = shell.ask(window, "Keep this")
    shell.qtbot.waitUntil(lambda: window.conversation is not None, timeout=WAIT_MS)
    shell.run(window, "pin")
    shell.qtbot.waitUntil(lambda: bool(window.conversation and window.conversation.pinned), timeout=WAIT_MS)
    assert window.sidebar.model.index(0).data() == "Pinned"
    monkeypatch.setattr("app.ui.conversation_operations.ask_text", lambda *_args, **_fields: "garden, herbs")
    shell.run(window, "edit_tags")
    shell.qtbot.waitUntil(lambda: window.workspace.library.tags() == ["garden", "herbs"], timeout=WAIT_MS)
    shell.run(window, "archive")
    shell.qtbot.waitUntil(lambda: window.sidebar.model.conversation_ids() == [], timeout=WAIT_MS)
    window.sidebar.archive_button.click()
    assert window.sidebar.model.conversation_ids() == [conversation]


def test_two_windows_show_two_conversations_and_share_the_list(shell: Shell) -> None:
    gate = threading.Event()
    window = shell.start(FakeEngine([FakeAnswer("slow answer", gate=gate), "quick answer"]))
    first = shell.ask(window, "First", wait=False)
    shell.qtbot.waitUntil(lambda: window.page.is_generating, timeout=WAIT_MS)
    window.workspace.window_requested.emit("")
    assert shell.application is not None
    second = shell.application.windows[1]
    # The first window looks elsewhere; its answer goes on and is marked in both lists.
    shell.run(window, "new_chat")
    assert not window.page.is_generating
    shell.qtbot.waitUntil(lambda: first in second.sidebar.model.generating, timeout=WAIT_MS)
    gate.set()
    shell.qtbot.waitUntil(lambda: first in second.sidebar.model.unread, timeout=WAIT_MS)
    second.open_conversation(first)
    shell.qtbot.waitUntil(lambda: len(second.page.path) == 2, timeout=WAIT_MS)
    assert second.page.path[1].text == "slow answer"
    assert first not in second.sidebar.model.unread
    second.close()
    shell.qtbot.waitUntil(lambda: len(shell.application.windows) == 1 if shell.application else False, timeout=WAIT_MS)


def test_coming_back_to_an_answer_under_way_shows_what_has_come(shell: Shell) -> None:
    end = threading.Event()
    window = shell.start(FakeEngine([FakeAnswer("one two three", end_gate=end)]))
    first = shell.ask(window, "Count", wait=False)
    shell.qtbot.waitUntil(lambda: window.workspace.answers.is_generating(first), timeout=WAIT_MS)
    shell.run(window, "new_chat")
    window.open_conversation(first)
    shell.qtbot.waitUntil(lambda: len(window.page.path) == 2 and window.page.is_generating, timeout=WAIT_MS)
    end.set()
    shell.wait_until_answered(window)
    assert window.page.path[1].text == "one two three"


def test_escape_stops_and_is_free_otherwise(shell: Shell) -> None:
    gate = threading.Event()
    window = shell.start(FakeEngine([FakeAnswer("never to be seen", gate=gate)]))
    assert not window.actions_of.action("stop").isEnabled()
    shell.ask(window, "Go", wait=False)
    shell.qtbot.waitUntil(lambda: window.actions_of.action("stop").isEnabled(), timeout=WAIT_MS)
    shell.run(window, "stop")
    shell.wait_until_answered(window)
    assert not window.actions_of.action("stop").isEnabled()


def test_regenerate_makes_a_second_answer(shell: Shell) -> None:
    window = shell.start(FakeEngine(["first", "second"]))
    shell.ask(window, "Again?")
    shell.run(window, "regenerate")
    shell.qtbot.waitUntil(lambda: bool(window.page.path) and window.page.path[-1].text == "second", timeout=WAIT_MS)
    shell.wait_until_answered(window)
    assert window.page.path[-1].siblings == 2


def test_copy_last_answer(shell: Shell) -> None:
    window = shell.start(FakeEngine(["copy me"]))
    shell.ask(window, "Please")
    shell.run(window, "copy_answer")
    assert shell.qapp.clipboard().text() == "copy me"


def test_theme_zoom_and_sidebar_by_command_and_remembered(shell: Shell) -> None:
    window = shell.start()
    was_dark = window.workspace.theme.is_dark
    shell.run(window, "toggle_theme")
    assert window.workspace.theme.is_dark is not was_dark
    shell.run(window, "zoom_in")
    assert window.workspace.theme.zoom == pytest.approx(1.1)
    shell.run(window, "toggle_sidebar")
    assert window.sidebar.isHidden()
    assert not window.header.unfold_button.isHidden()
    shell.stop()
    again = shell.start()
    assert again.workspace.theme.is_dark is not was_dark
    assert again.workspace.theme.zoom == pytest.approx(1.1)
    assert again.sidebar.isHidden()


def test_next_and_previous_walk_the_list(shell: Shell) -> None:
    window = shell.start()
    first = shell.ask(window, "One")
    shell.run(window, "new_chat")
    second = shell.ask(window, "Two")
    shell.qtbot.waitUntil(lambda: window.sidebar.model.conversation_ids() == [second, first], timeout=WAIT_MS)
    shell.run(window, "next_conversation")
    assert window.page.conversation_id == first
    shell.run(window, "previous_conversation")
    assert window.page.conversation_id == second


def test_without_a_model_the_first_run_page_stands_there(shell: Shell) -> None:
    window = shell.start(FakeEngine(loaded=False))
    shell.qtbot.waitUntil(lambda: window.centre.currentWidget() is window.first_run, timeout=WAIT_MS)
    assert window.workspace.engine_state.status is EngineStatus.EMPTY


def test_files_from_the_command_line_are_attached(shell: Shell, tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("remember the milk", encoding="utf-8")
    window = shell.start(files=(notes,))
    shell.qtbot.waitUntil(
        lambda: [part.name for part in window.page.composer.draft.attachments] == ["notes.txt"], timeout=WAIT_MS
    )


@pytest.mark.parametrize("format_name", ["markdown", "html", "json", "pdf"])
def test_export_writes_a_file(shell: Shell, tmp_path: Path, format_name: str) -> None:
    window = shell.start(FakeEngine(["An answer with **weight**."]))
    shell.ask(window, "Export me")
    shell.qtbot.waitUntil(lambda: window.conversation is not None, timeout=WAIT_MS)
    conversation = window.conversation
    assert conversation is not None
    target = tmp_path / f"out.{format_name}"
    written: list[bool] = []
    window.operations.export_to(conversation, format_name, target, lambda: written.append(True))
    shell.qtbot.waitUntil(lambda: bool(written), timeout=WAIT_MS)
    assert window.toasts.current is not None and target.name in window.toasts.current.label.text()
    content = target.read_bytes()
    assert content.startswith(b"%PDF") if format_name == "pdf" else b"weight" in content


def test_everything_that_takes_the_keyboard_has_a_name(shell: Shell) -> None:
    window = shell.start(FakeEngine(["named"]))
    shell.ask(window, "Names")
    nameless = [
        f"{type(widget).__name__} {widget.objectName()}"
        for widget in window.findChildren(QWidget)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and widget.isVisible()
        and not (widget.accessibleName() or getattr(widget, "text", str)() or getattr(widget, "placeholderText", str)())
    ]
    assert nameless == []


def test_ten_thousand_conversations_are_listed_and_opened(shell: Shell) -> None:
    shell.start()
    shell.stop()
    with contextlib.closing(sqlite3.connect(shell.paths.conversations_db)) as database, database:
        database.executemany(
            "INSERT INTO conversations (id, title, title_is_automatic, created_at, updated_at) VALUES (?, ?, 0, ?, ?)",
            [(f"{number:032x}", f"Chat {number}", 1.7e9 + number, 1.7e9 + number) for number in range(10_000)],
        )
    window = shell.start()
    assert window.sidebar.model.rowCount() > 10_000
    newest = window.sidebar.model.conversation_ids()[0]
    window.open_conversation(newest)
    assert window.sidebar.model.open_id == newest
    window.sidebar.list.scrollToBottom()
    window.grab()


def test_an_export_of_another_program_is_imported(shell: Shell) -> None:
    from app.ui.import_dialog import ImportDialog

    window = shell.start()
    export = Path(__file__).parent.parent / "data" / "imports" / "chatgpt.json"
    dialog = ImportDialog(window.workspace, export, window)
    dialog.open()
    shell.qtbot.waitUntil(lambda: "2 chats were imported" in dialog.sentence.text(), timeout=WAIT_MS)
    assert "Broken" in dialog.sentence.text(), "what could not be read is named"
    shell.qtbot.waitUntil(lambda: set(shell.titles(window)) == {"Baking bread", "Sorting"}, timeout=WAIT_MS)


def test_a_question_asked_before_the_store_is_open_is_sent(shell: Shell) -> None:
    # As on a person's machine the first model is still on its way then: the answer waits for it.
    engine = FakeEngine(["It goes on."], loaded=False)
    shell.paths.models.mkdir(parents=True)
    (shell.paths.models / "tiny.gguf").write_bytes(tiny_model())
    nowhere = Places(home=shell.paths.data / "nobody", environment={}, system=shell.paths.data / "nowhere")
    gate = threading.Event()

    def open_late(paths: Paths, settings: Settings, publish: Callable[[ChatEvent], None]) -> Services:
        gate.wait(10)
        settings.override("chat.automatic_titles", False)
        return Services.open(paths, publish=publish, settings=settings, engine=engine, places=nowhere)

    shell.application = Application(shell.qapp, shell.paths, open_services=open_late)
    shell.application.start()
    window = shell.application.windows[0]
    composer = window.page.composer
    QTest.keyClicks(composer.focusProxy() or composer, "Early bird")
    QTest.keyClick(composer.focusProxy() or composer, Qt.Key.Key_Return)
    assert composer.draft.text == "Early bird", "it stands there until it can be sent"
    gate.set()
    shell.wait_until_answered(window)
    assert [message.text for message in window.page.path] == ["Early bird", "It goes on."]
