"""The transcript: what it shows, what it asks for, and that a long one stays small and still."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QTextEdit
from pytestqt.qtbot import QtBot

from app.store.types import (
    AttachmentPart,
    MessageState,
    MessageUsage,
    Part,
    ReasoningPart,
    StoredMessage,
    TextPart,
)
from app.ui.links import LinkDialog
from app.ui.message_actions import Action, ActionRow
from app.ui.message_attachments import AttachmentDialog
from app.ui.message_code import CodeView
from app.ui.message_prose import ProseView
from app.ui.message_state import StateLine
from app.ui.message_table import TableView
from app.ui.message_text import plain_text
from app.ui.message_widget import MessageWidget
from app.ui.theme import Theme, ThemeChoice
from app.ui.transcript import Transcript
from engine.context.segments import Role
from engine.types import (
    Finished,
    FinishReason,
    PromptProgress,
    ReasoningDelta,
    Started,
    TextDelta,
    Usage,
)


def message(
    number: int,
    role: Role,
    *parts: Part | str,
    state: MessageState = MessageState.COMPLETE,
    conversation: str = "c",
    **fields: object,
) -> StoredMessage:
    values = tuple(TextPart(part) if isinstance(part, str) else part for part in parts)
    return StoredMessage(f"m{number}", conversation, None, role, values, state, 0.0, **fields)  # type: ignore[arg-type]


def long_path(count: int, *, conversation: str = "c") -> list[StoredMessage]:
    answer = "A paragraph of the answer, with **some** words.\n\n- one\n- two\n\n```python\nx = {0}\n```\n\n"
    return [
        message(number, Role.USER, f"Question {number}", conversation=conversation)
        if number % 2 == 0
        else message(number, Role.ASSISTANT, answer.format(number) * (1 + number % 5), conversation=conversation)
        for number in range(count)
    ]


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    return Theme(ThemeChoice.LIGHT)


@pytest.fixture
def transcript(qtbot: QtBot, theme: Theme) -> Iterator[Transcript]:
    transcript = Transcript(theme)
    qtbot.addWidget(transcript)
    transcript.resize(900, 700)
    transcript.show()
    qtbot.waitExposed(transcript)
    yield transcript


def view_of(transcript: Transcript, number: int) -> MessageWidget:
    view = transcript.message_view(f"m{number}")
    assert view is not None
    return view


def shown_text(view: MessageWidget) -> str:
    return "\n".join(each.toPlainText() for each in view.findChildren(QTextEdit))


def row_of(view: MessageWidget) -> ActionRow:
    (row,) = [row for row in view.findChildren(ActionRow) if not row.isHidden()]
    return row


def click(transcript: Transcript, number: int, action: Action) -> None:
    view = view_of(transcript, number)
    view.focus_actions()
    row_of(view).buttons[action].click()


def widgets_of(transcript: Transcript) -> list[MessageWidget]:
    return [view for name in transcript.message_ids() if (view := transcript.message_view(name)) is not None]


# What is shown


def test_shows_a_path(transcript: Transcript) -> None:
    transcript.show_path([message(0, Role.USER, "Why?"), message(1, Role.ASSISTANT, "# Because\n\nof *that*")])
    assert transcript.message_ids() == ["m0", "m1"]
    assert shown_text(view_of(transcript, 0)) == "Why?"
    assert shown_text(view_of(transcript, 1)) == "Because\nof that"


def test_own_words_are_not_markdown(transcript: Transcript) -> None:
    transcript.show_path([message(0, Role.USER, "a *b*  <b>\n  c")])
    assert shown_text(view_of(transcript, 0)) == "a *b*  <b>\n  c"


def test_system_messages_are_not_shown(transcript: Transcript) -> None:
    transcript.show_path([message(0, Role.SYSTEM, "Be brief"), message(1, Role.USER, "Hi")])
    assert transcript.message_ids() == ["m1"]


def test_each_kind_of_block_has_its_view(transcript: Transcript) -> None:
    text = "a\n\n- b\n\n```py\nc = 1\n```\n\n| d |\n|---|\n| e |\n\n$$f$$\n\n> g"
    transcript.show_path([message(0, Role.ASSISTANT, text)])
    kinds = [type(view).__name__ for view in view_of(transcript, 0).body.views]
    assert kinds == ["ProseView", "CodeView", "TableView", "FormulaView", "ProseView"]
    (table,) = view_of(transcript, 0).findChildren(TableView)
    assert table.toPlainText().split() == ["d", "e"]


def test_code_is_coloured_and_copied(transcript: Transcript, qtbot: QtBot) -> None:
    transcript.show_path([message(0, Role.ASSISTANT, "```python\ndef f():\n    return 'x'\n```")])
    (code,) = view_of(transcript, 0).findChildren(CodeView)
    qtbot.waitUntil(code.highlighter.is_idle)
    first = code.view.document().begin().layout().formats()
    assert len({span.format.foreground().color().name() for span in first}) == 2
    with qtbot.waitSignal(transcript.copied):
        code.copy_button.click()
    assert QGuiApplication.clipboard().text() == "def f():\n    return 'x'"


def test_formula_is_drawn_and_copies_as_source(transcript: Transcript, qtbot: QtBot) -> None:
    transcript.show_path([message(0, Role.ASSISTANT, "so $x^2$ it is")])
    view = view_of(transcript, 0)
    qtbot.waitUntil(lambda: not view.body.waits)
    (prose,) = view.findChildren(ProseView)
    assert prose.toPlainText() == "so \ufffc it is"
    view.selection.select_all()
    assert view.selection.text() == "so $x^2$ it is"


def test_states(transcript: Transcript, qtbot: QtBot) -> None:
    transcript.show_path(
        [
            message(0, Role.ASSISTANT, "half", state=MessageState.STOPPED),
            message(1, Role.ASSISTANT, state=MessageState.FAILED, error="It broke. Try again."),
            message(2, Role.ASSISTANT, "part", state=MessageState.INTERRUPTED),
            message(3, Role.ASSISTANT, state=MessageState.INTERRUPTED),
        ]
    )
    lines = [view.findChildren(StateLine)[0] for view in widgets_of(transcript)]
    assert lines[1].sentence.text() == "It broke. Try again."
    with qtbot.waitSignal(transcript.continue_requested) as asked:
        lines[0].button.click()
    assert asked.args == ["m0"]
    for number in (1, 3):  # without a word there is nothing to go on from
        with qtbot.waitSignal(transcript.regenerate_requested) as asked:
            lines[number].button.click()
        assert asked.args == [f"m{number}"]


def test_reasoning_is_folded_and_remembered(transcript: Transcript, qtbot: QtBot) -> None:
    path = [message(0, Role.ASSISTANT, ReasoningPart("Hmm **so**.", 4.2), "Yes.")]
    transcript.show_path(path)
    view = view_of(transcript, 0)
    assert shown_text(view) == "Yes."
    height = view.height()
    assert view.fold is not None
    assert "4" in view.fold.button.text()
    view.fold.button.click()
    assert "Hmm so." in shown_text(view)
    assert view.height() > height


def test_attachment_opens_its_text(transcript: Transcript, qtbot: QtBot) -> None:
    transcript.show_path([message(0, Role.USER, "See", AttachmentPart("notes & more.txt", "the text", 2048))])
    view = view_of(transcript, 0)
    assert view.chips is not None
    (chip,) = view.chips.chips
    assert "notes" in chip.accessibleName()
    chip.click()
    (dialog,) = [each for each in QApplication.topLevelWidgets() if isinstance(each, AttachmentDialog)]
    assert "the text" in dialog.text_view.toPlainText()
    dialog.accept()


def test_long_own_text_is_folded(transcript: Transcript) -> None:
    transcript.show_path([message(0, Role.USER, "\n".join(f"line {number}" for number in range(5000)))])
    view = view_of(transcript, 0)
    assert "line 100" not in shown_text(view)
    assert view.height() < 2000
    assert view.more_button is not None
    view.more_button.click()
    assert "line 4999" in shown_text(view)


def test_plain_text_of_a_message() -> None:
    assert plain_text(message(0, Role.ASSISTANT, "# A\n\n- **b**")) == "A\n\n• b"
    assert plain_text(message(0, Role.USER, "**as typed**")) == "**as typed**"


# What is asked for


def test_actions_ask(transcript: Transcript, qtbot: QtBot) -> None:
    transcript.show_path([message(0, Role.USER, "Q"), message(1, Role.ASSISTANT, "**A**", position=2, siblings=3)])
    expected = [
        (Action.REGENERATE, transcript.regenerate_requested, ["m1"]),
        (Action.BRANCH, transcript.branch_requested, ["m1"]),
        (Action.DELETE, transcript.delete_requested, ["m1"]),
        (Action.PIN, transcript.pin_requested, ["m1", True]),
        (Action.PREVIOUS, transcript.sibling_requested, ["m1", -1]),
        (Action.NEXT, transcript.sibling_requested, ["m1", 1]),
    ]
    for action, signal, args in expected:
        with qtbot.waitSignal(signal) as asked:
            click(transcript, 1, action)
        assert asked.args == args
    with qtbot.waitSignal(transcript.copied):
        click(transcript, 1, Action.COPY)
    assert QGuiApplication.clipboard().text() == "**A**"


def test_sibling_switch_stops_at_the_ends(transcript: Transcript) -> None:
    transcript.show_path([message(0, Role.ASSISTANT, "A", position=3, siblings=3)])
    row = row_of(view_of(transcript, 0))
    assert row.buttons[Action.PREVIOUS].isEnabled()
    assert not row.buttons[Action.NEXT].isEnabled()


def test_edit_in_place(transcript: Transcript, qtbot: QtBot) -> None:
    transcript.show_path([message(0, Role.USER, "Old")])
    view = view_of(transcript, 0)
    click(transcript, 0, Action.EDIT)
    assert view.editor is not None
    assert not view.body.isVisible()
    view.editor.edit.setPlainText("New")
    with qtbot.waitSignal(transcript.edit_requested) as asked:
        QTest.keyClick(view.editor.edit, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert asked.args == ["m0", "New"]
    assert view.body.isVisible()


def test_edit_given_up_asks_nothing(transcript: Transcript, qtbot: QtBot) -> None:
    transcript.show_path([message(0, Role.USER, "Old")])
    click(transcript, 0, Action.EDIT)
    view = view_of(transcript, 0)
    assert view.editor is not None
    view.editor.edit.setPlainText("New")
    with qtbot.assertNotEmitted(transcript.edit_requested):
        QTest.keyClick(view.editor.edit, Qt.Key.Key_Escape)
    assert view.editor is None


def test_copy_last_answer(transcript: Transcript) -> None:
    assert transcript.copy_last_answer() == ""
    transcript.show_path(
        [message(0, Role.ASSISTANT, "first"), message(1, Role.ASSISTANT, "*last*"), message(2, Role.USER, "Q")]
    )
    assert transcript.copy_last_answer() == "*last*"
    assert QGuiApplication.clipboard().text() == "*last*"


def test_link_asks_by_dialog(transcript: Transcript, qtbot: QtBot) -> None:
    transcript.show_path([message(0, Role.ASSISTANT, "[a](https://example.com/x) [b](file:///etc/passwd)")])
    (prose,) = view_of(transcript, 0).findChildren(ProseView)
    anchors = {
        fragment.text(): fragment.charFormat().anchorHref()
        for each in prose.document().begin()  # type: ignore[attr-defined]
        if (fragment := each.fragment())
    }
    assert anchors == {"a": "https://example.com/x", " b": ""}
    prose.link_activated.emit("https://example.com/x")
    (dialog,) = [each for each in QApplication.topLevelWidgets() if isinstance(each, LinkDialog) and each.isVisible()]
    dialog.reject()


def test_remote_image_is_a_chip_with_its_host(transcript: Transcript) -> None:
    transcript.show_path([message(0, Role.ASSISTANT, "![a cat](https://cdn.example/c.png) ![](file:///x.png)")])
    text = shown_text(view_of(transcript, 0))
    assert "cdn.example" in text
    assert "a cat" in text
    assert "file" not in text


# Selection and keyboard


def test_selection_goes_through_the_views_of_a_message(transcript: Transcript) -> None:
    transcript.show_path([message(0, Role.ASSISTANT, "Before code\n\n```\nx = 1\n```\n\n1. after\n2. it")])
    view = view_of(transcript, 0)
    first, code, last = view.body.views
    assert isinstance(first, ProseView)
    assert isinstance(code, CodeView)
    assert isinstance(last, ProseView)
    start = QPoint(0, 8)
    end = QPoint(last.width() - 2, last.height() - 2)
    QTest.mousePress(first.viewport(), Qt.MouseButton.LeftButton, pos=start)
    assert view.selection.drag(last.viewport().mapToGlobal(end))
    QTest.mouseRelease(first.viewport(), Qt.MouseButton.LeftButton, pos=start)
    assert view.selection.text() == "Before code\n\nx = 1\n\n1. after\n2. it"
    QTest.keyClick(first, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == view.selection.text()


def test_keys_go_between_messages_and_to_actions(transcript: Transcript, qtbot: QtBot) -> None:
    transcript.show_path(long_path(12))
    transcript.activateWindow()
    transcript.scroll_to("m11")
    qtbot.waitUntil(lambda: view_of(transcript, 11).hasFocus())
    QTest.keyClick(view_of(transcript, 11), Qt.Key.Key_Up)
    assert view_of(transcript, 10).hasFocus()
    QTest.keyClick(view_of(transcript, 10), Qt.Key.Key_Return)
    row = row_of(view_of(transcript, 10))
    assert row.buttons[Action.COPY].hasFocus()
    QTest.keyClick(row.buttons[Action.COPY], Qt.Key.Key_Right)
    assert row.buttons[Action.EDIT].hasFocus()
    QTest.keyClick(row.buttons[Action.EDIT], Qt.Key.Key_Escape)
    assert view_of(transcript, 10).hasFocus()
    QTest.keyClick(view_of(transcript, 10), Qt.Key.Key_Down)
    assert view_of(transcript, 11).hasFocus()


def test_tab_stops_only_in_the_current_message(transcript: Transcript, qtbot: QtBot) -> None:
    transcript.show_path([message(0, Role.ASSISTANT, "[a](https://a.example)"), message(1, Role.USER, "Q")])
    view_of(transcript, 0).focus_actions()
    stops = {
        name: [
            child
            for child in view_of(transcript, name).findChildren(ActionRow)[0].buttons.values()
            if child.focusPolicy().value & Qt.FocusPolicy.TabFocus.value
        ]
        for name in (0, 1)
    }
    assert stops[0]
    assert not stops[1]


def test_names_for_screen_readers(transcript: Transcript) -> None:
    transcript.show_path([message(0, Role.USER, "Q"), message(1, Role.ASSISTANT, "**A**", model="Qwen")])
    assert view_of(transcript, 0).accessibleName()
    assert "Qwen" in view_of(transcript, 1).accessibleName()
    assert view_of(transcript, 1).accessibleDescription() == "A"
    assert all(button.accessibleName() for button in row_of(view_of(transcript, 1)).buttons.values())


# Streaming


def streaming(transcript: Transcript) -> None:
    transcript.show_path([message(0, Role.USER, "Q")])
    transcript.add_message(message(1, Role.ASSISTANT, state=MessageState.STREAMING))


def test_streamed_answer_grows(transcript: Transcript, qtbot: QtBot) -> None:
    streaming(transcript)
    view = view_of(transcript, 1)
    transcript.streamed("m1", Started("r", 10, 0, 100, 1))
    transcript.streamed("m1", PromptProgress("r", 5, 10))
    qtbot.waitUntil(lambda: view.status_text() != "" and "50" in view.status_text())
    for piece in ("Hello **wor", "ld**\n\n```py\nx", " = 1\n", "```\nbye"):
        transcript.streamed("m1", TextDelta("r", piece))
    qtbot.waitUntil(lambda: "bye" in shown_text(view))
    assert shown_text(view) == "Hello world\nx = 1\nbye"
    assert view.status_text() == ""
    transcript.streamed("m1", Usage("r", 10, 0, 5, 100, 0.1, 0.1))
    transcript.streamed("m1", Finished("r", FinishReason.STOP))
    usage = MessageUsage(10, 2, 5, 100, 0.1, 0.5, 3)
    transcript.finish_message(message(1, Role.ASSISTANT, "Hello **world**\n\n```py\nx = 1\n```\nbye", usage=usage))
    assert view_of(transcript, 1) is view
    assert shown_text(view) == "Hello world\nx = 1\nbye"
    assert Action.CONTINUE not in row_of(view).buttons


def test_answer_at_its_limit_can_be_continued(transcript: Transcript, qtbot: QtBot) -> None:
    streaming(transcript)
    transcript.streamed("m1", TextDelta("r", "and so"))
    transcript.streamed("m1", Finished("r", FinishReason.LENGTH))
    transcript.finish_message(message(1, Role.ASSISTANT, "and so"))
    with qtbot.waitSignal(transcript.continue_requested) as asked:
        click(transcript, 1, Action.CONTINUE)
    assert asked.args == ["m1"]


def test_live_reasoning(transcript: Transcript, qtbot: QtBot) -> None:
    streaming(transcript)
    view = view_of(transcript, 1)
    transcript.streamed("m1", ReasoningDelta("r", "Let me *think*."))
    qtbot.waitUntil(lambda: view.fold is not None)
    assert view.fold is not None
    thinking = view.fold.button.text()
    view.fold.button.click()
    assert "Let me think." in shown_text(view)
    transcript.streamed("m1", TextDelta("r", "Done."))
    qtbot.waitUntil(lambda: "Done." in shown_text(view))
    assert view.fold.button.text() != thinking


def test_what_the_store_holds_wins(transcript: Transcript) -> None:
    streaming(transcript)
    transcript.streamed("m1", TextDelta("r", "half a sen"))
    transcript.finish_message(message(1, Role.ASSISTANT, "half a sentence", state=MessageState.STOPPED))
    assert "half a sentence" in shown_text(view_of(transcript, 1))


def test_continued_answer_keeps_its_beginning(transcript: Transcript, qtbot: QtBot) -> None:
    transcript.show_path([message(0, Role.ASSISTANT, "Once upon", state=MessageState.STOPPED)])
    transcript.add_message(message(0, Role.ASSISTANT, "Once upon", state=MessageState.STREAMING))
    transcript.streamed("m0", TextDelta("r", " a time"))
    view = view_of(transcript, 0)
    qtbot.waitUntil(lambda: shown_text(view) == "Once upon a time")
    assert transcript.message_ids() == ["m0"]


def test_events_of_unknown_messages_are_ignored(transcript: Transcript) -> None:
    transcript.show_path([message(0, Role.USER, "Q")])
    transcript.streamed("other", TextDelta("r", "x"))
    transcript.finish_message(message(7, Role.ASSISTANT, "x"))
    assert transcript.message_ids() == ["m0"]


def test_stays_at_the_end_unless_scrolled_up(transcript: Transcript, qtbot: QtBot) -> None:
    path = long_path(8)
    transcript.show_path(path)
    transcript.add_message(message(8, Role.ASSISTANT, state=MessageState.STREAMING))
    bar = transcript.scroll_bar
    transcript.streamed("m8", TextDelta("r", "word\n\n" * 60))
    qtbot.waitUntil(lambda: "word" in shown_text(view_of(transcript, 8)))
    assert bar.value() == bar.maximum()
    assert not transcript.jump_button.isVisible()
    bar.setValue(bar.value() - 400)
    at = bar.value()
    before = bar.maximum()
    transcript.streamed("m8", TextDelta("r", "more\n\n" * 60))
    qtbot.waitUntil(lambda: bar.maximum() > before)
    assert bar.value() == at
    assert transcript.jump_button.isVisible()
    transcript.jump_button.click()
    assert bar.value() == bar.maximum()
    assert not transcript.jump_button.isVisible()


def test_own_message_brings_the_end_into_view(transcript: Transcript) -> None:
    transcript.show_path(long_path(20))
    transcript.scroll_to("m2")
    transcript.add_message(message(20, Role.USER, "New"))
    assert transcript.scroll_bar.value() == transcript.scroll_bar.maximum()


# A long conversation


def test_only_messages_near_the_view_have_widgets(transcript: Transcript, qtbot: QtBot) -> None:
    transcript.show_path(long_path(1000))
    assert 0 < len(widgets_of(transcript)) < 40
    for name in ("m500", "m0", "m900"):
        transcript.scroll_to(name)
        assert transcript.message_view(name) is not None
    qtbot.waitUntil(lambda: 0 < len(widgets_of(transcript)) < 40)


def test_nothing_jumps_while_scrolling_up(transcript: Transcript, qtbot: QtBot) -> None:
    """A message in sight moves by exactly what was scrolled, whatever turns out to be higher than estimated above."""
    transcript.show_path(long_path(300))
    bar = transcript.scroll_bar
    for _ in range(60):
        names = [name for name in transcript.message_ids() if (view := transcript.message_view(name)) and visible(view)]
        reference = transcript.message_view(names[-1])
        assert reference is not None
        before = reference.mapTo(transcript, QPoint(0, 0)).y()
        bar.setValue(bar.value() - 90)
        QApplication.processEvents()
        assert reference.mapTo(transcript, QPoint(0, 0)).y() - before == 90


def visible(view: MessageWidget) -> bool:
    return not view.visibleRegion().isEmpty()


def messages_in_sight(transcript: Transcript) -> Sequence[str]:
    return [name for name in transcript.message_ids() if (view := transcript.message_view(name)) and visible(view)]


def test_messages_do_not_overlap(transcript: Transcript, qtbot: QtBot) -> None:
    transcript.show_path(long_path(60))
    for target in ("m0", "m30", "m59"):
        transcript.scroll_to(target)
        views = [view for view in widgets_of(transcript) if visible(view)]
        for above, below in itertools.pairwise(views):
            assert above.geometry().bottom() < below.geometry().top()
        for view in views:
            for part in view.body.views:
                assert view.body.rect().contains(part.geometry())


def test_resize_zoom_and_theme_keep_the_place(transcript: Transcript, theme: Theme, qtbot: QtBot) -> None:
    transcript.show_path(long_path(200))
    transcript.scroll_to("m100")
    changes: list[Callable[[], object]] = [
        lambda: transcript.resize(560, 700),
        lambda: theme.set_zoom(1.4),
        lambda: theme.choose(ThemeChoice.DARK),
        lambda: transcript.resize(1100, 600),
    ]
    for change in changes:
        change()
        QApplication.processEvents()
        assert "m100" in messages_in_sight(transcript)
    assert len(widgets_of(transcript)) < 40


def test_theme_change_recolours(transcript: Transcript, theme: Theme) -> None:
    transcript.show_path([message(0, Role.ASSISTANT, "word")])
    theme.choose(ThemeChoice.DARK)
    (prose,) = view_of(transcript, 0).findChildren(ProseView)
    cursor = prose.textCursor()
    cursor.setPosition(1)
    assert cursor.charFormat().foreground().color() == theme.color("text")


def test_same_messages_keep_their_widgets(transcript: Transcript) -> None:
    path = long_path(6)
    transcript.show_path(path)
    kept = view_of(transcript, 4)
    transcript.show_path([*path[:5], message(9, Role.ASSISTANT, "another answer", position=2, siblings=2)])
    assert view_of(transcript, 4) is kept
    assert transcript.message_ids() == ["m0", "m1", "m2", "m3", "m4", "m9"]


def test_another_conversation_begins_at_its_end(transcript: Transcript) -> None:
    transcript.show_path(long_path(50))
    transcript.scroll_to("m3")
    transcript.show_path(long_path(50, conversation="other"))
    assert transcript.scroll_bar.value() == transcript.scroll_bar.maximum()


def test_changed_message_is_drawn_again(transcript: Transcript) -> None:
    transcript.show_path([message(0, Role.USER, "Q"), message(1, Role.ASSISTANT, "A")])
    transcript.show_path([message(0, Role.USER, "Q", pinned=True), message(1, Role.ASSISTANT, "B")])
    assert shown_text(view_of(transcript, 1)) == "B"
    view_of(transcript, 0).focus_actions()
    assert row_of(view_of(transcript, 0)).buttons[Action.PIN].accessibleName() == "Unpin"


def test_hidden_transcript_draws_when_it_is_shown(qtbot: QtBot, theme: Theme) -> None:
    transcript = Transcript(theme)
    qtbot.addWidget(transcript)
    transcript.resize(700, 500)
    transcript.show_path(long_path(10))
    assert widgets_of(transcript) == []
    transcript.show()
    qtbot.waitUntil(lambda: transcript.message_view("m9") is not None)
    assert transcript.scroll_bar.value() == transcript.scroll_bar.maximum()
