"""The context panel: numbers, drawing to scale, what was left out."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from app.store.types import MessageUsage
from app.ui.amounts import count_text
from app.ui.context_legend import ContextLegend
from app.ui.context_panel import ContextPanel
from app.ui.stack_bar import StackBar, draw_stack
from app.ui.theme import Theme, ThemeChoice
from engine.types import Finished, FinishReason, Started, TextDelta, Usage

ORIGINS = (("app", 100), ("persona", 200), ("user", 500), ("assistant", 200))


@pytest.fixture
def panel(qtbot: QtBot) -> ContextPanel:
    panel = ContextPanel(Theme(ThemeChoice.LIGHT))
    qtbot.addWidget(panel)
    panel.resize(300, 800)
    panel.show()
    return panel


def shown_texts(panel: ContextPanel) -> list[str]:
    return [label.text() for label in panel.findChildren(QLabel) if label.isVisible() and label.text()]


def legend(panel: ContextPanel) -> list[str]:
    found = panel.findChild(ContextLegend)
    assert found is not None
    return [found.item(number).data(Qt.ItemDataRole.AccessibleTextRole) for number in range(found.count())]


def answer(panel: ContextPanel, *, dropped: tuple[str, ...] = ()) -> None:
    panel.follower.observe(Started("r", 1000, 600, 2000, 1, dropped, ORIGINS))
    panel.follower.observe(TextDelta("r", "x"))
    panel.follower.observe(Usage("r", 1000, 600, 100, 2000, 2.0, 4.0))
    panel.follower.observe(Finished("r", FinishReason.STOP))


def test_an_answer_is_shown_by_origin(panel: ContextPanel) -> None:
    answer(panel)
    assert f"{count_text(1100)} of {count_text(2000)}" in shown_texts(panel)
    assert legend(panel) == [
        "Chat format: 100 tokens, 5 %",
        "Instructions: 200 tokens, 10 %",
        "Your messages: 500 tokens, 25 %",
        "Answers: 300 tokens, 15 %",
        "Free: 900 tokens, 45 %",
    ]


def test_the_speed_of_the_last_answer(panel: ContextPanel) -> None:
    answer(panel)
    texts = shown_texts(panel)
    for text in ("400 tokens", "600 tokens", "200 tokens/s", "100 tokens", "25 tokens/s", "2.0 s"):
        assert text in texts


def test_what_was_left_out_can_be_visited(qtbot: QtBot, panel: ContextPanel) -> None:
    answer(panel)
    jump = next(each for each in panel.findChildren(QPushButton) if each.text() == "Show the first of them")
    assert not jump.isVisible()
    answer(panel, dropped=("m1", "m2"))
    assert any("2 older messages" in text for text in shown_texts(panel))
    with qtbot.waitSignal(panel.message_requested) as asked:
        QTest.keyClick(jump, Qt.Key.Key_Space)
    assert asked.args == ["m1"]


def test_numbers_from_the_store(panel: ContextPanel) -> None:
    panel.follower.show_usage(MessageUsage(prompt_tokens=1800, completion_tokens=100, n_ctx=2000, dropped=1))
    assert legend(panel)[0] == f"The chat so far: {count_text(1800)} tokens, 90 %"
    assert any("1 older message " in text for text in shown_texts(panel))


def test_a_nearly_full_window_is_announced(panel: ContextPanel) -> None:
    panel.follower.show_usage(MessageUsage(prompt_tokens=1600, n_ctx=2000))
    assert not any("Nearly full" in text for text in shown_texts(panel))
    panel.follower.show_usage(MessageUsage(prompt_tokens=1800, n_ctx=2000))
    assert any("Nearly full" in text for text in shown_texts(panel))


def test_an_empty_chat_shows_the_loaded_models_window(panel: ContextPanel) -> None:
    assert "No model is loaded" in shown_texts(panel)
    panel.set_n_ctx(4096)
    assert legend(panel) == [f"Free: {count_text(4096)} tokens, 100 %"]


def test_it_counts_while_the_answer_is_written(qtbot: QtBot, panel: ContextPanel) -> None:
    panel.follower.observe(Started("r", 100, 0, 2000, 1, (), (("user", 100),)))
    for _ in range(5):
        panel.follower.observe(TextDelta("r", "x"))
    qtbot.waitUntil(lambda: "Answers: 5 tokens, 0 %" in legend(panel))


def test_the_bar_is_drawn_to_scale(qtbot: QtBot) -> None:
    theme = Theme(ThemeChoice.LIGHT)
    image = QImage(400, 12, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    red, blue = QColor("#ff0000"), QColor("#0000ff")
    draw_stack(painter, QRectF(0, 0, 400, 12), theme, [(red, 25), (blue, 50)], 100)
    painter.end()
    row = [image.pixelColor(x, 6).name() for x in range(400)]
    assert abs(row.count("#ff0000") - 100) <= 8
    assert abs(row.count("#0000ff") - 200) <= 2
    assert row[350] == theme.color("pressed").name()


def test_more_than_the_whole_is_cut_off(qtbot: QtBot) -> None:
    bar = StackBar(Theme(ThemeChoice.LIGHT))
    qtbot.addWidget(bar)
    bar.resize(100, 12)
    bar.set_stretches([(QColor("#ff0000"), 300.0)], 100)
    assert bar.grab().toImage().pixelColor(60, 6).name() == "#ff0000"


def test_another_computer_is_named_over_what_it_sees(panel: ContextPanel) -> None:
    sentence = "Answers come from 192.168.1.20: your messages leave this computer."
    assert sentence not in shown_texts(panel)
    panel.set_remote_host("192.168.1.20")
    assert sentence in shown_texts(panel)
    panel.set_remote_host("")
    assert sentence not in shown_texts(panel)
