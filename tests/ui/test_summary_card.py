"""Summaries and recalled passages in the transcript: the card, the marks, the lines, by mouse and by keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.store.types import RecallPart, StoredMessage, Summary, TextPart
from app.ui.message_editor import MessageEditor
from app.ui.theme import Theme, ThemeChoice
from app.ui.transcript import Transcript
from engine.context.segments import Role
from tests.ui.test_transcript import message, view_of

SUMMARY = Summary("s1", "c", "m0", "m3", "Mara builds violins. <b>No markup</b>, no ![picture](http://x).", 0.0)
PATH = [
    message(number, Role.ASSISTANT if number % 2 else Role.USER, f"Words of message {number}") for number in range(8)
]


@pytest.fixture
def transcript(qtbot: QtBot, qapp: QApplication) -> Iterator[Transcript]:
    transcript = Transcript(Theme(ThemeChoice.LIGHT))
    qtbot.addWidget(transcript)
    transcript.resize(900, 1400)
    transcript.show()
    qtbot.waitExposed(transcript)
    transcript.show_path(PATH)
    transcript.show_summary(SUMMARY, ["m0", "m1", "m2", "m3"])
    yield transcript


def test_the_card_stands_below_the_last_message_it_is_for(transcript: Transcript) -> None:
    view = view_of(transcript, 3)
    assert view.card is not None and view.card.isVisible()
    assert view.card.title.text() == "Summary of 4 earlier messages — the model reads this instead"
    assert view.card.text.text() == SUMMARY.text and view.card.text.textFormat() is Qt.TextFormat.PlainText
    assert view.card.geometry().bottom() < view.height()
    assert view.card.height() >= view.card.text.geometry().bottom()
    assert all(view_of(transcript, n).card is None for n in (0, 1, 2, 4, 7))


def test_what_is_covered_is_said_to_a_screen_reader(transcript: Transcript) -> None:
    said = [view_of(transcript, n).accessibleDescription() for n in range(8)]
    assert ["summary instead" in text for text in said] == [True] * 4 + [False] * 4
    assert view_of(transcript, 3).card is not None
    assert view_of(transcript, 3).card.edit_button.accessibleName() == "Edit the summary"  # type: ignore[union-attr]


def test_pinned_and_excluded_messages_are_told_apart(transcript: Transcript) -> None:
    pinned = message(0, Role.USER, "Words of message 0", pinned=True)
    out = message(5, Role.ASSISTANT, "Words of message 5", excluded=True)
    transcript.show_path([pinned, *PATH[1:5], out, *PATH[6:]])
    assert "summary" not in view_of(transcript, 0).accessibleDescription()
    assert "Not in the model's view" in view_of(transcript, 5).accessibleDescription()


def test_the_card_is_edited_by_keyboard(transcript: Transcript, qtbot: QtBot) -> None:
    card = view_of(transcript, 3).card
    assert card is not None
    height = view_of(transcript, 3).height()
    card.edit_button.setFocus()
    QTest.keyClick(card.edit_button, Qt.Key.Key_Space)
    assert card.editor is not None and not card.text.isVisible()
    assert view_of(transcript, 3).height() != height, "the list makes room for the editor"
    QTest.keyClick(card.editor.edit, Qt.Key.Key_Escape)
    assert card.text.isVisible()
    card.edit()
    (editor,) = [each for each in card.findChildren(MessageEditor) if each.isVisible()]
    editor.edit.setPlainText("Mara builds cellos.")
    with qtbot.waitSignal(transcript.summary_edited) as asked:
        QTest.keyClick(editor.edit, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert asked.args == ["s1", "Mara builds cellos."]


def test_undo_asks_and_the_card_goes(transcript: Transcript, qtbot: QtBot) -> None:
    card = view_of(transcript, 3).card
    assert card is not None
    with qtbot.waitSignal(transcript.summary_undone) as asked:
        card.undo_button.click()
    assert asked.args == ["s1"]
    transcript.show_summary(None, [])
    assert view_of(transcript, 3).card is None
    assert "summary" not in view_of(transcript, 0).accessibleDescription()


def test_a_changed_summary_shows_its_new_words(transcript: Transcript) -> None:
    transcript.show_summary(replace(SUMMARY, text="Other words."), ["m0", "m1", "m2", "m3"])
    card = view_of(transcript, 3).card
    assert card is not None and card.text.text() == "Other words."


def test_a_recalled_passage_leads_to_its_message(transcript: Transcript) -> None:
    recalled = RecallPart("m0", "Words & of message 0 " * 20, "user")
    asked = StoredMessage("m6", "c", None, Role.USER, (recalled, TextPart("What was it?")), PATH[6].state, 0.0)
    transcript.show_path([*PATH[:6], asked, PATH[7]])
    lines = view_of(transcript, 6).recalled
    assert lines is not None
    (button,) = lines.buttons
    assert button.text().startswith("Recalled from earlier: “Words && of") and button.text().endswith("…")
    assert button.accessibleName().startswith("Recalled from earlier: Words & of")
    assert lines.geometry().bottom() <= view_of(transcript, 6).height()
    button.click()
    assert view_of(transcript, 0).hasFocus()
    transcript.show_path(PATH)
    assert view_of(transcript, 6).recalled is None
