"""Hearth's own dialogs by keyboard."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from app.ui.dialogs import CalmDialog
from app.ui.theme import Theme, ThemeChoice


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space])
def test_a_key_presses_the_button_that_has_the_keyboard(qtbot: QtBot, qapp: QApplication, key: Qt.Key) -> None:
    dialog = CalmDialog(Theme(ThemeChoice.LIGHT), None, "Remove it?")
    qtbot.addWidget(dialog)
    pressed: list[str] = []
    for name in ("Cancel", "Remove"):
        button = dialog.add_button(name, default=name == "Cancel")
        button.clicked.connect(lambda _checked=False, name=name: pressed.append(name))
    field = QLineEdit(dialog)
    dialog.body.addWidget(field)
    dialog.show()
    qtbot.waitExposed(dialog)
    button.setFocus()
    QTest.keyClick(button, key)
    assert pressed == ["Remove"]
    if key != Qt.Key.Key_Space:
        field.setFocus()
        QTest.keyClick(field, key)
        assert pressed == ["Remove", "Cancel"], "from elsewhere the default one"
