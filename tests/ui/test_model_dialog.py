"""The model picker over the whole window: what is chosen in it is kept, checked and loaded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit
from pytestqt.qtbot import QtBot

from app.model_entry import Availability, ModelEntry
from app.paths import resolve_paths
from app.ui.main_window import MainWindow
from app.ui.model_dialog import open_model_picker
from app.ui.model_draft import ModelDraft
from app.ui.model_picker import ModelPicker
from engine.fake import FakeEngine
from engine.model.fit import gigabytes
from tests.ui.test_shell import WAIT_MS, Shell
from tests.unit.gguf_writing import tiny_model


@pytest.fixture
def window(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> Iterator[MainWindow]:
    paths = replace(resolve_paths(tmp_path / "data"), models=tmp_path / "models")
    paths.create()
    for name, kilobytes in (("large", 2000), ("small", 10)):
        model = tiny_model(name, general__description="x" * (1000 * kilobytes))
        (paths.models / f"{name}.gguf").write_bytes(model)
    stranger = tiny_model("stranger", tokenizer__ggml__tokens=["a", "b"])
    (tmp_path / "stranger.gguf").write_bytes(stranger)
    shell = Shell(qtbot, qapp, paths)
    window = shell.start(FakeEngine(loaded=False))
    qtbot.waitUntil(lambda: window.workspace.models.scanned, timeout=WAIT_MS)
    yield window
    shell.stop()


def shown(picker: ModelPicker) -> list[str]:
    return [label.text() for label in picker.findChildren(QLabel) if label.isVisible()]


def opened(window: MainWindow, qtbot: QtBot, name: str) -> ModelPicker:
    """The picker with this model chosen."""
    picker = open_model_picker(window.workspace.theme, window.workspace.models, window)
    field = picker.findChild(QLineEdit)
    assert field is not None
    qtbot.waitUntil(picker.isVisible, timeout=WAIT_MS)
    field.setText(name)
    assert picker.current is not None
    assert picker.current.name == name
    return picker


def test_a_small_model_is_kept_checked_and_refused_in_words(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    settings = window.workspace.settings
    picker = opened(window, qtbot, "large")
    section = picker.findChild(ModelDraft)
    assert section is not None
    QTest.keyClick(section.combo, Qt.Key.Key_Down)
    assert section.combo.currentText() == "small"
    assert settings.text("model.draft_path") == str(window.workspace.paths.models / "small.gguf")
    section.chosen.emit(tmp_path / "stranger.gguf")
    qtbot.waitUntil(lambda: any("stranger.gguf knows other words" in text for text in shown(picker)), timeout=WAIT_MS)
    assert section.combo.currentText() == "stranger.gguf"
    section.chosen.emit(None)
    assert settings.text("model.draft_path") == ""
    assert not any("knows other words" in text for text in shown(picker))

    settings.set("model.draft_path", str(tmp_path / "gone.gguf"))
    picker.close()
    again = opened(window, qtbot, "large")
    qtbot.waitUntil(lambda: any("gone.gguf" in text for text in shown(again)), timeout=WAIT_MS)
    again.close()


def test_another_computer_is_listed_while_it_is_on(window: MainWindow, qtbot: QtBot) -> None:
    models, settings = window.workspace.models, window.workspace.settings

    def elsewhere() -> list[ModelEntry]:
        models.refresh()
        return [entry for entry in models.entries if entry.availability is Availability.ELSEWHERE]

    assert elsewhere() == []
    settings.set("remote.address", "http://192.168.1.20:8080")
    settings.set("remote.model", "qwen3:8b")
    settings.set("remote.enabled", True)
    qtbot.waitUntil(lambda: len(elsewhere()) == 1, timeout=WAIT_MS)
    picker = opened(window, qtbot, "qwen3:8b")
    with qtbot.waitSignal(picker.finished):
        picker._details.activate()
    picker = opened(window, qtbot, "large")
    picker._details.activate()
    qtbot.waitUntil(lambda: not settings.flag("remote.enabled"), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: elsewhere() == [], timeout=WAIT_MS)


def test_what_is_in_memory_counts_as_free(window: MainWindow, qtbot: QtBot) -> None:
    models, services = window.workspace.models, window.workspace.services
    assert services is not None
    qtbot.waitUntil(lambda: models.loaded is not None, timeout=WAIT_MS)
    assert models.held_bytes() == services.models.held_bytes
    assert gigabytes(models.held_bytes()) == "1.3 GB", "all that the scripted engine says it holds"
    qtbot.waitUntil(services.engine.unload().done, timeout=WAIT_MS)
    assert models.held_bytes() == 0
