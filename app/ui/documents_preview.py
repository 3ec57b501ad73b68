"""A page of a document with a passage marked: the page itself for PDFs, else its text, by lines or by times.

What was read stays readable when its file is gone or changed, and the dialog says so. Reads no file itself.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeVar

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPushButton, QStackedWidget, QVBoxLayout, QWidget
from shiboken6 import isValid

from app.amounts import clock_text
from app.documents_view import hidden_on_page_sentence
from app.i18n import tr
from app.passage_place import PassagePlace, section_at, where_text
from app.source_names import page_name
from app.ui.amounts import count_text
from app.ui.documents_flow import DocumentLibrary
from app.ui.documents_opening import open_document, reveal
from app.ui.documents_page_picture import PagePictureView
from app.ui.documents_page_text import PageTextView
from app.ui.documents_pictures import PageImage, Wanted
from app.ui.documents_preview_head import PreviewHead
from app.ui.library import sentence_of
from app.ui.toast import Toasts, announce
from app.ui.workspace import Workspace
from engine.display_name import display_name
from rag.recording_kinds import RECORDING_SUFFIXES
from rag.store.types import StoredFile
from rag.types import Page, Unit

__all__ = ["PagePreview", "PassagePlace", "show_passage"]

T = TypeVar("T")
_CODE = (
    ".py .c .h .cpp .hpp .js .ts .java .go .rs .rb .sh .pl .lua .sql .css .html .xml .json .toml .yaml .yml .ini .csv "
    ".tsv .log .cs .kt .swift .php .r .jl .scala .hs .ml .el .vim .diff .patch"
)
"""Kinds of files in which the columns matter."""


@dataclass(frozen=True, slots=True)
class FileNow:
    """What has become of the file since it was read. `n_pages` 0: not known."""

    is_there: bool
    is_same: bool
    n_pages: int = 0


def file_now(place: PassagePlace, files: tuple[StoredFile, ...]) -> FileNow:
    """Compare the file on the disk with what the library knows of it. Not on the main thread."""
    known = next((file for file in files if file.path == place.path and file.blob_id == place.blob_id), None)
    try:
        found = place.path.stat()
    except OSError:
        return FileNow(False, False, known.n_pages if known is not None else 0)
    if known is None:
        return FileNow(True, False)
    return FileNow(True, (found.st_size, found.st_mtime_ns) == (known.size, known.mtime_ns), known.n_pages)


class PagePreview(QDialog):
    """Escape closes it."""

    def __init__(
        self, workspace: Workspace, documents: DocumentLibrary, place: PassagePlace, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._workspace, self._documents, self.place = workspace, documents, place
        self._number = place.page
        self._page: Page | None = None
        self._now: FileNow | None = None
        self._problem = ""
        self._as_text = False
        self._turn = 0
        """Counts what was asked for: an answer to an older question is dropped."""
        theme, space = workspace.theme, workspace.theme.space
        name = display_name(place.path.name)
        self.setWindowTitle(name)
        self.setAccessibleName(tr("Page of {name}", name=name))
        self.head = PreviewHead(theme, name, self)
        self.notice = QLabel(self)
        self.notice.setProperty("kind", "warning")
        self.notice.setTextFormat(Qt.TextFormat.PlainText)
        self.notice.setWordWrap(True)
        self.notice.hide()
        self.picture = PagePictureView(theme, self)
        self.text = PageTextView(theme, self)
        self._wait = QLabel(tr("One moment…"), self)
        self._wait.setProperty("kind", "muted")
        self._wait.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.stack = QStackedWidget(self)
        for widget in (self._wait, self.picture, self.text):
            self.stack.addWidget(widget)
        self.reveal_button = QPushButton(tr("Show in folder"), self)
        self.open_button = QPushButton(self._open_text(), self)
        self.close_button = QPushButton(tr("Close"), self)
        self.close_button.setProperty("kind", "primary")
        for button in (self.reveal_button, self.open_button, self.close_button):
            button.setAutoDefault(False)
        self._toasts = Toasts(theme, self)
        self._lay_out()
        self._connect()
        self.resize(space(190), space(200))
        if parent is not None:
            self.resize(self.size().boundedTo(parent.window().size() * 0.95).expandedTo(self.minimumSizeHint()))
        self._look_at_file()
        self._read_page()

    @property
    def page(self) -> Page | None:
        """What is shown, None until it is read."""
        return self._page

    @property
    def shows_picture(self) -> bool:
        return self.stack.currentWidget() is self.picture

    def turn(self, step: int) -> None:
        """To the next page (1) or the one before (-1)."""
        if 1 <= self._number + step <= self._last():
            self._number += step
            self._read_page()

    def _lay_out(self) -> None:
        space = self._workspace.theme.space
        foot = QHBoxLayout()
        foot.setSpacing(space(2))
        foot.addWidget(self.reveal_button)
        foot.addWidget(self.open_button)
        foot.addStretch(1)
        foot.addWidget(self.close_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(space(5), space(4), space(5), space(4))
        column.setSpacing(space(3))
        column.addWidget(self.head)
        column.addWidget(self.notice)
        column.addWidget(self.stack, 1)
        column.addLayout(foot)

    def _connect(self) -> None:
        self.head.turn_requested.connect(self.turn)
        self.head.zoom_requested.connect(self._on_zoom)
        self.head.text_toggled.connect(self._on_text_toggled)
        self.picture.turn_requested.connect(self.turn)
        self.picture.width_wanted.connect(self._on_width_wanted)
        self.reveal_button.clicked.connect(lambda: reveal(self._workspace, self.place.path))
        self.open_button.clicked.connect(self._on_open)
        self.close_button.clicked.connect(self.accept)
        QShortcut(QKeySequence("Ctrl+O"), self).activated.connect(self.open_button.click)

    # What is asked for

    def _then(self, future: Future[T], done: Callable[[T], None], failed: Callable[[BaseException], None]) -> None:
        """As the bridge does, while the dialog is there."""
        self._workspace.bridge.then(future, done, failed, owner=self)

    def _look_at_file(self) -> None:
        place, run = self.place, self._workspace.run

        def listed(files: tuple[StoredFile, ...]) -> None:
            self._then(run(lambda: file_now(place, files)), self._on_file_now, self._on_failed)

        self._then(self._documents.files(blob_id=place.blob_id), listed, self._on_failed)

    def _read_page(self) -> None:
        self._turn += 1
        turn = self._turn
        self._page, self._problem = None, ""
        self._show_buttons()

        def read(page: Page | None) -> None:
            if turn == self._turn:
                self._on_page(page)

        self._then(self._documents.page(self.place.blob_id, self._number), read, self._on_failed)

    def _draw(self, *, bring: bool) -> None:
        page, turn, place = self._page, self._turn, self.place
        assert page is not None
        if not self.shows_picture:
            self.picture.resize(self.stack.size())  # a stack sizes what it shows, and the page's width hangs on that

        def still_wanted() -> bool:
            return turn == self._turn

        def drawn(image: PageImage) -> None:
            if isValid(self) and still_wanted():
                self._show_picture(image, page, bring=bring)

        def failed(error: BaseException) -> None:
            if isValid(self) and still_wanted():
                self._problem = sentence_of(error)
                self._show()

        self._workspace.page_pictures.draw(
            Wanted(place.path, page.number, self.picture.width_px(), self._span(page)), drawn, failed, still_wanted
        )

    def _span(self, page: Page) -> tuple[int, int]:
        return (self.place.start, self.place.end) if page.number == self.place.page else (0, 0)

    def _last(self) -> int:
        return self._now.n_pages if self._now is not None and self._now.n_pages else self.place.page

    # What comes

    def _on_file_now(self, now: FileNow) -> None:
        self._now = now
        self._show()

    def _on_page(self, page: Page | None) -> None:
        if page is None:
            self._problem = tr("This page is in the library no more.")
            self.text.show_text("", 1, (0, 0))
            self.stack.setCurrentWidget(self.text)
            self._show_words()
            return
        self._page = page
        self._show()

    def _on_failed(self, error: BaseException) -> None:
        self._problem = sentence_of(error)
        self._now = self._now or FileNow(False, False)
        self._show()

    def _on_width_wanted(self) -> None:
        if self.isVisible() and self.shows_picture and self._page is not None:
            self._draw(bring=False)

    def _on_zoom(self, step: int) -> None:
        if self.shows_picture:
            self.picture.set_zoom(step)

    def _on_text_toggled(self, as_text: bool) -> None:
        self._as_text = as_text
        self._show()

    def _on_open(self) -> None:
        label = self._page.label if self._page is not None else self.place.page_label
        seconds = self._second
        open_document(
            self._workspace, self, self.place.path, page=self._number, label=label, seconds=seconds, said=self._say
        )

    def _say(self, text: str) -> None:
        self._toasts.show(text)

    @property
    def _second(self) -> int | None:
        """Where a recording is to be played from, None for other documents, and for recordings without a passage."""
        place = self.place
        is_moment = place.unit is Unit.TIME and place.start < place.end
        return place.first_line if is_moment and place.path.suffix.lower() in RECORDING_SUFFIXES else None

    def _open_text(self) -> str:
        second = self._second
        return tr("Open in its own program") if second is None else tr("Play from {time}", time=clock_text(second))

    # What is shown

    @property
    def _has_picture(self) -> bool:
        """Whether the page itself can be shown: its file is a PDF, and the one that was read."""
        now = self._now
        return self.place.path.suffix.lower() == ".pdf" and now is not None and now.is_same and not self._problem

    def _show(self) -> None:
        self._show_words()
        if self._page is None or self._now is None:
            return
        if self._has_picture and not self._as_text:
            self._draw(bring=True)
            return
        page, code = self._page, self.place.path.suffix.lower() in _CODE.split()
        first_line = None if self.place.unit is Unit.TIME else page.first_line
        self.text.show_text(page.text, first_line, self._span(page), code=code)
        self._turn_to(self.text)

    def _show_picture(self, image: PageImage, page: Page, *, bring: bool) -> None:
        name = f"{self.head.name.text()}, {self.head.where.text()}"
        start, end = self._span(page)
        passage = page.text[start:end]
        self.picture.show_page(
            image, name, tr("Marked: {text}", text=" ".join(passage.split())) if passage else "", bring=bring
        )
        self._turn_to(self.picture)
        if passage and not image.rectangles:
            self._problem_note(tr("The passage could not be found on the picture of the page; Text shows it."))

    def _turn_to(self, widget: QWidget) -> None:
        before = self.stack.currentWidget()
        if before is not widget:
            takes_keys = before is self._wait or self.focusWidget() in (None, before)
            self.stack.setCurrentWidget(widget)
            if takes_keys:
                widget.setFocus()
        self._show_buttons()

    def _show_words(self) -> None:
        place, page = self.place, self._page
        if page is None or page.number == place.page:
            where = where_text(place)
        else:
            where = page_name(place.unit, page.number, page.label, page.first_line)
        section = section_at(page.headings, place.start if page.number == place.page else 0) if page is not None else ""
        self.head.where.setText(" · ".join(each for each in (where, section) if each))
        notes = []
        if self._now is not None and not self._now.is_there:
            notes.append(tr("The file is not there any more. This is what was read of it."))
        elif self._now is not None and not self._now.is_same:
            notes.append(tr("The file has changed since it was read. This is the text as it was."))
        notes.append(self._problem)
        if page is not None and page.hidden:
            count = sum(max(1, len(each.text.split())) for each in page.hidden)
            notes.append(hidden_on_page_sentence(count, number=count_text))
        self._set_notice(" ".join(each for each in notes if each))
        self._show_buttons()

    def _problem_note(self, text: str) -> None:
        self._set_notice(" ".join(each for each in (self.notice.text(), text) if each))

    def _set_notice(self, text: str) -> None:
        if text and text != self.notice.text():
            announce(self, text)
        self.notice.setText(text)
        self.notice.setVisible(bool(text))

    def _show_buttons(self) -> None:
        self.head.show_buttons(
            previous=self._number > 1,
            next_=self._number < self._last(),
            zoom=self.shows_picture,
            text=self._has_picture,
        )
        there = self._now is None or self._now.is_there
        self.open_button.setEnabled(there)


def show_passage(parent: QWidget, workspace: Workspace, place: PassagePlace) -> PagePreview | None:
    """Show a passage on its page, above the window of `parent`. None while the library is not open."""
    services = workspace.services
    if services is None:
        return None
    preview = PagePreview(workspace, services.documents, place, parent.window())
    preview.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    preview.open()
    return preview
