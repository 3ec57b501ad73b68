"""Map and list of the context window's pages in one place, the selected page below. Shows what it is given.

Both views share model and selection; the button between them says which is on show.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QLabel, QStackedWidget, QVBoxLayout, QWidget

from app.i18n import ntr, tr
from app.memory_pages import PageKey
from app.memory_view import MemoryView
from app.ui.icons import IconButton
from app.ui.memory_details import PageDetails
from app.ui.memory_key import MapKey
from app.ui.memory_map import MemoryMap
from app.ui.memory_map_list import PageList
from app.ui.memory_map_model import EMPTY, MemoryMapModel
from app.ui.theme import Theme

_LEAST_LIST_UNITS = 58


class MemorySection(QWidget):
    """Give it views; it asks for what the person wants done with a message."""

    message_requested = Signal(str)
    pin_requested = Signal(str, bool)
    """A message's id; True: pin it, False: let it go."""
    evict_requested = Signal(str, bool)
    """A message's id; True: leave it out from now on, False: take it back in."""
    summary_edited = Signal(str, str)
    summary_undone = Signal(str)
    """See `PageDetails`."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._wanted: PageKey | None = None
        self.model = MemoryMapModel(self)
        self.map = MemoryMap(theme, self.model)
        self.list = PageList(theme, self.model)
        self.list.setSelectionModel(self.map.selectionModel())
        self.details = PageDetails(theme)
        self._scale = QLabel()
        self._scale.setProperty("kind", "caption")
        self.toggle = IconButton(theme, "list", tr("Show the pages as a list"), size=16)
        self.toggle.setCheckable(True)
        self.toggle.toggled.connect(self._on_toggled)
        self._key = MapKey(theme, self.model)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.map)
        self._stack.addWidget(self.list)
        foot = QHBoxLayout()
        foot.setContentsMargins(0, 0, 0, 0)
        foot.addWidget(self._scale, 1)
        foot.addWidget(self.toggle)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.addWidget(self._stack)
        self._column.addLayout(foot)
        self._column.addWidget(self._key)
        self._column.addWidget(self.details)
        for view in (self.map, self.list):
            view.installEventFilter(self)
            view.doubleClicked.connect(self.details.ask_to_show)
        self.map.selectionModel().currentChanged.connect(self._on_current_changed)
        self.model.modelReset.connect(self._on_pages_changed)
        self.model.rowsInserted.connect(self._on_pages_changed)
        self.model.dataChanged.connect(self._show_details)
        self.details.message_requested.connect(self.message_requested)
        self.details.pin_requested.connect(self.pin_requested)
        self.details.evict_requested.connect(self.evict_requested)
        self.details.summary_edited.connect(self.summary_edited)
        self.details.summary_undone.connect(self.summary_undone)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.show_view(None)

    def show_view(self, view: MemoryView | None) -> None:
        """Show other pages, None for nothing. What was selected stays so, where it still is."""
        self.model.show(view or EMPTY)
        self.setVisible(view is not None and view.n_ctx > 0)

    def _on_toggled(self, as_list: bool) -> None:
        self._stack.setCurrentWidget(self.list if as_list else self.map)
        self.toggle.set_icon("layers" if as_list else "list")
        self.toggle.set_label(tr("Show the pages as a map") if as_list else tr("Show the pages as a list"))
        self._fit()

    def _fit(self) -> None:
        """The stack is as high as what it shows: the map to its scale, the list about as much."""
        height = self.map.height()
        self._stack.setFixedHeight(
            max(height, self._theme.space(_LEAST_LIST_UNITS)) if self.toggle.isChecked() else height
        )
        if self.toggle.isChecked():
            text = ntr("{count} page", "{count} pages", self.model.rowCount())
        else:
            text = ntr("One square is {count} token", "One square is {count} tokens", self.map.cell_tokens)
        self._scale.setText(text)
        self._key.setVisible(not self.toggle.isChecked())

    def _on_pages_changed(self) -> None:
        if self._wanted is not None and not self.map.currentIndex().isValid():
            found = self.model.index_of(self._wanted)
            if found.isValid():
                self.map.setCurrentIndex(found)
        self._show_details()

    def _on_current_changed(self) -> None:
        page = self.model.page(self.map.currentIndex())
        if page is not None:
            self._wanted = page.key
        self._show_details()

    def _show_details(self) -> None:
        self.details.show_page(self.model.page(self.map.currentIndex()), self.model.view)
        self._fit()

    def _on_theme_changed(self) -> None:
        self._column.setSpacing(self._theme.space(2))
        self._fit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Resize:
            self._fit()
        if isinstance(watched, QAbstractItemView) and isinstance(event, QKeyEvent):
            run = {
                Qt.Key.Key_Return: self.details.ask_to_show,
                Qt.Key.Key_Enter: self.details.ask_to_show,
                Qt.Key.Key_P: self.details.ask_to_pin,
                Qt.Key.Key_Delete: self.details.ask_to_evict,
                Qt.Key.Key_Backspace: self.details.ask_to_evict,
            }.get(Qt.Key(event.key()))
            plain = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
            if event.type() is QEvent.Type.KeyPress and run is not None and plain:
                run()
                return True
        return super().eventFilter(watched, event)
