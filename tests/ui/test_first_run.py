"""The first-run page: from nothing to a model in one click, and on when that fails."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QProgressBar, QPushButton
from pytestqt.qtbot import QtBot

from app.downloader.order import Progress, Stage
from app.model_entry import Availability, Fit, ModelEntry
from app.settings import Settings
from app.ui.amounts import bytes_text, progress_text
from app.ui.bridge import EventBridge
from app.ui.first_run import FirstRun, bind_first_run
from app.ui.first_run_card import recommended_here
from app.ui.model_flow import ModelFlow
from app.ui.theme import Theme, ThemeChoice
from engine.engine import EngineState, EngineStatus
from engine.model.catalogue import load_catalogue

MIB = 1 << 20
CATALOGUE = load_catalogue().starter_for(16 << 30)
STARTER = ModelEntry(
    f"catalogue:{CATALOGUE.id}",
    CATALOGUE.name,
    Availability.TO_FETCH,
    size_bytes=CATALOGUE.size_bytes,
    n_params=CATALOGUE.parameters,
    licence=CATALOGUE.licence,
    good_for=CATALOGUE.good_for,
    recommended=True,
    fit_sentence="Takes about 1.4 GB of memory.",
    catalogue=CATALOGUE,
)
LLAMA = ModelEntry(
    "llama", "Llama 3.2 3B", Availability.HERE, Path("llama.gguf"), ("Ollama",), size_bytes=1900 * MIB, fit=Fit.FITS
)
PROGRESS = Progress(Stage.DOWNLOADING, "the hub", 300 * MIB, 1000 * MIB, 8.0 * MIB, 90.0)


@pytest.fixture
def page(qtbot: QtBot) -> FirstRun:
    page = FirstRun(Theme(ThemeChoice.LIGHT))
    qtbot.addWidget(page)
    page.resize(900, 700)
    page.show()
    qtbot.waitExposed(page)
    return page


def shown_texts(page: FirstRun) -> list[str]:
    return [label.text() for label in page.findChildren(QLabel) if label.isVisible() and label.text()]


def buttons(page: FirstRun) -> list[str]:
    return [each.text() for each in page.findChildren(QPushButton) if each.isVisible()]


def click(page: FirstRun, text: str) -> None:
    target = next(each for each in page.findChildren(QPushButton) if each.text() == text and each.isVisible())
    QTest.mouseClick(target, Qt.MouseButton.LeftButton)


def test_before_the_first_look_nothing_is_promised(page: FirstRun) -> None:
    assert "Looking for models on this computer…" in shown_texts(page)
    assert buttons(page) == ["Choose a file…"]


def test_an_empty_machine_is_offered_the_starter_in_one_click(qtbot: QtBot, page: FirstRun) -> None:
    page.set_entries([STARTER])
    texts = shown_texts(page)
    assert STARTER.name in texts
    assert any(bytes_text(STARTER.size_bytes) in text and STARTER.licence in text for text in texts)
    assert STARTER.fit_sentence in texts
    with qtbot.waitSignal(page.fetch_requested) as asked:
        click(page, "Download and start")
    assert asked.args == [STARTER]


def test_the_keyboard_finds_the_button(qtbot: QtBot, page: FirstRun) -> None:
    page.set_entries([STARTER])
    page.setFocus()
    focused = QApplication.focusWidget()
    assert isinstance(focused, QPushButton)
    assert focused.text() == "Download and start"
    with qtbot.waitSignal(page.fetch_requested):
        QTest.keyClick(focused, Qt.Key.Key_Space)


def test_a_model_of_another_program_comes_first(qtbot: QtBot, page: FirstRun) -> None:
    page.set_entries([LLAMA, STARTER])
    assert f"Or download {STARTER.name} ({bytes_text(STARTER.size_bytes)})" in buttons(page)
    with qtbot.waitSignal(page.load_requested) as asked:
        click(page, "Use Llama 3.2 3B from Ollama")
    assert asked.args == [LLAMA.path]


def test_which_model_of_this_machine() -> None:
    large = replace(LLAMA, key="large", fit=Fit.TOO_LARGE)
    chosen = replace(LLAMA, key="chosen", fit=Fit.TIGHT, is_default=True)
    assert recommended_here((large, STARTER)) is None
    assert recommended_here((large, LLAMA)) is LLAMA
    assert recommended_here((LLAMA, chosen)) is chosen


def test_a_download_can_be_followed_paused_and_resumed(qtbot: QtBot, page: FirstRun) -> None:
    page.set_entries([STARTER])
    page.set_progress(STARTER.key, PROGRESS)
    assert progress_text(PROGRESS) in shown_texts(page)
    assert "Download and start" not in buttons(page)
    with qtbot.waitSignal(page.fetch_cancel_requested):
        click(page, "Pause")
    page.set_paused(STARTER.key)
    page.set_entries([STARTER])
    with qtbot.waitSignal(page.fetch_requested) as asked:
        click(page, "Go on")
    assert asked.args == [STARTER]


def test_the_keyboard_is_not_led_astray_when_a_download_begins(qtbot: QtBot, page: FirstRun) -> None:
    page.set_entries([STARTER])
    page.card.primary.setFocus()
    page.set_progress(STARTER.key, PROGRESS)
    assert page.card.primary.isHidden()
    assert page.focusWidget() is page.card, "not the button to choose a file"


def test_without_a_connection_the_way_out_is_shown(qtbot: QtBot, page: FirstRun, tmp_path: Path) -> None:
    page.set_entries([STARTER])
    page.set_failed(STARTER.key, "No source answered.")
    texts = shown_texts(page)
    assert "No source answered." in texts
    assert any(CATALOGUE.file_name in text and "Drop it onto this page" in text for text in texts)
    with qtbot.waitSignal(page.fetch_requested):
        click(page, "Try again")
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(tmp_path / "mine.gguf"))])
    action, mouse, keys = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(page.viewport(), QDragEnterEvent(QPoint(5, 5), action, mime, mouse, keys))
    with qtbot.waitSignal(page.load_requested) as asked:
        QApplication.sendEvent(page.viewport(), QDropEvent(QPointF(5, 5), action, mime, mouse, keys))
    assert asked.args == [tmp_path / "mine.gguf"]


def test_a_file_can_be_chosen(qtbot: QtBot, page: FirstRun, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_args: (str(tmp_path / "mine.gguf"), ""))
    with qtbot.waitSignal(page.load_requested) as asked:
        click(page, "Choose a file…")
    assert asked.args == [tmp_path / "mine.gguf"]


def test_loading_is_shown_and_a_failure_brings_the_button_back(page: FirstRun) -> None:
    page.set_entries([STARTER])
    page.set_engine_state(EngineState(EngineStatus.LOADING, progress=0.4), STARTER.name)
    assert f"Loading {STARTER.name}…" in shown_texts(page)
    bar = next(each for each in page.findChildren(QProgressBar) if each.isVisible())
    assert bar.value() == 400
    assert "Download and start" not in buttons(page)
    page.set_engine_state(EngineState(EngineStatus.CRASHED, message="The file is damaged."))
    assert "The file is damaged." in shown_texts(page)
    assert "Download and start" in buttons(page)


def test_a_machine_without_catalogue_and_models_asks_for_a_file(page: FirstRun) -> None:
    page.set_entries([])
    assert "Open a model file to begin" in shown_texts(page)


def test_it_follows_the_flow(qtbot: QtBot, page: FirstRun) -> None:
    flow = ModelFlow(EventBridge(), Settings())
    flow.entries, flow.scanned = (STARTER,), True
    bind_first_run(page, flow)
    assert "Download and start" in buttons(page)
    flow.download_progressed.emit(STARTER.key, PROGRESS)
    assert progress_text(PROGRESS) in shown_texts(page)
    flow.download_failed.emit(STARTER.key, "No source answered.")
    assert "No source answered." in shown_texts(page)
    flow.entries = (LLAMA, STARTER)
    flow.entries_changed.emit()
    assert LLAMA.name in shown_texts(page)
