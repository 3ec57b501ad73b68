"""The composer: keys, growth, drafts, files and long pastes, with real key events and real files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QInputMethodEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.limits import ATTACHMENTS_PER_MESSAGE, COMPOSER_CHARACTERS
from app.store.images import ImageFolder
from app.store.types import AttachmentPart, Draft
from app.ui.attachments import AttachmentChip
from app.ui.bridge import EventBridge
from app.ui.composer import Composer
from app.ui.composer_button import SendButton
from app.ui.composer_text import ComposerText
from app.ui.fonts import load_fonts
from app.ui.pictures import Pictures
from app.ui.theme import Theme, ThemeChoice
from engine.engine import EngineState, EngineStatus


class _Settings(dict[str, object]):
    """Settings as a plain mapping."""


@pytest.fixture
def settings() -> _Settings:
    return _Settings({"chat.send_with": "enter"})


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as executor:
        yield executor


@pytest.fixture
def composer(qtbot: QtBot, settings: _Settings, pool: ThreadPoolExecutor, tmp_path: Path) -> Composer:
    bridge = EventBridge()
    pictures = Pictures(pool.submit, bridge, ImageFolder(tmp_path / "images"))
    composer = Composer(Theme(ThemeChoice.LIGHT), settings, run=pool.submit, bridge=bridge, pictures=pictures)
    pictures.setParent(composer)
    bridge.setParent(composer)
    qtbot.addWidget(composer)
    composer.resize(500, 120)
    composer.show()
    qtbot.waitExposed(composer)
    composer.setFocus()
    return composer


def text_of(composer: Composer) -> ComposerText:
    found = composer.findChild(ComposerText)
    assert found is not None
    return found


def button_of(composer: Composer) -> SendButton:
    found = composer.findChild(SendButton)
    assert found is not None
    return found


def chips_of(composer: Composer) -> list[AttachmentChip]:
    return [chip for chip in composer.findChildren(AttachmentChip) if not chip.isHidden()]


def recorded(signal_owner: Composer) -> list[tuple[str, tuple[AttachmentPart, ...]]]:
    sent: list[tuple[str, tuple[AttachmentPart, ...]]] = []
    signal_owner.submitted.connect(lambda text, parts: sent.append((text, parts)))
    return sent


def paste(composer: Composer, mime: QMimeData) -> None:
    QApplication.clipboard().setMimeData(mime)
    text_of(composer).paste()


def test_enter_sends_and_empties(qtbot: QtBot, composer: Composer) -> None:
    sent = recorded(composer)
    QTest.keyClicks(text_of(composer), "Hello there")
    QTest.keyClick(text_of(composer), Qt.Key.Key_Return)
    assert sent == [("Hello there", ())]
    assert composer.draft == Draft()


def test_shift_enter_makes_a_line(qtbot: QtBot, composer: Composer) -> None:
    sent = recorded(composer)
    QTest.keyClicks(text_of(composer), "one")
    QTest.keyClick(text_of(composer), Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClicks(text_of(composer), "two")
    assert sent == []
    assert composer.draft.text == "one\ntwo"


def test_the_setting_turns_enter_into_a_line(qtbot: QtBot, composer: Composer, settings: _Settings) -> None:
    settings["chat.send_with"] = "ctrl_enter"
    sent = recorded(composer)
    QTest.keyClicks(text_of(composer), "one")
    QTest.keyClick(text_of(composer), Qt.Key.Key_Return)
    assert sent == []
    QTest.keyClicks(text_of(composer), "two")
    QTest.keyClick(text_of(composer), Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert sent == [("one\ntwo", ())]


@pytest.mark.parametrize("text", ["", "   \n "])
def test_nothing_is_not_sent(qtbot: QtBot, composer: Composer, text: str) -> None:
    sent = recorded(composer)
    text_of(composer).setPlainText(text)
    QTest.keyClick(text_of(composer), Qt.Key.Key_Return)
    assert sent == []
    assert not button_of(composer).isEnabled()


def test_it_grows_to_ten_lines_and_then_scrolls(qtbot: QtBot, composer: Composer) -> None:
    text = text_of(composer)

    def shows(lines: int) -> bool:
        return abs(text.height() / text.fontMetrics().lineSpacing() - lines) < 0.5

    assert shows(1)
    text.setPlainText("\n".join("12345"))
    qtbot.waitUntil(lambda: shows(5))
    qtbot.waitUntil(lambda: text.verticalScrollBar().maximum() == 0)
    text.setPlainText("\n".join("x" * 30))
    qtbot.waitUntil(lambda: shows(10))
    assert text.verticalScrollBar().maximum() > 0
    text.clear()
    qtbot.waitUntil(lambda: shows(1))


def test_wrapped_lines_count(qtbot: QtBot, composer: Composer) -> None:
    text = text_of(composer)
    text.setPlainText("word " * 60)
    qtbot.waitUntil(lambda: text.height() > 2 * text.fontMetrics().lineSpacing() + 2)


@pytest.mark.parametrize("zoom", [0.8, 1.3, 1.5, 2.2])
def test_all_lines_up_to_ten_are_in_sight_at_any_size(qtbot: QtBot, zoom: float) -> None:
    load_fonts()
    text = ComposerText(Theme(ThemeChoice.LIGHT, zoom), lambda: True)
    qtbot.addWidget(text)
    text.resize(600, 20)
    text.show()
    text.setPlainText("\n".join("123456789"))
    block, total = text.document().firstBlock(), 0.0
    while block.isValid():
        total += text.blockBoundingRect(block).height()
        block = block.next()
    qtbot.waitUntil(lambda: text.height() >= total)
    qtbot.waitUntil(lambda: text.verticalScrollBar().maximum() == 0)


def test_stop_takes_the_place_of_send(qtbot: QtBot, composer: Composer) -> None:
    sent = recorded(composer)
    composer.set_generating(True)
    QTest.keyClicks(text_of(composer), "next question")
    QTest.keyClick(text_of(composer), Qt.Key.Key_Return)
    assert sent == []
    assert button_of(composer).accessibleName() == "Stop the answer"
    with qtbot.waitSignal(composer.stop_requested):
        QTest.mouseClick(button_of(composer), Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(composer.stop_requested):
        QTest.keyClick(text_of(composer), Qt.Key.Key_Escape)
    composer.set_generating(False)
    QTest.mouseClick(button_of(composer), Qt.MouseButton.LeftButton)
    assert sent == [("next question", ())]


def test_a_reason_blocks_sending_but_not_writing(qtbot: QtBot, composer: Composer) -> None:
    sent = recorded(composer)
    composer.set_enabled_with_reason("Choose a model first")
    QTest.keyClicks(text_of(composer), "hello")
    QTest.keyClick(text_of(composer), Qt.Key.Key_Return)
    assert sent == []
    assert composer.draft.text == "hello"
    assert button_of(composer).toolTip() == "Choose a model first"
    composer.set_enabled_with_reason("")
    QTest.keyClick(text_of(composer), Qt.Key.Key_Return)
    assert sent == [("hello", ())]


def test_the_draft_comes_after_a_pause_and_at_once_when_flushed(qtbot: QtBot, composer: Composer) -> None:
    drafts: list[Draft] = []
    composer.draft_changed.connect(drafts.append)
    QTest.keyClicks(text_of(composer), "hello")
    assert drafts == []
    qtbot.waitUntil(lambda: drafts == [Draft("hello")])
    QTest.keyClicks(text_of(composer), "!")
    composer.flush_draft()
    assert drafts[-1] == Draft("hello!")


def test_sending_empties_the_saved_draft_after_the_message(qtbot: QtBot, composer: Composer) -> None:
    order: list[object] = []
    composer.submitted.connect(lambda text, _parts: order.append(text))
    composer.draft_changed.connect(order.append)
    QTest.keyClicks(text_of(composer), "hi")
    QTest.keyClick(text_of(composer), Qt.Key.Key_Return)
    assert order == ["hi", Draft()]


def test_setting_a_draft_emits_nothing(qtbot: QtBot, composer: Composer) -> None:
    part = AttachmentPart("a.txt", "text", 4)
    with qtbot.assertNotEmitted(composer.draft_changed):
        composer.set_draft(Draft("before", (part,)))
        composer.flush_draft()
    assert composer.draft == Draft("before", (part,))
    assert len(chips_of(composer)) == 1
    assert button_of(composer).isEnabled()


def test_what_failed_to_send_comes_back_first(qtbot: QtBot, composer: Composer) -> None:
    QTest.keyClicks(text_of(composer), "newer")
    composer.restore(Draft("older"))
    assert composer.draft.text == "older\n\nnewer"


def test_up_in_an_empty_field_edits_the_last_message(qtbot: QtBot, composer: Composer) -> None:
    with qtbot.waitSignal(composer.edit_last_requested):
        QTest.keyClick(text_of(composer), Qt.Key.Key_Up)
    QTest.keyClicks(text_of(composer), "x")
    with qtbot.assertNotEmitted(composer.edit_last_requested):
        QTest.keyClick(text_of(composer), Qt.Key.Key_Up)


def test_up_belongs_to_an_input_method_that_is_composing(qtbot: QtBot, composer: Composer) -> None:
    QApplication.sendEvent(text_of(composer), QInputMethodEvent("に", []))
    with qtbot.assertNotEmitted(composer.edit_last_requested):
        QTest.keyClick(text_of(composer), Qt.Key.Key_Up)


def test_an_input_methods_text_arrives(composer: Composer) -> None:
    event = QInputMethodEvent()
    event.setCommitString("日本語")
    QApplication.sendEvent(text_of(composer), event)
    assert composer.draft.text == "日本語"


def test_only_plain_text_is_pasted_and_undone(qtbot: QtBot, composer: Composer) -> None:
    mime = QMimeData()
    mime.setHtml("<b>bold</b> <img src='file:///etc/passwd'>")
    mime.setText("bold")
    paste(composer, mime)
    assert composer.draft.text == "bold"
    QTest.keyClick(text_of(composer), Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert composer.draft.text == ""


@pytest.mark.parametrize("over", [-1, 0, 1])
def test_a_long_paste_is_to_be_looked_into(composer: Composer, over: int) -> None:
    given: list[str] = []
    composer.text_given.connect(given.append)
    mime = QMimeData()
    mime.setText("ab " * 66_666 + "ab" + "x" * over if over >= 0 else "ab " * 66_666 + "a")
    assert len(mime.text()) == COMPOSER_CHARACTERS + over
    paste(composer, mime)
    assert not chips_of(composer)
    assert given == ([mime.text()] if over > 0 else [])
    assert composer.draft.text == ("" if over > 0 else mime.text())


def test_dropped_files_are_read_off_the_main_thread(qtbot: QtBot, composer: Composer, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("remember the milk\n")
    composer.files_dropped.connect(composer.add_files)
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    action, button, keys = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(20, 20), action, mime, button, keys)
    QApplication.sendEvent(composer, enter)
    assert enter.isAccepted()
    drop = QDropEvent(QPointF(20, 20), action, mime, button, keys)
    QApplication.sendEvent(composer, drop)
    qtbot.waitUntil(lambda: len(composer.draft.attachments) == 1)
    sent = recorded(composer)
    QTest.keyClick(text_of(composer), Qt.Key.Key_Return)
    assert sent == [("", (AttachmentPart("notes.txt", "remember the milk\n", 18),))]
    assert chips_of(composer) == []


def test_nothing_is_sent_while_a_file_is_read(qtbot: QtBot, settings: _Settings, tmp_path: Path) -> None:
    waiting: list[tuple[Callable[[], object], Future[object]]] = []

    def run(fn: Callable[[], object]) -> Future[object]:
        future: Future[object] = Future()
        waiting.append((fn, future))
        return future

    bridge = EventBridge()
    pictures = Pictures(run, bridge, ImageFolder(tmp_path / "images"))  # type: ignore[arg-type]
    composer = Composer(
        Theme(ThemeChoice.LIGHT),
        settings,
        run=run,
        bridge=bridge,
        pictures=pictures,  # type: ignore[arg-type]
    )
    qtbot.addWidget(composer)
    path = tmp_path / "slow.txt"
    path.write_text("text")
    sent = recorded(composer)
    composer.set_draft(Draft("look at this"))
    composer.add_files([path])
    composer.submit()
    assert sent == []
    fn, future = waiting[0]
    future.set_result(fn())
    qtbot.waitUntil(lambda: len(composer.draft.attachments) == 1)
    composer.submit()
    assert [text for text, _parts in sent] == ["look at this"]


def test_what_cannot_be_read_is_refused_with_a_sentence(qtbot: QtBot, composer: Composer, tmp_path: Path) -> None:
    path = tmp_path / "songs.7z"
    path.write_bytes(b"7z\xbc\xaf\x27\x1c")
    with qtbot.waitSignal(composer.attachment_refused) as refused:
        composer.add_files([path])
    assert refused.args == ["“songs.7z” is an archive. Unpack it and attach the text files inside."]
    assert chips_of(composer) == []


def test_documents_are_handed_on_and_short_texts_are_attached(qtbot: QtBot, composer: Composer, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    files = {"paper.pdf": b"%PDF-1.7\n", "talk.mp3": b"ID3\x04", "long.txt": b"word " * 20_000, "short.txt": b"word"}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    given = [tmp_path / name for name in ("paper.pdf", "talk.mp3", "long.txt", "short.txt", "folder", "gone.pdf")]
    with qtbot.waitSignal(composer.documents_given) as documents:
        composer.add_files(given)
    assert [path.name for path in documents.args[0]] == ["paper.pdf", "talk.mp3", "long.txt", "folder"]
    qtbot.waitUntil(lambda: [part.name for part in composer.draft.attachments] == ["short.txt"])


def test_only_so_many_files_are_taken(qtbot: QtBot, composer: Composer, tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.txt" for number in range(ATTACHMENTS_PER_MESSAGE + 1)]
    for path in paths:
        path.write_text("x")
    with qtbot.assertNotEmitted(composer.attachment_refused):
        composer.add_files(paths[:ATTACHMENTS_PER_MESSAGE])
    with qtbot.waitSignal(composer.attachment_refused):
        composer.add_files(paths[ATTACHMENTS_PER_MESSAGE:])
    qtbot.waitUntil(lambda: len(composer.draft.attachments) == ATTACHMENTS_PER_MESSAGE)


def test_chips_are_removed_from_the_keyboard(qtbot: QtBot, composer: Composer) -> None:
    composer.set_draft(Draft("", (AttachmentPart("a.txt", "a", 1), AttachmentPart("b.txt", "b", 1))))
    first, second = chips_of(composer)
    first.setFocus()
    QTest.keyClick(first, Qt.Key.Key_Right)
    assert second.hasFocus()
    QTest.keyClick(second, Qt.Key.Key_Delete)
    assert [part.name for part in composer.draft.attachments] == ["a.txt"]
    assert first.hasFocus()
    QTest.keyClick(first, Qt.Key.Key_Backspace)
    assert composer.draft.attachments == ()
    assert text_of(composer).hasFocus()


def test_everything_has_a_name_and_is_reached_by_tab(qtbot: QtBot, composer: Composer) -> None:
    composer.set_draft(Draft("text", (AttachmentPart("a.txt", "a", 1),)))
    chip = chips_of(composer)[0]
    assert "a.txt" in chip.accessibleName()
    assert text_of(composer).accessibleName() == "Message"
    reached = set()
    for _ in range(6):
        widget = QApplication.focusWidget()
        assert widget is not None
        assert widget.accessibleName()
        reached.add(widget)
        QTest.keyClick(widget, Qt.Key.Key_Tab)
    assert {text_of(composer), button_of(composer), chip} <= reached


def test_the_placeholder_says_where_the_model_stands(composer: Composer) -> None:
    composer.set_model_state(EngineState(EngineStatus.LOADING), "Qwen 1.5B")
    assert "Qwen 1.5B" in text_of(composer).placeholderText()
    composer.set_model_state(EngineState(EngineStatus.READY))
    assert text_of(composer).placeholderText() == "Message Hearth"


def test_a_click_beside_the_text_focuses_it(qtbot: QtBot, composer: Composer) -> None:
    button_of(composer).setFocus()
    QTest.mouseClick(composer, Qt.MouseButton.LeftButton, pos=QPoint(4, 4))
    assert text_of(composer).hasFocus()
