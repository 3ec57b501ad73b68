"""The settings' page about data: what is remembered of the chats on the disk is shown, and is cleared at a click."""

from __future__ import annotations

import threading

from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from app.ui.settings_data import DataPage
from app.ui.settings_dialog import SettingsDialog
from app.ui.workspace import Workspace
from tests.unit.test_remembered import remember


def shown(qtbot: QtBot, workspace: Workspace) -> tuple[DataPage, QLabel, QPushButton]:
    dialog = SettingsDialog(workspace)
    qtbot.addWidget(dialog)
    dialog.show()
    page = dialog.findChild(DataPage)
    assert page is not None
    (button,) = (each for each in page.findChildren(QPushButton) if "remembered" in each.accessibleName())
    (title,) = (each for each in page.findChildren(QLabel) if each.text().startswith("Remembered chats"))
    return page, title, button


def test_what_is_remembered_is_shown_and_cleared_with_no_model_loaded(qtbot: QtBot, workspace: Workspace) -> None:
    folder = workspace.paths.snapshots
    size = sum(remember(folder, key).stat().st_size for key in ("a", "b"))
    (folder / "notes.txt").write_text("not ours")
    page, title, button = shown(qtbot, workspace)
    qtbot.waitUntil(lambda: title.text() == f"Remembered chats on disk: {size} bytes")
    assert button.isEnabled()
    assert button.accessibleName()
    assert button.accessibleDescription()
    button.click()
    qtbot.waitUntil(lambda: title.text() == "Remembered chats on disk: 0 bytes")
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]
    assert not button.isEnabled()
    assert any(each.text() == "The remembered chats are cleared." for each in page.findChildren(QLabel))


def test_a_folder_that_cannot_be_read_is_said(qtbot: QtBot, workspace: Workspace) -> None:
    workspace.paths.snapshots.write_text("in the way")
    page, _title, _button = shown(qtbot, workspace)
    qtbot.waitUntil(lambda: any("could not be used" in each.text() for each in page.findChildren(QLabel)))


def test_a_dialog_that_is_closed_at_once_asks_nothing_more(qtbot: QtBot, workspace: Workspace) -> None:
    gate = threading.Event()
    for _ in range(2):  # both threads of the pool, so that the answer comes when the dialog is gone
        workspace.pool.submit(gate.wait)
    dialog = SettingsDialog(workspace)
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.deleteLater()
    qtbot.waitUntil(lambda: not isValid(dialog))
    gate.set()
    workspace.pool.shutdown(wait=True)
    qtbot.wait(0)  # an exception in the event loop fails the test
