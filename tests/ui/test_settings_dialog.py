"""The settings dialog shows every declared option, writes at once, finds, and puts back."""

from __future__ import annotations

import tomllib

import pytest
from PySide6.QtCore import QKeyCombination, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractSpinBox, QComboBox, QFileDialog, QPlainTextEdit, QSpinBox
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from app.settings import Settings
from app.settings_options import OPTIONS
from app.ui.commands import Commands, declared_commands
from app.ui.settings_controls import Switch
from app.ui.settings_dialog import SettingsDialog
from app.ui.settings_file import FileField
from app.ui.shortcuts_dialog import ShortcutRow, ShortcutsDialog
from app.ui.theme import ThemeChoice
from app.ui.workspace import Workspace


@pytest.fixture
def dialog(qtbot: QtBot, workspace: Workspace) -> SettingsDialog:
    made = SettingsDialog(workspace)
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(made)
    made.show()
    return made


def on_disk(workspace: Workspace) -> dict[str, object]:
    return tomllib.loads(workspace.paths.settings_file.read_text(encoding="utf-8"))


def test_every_option_that_is_not_hidden_has_a_named_control(dialog: SettingsDialog) -> None:
    assert {row.option.key for row in dialog.rows} == {option.key for option in OPTIONS if not option.hidden}
    for row in dialog.rows:
        assert row.control.accessibleName(), row.option.key
        assert row.control.focusPolicy() != Qt.FocusPolicy.NoFocus or isinstance(row.option.default, tuple)


def test_a_switch_writes_at_once(dialog: SettingsDialog, workspace: Workspace, qtbot: QtBot) -> None:
    dialog.open_group("Chat")
    control = dialog.row("chat.automatic_titles").control
    assert isinstance(control, Switch)
    QTest.mouseClick(control, Qt.MouseButton.LeftButton)
    assert workspace.settings.flag("chat.automatic_titles") is False
    assert on_disk(workspace)["chat"] == {"automatic_titles": False}
    assert Settings.load(workspace.paths.settings_file).flag("chat.automatic_titles") is False


def test_a_choice_and_a_number_are_taken(dialog: SettingsDialog, workspace: Workspace, qtbot: QtBot) -> None:
    combo = dialog.row("chat.send_with").control
    assert isinstance(combo, QComboBox)
    combo.setCurrentIndex(combo.findData("ctrl_enter"))
    combo.activated.emit(combo.currentIndex())
    spin = dialog.row("chat.temperature").control
    assert isinstance(spin, QAbstractSpinBox)
    spin.stepUp()
    assert workspace.settings.text("chat.send_with") == "ctrl_enter"
    assert workspace.settings.number("chat.temperature") == pytest.approx(0.75)


def test_a_number_that_means_something_of_its_own_says_so(dialog: SettingsDialog) -> None:
    spin = dialog.row("model.n_ctx").control
    assert isinstance(spin, QSpinBox)
    assert spin.text() == "Automatic"
    spin.setValue(4096)
    assert spin.text() != "Automatic"


def test_words_are_kept_when_the_field_is_left(dialog: SettingsDialog, workspace: Workspace, qtbot: QtBot) -> None:
    dialog.open_group("Chat")
    field = dialog.row("chat.system_prompt").control
    assert isinstance(field, QPlainTextEdit)
    field.setFocus()
    QTest.keyClicks(field, "Be brief.")
    dialog.close()
    assert workspace.settings.text("chat.system_prompt") == "Be brief."


def test_reset_appears_with_a_change_and_takes_it_back(
    dialog: SettingsDialog, workspace: Workspace, qtbot: QtBot
) -> None:
    row = dialog.row("chat.top_k")
    assert row.reset_button.isHidden()
    workspace.settings.set("chat.top_k", 7)
    qtbot.waitUntil(lambda: not row.reset_button.isHidden())
    assert isinstance(row.control, QSpinBox)
    assert row.control.value() == 7
    row.reset_button.click()
    assert workspace.settings.integer("chat.top_k") == 40
    qtbot.waitUntil(row.reset_button.isHidden)


def test_search_finds_across_groups_and_gives_the_rows_back(dialog: SettingsDialog) -> None:
    dialog.open_group("Model")
    dialog.search.setText("temperature")
    assert dialog.row("chat.temperature").isVisible()
    assert not dialog.row("model.n_ctx").isVisible()
    dialog.search.setText("xyzzy")
    assert not any(row.isVisible() for row in dialog.rows)
    dialog.search.clear()
    assert dialog.row("model.n_ctx").isVisible()
    dialog.open_group("Answers")
    assert dialog.row("chat.temperature").isVisible()


def test_the_theme_follows_the_setting(dialog: SettingsDialog, workspace: Workspace, qtbot: QtBot) -> None:
    workspace.settings.subscribe(lambda _key: workspace.apply_appearance())
    combo = dialog.row("appearance.theme").control
    assert isinstance(combo, QComboBox)
    combo.setCurrentIndex(combo.findData("dark"))
    with qtbot.waitSignal(workspace.theme.changed):
        combo.activated.emit(combo.currentIndex())
    assert workspace.theme.is_dark


# Commands and their keys


def test_the_promised_keys_are_the_defaults(workspace: Workspace) -> None:
    promised = {
        "new_chat": "Ctrl+N",
        "search": "Ctrl+K",
        "settings": "Ctrl+,",
        "model_picker": "Ctrl+L",
        "toggle_sidebar": "Ctrl+B",
        "regenerate": "Ctrl+R",
        "copy_answer": "Ctrl+Shift+C",
        "focus_composer": "Shift+Esc",
        "stop": "Esc",
        "shortcuts": "Ctrl+/",
    }
    for command_id, keys in promised.items():
        assert workspace.commands.sequences(command_id)[0] == QKeySequence(keys), command_id


def test_no_two_commands_share_keys_by_default() -> None:
    keys = [QKeySequence(key).toString() for command in declared_commands() for key in command.keys]
    assert len(keys) == len(set(keys))
    assert all(keys)


def _row(dialog: ShortcutsDialog, command_id: str) -> ShortcutRow:
    return next(row for row in dialog.rows if row.command.id == command_id)


def test_keys_are_changed_by_pressing_them_and_survive_a_restart(workspace: Workspace, qtbot: QtBot) -> None:
    dialog = ShortcutsDialog(workspace.theme, workspace.commands)
    qtbot.addWidget(dialog)
    dialog.show()
    row = _row(dialog, "new_chat")
    row.keys.click()
    QTest.keyClick(row.keys, Qt.Key.Key_J, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier)
    wanted = QKeySequence(
        QKeyCombination(Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier, Qt.Key.Key_J)
    )
    assert workspace.commands.sequences("new_chat") == [wanted]
    again = Commands(Settings.load(workspace.paths.settings_file))
    assert again.sequences("new_chat") == [wanted]
    assert row.reset.isVisible()
    row.reset.click()
    assert workspace.commands.sequences("new_chat") == [QKeySequence("Ctrl+N")]


def test_keys_that_are_taken_are_refused_by_name(workspace: Workspace, qtbot: QtBot) -> None:
    dialog = ShortcutsDialog(workspace.theme, workspace.commands)
    qtbot.addWidget(dialog)
    dialog.show()
    row = _row(dialog, "new_chat")
    row.keys.click()
    QTest.keyClick(row.keys, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    assert workspace.commands.sequences("new_chat") == [QKeySequence("Ctrl+N")]
    assert workspace.commands.command("search").title in dialog.note.text()


def test_keys_can_be_taken_away(workspace: Workspace, qtbot: QtBot) -> None:
    workspace.commands.rebind("search", None)
    assert workspace.commands.sequences("search") == []
    workspace.commands.rebind("new_chat", QKeySequence("Ctrl+K"))
    assert workspace.commands.conflict("rename", QKeySequence("Ctrl+K")) == workspace.commands.command("new_chat")
    workspace.commands.reset_all()
    assert workspace.commands.sequences("search") == [QKeySequence("Ctrl+K")]


def test_the_list_of_keys_can_be_searched(workspace: Workspace, qtbot: QtBot) -> None:
    dialog = ShortcutsDialog(workspace.theme, workspace.commands)
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.search.setText("sidebar")
    assert [row.command.id for row in dialog.rows if row.isVisible()] == ["toggle_sidebar"]


def test_what_finds_by_meaning_is_a_file_a_folder_or_a_name(
    dialog: SettingsDialog, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    field = dialog.row("documents.embedder").control
    assert isinstance(field, FileField)
    assert (field.path, field.line.placeholderText()) == ("", "The light one that comes with Hearth")
    dialog.open_group("Documents")
    assert field.folder_button.isVisible()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_arguments: "/models/bge")
    field.folder_button.click()
    assert workspace.settings.text("documents.embedder") == "/models/bge"
    field.line.setText("")
    field.line.editingFinished.emit()
    assert workspace.settings.text("documents.embedder") == "light"
    other = dialog.row("model.draft_path").control
    assert isinstance(other, FileField)
    assert other.folder_button.isHidden()


def test_the_theme_may_change_after_the_dialog_is_gone(workspace: Workspace, qtbot: QtBot) -> None:
    dialog = SettingsDialog(workspace)
    dialog.show()
    dialog.close()
    qtbot.waitUntil(lambda: not isValid(dialog), timeout=5000)
    workspace.theme.choose(ThemeChoice.DARK)
    assert workspace.theme.is_dark
