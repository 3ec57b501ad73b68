"""Other programs beside a real window: the window's own engine answers them, while the switch is on and no longer."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.api.server import Server
from app.api.tokens import TOKEN_FILE, TokenFile
from app.paths import resolve_paths
from app.ui.icons import IconButton
from app.ui.main_window import MainWindow
from app.ui.settings_controls import Switch
from app.ui.settings_dialog import SettingsDialog
from engine.fake import FakeAnswer, FakeEngine
from tests.ui.test_shell import WAIT_MS, Shell


@pytest.fixture
def shell(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> Iterator[Shell]:
    paths = replace(resolve_paths(tmp_path), models=tmp_path / "models")
    made = Shell(qtbot, qapp, paths)
    yield made
    made.stop()


@pytest.fixture
def port() -> int:
    """One that is free now."""
    server = Server(0)
    server.close()
    return server.port


class Program:
    """Another program: asks on a thread of its own, while the window goes on."""

    def __init__(self, shell: Shell, port: int) -> None:
        self._shell, self._port = shell, port
        self._pool = ThreadPoolExecutor(1)
        self.token = TokenFile(shell.paths.config / TOKEN_FILE).token_for("editor")

    def ask(self, words: str, *, model: str = "default") -> tuple[int, Any]:
        """The status and the answer to a question."""
        asked: Future[tuple[int, Any]] = self._pool.submit(self._ask, words, model)
        self._shell.qtbot.waitUntil(asked.done, timeout=WAIT_MS)
        return asked.result()

    def begin(self, words: str) -> Future[tuple[int, Any]]:
        return self._pool.submit(self._ask, words, "default")

    def close(self) -> None:
        self._pool.shutdown()

    def _ask(self, words: str, model: str) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        body = json.dumps({"model": model, "messages": [{"role": "user", "content": words}]})
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        try:
            connection.request("POST", "/v1/chat/completions", body, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()


@pytest.fixture
def program(shell: Shell, port: int) -> Iterator[Program]:
    shell.paths.create()
    made = Program(shell, port)
    yield made
    made.close()


def mark_of(window: MainWindow) -> IconButton:
    return next(each for each in window.status_bar.findChildren(IconButton) if "rograms" in each.accessibleName())


def test_a_program_is_answered_by_the_windows_own_engine(shell: Shell, port: int, program: Program) -> None:
    engine = FakeEngine(["To the window.", "To the program.", "To the window again."])
    window = shell.start(engine)
    shell.qtbot.waitUntil(lambda: window.workspace.services is not None, timeout=WAIT_MS)
    window.workspace.settings.set("api.port", port)
    assert mark_of(window).isHidden()
    with pytest.raises(ConnectionRefusedError):
        program.ask("Anybody?")
    shell.ask(window, "Who is there?")

    dialog = SettingsDialog(window.workspace, window)
    dialog.show_option("api.enabled")
    dialog.show()
    switch = dialog.row("api.enabled").control
    assert isinstance(switch, Switch)
    QTest.keyClick(switch, Qt.Key.Key_Space)
    shell.qtbot.waitUntil(mark_of(window).isVisible, timeout=WAIT_MS)
    assert str(port) in mark_of(window).accessibleName()

    status, answer = program.ask("And here?")
    assert (status, answer["choices"][0]["message"]["content"]) == (200, "To the program.")
    assert program.ask("And here?", model="another")[0] == 404, "the person chooses the model"
    shell.ask(window, "Still there?")
    assert [request.messages[-1].text for request in engine.requests] == ["Who is there?", "And here?", "Still there?"]
    assert len(shell.titles(window)) == 1, "what a program asks is no chat of the person's"

    QTest.keyClick(switch, Qt.Key.Key_Space)
    shell.qtbot.waitUntil(mark_of(window).isHidden, timeout=WAIT_MS)
    with pytest.raises(ConnectionRefusedError):
        program.ask("Still there?")
    dialog.close()


def test_it_is_on_again_after_a_restart_and_ends_with_the_window(shell: Shell, port: int, program: Program) -> None:
    gate = threading.Event()
    engine = FakeEngine([FakeAnswer("Too late.", gate=gate)])
    shell.paths.settings_file.write_text(f"[api]\nenabled = true\nport = {port}\n")
    window = shell.start(engine)
    shell.qtbot.waitUntil(mark_of(window).isVisible, timeout=WAIT_MS)
    asked = program.begin("Wait for me.")
    shell.qtbot.waitUntil(lambda: len(engine.requests) == 1, timeout=WAIT_MS)
    shell.stop()
    gate.set()
    error = asked.exception(timeout=30)
    assert error is not None or asked.result()[0] >= 500
    with pytest.raises(ConnectionRefusedError):
        program.begin("Anybody?").result(timeout=30)


def test_a_port_of_another_program_is_said(shell: Shell, program: Program) -> None:
    taken = Server(0)
    try:
        shell.paths.settings_file.write_text(f"[api]\nenabled = true\nport = {taken.port}\n")
        window = shell.start()
        shell.qtbot.waitUntil(lambda: window.toasts.current is not None, timeout=WAIT_MS)
        toast = window.toasts.current
        assert toast is not None and f"Port {taken.port} is taken by another program" in toast.label.text()
        assert mark_of(window).isHidden()
    finally:
        taken.close()
