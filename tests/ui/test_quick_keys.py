"""Keys for a quick question from everywhere: taken when wanted, given back, and said why not."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QKeyCombination, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.ui.global_keys import NoGlobalKeys, global_keys, taken_sentence
from app.ui.global_keys_mac import key_code
from app.ui.global_keys_windows import virtual_key
from app.ui.quick_keys import KEYS, WANTED, QuickKeys
from app.ui.quick_keys_choice import QuickKeysChoice
from app.ui.settings_dialog import SettingsDialog
from app.ui.workspace import Workspace


class ScriptedKeys:
    """A system that gives all keys but those that another program has."""

    def __init__(self, *taken: str) -> None:
        self.taken = [QKeySequence(each) for each in taken]
        self.held: QKeySequence | None = None
        self.press: Callable[[], None] = lambda: None

    def grab(self, keys: QKeyCombination, on_pressed: Callable[[], None]) -> str:
        self.release()
        if QKeySequence(keys) in self.taken:
            return taken_sentence()
        self.held, self.press = QKeySequence(keys), on_pressed
        return ""

    def release(self) -> None:
        self.held = None

    def close(self) -> None:
        self.release()


def begun(workspace: Workspace, system: ScriptedKeys) -> QuickKeys:
    workspace.quick_keys.start(lambda: system)
    return workspace.quick_keys


def test_off_takes_nothing_and_on_takes_the_keys(workspace: Workspace, qtbot: QtBot) -> None:
    system = ScriptedKeys()
    keys = begun(workspace, system)
    assert system.held is None
    workspace.settings.set(WANTED, True)
    assert system.held == QKeySequence("Ctrl+Alt+Space")
    with qtbot.waitSignal(keys.pressed):
        system.press()
    workspace.settings.set(WANTED, False)
    assert system.held is None
    assert not keys.is_held


def test_keys_of_another_program_are_said_and_others_will_do(workspace: Workspace) -> None:
    system = ScriptedKeys("Ctrl+Alt+Space")
    keys = begun(workspace, system)
    workspace.settings.set(WANTED, True)
    assert keys.trouble == "Another program has these keys already. Choose others."
    assert keys.choose(QKeySequence("Ctrl+Alt+J")) == ""
    assert keys.trouble == ""
    assert system.held == QKeySequence("Ctrl+Alt+J")


def test_keys_of_a_command_and_plain_letters_are_refused(workspace: Workspace) -> None:
    keys = begun(workspace, ScriptedKeys())
    before = workspace.settings.text(KEYS)
    assert "New chat" in keys.choose(QKeySequence("Ctrl+N"))
    for typed in ("A", "Shift+A", "Space"):
        assert "need Ctrl" in keys.choose(QKeySequence(typed))
    assert keys.choose(QKeySequence("F9")) == ""
    assert before != workspace.settings.text(KEYS)


def test_closing_gives_the_keys_back(workspace: Workspace) -> None:
    system = ScriptedKeys()
    keys = begun(workspace, system)
    workspace.settings.set(WANTED, True)
    keys.close()
    assert system.held is None
    workspace.settings.set(KEYS, "Ctrl+Alt+J")
    assert system.held is None


def test_a_system_without_such_keys_says_what_to_do(workspace: Workspace, qtbot: QtBot) -> None:
    system = global_keys({"XDG_SESSION_TYPE": "wayland"})
    assert isinstance(system, NoGlobalKeys)
    workspace.quick_keys.start(lambda: system)
    workspace.settings.set(WANTED, True)
    assert "hearth --quick" in workspace.quick_keys.trouble
    assert isinstance(global_keys({}), NoGlobalKeys), "the offscreen platform has none either"


def test_the_settings_show_the_keys_and_take_others(workspace: Workspace, qtbot: QtBot) -> None:
    system = ScriptedKeys("Ctrl+Alt+K")
    begun(workspace, system)
    dialog = SettingsDialog(workspace)
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.show_option(WANTED)
    choice = dialog.findChild(QuickKeysChoice)
    assert choice is not None
    assert choice.note.isHidden()
    workspace.settings.set(WANTED, True)

    def press(key: Qt.Key) -> None:
        choice.button.setFocus()
        QTest.keyClick(choice.button, Qt.Key.Key_Space)
        assert choice.button.isChecked()
        QTest.keyClick(choice.button, key, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier)

    press(Qt.Key.Key_J)
    assert system.held == QKeySequence("Ctrl+Alt+J")
    assert "J" in choice.button.text()
    press(Qt.Key.Key_K)
    assert choice.note.isVisibleTo(dialog)
    assert "Another program" in choice.note.text()
    assert system.held is None


def test_other_systems_know_the_keys_too() -> None:
    assert virtual_key(Qt.Key.Key_A) == 0x41
    assert virtual_key(Qt.Key.Key_F12) == 0x7B
    assert virtual_key(Qt.Key.Key_Space) == 0x20
    assert virtual_key(Qt.Key.Key_Help) == 0
    assert key_code(Qt.Key.Key_A) == 0
    assert key_code(Qt.Key.Key_M) == 46
    assert key_code(Qt.Key.Key_Space) == 49
    assert key_code(Qt.Key.Key_Help) is None
