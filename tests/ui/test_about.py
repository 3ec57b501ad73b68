"""About Hearth, the licences behind it, and the way to newer versions."""

from __future__ import annotations

from email.message import Message

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.licences import PROGRAM
from app.ui import updates
from app.ui.about_dialog import AboutDialog
from app.ui.commands import declared_commands
from app.ui.dialogs import CalmDialog
from app.ui.licences_dialog import LicencesDialog
from app.ui.links import LinkDialog, checked_address
from app.ui.updates import check_for_updates, releases_page
from app.ui.workspace import Workspace


def test_licences_are_a_list_and_their_words(qtbot: QtBot, workspace: Workspace) -> None:
    about = AboutDialog(workspace)
    qtbot.addWidget(about)
    about.show()
    qtbot.mouseClick(about.licences_button, Qt.MouseButton.LeftButton)
    dialog = about.findChild(LicencesDialog)
    assert dialog is not None
    qtbot.waitUntil(lambda: dialog.list.count() > 0)
    assert dialog.list.accessibleName() and dialog.view.accessibleName()
    (row,) = [row for row in range(dialog.list.count()) if dialog.list.item(row).text() == "llama.cpp"]
    dialog.list.setCurrentRow(row)
    assert "The ggml authors" in dialog.view.toPlainText()
    assert dialog.view.isReadOnly()
    # By keyboard alone: from the list to the words and on.
    dialog.list.setFocus()
    qtbot.keyClick(dialog.list, Qt.Key.Key_Home)
    assert dialog.list.currentRow() == 0 and "The ggml authors" not in dialog.view.toPlainText()
    dialog.reject()


def test_updates_are_a_link_that_asks_first(
    qtbot: QtBot, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    monkeypatch.setattr(updates, "metadata", lambda name: _published(name, "Releases, https://example.org/new"))
    assert "check_for_updates" in {command.id for command in declared_commands()}
    window = QWidget()
    qtbot.addWidget(window)
    dialog = check_for_updates(workspace.theme, window)
    assert isinstance(dialog, LinkDialog) and dialog.shown_address() == "https://example.org/new"
    assert opened == [], "nothing is opened unasked"
    dialog.open_button.click()
    assert [url.toString() for url in opened] == ["https://example.org/new"]


@pytest.mark.parametrize("urls", [(), ("Homepage, https://example.org",)])
def test_without_a_page_for_updates_it_says_so(
    qtbot: QtBot, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, urls: tuple[str, ...]
) -> None:
    monkeypatch.setattr(updates, "metadata", lambda name: _published(name, *urls))
    window = QWidget()
    qtbot.addWidget(window)
    dialog = check_for_updates(workspace.theme, window)
    assert isinstance(dialog, CalmDialog)
    assert any("names no page" in label.text() for label in dialog.findChildren(QLabel))
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    assert not dialog.isVisible()


def test_what_is_installed_names_no_page_or_one_that_may_be_opened() -> None:
    page = releases_page()
    assert page is None or checked_address(page) is not None


def _published(name: str, *urls: str) -> Message:
    """A distribution's metadata."""
    assert name == PROGRAM
    told = Message()
    for url in urls:
        told["Project-URL"] = url
    return told
