"""The parameters panel: rows from the declaration, what it says, and for which conversation."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QPlainTextEdit, QPushButton, QSlider, QToolButton
from pytestqt.qtbot import QtBot

from app.prompting import sampling_of
from app.settings import Settings
from app.settings_options import OPTIONS
from app.store.types import Conversation
from app.ui.icons import IconButton
from app.ui.parameter_row import ParameterRow
from app.ui.parameters_panel import ParametersPanel
from app.ui.theme import Theme, ThemeChoice
from engine.types import SamplingParams

Said = tuple[str, SamplingParams | None, str]


def conversation(key: str, sampling: SamplingParams | None = None, prompt: str = "") -> Conversation:
    return Conversation(key, "", True, 0.0, 0.0, system_prompt=prompt, sampling=sampling)


@pytest.fixture
def settings() -> Settings:
    return Settings()


@pytest.fixture
def panel(qtbot: QtBot, settings: Settings) -> ParametersPanel:
    panel = ParametersPanel(Theme(ThemeChoice.LIGHT), settings)
    qtbot.addWidget(panel)
    panel.resize(300, 900)
    panel.show()
    panel.show_conversation(conversation("a"))
    return panel


def said_by(panel: ParametersPanel) -> list[Said]:
    said: list[Said] = []
    panel.changed.connect(lambda key, sampling, prompt: said.append((key, sampling, prompt)))
    return said


def row(panel: ParametersPanel, key: str) -> ParameterRow:
    return next(each for each in panel.findChildren(ParameterRow) if each.option.key == key)


def spin(panel: ParametersPanel, key: str) -> QAbstractSpinBox:
    found = row(panel, key).findChild(QAbstractSpinBox)
    assert found is not None
    return found


def slider(panel: ParametersPanel, key: str) -> QSlider:
    found = row(panel, key).findChild(QSlider)
    assert found is not None
    return found


def prompt(panel: ParametersPanel) -> QPlainTextEdit:
    return next(each for each in panel.findChildren(QPlainTextEdit) if each.accessibleName() == "Instructions")


def button(panel: ParametersPanel, text: str) -> QPushButton:
    return next(each for each in panel.findChildren(QPushButton) if each.text() == text)


def enter(panel: ParametersPanel, key: str, text: str) -> None:
    control = spin(panel, key)
    control.selectAll()
    QTest.keyClicks(control, text)
    QTest.keyClick(control, Qt.Key.Key_Return)


def test_rows_carry_the_declared_words_and_ranges(panel: ParametersPanel) -> None:
    for key in ("chat.temperature", "chat.top_p", "chat.top_k", "chat.min_p", "chat.repeat_penalty", "chat.max_tokens"):
        option = next(each for each in OPTIONS if each.key == key)
        assert spin(panel, key).accessibleName() == option.label
        assert spin(panel, key).accessibleDescription() == option.help
        assert row(panel, key).value == option.default


def test_a_change_is_said_once_after_a_pause(qtbot: QtBot, panel: ParametersPanel, settings: Settings) -> None:
    said = said_by(panel)
    QTest.keyClick(slider(panel, "chat.temperature"), Qt.Key.Key_Right)
    QTest.keyClick(slider(panel, "chat.temperature"), Qt.Key.Key_Right)
    assert said == []
    qtbot.waitUntil(lambda: bool(said))
    assert said == [("a", replace(sampling_of(settings), temperature=0.8), "")]


def test_numbers_can_be_typed(panel: ParametersPanel) -> None:
    said = said_by(panel)
    enter(panel, "chat.temperature", "0.35")
    enter(panel, "chat.max_tokens", "512")
    enter(panel, "seed", "42")
    panel.flush()
    (_key, sampling, _prompt) = said[-1]
    assert sampling is not None
    assert (sampling.temperature, sampling.max_tokens, sampling.seed) == (0.35, 512, 42)
    assert slider(panel, "chat.temperature").value() == 7


def test_instructions_and_stop_texts(panel: ParametersPanel) -> None:
    said = said_by(panel)
    QTest.keyClicks(prompt(panel), "Answer briefly.")
    stop = next(each for each in panel.findChildren(QPlainTextEdit) if each.accessibleName() == "Stop at")
    stop.setPlainText("END\n\n###")
    panel.flush()
    (_key, sampling, text) = said[-1]
    assert text == "Answer briefly."
    assert sampling is not None
    assert sampling.stop == ("END", "###")


def test_back_at_the_settings_values_nothing_is_overridden(panel: ParametersPanel) -> None:
    panel.show_conversation(conversation("a", SamplingParams(temperature=1.5), "Be kind."))
    assert row(panel, "chat.temperature").value == 1.5
    said = said_by(panel)
    QTest.mouseClick(button(panel, "Reset to defaults"), Qt.MouseButton.LeftButton)
    assert said == [("a", None, "Be kind.")]
    assert row(panel, "chat.temperature").value == 0.7
    assert not button(panel, "Reset to defaults").isEnabled()


def test_one_row_can_be_reset(panel: ParametersPanel) -> None:
    panel.show_conversation(conversation("a", SamplingParams(temperature=1.5, top_k=7)))
    said = said_by(panel)
    reset = row(panel, "chat.temperature").findChild(IconButton)
    assert reset is not None
    assert reset.accessibleName() == "Reset Temperature"
    QTest.mouseClick(reset, Qt.MouseButton.LeftButton)
    panel.flush()
    assert said[0][1] is not None
    assert (said[0][1].temperature, said[0][1].top_k) == (0.7, 7)
    assert not reset.isVisible()


def test_what_the_panel_does_not_show_is_kept(panel: ParametersPanel) -> None:
    panel.show_conversation(conversation("a", SamplingParams(dry_multiplier=0.8, presence_penalty=0.5)))
    said = said_by(panel)
    enter(panel, "chat.temperature", "0.1")
    panel.flush()
    assert said[0][1] == SamplingParams(dry_multiplier=0.8, presence_penalty=0.5, temperature=0.1)


def test_a_change_belongs_to_the_conversation_it_was_made_in(panel: ParametersPanel) -> None:
    said = said_by(panel)
    QTest.keyClicks(prompt(panel), "For a")
    panel.show_conversation(conversation("b", prompt="For b"))
    assert [(key, text) for key, _sampling, text in said] == [("a", "For a")]
    assert prompt(panel).toPlainText() == "For b"


def test_an_older_reading_of_the_store_does_not_undo_what_is_being_written(panel: ParametersPanel) -> None:
    QTest.keyClicks(prompt(panel), "New")
    panel.show_conversation(conversation("a", prompt="Old"))
    assert prompt(panel).toPlainText() == "New"


def test_hiding_the_panel_loses_nothing(panel: ParametersPanel) -> None:
    said = said_by(panel)
    QTest.keyClicks(prompt(panel), "x")
    panel.hide()
    assert [text for _key, _sampling, text in said] == ["x"]


def test_more_unfolds_with_the_keyboard(panel: ParametersPanel) -> None:
    more = next(each for each in panel.findChildren(QToolButton) if each.text() == "More")
    assert not spin(panel, "chat.top_p").isVisible()
    QTest.keyClick(more, Qt.Key.Key_Space)
    assert spin(panel, "chat.top_p").isVisible()
    assert more.text() == "Less"


def test_scrolling_over_a_slider_does_not_move_it(panel: ParametersPanel) -> None:
    control = slider(panel, "chat.temperature")
    prompt(panel).setFocus()

    def wheel() -> None:
        at = QPointF(5, 5)
        event = QWheelEvent(
            at,
            control.mapToGlobal(at),
            QPoint(),
            QPoint(0, 120),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(control, event)

    before = control.value()
    wheel()
    assert control.value() == before
    control.setFocus()
    wheel()
    assert control.value() != before


def test_the_general_instructions_show_as_a_hint(panel: ParametersPanel, settings: Settings) -> None:
    settings.set("chat.system_prompt", "Always rhyme.")
    panel.show_conversation(conversation("c"))
    assert prompt(panel).placeholderText() == "Always rhyme."
