"""The status bar: engine states, live speed and the context gauge, from scripted events."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QProgressBar, QPushButton
from pytestqt.qtbot import QtBot

from app.store.types import MessageUsage
from app.ui.amounts import count_text
from app.ui.answer_meter import AnswerMeter
from app.ui.context_gauge import ContextGauge
from app.ui.icons import IconButton
from app.ui.status_bar import StatusBar
from app.ui.theme import Theme, ThemeChoice
from engine.engine import EngineState, EngineStatus
from engine.types import Finished, FinishReason, LoadedModel, PromptProgress, Started, TextDelta, Usage


def loaded(*, backend: str = "CPU", note: str = "") -> LoadedModel:
    return LoadedModel(
        path=Path("qwen.gguf"),
        name="Qwen2.5 Coder 1.5B",
        architecture="qwen2",
        quantisation="Q4_K_M",
        n_ctx=4096,
        n_ctx_train=32768,
        n_vocab=151936,
        n_params=1_540_000_000,
        weights_bytes=1_000_000_000,
        kv_bytes=100_000_000,
        compute_bytes=50_000_000,
        backend=backend,
        n_gpu_layers=0,
        backend_note=note,
        template="chatml",
        can_think=False,
        load_s=1.0,
    )


@pytest.fixture
def bar(qtbot: QtBot) -> StatusBar:
    bar = StatusBar(Theme(ThemeChoice.LIGHT))
    qtbot.addWidget(bar)
    bar.resize(900, 36)
    bar.show()
    return bar


def button(bar: StatusBar, text: str) -> QPushButton:
    return next(each for each in bar.findChildren(QPushButton) if each.text() == text)


def shown_texts(bar: StatusBar) -> list[str]:
    return [label.text() for label in bar.findChildren(QLabel) if label.isVisible() and label.text()]


def gauge(bar: StatusBar) -> ContextGauge:
    found = bar.findChild(ContextGauge)
    assert found is not None
    return found


def test_the_model_button_asks_for_the_picker(qtbot: QtBot, bar: StatusBar) -> None:
    bar.set_engine_state(EngineState(EngineStatus.READY, loaded(note="No GPU that llama.cpp can use was found.")))
    with qtbot.waitSignal(bar.picker_requested):
        QTest.keyClick(button(bar, "Qwen2.5 Coder 1.5B"), Qt.Key.Key_Space)
    assert "CPU" in shown_texts(bar)
    note = next(label for label in bar.findChildren(QLabel) if label.text() == "CPU")
    assert note.toolTip() == "No GPU that llama.cpp can use was found."


def test_without_a_model_it_offers_to_choose_one(bar: StatusBar) -> None:
    assert button(bar, "Choose a model").isVisible()


def test_loading_shows_progress_and_can_be_cancelled(qtbot: QtBot, bar: StatusBar) -> None:
    bar.set_engine_state(EngineState(EngineStatus.LOADING, progress=0.45), "Qwen2.5 Coder 1.5B")
    progress = bar.findChild(QProgressBar)
    assert progress is not None
    assert progress.isVisible()
    assert progress.value() == 450
    assert "Loading 45 %" in shown_texts(bar)
    cancel = next(each for each in bar.findChildren(IconButton) if each.isVisible())
    with qtbot.waitSignal(bar.load_cancel_requested):
        QTest.keyClick(cancel, Qt.Key.Key_Space)
    bar.set_engine_state(EngineState(EngineStatus.READY, loaded()))
    assert not progress.isVisible()


@pytest.mark.parametrize(("backend", "offers_cpu"), [("CPU", False), ("Metal", True)])
def test_a_crash_offers_to_reload(qtbot: QtBot, bar: StatusBar, backend: str, offers_cpu: bool) -> None:
    bar.set_engine_state(EngineState(EngineStatus.READY, loaded(backend=backend)))
    bar.set_engine_state(EngineState(EngineStatus.CRASHED, message="The model ran out of memory."))
    assert "The model ran out of memory." in shown_texts(bar)
    asked: list[bool] = []
    bar.reload_requested.connect(asked.append)
    QTest.mouseClick(button(bar, "Reload"), Qt.MouseButton.LeftButton)
    on_cpu = button(bar, "Reload on the CPU")
    assert on_cpu.isVisible() is offers_cpu
    if offers_cpu:
        QTest.mouseClick(on_cpu, Qt.MouseButton.LeftButton)
    assert asked == ([False, True] if offers_cpu else [False])


def test_it_follows_an_answer(qtbot: QtBot, bar: StatusBar) -> None:
    bar.set_engine_state(EngineState(EngineStatus.READY, loaded()))
    assert gauge(bar).accessibleName() == f"Context window: 0 of {count_text(4096)} tokens used (0 %)"
    bar.follower.observe(Started("r", 1000, 0, 4096, 1, (), (("user", 900), ("app", 100))))
    assert "Reading 0 %" in shown_texts(bar)
    bar.follower.observe(PromptProgress("r", 500, 1000))
    qtbot.waitUntil(lambda: "Reading 50 %" in shown_texts(bar))
    bar.follower.observe(TextDelta("r", "Hi"))
    bar.follower.observe(Usage("r", 1000, 0, 24, 4096, 2.0, 0.5))
    bar.follower.observe(Finished("r", FinishReason.STOP))
    assert "48 tokens/s" in shown_texts(bar)
    assert gauge(bar).accessibleName() == f"Context window: {count_text(1024)} of {count_text(4096)} tokens used (25 %)"
    with qtbot.waitSignal(bar.context_requested):
        QTest.keyClick(gauge(bar), Qt.Key.Key_Space)


def test_another_conversation_shows_its_own_numbers(bar: StatusBar) -> None:
    bar.follower.show_usage(MessageUsage(prompt_tokens=100, completion_tokens=28, n_ctx=256, decode_s=4.0))
    assert gauge(bar).accessibleName() == "Context window: 128 of 256 tokens used (50 %)"
    assert "7.0 tokens/s" in shown_texts(bar)
    bar.follower.show_usage(None)
    assert "7.0 tokens/s" not in shown_texts(bar)


def test_a_conversation_under_way_comes_into_view_with_what_it_has(qtbot: QtBot, bar: StatusBar) -> None:
    bar.follower.show_usage(MessageUsage(prompt_tokens=7, n_ctx=256))
    meter = AnswerMeter()
    meter.observe(Started("r", 1000, 0, 4096, 1, (), (("user", 1000),)))
    meter.observe(TextDelta("r", "Hi"))
    bar.follower.show_live(meter)
    assert f"{count_text(1001)} of" in gauge(bar).accessibleName()
    bar.follower.observe(TextDelta("r", "there"))
    qtbot.waitUntil(lambda: f"{count_text(1002)} of" in gauge(bar).accessibleName())
    assert meter.used == 1001


def test_it_redraws_in_another_theme(bar: StatusBar) -> None:
    theme = bar._theme
    before = bar.styleSheet()
    theme.choose(ThemeChoice.DARK)
    assert bar.styleSheet() != before


def test_another_computer_cannot_be_overlooked(bar: StatusBar) -> None:
    away = next(label for label in bar.findChildren(QLabel) if label.accessibleName() == "On another computer")
    bar.set_engine_state(EngineState(EngineStatus.READY, loaded()))
    assert away.isHidden()
    there = replace(loaded(backend="on 192.168.1.20", note="Answers come from there."), remote_host="192.168.1.20")
    bar.set_engine_state(EngineState(EngineStatus.READY, there))
    assert away.isVisible()
    assert away.toolTip() == "Answers come from there."
    assert "on 192.168.1.20" in shown_texts(bar)
    spoken = button(bar, "Qwen2.5 Coder 1.5B").accessibleName()
    assert spoken.endswith("Answers come from 192.168.1.20: your messages leave this computer.")
    bar.set_engine_state(EngineState(EngineStatus.READY, loaded()))
    assert away.isHidden()
    assert button(bar, "Qwen2.5 Coder 1.5B").accessibleName() == "Model: Qwen2.5 Coder 1.5B"
