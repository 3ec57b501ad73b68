"""Other programs in the window: off until turned on, marked for as long as they may ask, a token for each of them."""

from __future__ import annotations

import stat
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar, cast

import pytest
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from app.api.tokens import TOKEN_FILE, TokenFile
from app.services import Services
from app.ui import programs_section
from app.ui.icons import IconButton
from app.ui.program_access import ProgramAccess, Serving
from app.ui.programs_section import ProgramsSection
from app.ui.settings_controls import Switch
from app.ui.settings_dialog import SettingsDialog
from app.ui.status_bar import StatusBar
from app.ui.theme import Theme, ThemeChoice
from app.ui.workspace import Workspace
from engine.errors import SettingsError

SERVICES = cast(Services, object())
"""Nothing here looks inside."""


class FakeServing:
    def __init__(self, port: int, open_now: list[int]) -> None:
        self._port, self._open_now = port, open_now
        open_now.append(port)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    def close(self) -> None:
        self._open_now.remove(self._port)


class Starter:
    """Starts fake servers; `gate` holds it back, `taken` is a port that another program has."""

    def __init__(self) -> None:
        self.open_now: list[int] = []
        self.gate = threading.Event()
        self.gate.set()
        self.taken = 0

    def __call__(self, _services: Services, port: int) -> Serving:
        assert self.gate.wait(30)
        if port == self.taken:
            raise SettingsError("Port {port} is taken.", port=port)
        return FakeServing(port, self.open_now)


@pytest.fixture
def starter() -> Starter:
    return Starter()


@pytest.fixture
def access(workspace: Workspace, starter: Starter) -> Iterator[ProgramAccess]:
    made = ProgramAccess(workspace.settings, workspace.run, workspace.bridge, open_server=starter)
    workspace.programs.detach()
    workspace.programs = made
    yield made
    made.detach()


@pytest.fixture
def section(qtbot: QtBot, workspace: Workspace, access: ProgramAccess) -> ProgramsSection:
    dialog = SettingsDialog(workspace)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.open_group("Other programs")
    return dialog.findChild(ProgramsSection)


Named = TypeVar("Named", IconButton, QLineEdit)


def shown(section: ProgramsSection, kind: type[Named], name: str, qtbot: QtBot) -> Named:
    """The one of that name, once it is on the screen: those of an older list go, new ones come, in the event loop."""

    def found() -> list[Named]:
        return [each for each in section.findChildren(kind) if each.accessibleName() == name and each.isVisible()]

    qtbot.waitUntil(lambda: len(found()) == 1)
    return found()[0]


def test_it_is_off_at_first_and_follows_the_switch(
    workspace: Workspace, access: ProgramAccess, starter: Starter, qtbot: QtBot
) -> None:
    access.attach(SERVICES)
    assert (access.address, starter.open_now) == ("", [])
    with qtbot.waitSignal(access.changed):
        workspace.settings.set("api.enabled", True)
    port = workspace.settings.integer("api.port")
    assert access.address == f"http://127.0.0.1:{port}/v1" and starter.open_now == [port]
    with qtbot.waitSignal(access.changed):
        workspace.settings.set("api.port", 2000)
    assert access.address == "http://127.0.0.1:2000/v1" and starter.open_now == [2000]
    with qtbot.waitSignal(access.changed):
        workspace.settings.set("api.enabled", False)
    assert (access.address, starter.open_now) == ("", [])


def test_a_port_that_is_taken_is_said(
    workspace: Workspace, access: ProgramAccess, starter: Starter, section: ProgramsSection, qtbot: QtBot
) -> None:
    starter.taken = workspace.settings.integer("api.port")
    access.attach(SERVICES)
    with qtbot.waitSignal(access.failed) as said:
        workspace.settings.set("api.enabled", True)
    assert said.args == [f"Port {starter.taken} is taken."]
    assert section.said.text() == access.problem == f"Port {starter.taken} is taken."
    with qtbot.waitSignal(access.changed):
        workspace.settings.set("api.port", 2001)
    assert access.problem == "" and section.said.isHidden()
    assert section.address.text() == "http://127.0.0.1:2001/v1"


def test_a_start_that_fails_after_it_was_turned_off_is_not_said(workspace: Workspace) -> None:
    switches: list[tuple[Callable[[], Serving | None], Future[Serving | None]]] = []

    def run(switch: Callable[[], Serving | None]) -> Future[Serving | None]:
        switches.append((switch, Future()))
        return switches[-1][1]

    def turned_off(_services: Services, _port: int) -> Serving:
        workspace.settings.set("api.enabled", False)
        raise SettingsError("It did not start.")

    access = ProgramAccess(workspace.settings, run, workspace.bridge, open_server=turned_off)
    said: list[str] = []
    access.failed.connect(said.append)
    access.attach(SERVICES)
    workspace.settings.set("api.enabled", True)
    (start, started), *_ = switches
    with pytest.raises(SettingsError) as failure:
        start()
    started.set_exception(failure.value)
    _, (stop, stopped) = switches
    stopped.set_result(stop())
    QCoreApplication.processEvents()
    assert (said, access.problem, access.address) == ([], "", "")
    access.detach()


def test_nothing_stays_open_when_the_window_closes_while_it_starts(
    workspace: Workspace, access: ProgramAccess, starter: Starter
) -> None:
    access.attach(SERVICES)
    starter.gate.clear()
    workspace.settings.set("api.enabled", True)
    threading.Timer(0.05, starter.gate.set).start()
    access.detach()
    workspace.pool.submit(lambda: None).result()
    assert starter.open_now == []


def test_address_and_tokens_can_be_copied_and_are_not_shown(
    workspace: Workspace, access: ProgramAccess, section: ProgramsSection, qtbot: QtBot
) -> None:
    assert section.address.text() == "" and section.address.placeholderText() == "Off"
    assert not section.copy_address.isEnabled()
    access.attach(SERVICES)
    with qtbot.waitSignal(access.changed):
        workspace.settings.set("api.enabled", True)
    section.copy_address.click()
    assert QGuiApplication.clipboard().text() == access.address
    section.name.setFocus()
    QTest.keyClicks(section.name, "my editor")
    QTest.keyClick(section.name, Qt.Key.Key_Return)
    tokens = TokenFile(workspace.paths.config / TOKEN_FILE)
    token = tokens.tokens()["my-editor"]
    field = shown(section, QLineEdit, "Token of my-editor", qtbot)
    assert field.text() == token and field.echoMode() is QLineEdit.EchoMode.Password
    shown(section, IconButton, "Copy the token of my-editor", qtbot).click()
    assert QGuiApplication.clipboard().text() == token
    show = shown(section, IconButton, "Show the token of my-editor", qtbot)
    QTest.keyClick(show, Qt.Key.Key_Space)
    assert field.echoMode() is QLineEdit.EchoMode.Normal
    [file] = workspace.paths.config.glob("api_tokens.json")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_token_is_revoked_by_itself_after_a_question(
    workspace: Workspace, section: ProgramsSection, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    tokens = TokenFile(workspace.paths.config / TOKEN_FILE)
    for name in ("editor", "script"):
        section.name.setText(name)
        section.add_button.click()
    kept = tokens.tokens()["script"]
    answers: Iterator[bool] = iter((False, True))
    monkeypatch.setattr(programs_section, "confirm", lambda *_asked, **_words: next(answers))
    shown(section, IconButton, "Revoke the token of editor", qtbot).click()
    assert set(tokens.tokens()) == {"editor", "script"}
    shown(section, IconButton, "Revoke the token of editor", qtbot).click()
    assert tokens.tokens() == {"script": kept}
    assert shown(section, QLineEdit, "Token of script", qtbot).text() == kept


def test_a_damaged_file_is_said(workspace: Workspace, access: ProgramAccess, qtbot: QtBot) -> None:
    (workspace.paths.config / TOKEN_FILE).write_text("{")
    section = ProgramsSection(workspace)
    qtbot.addWidget(section)
    assert "cannot be read" in section.said.text()
    section.name.setText("editor")
    section.add_button.click()
    assert "cannot be read" in section.said.text() and section.name.text() == "editor"


def test_everything_takes_the_keyboard_and_has_a_name(section: ProgramsSection) -> None:
    section.name.setText("editor")
    section.add_button.click()
    switch = section.window().findChild(Switch)
    assert switch is not None
    widgets = [section.name, section.add_button, *section.findChildren(IconButton), *section.findChildren(QLineEdit)]
    for widget in widgets:
        assert widget.accessibleName() or widget.text()  # type: ignore[attr-defined]
        assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus, widget.accessibleName()


def test_the_status_bar_marks_it_and_leads_to_the_switch(qtbot: QtBot, tmp_path: Path) -> None:
    bar = StatusBar(Theme(ThemeChoice.LIGHT))
    qtbot.addWidget(bar)
    bar.show()
    mark = next(each for each in bar.findChildren(IconButton) if "programs" in each.accessibleName())
    assert mark.isHidden()
    bar.set_programs_address("http://127.0.0.1:8791/v1")
    assert mark.isVisible() and "http://127.0.0.1:8791/v1" in mark.accessibleName()
    with qtbot.waitSignal(bar.programs_requested):
        QTest.keyClick(mark, Qt.Key.Key_Space)
    bar.set_programs_address("")
    assert mark.isHidden()
