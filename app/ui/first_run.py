"""The page that takes a person from nothing to a model in one click: download a good one, or use one that is here.

Shows what it is told and says what was asked; `bind_first_run` connects it to the `ModelFlow`. The window puts the
conversation in its place once a model is loaded.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QFocusEvent
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from app.downloader.order import Progress
from app.i18n import tr
from app.model_entry import ModelEntry
from app.ui.composer_text import local_files
from app.ui.first_run_card import FirstRunCard
from app.ui.icons import tinted_pixmap
from app.ui.model_flow import ModelFlow
from app.ui.plain_label import plain_label
from app.ui.theme import Theme
from engine.engine import EngineState


class FirstRun(QScrollArea):
    """A greeting, the card, and a way in for a file. A file may be dropped anywhere on it."""

    load_requested = Signal(Path)
    """A model that is here, or a GGUF file from anywhere."""
    fetch_requested = Signal(object)
    """Download this `ModelEntry` and load it then; also to go on with a download."""
    fetch_cancel_requested = Signal(object)
    folder_added = Signal(Path)
    picker_requested = Signal()
    """The list of all models is wanted."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.viewport().setAcceptDrops(True)  # a scroll area hears of drops through its viewport
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._mark = QLabel()
        self._mark.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._welcome = plain_label(tr("Welcome to Hearth"), "display")
        self._promise = plain_label(
            tr("An assistant that lives on this computer. Everything you write stays here."), "muted"
        )
        for label in (self._welcome, self._promise):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.card = FirstRunCard(theme)
        self._other = QLabel(tr("Have a model already? Drop its GGUF file here."))
        self._other.setProperty("kind", "caption")
        self._choose = QPushButton(tr("Choose a file…"))
        self._all = QPushButton(tr("See all models…"))
        for button in (self._choose, self._all):
            button.setProperty("kind", "quiet")
        self._lay_out()
        self.card.load_requested.connect(self.load_requested)
        self.card.fetch_requested.connect(self.fetch_requested)
        self.card.fetch_cancel_requested.connect(self.fetch_cancel_requested)
        self._choose.clicked.connect(self._on_choose)
        self._all.clicked.connect(self.picker_requested)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self._all.hide()

    def set_entries(self, entries: Iterable[ModelEntry], *, scanned: bool = True) -> None:
        """What there is; until the folders were `scanned`, an empty list means nothing."""
        entries = tuple(entries)
        self.card.set_entries(entries, scanned=scanned)
        self._all.setVisible(bool(entries))
        if self._choose.hasFocus() and not self.card.primary.isHidden():
            self.card.primary.setFocus()  # it was only there for want of anything better

    def set_progress(self, key: str, progress: Progress) -> None:
        """A download goes on."""
        self.card.set_progress(key, progress)

    def set_paused(self, key: str) -> None:
        """A download was stopped by the person."""
        self.card.set_paused(key)

    def set_failed(self, key: str, message: str) -> None:
        """A download ended with this sentence."""
        self.card.set_failed(key, message)

    def set_fetched(self, key: str) -> None:
        """A download is complete."""
        self.card.set_fetched(key)

    def set_load_failed(self, message: str) -> None:
        """A model could not be loaded; `message` is the sentence that says why."""
        self.card.set_load_failed(message)

    def set_engine_state(self, state: EngineState, name: str = "") -> None:
        """Show how far the loading of the model called `name` is."""
        self.card.set_engine_state(state, name)

    def _lay_out(self) -> None:
        middle = QHBoxLayout()
        middle.addStretch(1)
        middle.addWidget(self.card)
        middle.addStretch(1)
        self._foot = QHBoxLayout()
        self._foot.addStretch(1)
        self._foot.addWidget(self._choose)
        self._foot.addWidget(self._all)
        self._foot.addStretch(1)
        page = QWidget()
        page.setProperty("kind", "surface")
        self._column = QVBoxLayout(page)
        self._column.addStretch(3)
        for label in (self._mark, self._welcome, self._promise):
            self._column.addWidget(label)
        self._column.addLayout(middle)
        self._column.addWidget(self._other, 0, Qt.AlignmentFlag.AlignHCenter)
        self._column.addLayout(self._foot)
        self._column.addStretch(4)
        self.setWidget(page)
        self._middle = middle

    def _on_choose(self) -> None:
        name, _filter = QFileDialog.getOpenFileName(self, tr("Open a GGUF file"), "", tr("Models") + " (*.gguf)")
        if name:
            self.load_requested.emit(Path(name))

    def _on_theme_changed(self) -> None:
        space = self._theme.space
        self._mark.setPixmap(tinted_pixmap(self._theme, "mark", color="accent", size=space(12)))
        self._column.setContentsMargins(space(6), space(6), space(6), space(6))
        self._column.setSpacing(space(2))
        self._middle.setContentsMargins(0, space(5), 0, space(3))
        self._foot.setSpacing(space(1))

    def focusInEvent(self, event: QFocusEvent) -> None:
        # What Enter should do is in the card.
        target = self.card.primary if not self.card.primary.isHidden() else self._choose
        target.setFocus(event.reason())

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if len(local_files(event.mimeData())) == 1:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        path = local_files(event.mimeData())[0]
        event.acceptProposedAction()
        if path.is_dir():
            self.folder_added.emit(path)
        else:
            self.load_requested.emit(path)


class _Entries(QObject):
    """Shows a flow's entries on a page; a receiver of its own, so that Qt ends the connection with the page."""

    def __init__(self, page: FirstRun, flow: ModelFlow) -> None:
        super().__init__(page)
        self._page, self._flow = page, flow

    def show(self) -> None:
        self._page.set_entries(self._flow.entries, scanned=self._flow.scanned)


def bind_first_run(page: FirstRun, flow: ModelFlow) -> None:
    """Connect the page to the flow for as long as both live."""
    entries = _Entries(page, flow)
    flow.entries_changed.connect(entries.show)
    flow.download_progressed.connect(page.set_progress)
    flow.download_paused.connect(page.set_paused)
    flow.download_failed.connect(page.set_failed)
    flow.downloaded.connect(page.set_fetched)
    flow.failed.connect(page.set_load_failed)
    page.load_requested.connect(flow.load)
    page.fetch_requested.connect(lambda entry: flow.fetch(entry, then_load=True))
    page.fetch_cancel_requested.connect(flow.cancel_fetch)
    page.folder_added.connect(flow.add_folder)
    entries.show()
    for key, progress in flow.progress.items():
        page.set_progress(key, progress)
