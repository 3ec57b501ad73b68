"""The sources of an answer: what was read and used, by eye, by keys and by ear."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.ui.documents_sources import SourcesList, source_line
from app.ui.theme import Theme, ThemeChoice

USED = source_line(1, "manual.pdf", "page 12", "Faults", "Press the\n  reset button.", score=0.87, used=True)
WRONG = source_line(3, "sums.xlsx", "row 4", "", "1,100", score=0.2, verdict="The number 1,200 is not there.")


@pytest.fixture
def sources(qtbot: QtBot) -> SourcesList:
    made = SourcesList(Theme(ThemeChoice.LIGHT))
    qtbot.addWidget(made)
    made.resize(320, 400)
    made.show()
    made.set_sources([USED, WRONG], "2 of 4,210 passages were read")
    return made


def test_a_row_says_everything(sources: SourcesList) -> None:
    model = sources.list.passages
    assert [model.index(row).data(Qt.ItemDataRole.AccessibleTextRole) for row in range(2)] == [
        "1, manual.pdf, page 12, Faults, used in the answer, score 87 %, Press the reset button.",
        "3, sums.xlsx, row 4, score 20 %, The number 1,200 is not there., 1,100",
    ]
    assert sources.head.text() == "2 of 4,210 passages were read"
    assert sources.list.accessibleName() == sources.head.text()


def test_a_row_with_a_verdict_is_higher(sources: SourcesList) -> None:
    heights = [sources.list.visualRect(sources.list.passages.index(row)).height() for row in range(2)]
    assert heights[1] > heights[0]


def test_enter_and_click_choose_by_number(sources: SourcesList, qtbot: QtBot) -> None:
    chosen: list[int] = []
    sources.passage_chosen.connect(chosen.append)
    sources.show_number(3)
    QTest.keyClick(sources.list, Qt.Key.Key_Return)
    first = sources.list.visualRect(sources.list.passages.index(0)).center()
    QTest.mouseClick(sources.list.viewport(), Qt.MouseButton.LeftButton, pos=first)
    assert chosen == [3, 1]


def test_no_sources_is_a_sentence(sources: SourcesList) -> None:
    sources.set_sources((), "Your documents do not say")
    assert sources.head.text() == "Your documents do not say"
    assert sources.list.isHidden()


def test_the_question_is_shown_as_text(sources: SourcesList) -> None:
    sources.set_sources([USED], "1 of 1", question="<b>boiler</b>\nfault")
    assert sources.note.text() == "Looked for: <b>boiler</b> fault"
    assert sources.note.textFormat() is Qt.TextFormat.PlainText


def test_verdicts_come_later_and_the_place_stays(sources: SourcesList) -> None:
    sources.show_number(3)
    sources.set_sources([USED, source_line(3, "sums.xlsx", "row 4", "", "1,100", used=True)], "2 of 4,210")
    assert sources.list.current is not None
    assert sources.list.current.number == 3


def test_long_text_is_cut_and_everything_is_painted(sources: SourcesList) -> None:
    sources.set_sources([source_line(1, "a" * 300, "page 1", "b" * 300, "\U0001f642 word " * 5000, used=True)], "1")
    assert len(sources.list.passages.lines[0].text) <= 320
    image = sources.grab().toImage()
    blank = QImage(image.size(), image.format())
    blank.fill(image.pixel(0, image.height() - 1))
    assert image != blank
