"""A person who never saw Hearth makes a persona with two files and gets a cited answer: in a real window, action by
action, and counted. The document library is the real one; only the model's words are scripted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.events import ChatEvent
from app.paths import Paths, resolve_paths
from app.services import Services
from app.settings import Settings
from app.store.types import SourcePassage
from app.ui.application import Application
from app.ui.main_window import MainWindow
from app.ui.persona_editor import PersonaEditor
from engine.fake import FakeEngine
from engine.model.discovery_stores import Places
from rag.client import LibraryPlace

WAIT_MS = 30_000
MOST_ACTIONS = 9


class Person:
    """What somebody does, one action after another; reading what is on the screen is none."""

    def __init__(self, qtbot: QtBot) -> None:
        self._qtbot = qtbot
        self.actions: list[str] = []

    def click(self, widget: QWidget) -> None:
        self._seen(widget)
        self.actions.append(f"click “{widget.accessibleName() or widget.property('text')}”")
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton)

    def type(self, text: str) -> None:
        """Into whatever has the keyboard."""
        into = QApplication.focusWidget()
        assert into is not None
        self.actions.append(f"type “{text}”")
        QTest.keyClicks(into, text)

    def press(self, key: Qt.Key) -> None:
        into = QApplication.focusWidget()
        assert into is not None
        self.actions.append(f"press {key.name}")
        QTest.keyClick(into, key)

    def drop(self, paths: list[Path], on: QWidget) -> None:
        """Files that were chosen together, dragged here."""
        self._seen(on)
        self.actions.append(f"drop {len(paths)} files")
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
        button, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        place, action = on.rect().center(), Qt.DropAction.CopyAction
        enter = QDragEnterEvent(place, action, mime, button, keys)
        QApplication.sendEvent(on, enter)
        assert enter.isAccepted()
        QApplication.sendEvent(on, QDropEvent(QPointF(place), action, mime, button, keys))

    def _seen(self, widget: QWidget) -> None:
        self._qtbot.waitUntil(lambda: widget.isVisible() and widget.isEnabled(), timeout=WAIT_MS)


@pytest.fixture
def window(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> Iterator[MainWindow]:
    paths = replace(resolve_paths(tmp_path / "data"), models=tmp_path / "models")
    nowhere = Places(home=tmp_path / "nobody", environment={}, system=tmp_path / "nowhere")

    def open_services(paths: Paths, settings: Settings, publish: Callable[[ChatEvent], None]) -> Services:
        settings.override("chat.automatic_titles", False)
        engine = FakeEngine(["You have 31 days of leave a year [1]."])
        library = LibraryPlace(paths.library)  # by words alone
        return Services.open(
            paths, publish=publish, settings=settings, engine=engine, places=nowhere, documents=library
        )  # fmt: skip

    application = Application(qapp, paths, open_services=open_services)
    application.start()
    made = application.windows[0]
    qtbot.waitUntil(lambda: made.workspace.library.loaded, timeout=WAIT_MS)
    yield made
    application.close()
    qapp.setStyleSheet("")


def test_a_persona_with_two_files_gives_a_cited_answer_in_under_ten_actions(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    leave, travel = tmp_path / "leave.md", tmp_path / "travel.md"
    leave.write_text("# Leave\n\nEverybody has 31 days of leave a year.\n", "utf-8")
    travel.write_text("# Travel\n\nTrains are paid in second class, flights never.\n", "utf-8")
    window.activateWindow()
    person = Person(qtbot)

    person.click(window.sidebar.personas.new_button)
    qtbot.waitUntil(lambda: bool(window.findChildren(PersonaEditor)), timeout=WAIT_MS)
    editor = window.findChildren(PersonaEditor)[0]
    qtbot.waitUntil(lambda: QApplication.focusWidget() is editor.form.name, timeout=WAIT_MS)
    person.type("Office helper")
    person.click(editor.form.instructions)
    person.type("You answer what people ask about our office.")
    person.drop([leave, travel], editor.form.viewport())
    qtbot.waitUntil(lambda: len(editor.form.files.files) == 2, timeout=WAIT_MS)
    person.click(editor.chat_button)

    page = window.page
    qtbot.waitUntil(lambda: page.persona.shelved is not None, timeout=WAIT_MS)
    assert page.persona_start.name.text() == "Office helper"
    assert "2 documents" in page.persona_start.about.text()
    window.activateWindow()  # as a window manager does when the dialog goes
    qtbot.waitUntil(lambda: QApplication.focusWidget() is page.composer.field, timeout=WAIT_MS)
    person.type("How many days of leave do I have a year?")
    person.press(Qt.Key.Key_Return)

    def answered() -> bool:
        return bool(page.path) and not page.is_generating and bool(page.path[-1].text) and len(page.path) == 2

    qtbot.waitUntil(answered, timeout=WAIT_MS)
    question, answer = page.path
    assert question.sources is not None
    view = page.transcript.message_view(answer.id)
    assert view is not None
    followed: list[SourcePassage] = []
    page.citation_activated.connect(followed.append)
    view.body.link_activated.emit("cite:0")
    (source,) = followed
    assert source.title == "leave"
    assert "31 days" in source.text
    assert len(person.actions) <= MOST_ACTIONS, person.actions
