"""Another computer in the window: off until turned on, tried by a click, and marked for as long as it answers."""

from __future__ import annotations

import json
import stat
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.remote.choice import RemoteChoice
from app.remote.key_file import KeyFile
from app.ui.remote_banner import RemoteBanner
from app.ui.remote_section import RemoteSection
from app.ui.settings_dialog import SettingsDialog
from app.ui.workspace import Workspace
from engine.engine import EngineState, EngineStatus
from engine.errors import SettingsError
from engine.fake import fake_model

WAIT_MS = 30_000


class _Models(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        raw = json.dumps({"data": [{"id": "llama3.2:3b"}, {"id": "qwen3:8b"}]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Models)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def section(qtbot: QtBot, workspace: Workspace) -> RemoteSection:
    dialog = SettingsDialog(workspace)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.open_group("Another computer")
    return dialog.findChild(RemoteSection)


def test_it_is_off_at_first(workspace: Workspace) -> None:
    choice = RemoteChoice(workspace.settings, workspace.paths.config)
    assert choice.spec is None
    workspace.settings.set("remote.address", "http://192.168.1.20:8080")
    assert choice.spec is None
    workspace.settings.set("remote.enabled", True)
    assert choice.spec is not None


def test_trying_lists_the_models_and_one_can_be_chosen(
    section: RemoteSection, workspace: Workspace, address: str, qtbot: QtBot
) -> None:
    QTest.mouseClick(section.try_button, Qt.MouseButton.LeftButton)
    assert section.said.text() == "Write the server's address first."
    workspace.settings.set("remote.address", address)
    QTest.keyClick(section.try_button, Qt.Key.Key_Space)
    qtbot.waitUntil(section.models.isVisible, timeout=WAIT_MS)
    assert section.said.text() == "The server answers. It has 2 models:"
    section.models.setFocus()
    QTest.keyClick(section.models, Qt.Key.Key_Down)
    assert workspace.settings.text("remote.model") == "qwen3:8b"
    assert section.try_button.isEnabled()


def test_a_failure_is_said(section: RemoteSection, workspace: Workspace, qtbot: QtBot) -> None:
    workspace.settings.set("remote.address", "ftp://nowhere")
    section.try_button.click()
    qtbot.waitUntil(lambda: "is no address of a server" in section.said.text(), timeout=WAIT_MS)
    assert section.try_button.isEnabled()


def test_the_key_lies_in_its_own_file_for_its_own_address(
    section: RemoteSection, workspace: Workspace, qtbot: QtBot
) -> None:
    workspace.settings.set("remote.address", "http://10.0.0.2:8080")
    section.key.setText("sk-secret")
    section.key.editingFinished.emit()
    assert section.key.text() == "", "it is never shown again"
    assert section.key.placeholderText() == "A key is kept"
    keys = RemoteChoice(workspace.settings, workspace.paths.config).keys
    assert keys.key_for("http://10.0.0.2:8080") == "sk-secret"
    assert keys.key_for("http://10.0.0.3:8080") == ""
    workspace.settings.flush()
    assert "sk-secret" not in workspace.paths.settings_file.read_text()
    [file] = workspace.paths.config.glob("remote-key*")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert section.forget_button.accessibleName()
    section.forget_button.click()
    assert keys.key_for("http://10.0.0.2:8080") == ""
    assert not section.forget_button.isVisible()


def test_a_key_that_could_break_a_header_is_refused(tmp_path: Path) -> None:
    for key in ("two words", "line\nbreak", "schl\u00fcssel"):
        with pytest.raises(SettingsError):
            KeyFile(tmp_path / "key").keep("a", key)
    (tmp_path / "key").write_text(json.dumps({"address": "a", "key": "x\r\ny"}))
    assert KeyFile(tmp_path / "key").key_for("a") == ""


def test_everything_has_a_name_and_takes_the_keyboard(section: RemoteSection) -> None:
    widgets: tuple[QWidget, ...] = (section.key, section.try_button, section.models)
    for widget in widgets:
        assert widget.accessibleName() or getattr(widget, "text", str)()
        assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus


def test_the_banner_stays_while_another_computer_answers(workspace: Workspace, qtbot: QtBot) -> None:
    banner = RemoteBanner(workspace)
    qtbot.addWidget(banner)
    here = fake_model(Path("here.gguf"))
    there = replace(here, remote_host="192.168.1.20")
    workspace.engine_changed.emit(EngineState(EngineStatus.READY, here, 1.0))
    assert banner.isHidden()
    workspace.engine_changed.emit(EngineState(EngineStatus.READY, there, 1.0))
    assert not banner.isHidden()
    assert banner.label.text() == "Answers come from 192.168.1.20: your messages leave this computer."
    assert banner.close_button.isHidden(), "it cannot be put away"
    workspace.engine_changed.emit(EngineState(EngineStatus.EMPTY, there))
    assert not banner.isHidden(), "the next question still goes there"
    workspace.engine_changed.emit(EngineState(EngineStatus.READY, here, 1.0))
    assert banner.isHidden()
