"""What a model looks at images with, chosen in the list of models over the whole window."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from app.model_projectors import AUTOMATIC, NONE, ProjectorChoice, choice_of
from app.paths import resolve_paths
from app.ui.main_window import MainWindow
from app.ui.model_eyes import ModelEyes
from engine.fake import FakeEngine
from tests.ui.test_model_dialog import opened, shown
from tests.ui.test_shell import WAIT_MS, Shell
from tests.unit.gguf_writing import projector, tiny_model


@pytest.fixture
def window(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> Iterator[MainWindow]:
    paths = replace(resolve_paths(tmp_path / "data"), models=tmp_path / "models")
    paths.create()
    folder = paths.models / "vision"
    folder.mkdir()
    (folder / "seer.gguf").write_bytes(tiny_model("seer"))
    (folder / "mmproj-f16.gguf").write_bytes(projector(256))
    (folder / "mmproj-f32.gguf").write_bytes(projector(256) + bytes(64))
    (tmp_path / "mmproj-other.gguf").write_bytes(projector(512))
    shell = Shell(qtbot, qapp, paths)
    window = shell.start(FakeEngine(loaded=False))
    qtbot.waitUntil(lambda: window.workspace.models.scanned, timeout=WAIT_MS)
    yield window
    shell.stop()


def test_the_vision_file_is_found_chosen_and_refused(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, folder = window.workspace.settings, window.workspace.paths.models / "vision"
    model = folder / "seer.gguf"
    picker = opened(window, qtbot, "seer")
    section = picker.findChild(ModelEyes)
    assert section is not None
    combo = section.combo

    def texts() -> list[str]:
        return [combo.itemText(index) for index in range(combo.count())]

    qtbot.waitUntil(lambda: "Automatic: mmproj-f16.gguf" in texts(), timeout=WAIT_MS)
    assert texts()[1:] == ["mmproj-f16.gguf", "mmproj-f32.gguf", "None", "", "Another file…"]
    assert combo.accessibleName() == "Looks at images with"
    combo.setFocus()
    QTest.keyClick(combo, Qt.Key.Key_Down)
    first = ProjectorChoice(automatic=False, path=folder / "mmproj-f16.gguf")
    qtbot.waitUntil(lambda: choice_of(model, settings) == first, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: combo.currentText() == "mmproj-f16.gguf" and len(texts()) == 6, timeout=WAIT_MS)

    section.chosen.emit(NONE)
    qtbot.waitUntil(lambda: choice_of(model, settings) == NONE, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: combo.currentText() == "None", timeout=WAIT_MS)

    other = tmp_path / "mmproj-other.gguf"
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_args: (str(other), ""))
    QTest.keyClick(combo, Qt.Key.Key_End)
    qtbot.waitUntil(lambda: any("belongs to another model" in text for text in shown(picker)), timeout=WAIT_MS)
    assert choice_of(model, settings) == NONE
    assert combo.currentText() == "None"

    section.chosen.emit(AUTOMATIC)
    qtbot.waitUntil(lambda: choice_of(model, settings) == AUTOMATIC, timeout=WAIT_MS)
    picker.close()
