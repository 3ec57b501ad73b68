"""Personas in the window with the real store and shelf and a scripted engine: found, chosen, switched, taken in."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QAction, QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QWidget
from pytestqt.qtbot import QtBot

from app.events import FactKept
from app.paths import resolve_paths
from app.personas.builtin import offers
from app.personas.foreign.formats import read
from app.personas.foreign.imported import Format
from app.personas.memory import Fact, PersonaMemory
from app.personas.shelf import Shelf
from app.store.types import Draft
from app.ui.dialogs import CalmDialog
from app.ui.main_window import MainWindow
from app.ui.persona_exchange import OWN, SIGNED
from app.ui.persona_mention import mention_before
from app.ui.persona_menu import chat_persona_menu, persona_menu
from app.ui.persona_review import PersonaReview
from app.ui.persona_rows import matching
from app.ui.workspace import Workspace
from engine.fake import FakeEngine
from tests.ui.persona_posing import READER, STRANGER, TUTOR, bundle_of, card_file, png, put
from tests.ui.test_shell import WAIT_MS, Shell


@pytest.fixture
def shell(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> Iterator[Shell]:
    paths = replace(resolve_paths(tmp_path / "data"), models=tmp_path / "models")
    made = Shell(qtbot, qapp, paths)
    yield made
    made.stop()


def opened(shell: Shell, *answers: str) -> MainWindow:
    """A window on a shelf with two personas of the person's own."""
    for persona in (TUTOR, READER):
        put(shell.paths.personas, persona)
    window = shell.start(FakeEngine(list(answers)))
    window.resize(1180, 800)
    window.show()
    personas = window.workspace.personas
    shell.qtbot.waitUntil(lambda: personas.get("spanish-tutor") is not None, timeout=WAIT_MS)
    return window


def review_of(shell: Shell, window: MainWindow) -> PersonaReview:
    """The page that shows a persona in full, once it is open."""
    shell.qtbot.waitUntil(lambda: bool(reviews(window)), timeout=WAIT_MS)
    return reviews(window)[0]


def reviews(window: MainWindow) -> list[PersonaReview]:
    return [each for each in window.findChildren(PersonaReview) if each.isVisible()]


def named(menu: QMenu, text: str) -> QAction:
    return next(each for each in menu.actions() if each.text() == text)


def drop(on: QWidget, *paths: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    no_button, no_key = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    event = QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, mime, no_button, no_key)
    on.dropEvent(event)


# What was typed


def test_an_at_sign_counts_at_the_beginning_and_after_a_blank_only() -> None:
    assert mention_before("@") == (0, "")
    assert mention_before("Hola @spa") == (5, "spa")
    assert mention_before("ana@example") is None
    assert mention_before("@spa nish") is None
    assert mention_before("x" * 500 + " @con") == (501, "con")


def test_every_word_typed_begins_a_word_and_names_come_first(tmp_path: Path) -> None:
    tutor, reader = put(tmp_path, TUTOR), put(tmp_path, READER)
    both = [reader, tutor]
    assert matching(both, "") == both
    assert matching(both, "tutor spa") == [tutor]
    assert matching(both, "spanish-t") == [tutor]
    assert matching(both, "clause") == [reader]
    assert matching(both, "law") == [reader]
    assert matching(both, "anish") == []
    named_easy = replace(tutor, persona=replace(TUTOR, name="Clause"))
    assert matching([reader, named_easy], "cla") == [named_easy, reader]


def test_an_icon_is_decoded_elsewhere_once_and_a_letter_stands_for_a_damaged_one(
    qtbot: QtBot, workspace: Workspace
) -> None:
    shelf, data = Shelf(workspace.paths.personas), png("#336699")
    sha256 = hashlib.sha256(data).hexdigest()
    drawn = shelf.create(replace(TUTOR, icon_sha256=sha256), {sha256: data}).persona
    icons = workspace.persona_icons
    with qtbot.waitSignal(icons.changed, timeout=WAIT_MS):
        letter = icons.pixmap(drawn, 32).toImage()
    picture = icons.pixmap(drawn, 32).toImage()
    assert picture.pixelColor(6, 16).name() == "#336699"
    assert letter.pixelColor(6, 16).name() != "#336699"
    assert (workspace.paths.cache / "icons" / f"{sha256}.png").is_file()
    damaged = hashlib.sha256(b"no picture").hexdigest()
    lost = shelf.create(replace(READER, icon_sha256=damaged), {damaged: b"no picture"}).persona
    before = icons.pixmap(lost, 32).toImage()
    workspace.pool.submit(lambda: None).result()
    assert icons.pixmap(lost, 32).toImage() == before


def test_icons_that_come_with_hearth_are_shown_at_once(qtbot: QtBot, workspace: Workspace) -> None:
    guide, icons = offers()[0], workspace.persona_icons
    with qtbot.waitSignal(icons.changed, timeout=WAIT_MS):
        letter = icons.pixmap(guide.persona, 32).toImage()
    assert icons.pixmap(guide.persona, 32).toImage() != letter
    assert not (workspace.paths.cache / "icons").exists(), "no other process has decoded it"


# Choosing


def test_the_sidebar_begins_a_chat_and_the_persona_answers_it(shell: Shell) -> None:
    window = opened(shell, "¡Muy bien!")
    row = next(each for each in window.sidebar.personas.rows if "Spanish" in each.accessibleName())
    row.setFocus()
    QTest.keyClick(row, Qt.Key.Key_Return)
    start = window.page.persona_start
    assert start.isVisible()
    assert start.name.text() == "Spanish tutor"
    assert "Ana" in start.about.text()
    assert window.page.composer.field.placeholderText() == "Message Spanish tutor"
    conversation = shell.ask(window, "Yo soy hambre?")
    shell.qtbot.waitUntil(lambda: window.conversation is not None, timeout=WAIT_MS)
    assert window.conversation is not None
    assert (window.conversation.id, window.conversation.persona) == (conversation, "spanish-tutor")
    assert window.conversation.persona_version == 1
    assert window.header.persona_button.text() == "Spanish tutor"


def test_files_dropped_on_a_persona_begin_a_chat_with_it_about_them(shell: Shell, tmp_path: Path) -> None:
    window = opened(shell)
    row = next(each for each in window.sidebar.personas.rows if "Spanish" in each.accessibleName())
    card, mime = tmp_path / "menu.txt", QMimeData()
    card.write_text("milk", encoding="utf-8")
    mime.setUrls([QUrl.fromLocalFile(str(card))])
    copy, button, key = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    entering = QDragEnterEvent(QPoint(5, 5), copy, mime, button, key)
    QApplication.sendEvent(row, entering)
    assert entering.isAccepted()
    assert row.isDown(), "it shows that it will take them"
    QApplication.sendEvent(row, QDropEvent(QPointF(5, 5), copy, mime, button, key))
    assert not row.isDown()
    composer = window.page.composer
    shell.qtbot.waitUntil(lambda: [part.name for part in composer.draft.attachments] == ["menu.txt"], timeout=WAIT_MS)
    assert window.page.persona.short_name == "spanish-tutor"


def test_a_first_question_is_sent_by_its_button(shell: Shell) -> None:
    window = opened(shell, "Cuchara, tenedor.")
    window.personas.begin("spanish-tutor")
    first = window.page.persona_start.starters[0]
    first.setFocus()
    QTest.keyClick(first, Qt.Key.Key_Space)
    shell.wait_until_answered(window)
    assert "Teach me five words for the kitchen" in [message.text for message in window.page.path]


def test_at_offers_filters_and_chooses(shell: Shell) -> None:
    window = opened(shell)
    window.page.focus_composer()
    field = window.page.composer.field
    QTest.keyClicks(field, "Hola @")
    picker = window.page.mention.picker
    assert picker is not None
    everybody = picker.count
    QTest.keyClicks(field, "spanish")
    assert 0 < picker.count < everybody
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert window.page.mention.picker is None
    assert field.toPlainText() == "Hola "
    assert window.page.persona.short_name == "spanish-tutor"
    assert not window.page.path


def test_escape_leaves_the_words_and_enter_sends_them(shell: Shell) -> None:
    window = opened(shell, "Right.")
    window.page.focus_composer()
    field = window.page.composer.field
    QTest.keyClicks(field, "at @")
    assert window.page.mention.picker is not None
    QTest.keyClick(field, Qt.Key.Key_Escape)
    assert window.page.mention.picker is None
    QTest.keyClicks(field, "s")
    assert window.page.mention.picker is None
    QTest.keyClick(field, Qt.Key.Key_Return)
    shell.wait_until_answered(window)
    assert window.page.path[0].text == "at @s"


def test_the_palette_switches_from_here_on_and_the_header_says_so(shell: Shell) -> None:
    window = opened(shell, "One.", "Two.")
    shell.ask(window, "Hello")
    QTest.keyClick(window, Qt.Key.Key_P, Qt.KeyboardModifier.ControlModifier)
    palette = window.personas.palette
    shell.qtbot.waitUntil(palette.isVisible, timeout=WAIT_MS)
    QTest.keyClicks(palette.search, "contract")
    QTest.keyClick(palette.search, Qt.Key.Key_Return)
    assert not palette.isVisible()
    button, note = window.header.persona_button, window.header.persona_note
    shell.qtbot.waitUntil(lambda: "Contract" in button.text() and not note.isHidden(), timeout=WAIT_MS)
    assert note.text() == "answers from here on"
    shell.ask(window, "And now?")
    shell.qtbot.waitUntil(note.isHidden, timeout=WAIT_MS)
    menu = chat_persona_menu(
        window.workspace, window.personas.operations, window.page.persona, window, change=lambda: None
    )
    named(menu, "Go on without a persona").trigger()
    shell.qtbot.waitUntil(lambda: button.text() == "Hearth", timeout=WAIT_MS)


def test_escape_closes_the_palette_and_gives_the_keyboard_back(shell: Shell) -> None:
    window = opened(shell)
    window.activateWindow()
    window.page.focus_composer()
    window.personas.open_palette()
    palette = window.personas.palette
    QTest.keyClick(palette.search, Qt.Key.Key_Escape)
    assert palette.isHidden()
    assert window.focusWidget() is window.page.composer.field


def test_new_chats_begin_with_the_default_one(shell: Shell) -> None:
    window = opened(shell)
    window.personas.operations.set_default("contract-reader")
    shell.qtbot.waitUntil(lambda: window.page.persona.short_name == "contract-reader", timeout=WAIT_MS)
    shell.qtbot.waitUntil(window.page.persona_start.isVisible, timeout=WAIT_MS)
    assert "Contract" in window.sidebar.personas.rows[0].accessibleName()
    window.page.persona.choose("")
    assert window.page.start_page.isVisible()


def test_an_older_version_is_said_and_brought_up_to_date(shell: Shell) -> None:
    window = opened(shell, "Hola.")
    window.personas.begin("spanish-tutor")
    shell.ask(window, "Hi")
    better = replace(TUTOR, instructions="You teach Spanish well.")
    window.workspace.personas.run(lambda shelf: shelf.save(better, 1))
    note = window.header.persona_note
    shell.qtbot.waitUntil(lambda: note.text() == "an older version", timeout=WAIT_MS)
    window.page.persona.update()
    shell.qtbot.waitUntil(note.isHidden, timeout=WAIT_MS)
    assert window.page.persona.shelved is not None
    assert window.page.persona.shelved.number == 2


def test_deleting_can_be_undone_and_the_chat_stays_readable(shell: Shell) -> None:
    window = opened(shell, "Hola.")
    window.personas.begin("spanish-tutor")
    shell.ask(window, "Hi")
    shelved = window.workspace.personas.get("spanish-tutor")
    assert shelved is not None
    window.personas.operations.delete(shelved)
    shell.qtbot.waitUntil(lambda: window.page.persona.is_gone, timeout=WAIT_MS)
    shell.qtbot.waitUntil(lambda: "deleted" in window.header.persona_note.text(), timeout=WAIT_MS)
    shell.qtbot.waitUntil(lambda: window.toasts.current is not None, timeout=WAIT_MS)
    toast = window.toasts.current
    assert toast is not None
    assert toast.button is not None
    toast.button.click()
    shell.qtbot.waitUntil(lambda: window.header.persona_button.text() == "Spanish tutor", timeout=WAIT_MS)


def test_what_it_was_asked_to_remember_is_said_and_can_be_undone(shell: Shell) -> None:
    window = opened(shell, "¡Claro!")
    memory = PersonaMemory(shell.paths.personas / "spanish-tutor")
    memory.turn(True)
    window.personas.begin("spanish-tutor")
    shell.ask(window, "Remember that my cat is called Luna.")

    def is_told() -> bool:
        shown = window.toasts.current
        return shown is not None and "Luna" in shown.label.text()

    shell.qtbot.waitUntil(is_told, timeout=WAIT_MS)
    toast = window.toasts.current
    assert toast is not None and toast.button is not None
    assert len(memory.read().used) == 1
    toast.button.click()
    shell.qtbot.waitUntil(lambda: not memory.read().used, timeout=WAIT_MS)


def test_what_is_remembered_before_the_window_knows_its_new_chat_is_said(shell: Shell) -> None:
    window = opened(shell)
    chat = shell.ask(window, "Hi")
    window.page.open("")
    fact = Fact("f", "My cat is called Luna.")
    window.workspace.bridge.chat_event.emit(FactKept(chat, "spanish-tutor", fact))
    assert window.toasts.current is None
    window.page.open(chat)
    assert window.toasts.current is not None
    assert "Luna" in window.toasts.current.label.text()


# From files and into files


def test_a_dropped_bundle_is_shown_in_full_and_used_only_then(shell: Shell, tmp_path: Path) -> None:
    window = opened(shell)
    drop(window.page, bundle_of(STRANGER, tmp_path / "oracle.hearth"))
    review = review_of(shell, window)
    said = review.text.toPlainText()
    assert "U+200B" in said
    assert "Cyrillic" in said
    assert [box.isChecked() for box in review.switches.boxes.values()] == [False, False]
    shelved = window.workspace.personas.get("oracle")
    assert shelved is None or not shelved.usable
    assert not review.switches.memory.isChecked()
    review.switches.memory.click()
    review.switches.boxes["web_search"].click()
    review.use.click()
    shell.qtbot.waitUntil(lambda: window.page.persona.short_name == "oracle", timeout=WAIT_MS)
    kept = Shelf(shell.paths.personas).get("oracle")
    assert kept.usable
    assert kept.trust.granted == ("web_search",)
    assert PersonaMemory(shell.paths.personas / "oracle").read().on


def test_not_now_leaves_it_unusable_and_it_is_shown_when_chosen(shell: Shell, tmp_path: Path) -> None:
    window = opened(shell)
    window.personas.exchange.import_file(bundle_of(STRANGER, tmp_path / "oracle.hearth"))
    review = review_of(shell, window)
    assert review.later is not None
    review.later.click()
    personas = window.workspace.personas
    shell.qtbot.waitUntil(lambda: personas.get("oracle") is not None, timeout=WAIT_MS)
    shell.qtbot.waitUntil(lambda: not reviews(window), timeout=WAIT_MS)
    window.page.persona.choose("oracle")
    assert window.page.persona.short_name != "oracle"
    review_of(shell, window).use.click()
    shell.qtbot.waitUntil(lambda: window.page.persona.short_name == "oracle", timeout=WAIT_MS)


def test_a_newer_version_of_an_imported_one_can_take_its_place(shell: Shell, tmp_path: Path) -> None:
    window = opened(shell)
    exchange = window.personas.exchange
    exchange.import_file(bundle_of(STRANGER, tmp_path / "oracle.hearth"))
    review_of(shell, window).use.click()
    shell.qtbot.waitUntil(lambda: window.page.persona.short_name == "oracle" and not reviews(window), timeout=WAIT_MS)
    newer = tmp_path / "newer"
    newer.mkdir()
    exchange.import_file(bundle_of(replace(STRANGER, instructions="Be brief."), newer / "oracle.hearth"))
    review_of(shell, window).use.click()

    def asked() -> list[CalmDialog]:
        return [each for each in window.findChildren(CalmDialog) if each.isVisible() and each not in reviews(window)]

    shell.qtbot.waitUntil(lambda: bool(asked()), timeout=WAIT_MS)
    asked()[0].accept()
    personas = window.workspace.personas

    def is_newer() -> bool:
        shelved = personas.get("oracle")
        return shelved is not None and shelved.number == 2 and shelved.usable and personas.get("oracle-2") is None

    shell.qtbot.waitUntil(is_newer, timeout=WAIT_MS)
    assert Shelf(shell.paths.personas).get("oracle").persona.instructions == "Be brief."


def test_what_is_no_persona_is_attached_as_before(shell: Shell, tmp_path: Path) -> None:
    window = opened(shell)
    note, data = tmp_path / "note.txt", tmp_path / "data.json"
    note.write_text("milk", encoding="utf-8")
    data.write_text('{"milk": 1}', encoding="utf-8")
    drop(window.page.composer, note)
    drop(window.sidebar, data, card_file(tmp_path / "captain.json"))
    review = review_of(shell, window)
    assert review.shelved.persona.name == "Captain Ada"
    review.reject()

    def names() -> list[str]:
        return [part.name for part in window.page.composer.draft.attachments]

    shell.qtbot.waitUntil(lambda: names() == ["note.txt", "data.json"], timeout=WAIT_MS)


def test_a_damaged_bundle_is_refused_with_its_reason(shell: Shell, tmp_path: Path) -> None:
    window = opened(shell)
    damaged = tmp_path / "broken.hearth"
    damaged.write_bytes(b"PK\x03\x04 not a bundle")
    before = len(window.workspace.personas.personas)
    drop(window.page, damaged)
    shell.qtbot.waitUntil(lambda: window.toasts.current is not None, timeout=WAIT_MS)
    assert window.toasts.current is not None
    assert window.toasts.current.label.text()
    assert not reviews(window)
    assert len(Shelf(shell.paths.personas).listing().personas) == before


@pytest.mark.parametrize("kind", [OWN, SIGNED, Format.CARD_V3_PNG, Format.CARD_V3, Format.LM_STUDIO, Format.SKILL])
def test_what_is_exported_can_be_read_again(shell: Shell, tmp_path: Path, kind: str) -> None:
    window = opened(shell)
    shelved = window.workspace.personas.get("spanish-tutor")
    assert shelved is not None
    target = tmp_path / "out.hearth"
    window.personas.exchange.export_to(shelved, kind, target)
    shell.qtbot.waitUntil(lambda: window.toasts.current is not None, timeout=WAIT_MS)
    assert window.toasts.current is not None
    assert window.toasts.current.label.text().startswith("Saved as out.hearth.")
    if kind in (OWN, SIGNED):
        taken = Shelf(tmp_path / "elsewhere").take_bundle(target)
        assert taken.persona == TUTOR
        assert bool(taken.trust.public_key) == (kind == SIGNED)
    else:
        assert "Spanish" in read(target).persona.instructions


def test_a_menu_offers_all_that_can_be_done(shell: Shell) -> None:
    window = opened(shell)
    shelved = window.workspace.personas.get("contract-reader")
    assert shelved is not None
    menu = persona_menu(window.workspace, window.personas.operations, window.personas.exchange, shelved, window)
    texts = [each.text() for each in menu.actions() if each.text()]
    assert texts == [
        "New chat", "Use for new chats", "Edit…", "What it says and may do…", "What it remembers…",
        "Duplicate", "Export", "Delete",
    ]  # fmt: skip
    named(menu, "Duplicate").trigger()
    personas = window.workspace.personas
    shell.qtbot.waitUntil(lambda: any("copy" in each.persona.name for each in personas.personas), timeout=WAIT_MS)


def test_a_question_is_not_sent_over_words_that_are_being_written(shell: Shell) -> None:
    window = opened(shell)
    window.personas.begin("spanish-tutor")
    window.page.composer.set_draft(Draft("half a thought "))
    window.page.persona_start.starters[0].click()
    assert window.page.composer.draft.text == "half a thought Teach me five words for the kitchen"
    assert not window.page.path


def test_the_beginning_of_a_question_waits_for_its_rest(shell: Shell) -> None:
    window = opened(shell)
    window.personas.begin("spanish-tutor")
    window.page.persona_start.starters[2].click()
    assert window.page.composer.draft.text == "Translate: "
    assert not window.page.is_generating and not window.page.path
