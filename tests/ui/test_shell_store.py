"""The window and its store: backups put back, files that may only be read, branches exported, rows read again."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.embedder_choice import KEY as EMBEDDER
from app.events import Notice, StoreChanged
from app.paths import resolve_paths
from app.services import Services
from app.store.types import Changes, Conversation, Draft, MessageState
from app.ui.dialogs import CalmDialog
from app.ui.main_window import MainWindow
from app.ui.settings_dialog import SettingsDialog
from app.ui.toast import Toast
from engine.fake import FakeEngine
from tests.ui.test_shell import WAIT_MS, Shell


@pytest.fixture
def shell(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> Iterator[Shell]:
    made = Shell(qtbot, qapp, replace(resolve_paths(tmp_path), models=tmp_path / "models"))
    yield made
    made.stop()


def services_of(window: MainWindow) -> Services:
    services = window.workspace.services
    assert services is not None
    return services


def back_up(window: MainWindow) -> Path:
    return services_of(window).store_call(lambda store: store.backup()).result(WAIT_MS / 1000)


def press_in_dialog(qapp: QApplication, text: str, asked: list[str]) -> None:
    """Press a button of the calm dialog that opens next; `asked` gets its heading."""

    def press() -> None:
        dialog = qapp.activeModalWidget()
        if not isinstance(dialog, CalmDialog):
            QTimer.singleShot(10, press)
            return
        asked.append(dialog.heading.text())
        next(each for each in dialog.findChildren(QPushButton) if each.text() == text).click()

    QTimer.singleShot(0, press)


def button(parent: SettingsDialog, text: str) -> QPushButton:
    return next(each for each in parent.findChildren(QPushButton) if each.text() == text and not each.isHidden())


def test_a_backup_is_restored_from_the_settings(shell: Shell) -> None:
    window = shell.start(FakeEngine(["One.", "Two."]))
    first = shell.ask(window, "First question")
    back_up(window)
    shell.run(window, "new_chat")
    second = shell.ask(window, "Second question")
    shell.qtbot.waitUntil(lambda: len(shell.titles(window)) == 2, timeout=WAIT_MS)
    dialog = SettingsDialog(window.workspace, window)
    shell.qtbot.addWidget(dialog)
    dialog.open_group("data")
    dialog.show()
    asked: list[str] = []
    press_in_dialog(shell.qapp, "Cancel", asked)
    button(dialog, "Restore…").click()
    assert window.page.conversation_id == second, "cancelled: nothing happens"
    press_in_dialog(shell.qapp, "Restore", asked)
    button(dialog, "Restore…").click()
    assert [text.startswith("Restore the backup of") for text in asked] == [True, True]
    shell.qtbot.waitUntil(lambda: shell.titles(window) == ["First question"], timeout=WAIT_MS)
    shell.qtbot.waitUntil(lambda: window.page.conversation_id == "", timeout=WAIT_MS)
    [kept] = shell.paths.data.glob("conversations-replaced-*.db")
    shell.qtbot.waitUntil(
        lambda: any(kept.name in each.text() for each in dialog.findChildren(type(dialog._none))), timeout=WAIT_MS
    )
    window.open_conversation(first)
    shell.qtbot.waitUntil(lambda: len(window.page.path) == 2, timeout=WAIT_MS)


def test_the_chat_on_show_is_read_again_after_a_restore(shell: Shell) -> None:
    window = shell.start(FakeEngine(["One.", "Two."]))
    conversation = shell.ask(window, "First question")
    backup = back_up(window)
    shell.ask(window, "Second question")
    shell.qtbot.waitUntil(lambda: len(window.page.path) == 4, timeout=WAIT_MS)
    services_of(window).restore_backup(backup).result(WAIT_MS / 1000)
    shell.qtbot.waitUntil(lambda: len(window.page.path) == 2, timeout=WAIT_MS)
    assert window.page.conversation_id == conversation
    assert window.page.transcript.message_ids() == [message.id for message in window.page.path]


def test_a_damaged_file_offers_the_last_backup(shell: Shell) -> None:
    window = shell.start(FakeEngine(["One."]))
    shell.ask(window, "First question")
    back_up(window)
    shell.run(window, "new_chat")
    shell.ask(window, "Second question")
    shell.stop()
    database = shell.paths.conversations_db
    data = bytearray(database.read_bytes())
    data[:100] = b"\xff" * 100
    database.write_bytes(data)
    again = shell.start()
    shell.qtbot.waitUntil(again.banner.isVisible, timeout=WAIT_MS)
    assert "damaged" in again.banner.label.text()
    asked: list[str] = []
    press_in_dialog(shell.qapp, "Restore", asked)
    again.banner.button.click()
    shell.qtbot.waitUntil(lambda: shell.titles(again) == ["First question"], timeout=WAIT_MS)
    assert len(asked) == 1
    shell.qtbot.waitUntil(again.banner.isHidden, timeout=WAIT_MS)
    assert again.toasts.current is not None and "replaced" in again.toasts.current.label.text()


def test_a_newer_hearths_file_is_read_and_the_draft_is_kept(shell: Shell) -> None:
    window = shell.start(FakeEngine(["One."]))
    conversation = shell.ask(window, "First question")
    shell.stop()
    with closing(sqlite3.connect(shell.paths.conversations_db)) as connection:
        [(version,)] = connection.execute("PRAGMA user_version").fetchall()
        connection.execute("PRAGMA user_version = 999")
    window = shell.start()
    shell.qtbot.waitUntil(window.banner.isVisible, timeout=WAIT_MS)
    assert "newer Hearth" in window.banner.label.text()
    assert (window.banner.close_button.isHidden(), window.banner.button.isHidden()) == (True, True)
    shell.qtbot.waitUntil(lambda: len(window.page.path) == 2, timeout=WAIT_MS)
    composer = window.page.composer
    field = composer.focusProxy()
    assert field is not None
    QTest.keyClicks(field, "half a thought")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert composer.draft.text == "half a thought", "it is not sent"
    assert not window.page.is_generating
    assert "can only be read" in composer._hint.text()
    composer.flush_draft()
    held = window.workspace.held_drafts
    shell.qtbot.waitUntil(lambda: held.draft(conversation) == Draft("half a thought"), timeout=WAIT_MS)
    shell.run(window, "new_chat")
    assert composer.draft == Draft()
    window.open_conversation(conversation)
    shell.qtbot.waitUntil(lambda: composer.draft.text == "half a thought", timeout=WAIT_MS)
    shell.stop()
    with closing(sqlite3.connect(shell.paths.conversations_db)) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
    window = shell.start(FakeEngine(["Two."]))
    window.open_conversation(conversation)
    shell.qtbot.waitUntil(lambda: window.page.composer.draft.text == "half a thought", timeout=WAIT_MS)
    assert window.banner.isHidden()
    shell.ask(window, "")
    shell.qtbot.waitUntil(lambda: len(window.page.path) == 4, timeout=WAIT_MS)
    shell.qtbot.waitUntil(lambda: window.workspace.held_drafts.draft(conversation) is None, timeout=WAIT_MS)


def test_a_path_that_was_read_before_its_answer_ended_is_read_again(shell: Shell) -> None:
    window = shell.start(FakeEngine(["The whole answer."]))
    shell.ask(window, "Question")
    question, answer = window.page.path
    window.page._show_path([question, replace(answer, parts=(), state=MessageState.STREAMING)])
    shown: list[list[str]] = []
    window.page.path_shown.connect(lambda path: shown.append([message.text for message in path]))
    shell.qtbot.waitUntil(lambda: bool(shown), timeout=WAIT_MS)
    assert shown == [["Question", "The whole answer."]]


def test_arrow_up_in_an_empty_composer_edits_the_last_question(shell: Shell) -> None:
    window = shell.start(FakeEngine(["One.", "Two."]))
    shell.ask(window, "First question")
    field = window.page.composer.focusProxy()
    assert field is not None
    QTest.keyClick(field, Qt.Key.Key_Up)
    question = window.page.path[0]
    view = window.page.transcript.message_view(question.id)
    assert view is not None and view.editor is not None
    assert view.editor.edit.toPlainText() == "First question"
    view.editor.edit.setPlainText("Another question")
    QTest.keyClick(view.editor.edit, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)

    def answered() -> bool:
        return [message.text for message in window.page.path] == ["Another question", "Two."]

    shell.qtbot.waitUntil(answered, timeout=WAIT_MS)


def test_json_holds_every_branch_and_markdown_the_one_on_show(shell: Shell, tmp_path: Path) -> None:
    window = shell.start(FakeEngine(["Left.", "Right."]))
    shell.ask(window, "Which way?")
    shell.run(window, "regenerate")
    shell.qtbot.waitUntil(lambda: [each.text for each in window.page.path][-1] == "Right.", timeout=WAIT_MS)
    shell.wait_until_answered(window)
    shell.qtbot.waitUntil(lambda: window.conversation is not None, timeout=WAIT_MS)
    conversation = window.conversation
    assert conversation is not None
    for name in ("json", "markdown"):
        done: list[bool] = []
        window.operations.export_to(conversation, name, tmp_path / name, lambda done=done: done.append(True))  # type: ignore[misc]
        shell.qtbot.waitUntil(lambda done=done: bool(done), timeout=WAIT_MS)  # type: ignore[misc]
    [exported] = json.loads((tmp_path / "json").read_text(encoding="utf-8"))["conversations"]
    texts = {part["text"] for message in exported["messages"] for part in message["parts"]}
    assert texts == {"Which way?", "Left.", "Right."}
    markdown = (tmp_path / "markdown").read_text(encoding="utf-8")
    assert ("Right." in markdown, "Left." in markdown) == (True, False)


def test_only_the_rows_that_changed_are_read_again(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    window = shell.start()
    services, library = services_of(window), window.workspace.library

    def make() -> list[Conversation]:
        return [
            services.store_call(lambda store, n=n: store.create_conversation(title=f"chat {n}")).result(5)  # type: ignore[misc]
            for n in range(3)
        ]

    made = make()
    library.refresh()
    shell.qtbot.waitUntil(lambda: len(shell.titles(window)) == 3, timeout=WAIT_MS)
    whole: list[bool] = []
    monkeypatch.setattr(services.store, "conversations", _counted(services.store.conversations, whole))
    services.store_call(lambda store: store.rename(made[0].id, "renamed")).result(5)
    services.store_call(lambda store: store.set_archived(made[1].id, True)).result(5)
    services.store_call(lambda store: store.delete_conversation(made[2].id)).result(5)
    window.workspace.bridge.publish(StoreChanged(Changes(frozenset(each.id for each in made), conversation_list=True)))
    shell.qtbot.waitUntil(lambda: shell.titles(window) == ["renamed"], timeout=WAIT_MS)
    assert [each.title for each in library.archived] == ["chat 1"]
    assert library.conversation(made[2].id) is None
    assert whole == []
    new = services.store_call(lambda store: store.create_conversation(title="new")).result(5)
    window.workspace.bridge.publish(StoreChanged(Changes(frozenset({new.id}), conversation_list=True)))
    shell.qtbot.waitUntil(lambda: shell.titles(window) == ["new", "renamed"], timeout=WAIT_MS)
    assert whole == []
    window.workspace.bridge.publish(StoreChanged(Changes(conversation_list=True)))
    shell.qtbot.waitUntil(lambda: len(whole) > 0, timeout=WAIT_MS)


def test_the_panel_leads_to_the_setting_for_thinking(shell: Shell) -> None:
    window = shell.start()
    shell.run(window, "toggle_panel")
    assert window.panel.parameters is not None
    link = next(each for each in window.panel.parameters.findChildren(QPushButton) if "Thinking" in each.text())
    link.click()
    dialog = shell.qapp.activeModalWidget()
    assert isinstance(dialog, SettingsDialog)
    shell.qtbot.waitUntil(lambda: dialog.row("chat.thinking").isVisible(), timeout=WAIT_MS)
    assert dialog.focusWidget() is dialog.row("chat.thinking").control
    dialog.close()


def test_why_a_setting_went_back_is_said_in_the_dialog_that_covers_the_window(shell: Shell) -> None:
    window = shell.start()
    workspace = window.workspace
    dialog = SettingsDialog(workspace, window)
    dialog.open()
    shell.qtbot.waitUntil(lambda: shell.qapp.activeWindow() is dialog, timeout=WAIT_MS)
    dialog.show_option(EMBEDDER)
    said = "The model nobody/no-such-model is not on this computer."
    workspace.bridge.publish(Notice(said, "warning", setting=EMBEDDER))
    toast = next(each for each in dialog.findChildren(Toast))
    assert (toast.label.text(), toast.isVisible()) == (said, True)
    assert window.toasts.current is None, "nobody can see that one"
    row = dialog.row(EMBEDDER)
    shell.qtbot.waitUntil(lambda: said in shown_words(row), timeout=WAIT_MS)
    row.refresh()
    assert said in shown_words(row), "the old value that comes back does not take it away"
    workspace.settings.set(EMBEDDER, "/models/another.gguf")
    shell.qtbot.waitUntil(lambda: said not in shown_words(row), timeout=WAIT_MS)
    dialog.close()
    shell.qtbot.waitUntil(lambda: shell.qapp.activeWindow() is not dialog, timeout=WAIT_MS)
    workspace.bridge.publish(Notice("Something else.", "info"))
    assert window.toasts.current is not None


def shown_words(widget: QWidget) -> list[str]:
    return [label.text() for label in widget.findChildren(QLabel) if label.isVisible()]


def _counted(read: Callable[..., list[Conversation]], calls: list[bool]) -> Callable[..., list[Conversation]]:
    def counted(*, archived: bool = False) -> list[Conversation]:
        calls.append(archived)
        return read(archived=archived)

    return counted
