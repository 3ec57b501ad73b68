"""The dialog to choose a model: those on this computer, those to fetch, and what each would take.

Shows rows and says what was asked; scanning, loading and fetching belong to whoever made it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QItemSelectionModel, QModelIndex, QObject, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QListView,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.downloader.order import Progress
from app.i18n import tr
from app.model_entry import Availability, ModelEntry
from app.ui.composer_text import local_files
from app.ui.icons import themed_icon
from app.ui.model_delegate import ModelDelegate
from app.ui.model_details import KeptChoices, ModelDetails
from app.ui.model_memory import LoadChoice, MemoryJudge
from app.ui.model_rows import GroupHeading, ModelListModel
from app.ui.theme import Theme
from engine.types import LoadedModel

_MOVES = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)
_ENTERS = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class ModelPicker(QDialog):
    """Type to search, arrows to choose, Enter to load."""

    load_requested = Signal(object, object)
    """A `ModelEntry` and a `LoadChoice`; the dialog closes itself."""
    fetch_requested = Signal(object)
    """A `ModelEntry` of the catalogue; also to go on with one that was paused."""
    fetch_cancel_requested = Signal(object)
    folder_added = Signal(Path)
    file_chosen = Signal(Path)
    """A GGUF file from anywhere: load it; the dialog closes itself."""
    adapter_wanted = Signal(object, object)
    """A `ModelEntry` and the path of a file to add to its adapters."""
    adapters_changed = Signal(object, object)
    """A `ModelEntry` and all its `Adapter`s."""
    eyes_chosen = Signal(object, object)
    """A `ModelEntry` and the `ProjectorChoice` for it."""
    draft_chosen = Signal(object, object)
    """A `ModelEntry`, and the `Path` of a small model to guess ahead for it or None."""
    row_shown = Signal(object)
    """A `ModelEntry`: its details can be seen now."""

    def __init__(
        self, theme: Theme, judge: MemoryJudge, parent: QWidget | None = None, *, kept: KeptChoices | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._downloads: dict[str, Progress] = {}
        self._failures: dict[str, str] = {}
        self.setWindowTitle(tr("Choose a model"))
        self.setAcceptDrops(True)

        self._search = QLineEdit(self)
        self._search.setProperty("kind", "search")
        self._search.setPlaceholderText(tr("Search models"))
        self._search.setAccessibleName(tr("Search models"))
        self._search.setClearButtonEnabled(True)
        self._search_mark = self._search.addAction(
            themed_icon(theme, "search", size=16), QLineEdit.ActionPosition.LeadingPosition
        )
        self._model = ModelListModel(self)
        self._list = QListView(self)
        self._list.setObjectName("model_list")
        self._list.setModel(self._model)
        self._list.setItemDelegate(ModelDelegate(theme, self))
        self._list.setMouseTracking(True)
        self._list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.setAccessibleName(tr("Models"))
        self._details = ModelDetails(theme, judge, self, kept=kept)
        self._open_file = QPushButton(tr("Open a GGUF file…"), self)
        self._add_folder = QPushButton(tr("Add a folder…"), self)
        for button in (self._open_file, self._add_folder):
            button.setProperty("kind", "quiet")
            button.setAutoDefault(False)
        self._lay_out()

        self._search.textChanged.connect(self._on_search)
        self._search.installEventFilter(self)
        self._list.selectionModel().currentChanged.connect(self._on_current_changed)
        self._list.clicked.connect(self._on_clicked)
        self._list.doubleClicked.connect(self._on_double_clicked)
        self._list.installEventFilter(self)
        self._details.load_requested.connect(self._on_load)
        self._details.fetch_requested.connect(self._on_fetch)
        self._details.fetch_cancel_requested.connect(self.fetch_cancel_requested)
        self._details.adapter_wanted.connect(self.adapter_wanted)
        self._details.adapters_changed.connect(self.adapters_changed)
        self._details.draft_chosen.connect(self.draft_chosen)
        self._details.eyes_chosen.connect(self.eyes_chosen)
        self._open_file.clicked.connect(self._on_open_file)
        self._add_folder.clicked.connect(self._on_add_folder)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self._search.setFocus()

    # What its maker tells it

    def set_rows(self, rows: Iterable[ModelEntry]) -> None:
        """Show these models; what was chosen stays chosen, else the loaded one is."""
        current = self.current
        rows = tuple(rows)
        self._details.set_candidates(rows)
        self._model.set_rows(rows)
        self._choose(current.key if current is not None else next((row.key for row in rows if row.loaded), ""))

    def set_loaded(self, model: LoadedModel | None) -> None:
        """The model in use, as the engine knows it; None while none is loaded."""
        self._details.set_loaded(model)

    def show_draft(self, key: str, refused: str = "") -> None:
        """The model that guesses ahead is another one now, or does not fit this row for this reason."""
        if self._is_current(key):
            self._details.show_draft(refused)

    def show_eyes(self, key: str, found: Sequence[Path], refused: str = "") -> None:
        """What this row's model could look at images with, and why a file was `refused`."""
        if self._is_current(key):
            self._details.show_eyes(found, refused)

    def show_adapters(self, key: str, refused: str = "") -> None:
        """The adapters of this row are other ones now, or a file was `refused` for this reason."""
        if self._is_current(key):
            self._details.show_adapters(refused)

    def set_progress(self, key: str, progress: Progress) -> None:
        """A download goes on."""
        self._failures.pop(key, None)
        self._downloads[key] = progress
        self._model.set_progress(key, progress)
        if self._is_current(key):
            self._details.show_progress(progress)

    def set_paused(self, key: str) -> None:
        """A download was stopped by the person."""
        self._end_download(key)
        if self._is_current(key):
            self._details.show_paused()

    def set_failed(self, key: str, message: str) -> None:
        """A download ended with this sentence."""
        self._end_download(key)
        self._failures[key] = message
        if self._is_current(key):
            self._details.show_failed(message)

    def set_fetched(self, key: str) -> None:
        """A download is complete; `set_rows` brings its new row."""
        self._end_download(key)
        if self._is_current(key):
            self._details.set_row(self.current)

    @property
    def current(self) -> ModelEntry | None:
        """The chosen row."""
        return self._model.row(self._list.currentIndex())

    # What happens in it

    def _lay_out(self) -> None:
        self._left = QVBoxLayout()
        self._left.addWidget(self._search)
        self._left.addWidget(self._list, 1)
        self._buttons = QHBoxLayout()
        self._buttons.addWidget(self._open_file)
        self._buttons.addWidget(self._add_folder)
        self._buttons.addStretch(1)
        self._left.addLayout(self._buttons)
        self._right = QFrame(self)
        self._right.setObjectName("model_details")
        right = QVBoxLayout(self._right)
        right.setContentsMargins(0, 0, 0, 0)
        right.addWidget(self._details)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addLayout(self._left, 4)
        row.addWidget(self._right, 3)

    def _end_download(self, key: str) -> None:
        self._downloads.pop(key, None)
        self._model.set_progress(key, None)

    def _is_current(self, key: str) -> bool:
        return self.current is not None and self.current.key == key

    def _choose(self, key: str) -> None:
        index = self._model.index_of(key)
        if not index.isValid():
            selectable = self._model.selectable()
            index = self._model.index(selectable[0]) if selectable else QModelIndex()
        self._list.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        self._bring_into_view(QAbstractItemView.ScrollHint.PositionAtCenter)
        self._show_current()

    def _step(self, step: int) -> None:
        lines = self._model.selectable()
        if not lines:
            return
        now = self._list.currentIndex().row()
        place = lines.index(now) if now in lines else 0
        place = min(len(lines) - 1, max(0, place + step))
        index = self._model.index(lines[place])
        self._list.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        self._bring_into_view()

    def _bring_into_view(self, hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible) -> None:
        """Show the chosen model; the first one with the heading above it."""
        index, selectable = self._list.currentIndex(), self._model.selectable()
        if selectable and index.row() == selectable[0]:
            self._list.scrollToTop()
        else:
            self._list.scrollTo(index, hint)

    def _toggle(self, group: Availability) -> None:
        self._model.toggle_broken()
        index = self._model.index_of_heading(group)
        self._list.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        self._list.scrollTo(index.siblingAtRow(index.row() + 1) if index.row() + 1 < self._model.rowCount() else index)

    def _show_current(self) -> None:
        row = self.current
        heading = isinstance(self._model.item(self._list.currentIndex()), GroupHeading)
        message = (
            tr("These files were found but cannot be used. Press Enter to see them, and why.")
            if heading
            else tr("No model matches the search.")
        )
        self._details.set_row(row, self._downloads.get(row.key) if row is not None else None, message=message)
        if row is not None and row.key in self._failures:
            self._details.show_failed(self._failures[row.key])
        if row is not None:
            self.row_shown.emit(row)

    def _on_search(self, text: str) -> None:
        current = self.current
        self._model.set_filter(text)
        self._choose(current.key if current is not None and not text else "")

    def _on_current_changed(self) -> None:
        self._show_current()

    def _on_clicked(self, index: QModelIndex) -> None:
        item = self._model.item(index)
        if isinstance(item, GroupHeading) and item.foldable:
            self._toggle(item.group)

    def _on_double_clicked(self, index: QModelIndex) -> None:
        if self._model.row(index) is not None:
            self._details.activate()

    def _on_load(self, row: ModelEntry, choice: LoadChoice) -> None:
        self.accept()
        self.load_requested.emit(row, choice)

    def _on_fetch(self, row: ModelEntry) -> None:
        self._failures.pop(row.key, None)
        self.fetch_requested.emit(row)

    def _on_open_file(self) -> None:
        name, _filter = QFileDialog.getOpenFileName(self, tr("Open a GGUF file"), "", tr("Models") + " (*.gguf)")
        if name:
            self.accept()
            self.file_chosen.emit(Path(name))

    def _on_add_folder(self) -> None:
        if name := QFileDialog.getExistingDirectory(self, tr("Add a folder with models")):
            self.folder_added.emit(Path(name))

    def _on_theme_changed(self) -> None:
        theme, colors, space = self._theme, self._theme.colors, self._theme.space
        self._left.setContentsMargins(space(4), space(4), space(3), space(3))
        self._left.setSpacing(space(2))
        self._search_mark.setIcon(themed_icon(theme, "search", size=round(16 * theme.zoom)))
        self._right.setStyleSheet(
            f"#model_details {{ background: {colors.window}; border-left: 1px solid {colors.border}; }}"
        )
        self.resize(space(240), space(155))
        self._list.doItemsLayout()

    # Qt

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        # Only now does the list know its height.
        self._bring_into_view(QAbstractItemView.ScrollHint.PositionAtCenter)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            key = event.key()
            if key in _ENTERS:
                heading = self._model.item(self._list.currentIndex())
                if isinstance(heading, GroupHeading):
                    self._toggle(heading.group)
                else:
                    self._details.activate()
                return True
            if watched is self._search and key in _MOVES:
                page = 6 if key in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown) else 1
                self._step(page if key in (Qt.Key.Key_Down, Qt.Key.Key_PageDown) else -page)
                return True
        return super().eventFilter(watched, event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if len(local_files(event.mimeData())) == 1:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        path = local_files(event.mimeData())[0]
        event.acceptProposedAction()
        if path.is_dir():
            self.folder_added.emit(path)
        else:
            self.accept()
            self.file_chosen.emit(path)
