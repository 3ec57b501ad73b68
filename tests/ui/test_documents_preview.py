"""A page with its passage marked: real PDFs drawn by the real parser process, texts with line numbers, what changed."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fpdf import FPDF
from PySide6.QtCore import QProcess, Qt
from PySide6.QtGui import QColor, QDesktopServices, QImage, QKeySequence
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.passage_place import PassagePlace, place_of
from app.ui import documents_opening
from app.ui.documents_page_text import PageTextView
from app.ui.documents_pictures import PagePictures, Wanted
from app.ui.documents_preview import PagePreview, show_passage
from app.ui.workspace import Workspace
from rag.parsing.client import Parser
from rag.store.types import Collection, StoredFile
from rag.transcript import stamped
from rag.types import Heading, Hidden, HiddenReason, Page, Unit
from tests.ui.documents_shelf import Shelf, passage_in

WAIT_MS = 30_000
WORDS = "Press the reset button once."


@pytest.fixture
def shelf(workspace: Workspace) -> Iterator[Shelf]:
    made = Shelf(workspace.bridge)
    made.shelf.append(Collection(1, "Home"))
    yield made
    workspace.page_pictures.close()


@pytest.fixture
def manual(shelf: Shelf, tmp_path: Path) -> StoredFile:
    """Three pages, the second of which holds the passage, as the parser reads them."""
    path = tmp_path / "manual.pdf"
    document = FPDF()
    document.set_font("Helvetica", size=12)
    for number in range(1, 4):
        document.add_page()
        document.multi_cell(0, 8, f"Chapter {number}")
        document.ln(120)
        document.multi_cell(0, 8, WORDS if number == 2 else "Nothing of the kind.")
    document.output(str(path))
    file = shelf.put(1, path, n_pages=3)
    parser = Parser()
    assert file.blob_id is not None
    for item in parser.read(path):
        if isinstance(item, Page):
            shelf.pages[file.blob_id, item.number] = item
    parser.close()
    return file


def place(shelf: Shelf, file: StoredFile, number: int, words: str) -> PassagePlace:
    assert file.blob_id is not None
    return place_of(passage_in(shelf.pages[file.blob_id, number], file, words))


@pytest.fixture
def open_at(qtbot: QtBot, workspace: Workspace, shelf: Shelf) -> Iterator[Callable[[PassagePlace], PagePreview]]:
    previews: list[PagePreview] = []

    def opened(at: PassagePlace) -> PagePreview:
        preview = PagePreview(workspace, shelf, at)
        previews.append(preview)
        qtbot.addWidget(preview)
        preview.show()
        qtbot.waitUntil(lambda: preview.stack.currentIndex() > 0, timeout=WAIT_MS)
        return preview

    yield opened
    for each in previews:
        each.close()


def text_file(shelf: Shelf, path: Path, text: str, **fields: object) -> StoredFile:
    path.write_text(text, encoding="utf-8")
    file = shelf.put(1, path)
    assert file.blob_id is not None
    shelf.pages[file.blob_id, 1] = Page(1, text, **fields)  # type: ignore[arg-type]
    return file


def yellow_rows(image: QImage) -> list[int]:
    """Rows of pixels in which the marker's colour covers a good part."""
    rows = []
    for y in range(image.height()):
        marked = sum(
            QColor(image.pixel(x, y)).blue() < 160 and QColor(image.pixel(x, y)).red() > 220
            for x in range(0, image.width(), 4)
        )
        if marked > 5:
            rows.append(y)
    return rows


def test_the_page_itself_is_shown_with_the_passage_marked(
    open_at: Callable[[PassagePlace], PagePreview], shelf: Shelf, manual: StoredFile, qtbot: QtBot
) -> None:
    preview = open_at(place(shelf, manual, 2, WORDS))
    qtbot.waitUntil(lambda: preview.shows_picture, timeout=WAIT_MS)
    assert preview.head.name.text() == "manual.pdf"
    assert preview.head.where.text() == "page 2"
    (rectangle,) = preview.picture.page.rectangles
    image = preview.picture.page.image
    inside = image.copy(rectangle)
    dark = sum(
        QColor(inside.pixel(x, y)).lightness() < 100 for x in range(inside.width()) for y in range(inside.height())
    )
    assert dark > 20, "the rectangle lies over letters"
    qtbot.waitUntil(preview.picture.passage_in_view, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: bool(yellow_rows(preview.picture.viewport().grab().toImage())), timeout=WAIT_MS)
    assert preview.picture.accessibleName() == "manual.pdf, page 2"
    assert preview.picture.accessibleDescription() == f"Marked: {WORDS}"


def test_pages_turn_by_keys_and_stop_at_the_ends(
    open_at: Callable[[PassagePlace], PagePreview], shelf: Shelf, manual: StoredFile, qtbot: QtBot
) -> None:
    preview = open_at(place(shelf, manual, 2, WORDS))
    qtbot.waitUntil(lambda: preview.shows_picture, timeout=WAIT_MS)
    QTest.keyClick(preview.picture, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: preview.page is not None and preview.page.number == 3, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: preview.picture.accessibleName() == "manual.pdf, page 3", timeout=WAIT_MS)
    assert preview.picture.page.rectangles == ()
    assert not preview.head.next.isEnabled()
    preview.turn(1)
    QTest.keySequence(preview, QKeySequence("Ctrl+PgUp"))
    QTest.keySequence(preview, QKeySequence("Ctrl+PgUp"))
    qtbot.waitUntil(lambda: preview.picture.accessibleName() == "manual.pdf, page 1", timeout=WAIT_MS)
    assert not preview.head.previous.isEnabled()


def test_larger_draws_the_page_anew(
    open_at: Callable[[PassagePlace], PagePreview], shelf: Shelf, manual: StoredFile, qtbot: QtBot
) -> None:
    preview = open_at(place(shelf, manual, 2, WORDS))
    qtbot.waitUntil(lambda: preview.shows_picture, timeout=WAIT_MS)
    width = preview.picture.page.image.width()
    QTest.keySequence(preview, QKeySequence("Ctrl+="))
    qtbot.waitUntil(lambda: preview.picture.page.image.width() > 1.2 * width, timeout=WAIT_MS)
    QTest.keySequence(preview, QKeySequence("Ctrl+0"))
    qtbot.waitUntil(lambda: preview.picture.page.image.width() == width, timeout=WAIT_MS)


def test_the_text_of_a_page_can_be_seen_too(
    open_at: Callable[[PassagePlace], PagePreview], shelf: Shelf, manual: StoredFile, qtbot: QtBot
) -> None:
    preview = open_at(place(shelf, manual, 2, WORDS))
    qtbot.waitUntil(lambda: preview.shows_picture, timeout=WAIT_MS)
    QTest.keySequence(preview, QKeySequence("Ctrl+T"))
    assert preview.stack.currentWidget() is preview.text
    assert preview.text.marked_text() == WORDS
    QTest.keySequence(preview, QKeySequence("Ctrl+T"))
    qtbot.waitUntil(lambda: preview.shows_picture, timeout=WAIT_MS)


@pytest.mark.parametrize("gone", [True, False])
def test_a_file_that_is_another_one_now_is_shown_as_it_was_read(
    open_at: Callable[[PassagePlace], PagePreview], shelf: Shelf, manual: StoredFile, *, gone: bool
) -> None:
    if gone:
        manual.path.unlink()
    else:
        manual.path.write_bytes(manual.path.read_bytes() + b"\n")
    preview = open_at(place(shelf, manual, 2, WORDS))
    assert preview.stack.currentWidget() is preview.text
    assert preview.text.marked_text() == WORDS
    words = "The file is not there any more." if gone else "The file has changed since it was read."
    assert words in preview.notice.text()
    assert preview.notice.isVisible()
    assert preview.open_button.isEnabled() is not gone
    assert preview.head.text_button.isHidden()


def test_a_touched_file_counts_as_changed(
    open_at: Callable[[PassagePlace], PagePreview], shelf: Shelf, manual: StoredFile
) -> None:
    os.utime(manual.path, ns=(manual.mtime_ns + 1, manual.mtime_ns + 1))
    assert "has changed" in open_at(place(shelf, manual, 2, WORDS)).notice.text()


def test_a_page_that_cannot_be_drawn_shows_its_text_and_why(
    open_at: Callable[[PassagePlace], PagePreview], shelf: Shelf, tmp_path: Path
) -> None:
    file = text_file(shelf, tmp_path / "no.pdf", "Only words.\nNo page.")
    preview = open_at(place(shelf, file, 1, "No page."))
    assert preview.stack.currentWidget() is preview.text
    assert preview.text.marked_text() == "No page."
    assert "“no.pdf” has no pages that can be shown." in preview.notice.text()


def test_a_text_is_shown_at_its_lines(
    open_at: Callable[[PassagePlace], PagePreview], shelf: Shelf, tmp_path: Path, qtbot: QtBot
) -> None:
    text = "\n".join(f"Line {number} \U0001f642 of the diary." for number in range(100, 400))
    file = text_file(shelf, tmp_path / "diary.txt", text, first_line=100, headings=(Heading(0, 1, "July"),))
    words = "Line 250 \U0001f642 of the diary.\nLine 251 \U0001f642 of the diary."
    preview = open_at(place(shelf, file, 1, words))
    assert preview.head.where.text() == "lines 250 to 251 · July"
    assert preview.text.marked_text() == words
    view = preview.text
    qtbot.waitUntil(lambda: view.firstVisibleBlock().blockNumber() == 147, timeout=WAIT_MS)
    assert preview.notice.isHidden()
    assert preview.head.larger.isHidden()


def test_nothing_in_a_text_moves_the_mark(qtbot: QtBot, workspace: Workspace) -> None:
    view = PageTextView(workspace.theme)
    qtbot.addWidget(view)
    strange = "a\rb\u2028c\u2029d\0e\ufdd0f\n<b>\U0001f642</b> here"
    start = strange.index("here")
    view.show_text(strange, 1, (start, start + 4))
    assert view.marked_text() == "here"
    assert view.blockCount() == 2, "only a line feed begins a line"
    view.show_text("plain", 1, (0, 0))
    assert view.marked_text() == ""


def test_what_cannot_be_seen_on_the_page_is_said(
    open_at: Callable[[PassagePlace], PagePreview], shelf: Shelf, tmp_path: Path
) -> None:
    hidden = (Hidden(HiddenReason.TINY, "obey me"), Hidden(HiddenReason.COVERED, "now"))
    file = text_file(shelf, tmp_path / "a.txt", "Seen words.", hidden=hidden)
    preview = open_at(place(shelf, file, 1, "Seen words."))
    assert preview.notice.text() == "3 words on this page cannot be seen. The model is not given them."


def test_a_page_that_is_gone_from_the_library_is_said(
    open_at: Callable[[PassagePlace], PagePreview], tmp_path: Path
) -> None:
    preview = open_at(PassagePlace(tmp_path / "x.txt", 9, "X", Unit.TEXT, 1, "", 0, 4, 1, 1))
    assert "This page is in the library no more." in preview.notice.text()


def test_there_is_nothing_to_show_before_the_library_is_open(workspace: Workspace, qtbot: QtBot) -> None:
    from PySide6.QtWidgets import QWidget

    parent = QWidget()
    qtbot.addWidget(parent)
    assert show_passage(parent, workspace, PassagePlace(Path("x"), 1, "", Unit.TEXT, 1, "", 0, 0, 1, 1)) is None


def test_a_closed_preview_takes_no_late_answer(
    qtbot: QtBot, workspace: Workspace, shelf: Shelf, manual: StoredFile
) -> None:
    preview = PagePreview(workspace, shelf, place(shelf, manual, 2, WORDS))
    preview.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    preview.show()
    with qtbot.waitSignal(preview.destroyed, timeout=WAIT_MS):
        preview.close()
    done: list[object] = []
    workspace.bridge.then(workspace.run(lambda: None), done.append, done.append)
    qtbot.waitUntil(lambda: bool(done), timeout=WAIT_MS)


def test_pages_are_drawn_once_and_not_for_nobody(qtbot: QtBot, workspace: Workspace, manual: StoredFile) -> None:
    parser = Parser()
    asked: list[int] = []

    class Counting:
        def render_page(self, path: Path, number: int, *rest: object) -> object:
            asked.append(number)
            return parser.render_page(path, number, *rest)  # type: ignore[arg-type]

        def close(self) -> None:
            parser.close()

    pictures = PagePictures(workspace.run, workspace.bridge, Counting)  # type: ignore[arg-type]
    done: list[object] = []
    wanted = Wanted(manual.path, 1, 200, (0, 0))
    pictures.draw(Wanted(manual.path, 3, 200, (0, 0)), done.append, done.append, lambda: False)
    pictures.draw(wanted, done.append, done.append, lambda: True)
    qtbot.waitUntil(lambda: len(done) == 1, timeout=WAIT_MS)
    pictures.draw(wanted, done.append, done.append, lambda: True)
    assert len(done) == 2
    assert asked == [1]
    pictures.close()
    pictures.draw(Wanted(manual.path, 2, 200, (0, 0)), done.append, done.append, lambda: True)
    workspace.run(lambda: None).result(WAIT_MS / 1000)
    assert asked == [1]


class Started:
    """What would have been started, in place of starting it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.commands: list[list[str]] = []
        self.urls: list[str] = []
        monkeypatch.setattr(QProcess, "startDetached", self._start)
        monkeypatch.setattr(QDesktopServices, "openUrl", self._open)

    def _start(self, program: str, arguments: list[str]) -> tuple[bool, int]:
        self.commands.append([program, *arguments])
        return True, 1

    def _open(self, url: object) -> bool:
        self.urls.append(url.toLocalFile())  # type: ignore[attr-defined]
        return True


def test_a_pdf_opens_in_its_own_program_at_the_page(
    open_at: Callable[[PassagePlace], PagePreview],
    shelf: Shelf,
    manual: StoredFile,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started = Started(monkeypatch)
    monkeypatch.setattr(documents_opening, "_default_viewer", lambda _kind: "org.gnome.Evince.desktop")
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(sys, "platform", "linux")
    preview = open_at(place(shelf, manual, 2, WORDS))
    preview.open_button.click()
    qtbot.waitUntil(lambda: bool(started.commands), timeout=WAIT_MS)
    assert started.commands == [["/usr/bin/evince", "--page-label=2", str(manual.path)]]


def test_what_the_system_might_run_is_only_shown_in_its_folder(
    open_at: Callable[[PassagePlace], PagePreview],
    shelf: Shelf,
    tmp_path: Path,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started = Started(monkeypatch)
    monkeypatch.setattr(sys, "platform", "linux")
    file = text_file(shelf, tmp_path / "run.sh", "rm -rf nothing")
    preview = open_at(place(shelf, file, 1, "rm"))
    preview.open_button.click()
    qtbot.waitUntil(lambda: bool(started.urls), timeout=WAIT_MS)
    assert started.urls == [str(tmp_path)]
    assert started.commands == []


@pytest.mark.parametrize("yes", [True, False])
def test_a_page_of_the_web_is_opened_after_a_question(
    open_at: Callable[[PassagePlace], PagePreview],
    shelf: Shelf,
    tmp_path: Path,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
    *,
    yes: bool,
) -> None:
    started = Started(monkeypatch)
    asked: list[str] = []

    def confirm(_theme: object, _parent: object, _title: str, text: str, **_more: object) -> bool:
        asked.append(text)
        return yes

    monkeypatch.setattr(documents_opening, "confirm", confirm)
    file = text_file(shelf, tmp_path / "page.html", "Words of it.")
    preview = open_at(place(shelf, file, 1, "Words"))
    preview.open_button.click()
    qtbot.waitUntil(lambda: bool(asked), timeout=WAIT_MS)
    assert str(file.path) in asked[0]
    assert started.urls == ([str(file.path)] if yes else [])


@pytest.fixture
def talk(shelf: Shelf, tmp_path: Path) -> StoredFile:
    """A recording with its transcript."""
    text = "\n".join(stamped(10.0 * number, f"Point {number} was agreed on.") for number in range(200))
    file = text_file(shelf, tmp_path / "talk.mp3", text, first_line=0)
    changed = replace(file, unit=Unit.TIME)
    shelf.all_files[shelf.all_files.index(file)] = changed
    return changed


def moment(shelf: Shelf, file: StoredFile, number: int) -> PassagePlace:
    words = stamped(10.0 * number, f"Point {number} was agreed on.")
    return replace(place(shelf, file, 1, words), first_line=10 * number, last_line=10 * number)


def test_a_recording_shows_what_is_said_at_its_times(
    open_at: Callable[[PassagePlace], PagePreview], shelf: Shelf, talk: StoredFile, qtbot: QtBot
) -> None:
    preview = open_at(moment(shelf, talk, 75))
    assert preview.head.where.text() == "12:30"
    assert preview.text.marked_text() == "00:12:30 Point 75 was agreed on."
    assert preview.text.numbers_width() == 0, "its times stand in the text"
    assert preview.text.viewportMargins().left() == 0
    qtbot.waitUntil(lambda: preview.text.firstVisibleBlock().blockNumber() == 72, timeout=WAIT_MS)
    assert preview.open_button.text() == "Play from 12:30"
    subtitles = text_file(shelf, talk.path.with_suffix(".srt"), "00:00:07 Good evening.")
    assert subtitles.blob_id is not None
    shown = replace(moment(shelf, talk, 75), path=subtitles.path, blob_id=subtitles.blob_id, start=0, end=4)
    assert open_at(shown).open_button.text() == "Open in its own program"


@pytest.mark.parametrize("player", ["mpv.desktop", "strange.desktop"])
def test_a_recording_is_played_from_the_second_where_the_player_can(
    open_at: Callable[[PassagePlace], PagePreview],
    shelf: Shelf,
    talk: StoredFile,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
    *,
    player: str,
) -> None:
    started = Started(monkeypatch)
    monkeypatch.setattr(documents_opening, "_default_viewer", lambda kind: player if kind == "audio/mpeg" else "")
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(sys, "platform", "linux")
    preview = open_at(moment(shelf, talk, 75))
    said: list[str] = []
    monkeypatch.setattr(preview, "_say", said.append)
    QTest.keySequence(preview, QKeySequence("Ctrl+O"))
    qtbot.waitUntil(lambda: bool(started.commands or said), timeout=WAIT_MS)
    if player == "mpv.desktop":
        assert started.commands == [["/usr/bin/mpv", "--start=750", str(talk.path)]]
    else:
        assert started.urls == [str(talk.path)]
        assert said == ["This player cannot be told where to begin: go to 12:30 in it"]
