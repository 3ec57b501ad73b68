"""The left side of a window: new chat, search, personas, tags, the list of conversations, archive and settings.

Shows the `Library` and says what was asked for; changes nothing itself.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.i18n import tr
from app.store.types import Folder
from app.ui.attachments_flow import FlowLayout
from app.ui.composer_text import local_files
from app.ui.icons import IconButton, set_button_icon, themed_icon, tinted_pixmap
from app.ui.library import Library
from app.ui.live_answers import LiveAnswers
from app.ui.persona_icons import PersonaIcons
from app.ui.persona_list import PersonaList
from app.ui.persona_section import PersonaSection
from app.ui.sidebar_delegate import SidebarDelegate
from app.ui.sidebar_list import SidebarList
from app.ui.sidebar_model import RowKind, SidebarModel, SidebarRow, build_rows
from app.ui.sidebar_search import SearchResults
from app.ui.theme import Theme

_SPIN_MS = 66
_TAGS_SHOWN = 8


class Sidebar(QWidget):
    """Everything a person finds at the left. Its parent answers the signals."""

    open_requested = Signal(str)
    message_requested = Signal(str, str)
    """A conversation's id and the message in it that a search found."""
    new_requested = Signal()
    conversation_menu_requested = Signal(str, QPoint)
    folder_menu_requested = Signal(str, QPoint)
    rename_requested = Signal(str, str)
    folder_rename_requested = Signal(str, str)
    move_requested = Signal(str, object)
    delete_requested = Signal(str)
    files_dropped = Signal(str, list)
    """A conversation's id ("": a new one is meant), and the files and folders that were dropped on it."""
    settings_requested = Signal()
    menu_requested = Signal(QPoint)
    fold_requested = Signal()

    def __init__(
        self,
        theme: Theme,
        library: Library,
        answers: LiveAnswers,
        parent: QWidget | None = None,
        *,
        personas: PersonaList,
        icons: PersonaIcons,
    ) -> None:
        super().__init__(parent)
        self._theme, self._library, self._answers = theme, library, answers
        self._collapsed: set[str] = set()
        self._tag = ""
        self._archive = False
        self._today: Callable[[], dt.date] = dt.date.today
        self.setProperty("kind", "window")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)

        self._mark = QLabel(self)
        self._name = QLabel(tr("Hearth"), self)
        self._name.setProperty("kind", "large")
        self.menu_button = IconButton(theme, "menu", tr("Menu"), parent=self)
        self.fold_button = IconButton(theme, "panel-left", tr("Hide the sidebar"), parent=self)
        self.new_button = QPushButton(tr("New chat"), self)
        self.new_button.setProperty("kind", "row")
        self.search = QLineEdit(self)
        self.search.setProperty("kind", "search")
        self.search.setPlaceholderText(tr("Search"))
        self.search.setAccessibleName(tr("Search conversations"))
        self.search.setClearButtonEnabled(False)
        self._search_action = self.search.addAction(
            themed_icon(theme, "search"), QLineEdit.ActionPosition.LeadingPosition
        )
        self.personas = PersonaSection(theme, personas, icons, self)
        self.tags = QWidget(self)
        self._tag_row = FlowLayout(self.tags, spacing=theme.space(1))
        self.list = SidebarList(theme, self)
        self.model = SidebarModel(self)
        self.list.setModel(self.model)
        self._delegate = SidebarDelegate(theme, self.list)
        self.list.setItemDelegate(self._delegate)
        self.results = SearchResults(theme, library, self)
        self._empty = QLabel(self)
        self._empty.setProperty("kind", "muted")
        self._empty.setWordWrap(True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self._stack = QStackedWidget(self)
        for page in (self.list, self.results, self._empty):
            self._stack.addWidget(page)
        self.archive_button = QPushButton(tr("Archive"), self)
        self.archive_button.setProperty("kind", "row")
        self.archive_button.setCheckable(True)
        self.settings_button = QPushButton(tr("Settings"), self)
        self.settings_button.setProperty("kind", "row")
        self.setAcceptDrops(True)  # beside the list too
        self._lay_out()
        self._connect()
        self._on_theme_changed()
        self._on_library_changed()

    @property
    def collapsed(self) -> list[str]:
        """Keys of the folded groups, to be remembered."""
        return sorted(self._collapsed)

    def set_collapsed(self, keys: list[str]) -> None:
        self._collapsed = set(keys)
        self._on_library_changed()

    def set_open(self, conversation_id: str) -> None:
        """Mark the conversation that the window shows."""
        self.model.mark(open_id=conversation_id)
        index = self.model.index_of(conversation_id)
        if index.isValid():
            self.list.setCurrentIndex(index)
            self.list.scrollTo(index)

    def focus_search(self) -> None:
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def set_search_keys(self, keys: str) -> None:
        """Name the keys that lead to the search field."""
        self.search.setPlaceholderText(tr("Search") + (f"  {keys}" if keys else ""))

    def edit_title(self, conversation_id: str) -> None:
        """Rename in place, if the conversation is on show."""
        self.search.clear()
        index = self.model.index_of(conversation_id)
        if index.isValid():
            self.list.scrollTo(index)
            self.list.setCurrentIndex(index)
            self.list.edit(index)

    def neighbour(self, conversation_id: str, step: int) -> str | None:
        """The conversation `step` rows below (or above, negative); None at the ends."""
        ids = self.model.conversation_ids()
        if conversation_id not in ids:
            return ids[0] if ids else None
        position = ids.index(conversation_id) + step
        return ids[position] if 0 <= position < len(ids) else None

    def _lay_out(self) -> None:
        space = self._theme.space
        column = QVBoxLayout(self)
        column.setContentsMargins(space(2), space(2.5), space(2), space(2))
        column.setSpacing(space(1))
        head = QHBoxLayout()
        head.setContentsMargins(space(2), 0, 0, space(1))
        head.setSpacing(space(1))
        for widget in (self._mark, self._name):
            head.addWidget(widget)
        head.addStretch(1)
        head.addWidget(self.menu_button)
        head.addWidget(self.fold_button)
        column.addLayout(head)
        column.addWidget(self.new_button)
        column.addWidget(self.search)
        column.addSpacing(space(1))
        column.addWidget(self.personas)
        column.addWidget(self.tags)
        column.addSpacing(space(1))
        column.addWidget(self._stack, 1)
        column.addWidget(self.archive_button)
        column.addWidget(self.settings_button)

    def _connect(self) -> None:
        self.menu_button.clicked.connect(
            lambda: self.menu_requested.emit(self.menu_button.mapToGlobal(self.menu_button.rect().bottomLeft()))
        )
        self.fold_button.clicked.connect(self.fold_requested)
        self.new_button.clicked.connect(self.new_requested)
        self.settings_button.clicked.connect(self.settings_requested)
        self.archive_button.toggled.connect(self._on_archive_toggled)
        self.search.textChanged.connect(self._on_search_changed)
        self.search.installEventFilter(self)
        self.list.chosen.connect(self._on_chosen)
        self.list.menu_wanted.connect(self._on_menu_wanted)
        self.list.delete_wanted.connect(self._on_delete_wanted)
        self.list.files_dropped.connect(self.files_dropped)
        self.list.new_aimed_at.connect(self.new_button.setDown)
        self._delegate.more_requested.connect(self._on_more_requested)
        self.model.rename_requested.connect(self._on_rename_requested)
        self.model.moved.connect(self.move_requested)
        self.results.chosen.connect(self._on_result_chosen)
        self._library.changed.connect(self._on_library_changed)
        self._answers.changed.connect(self._on_answers_changed)
        self._theme.changed.connect(self._on_theme_changed)
        self._spin = QTimer(self, interval=_SPIN_MS)
        self._spin.timeout.connect(self._on_spin)
        self._midnight = QTimer(self, interval=5 * 60_000)
        self._midnight.timeout.connect(self._on_library_changed)
        self._midnight.start()

    def _on_library_changed(self) -> None:
        if self.list.state() is QAbstractItemView.State.EditingState:
            QTimer.singleShot(500, self, self._on_library_changed)
            return
        library = self._library
        if self._archive:
            rows = build_rows(library.archived, (), today=self._today(), collapsed=())
        else:
            rows = build_rows(
                library.conversations, library.folders, today=self._today(), collapsed=self._collapsed, tag=self._tag
            )
        current = self.model.row(self.list.currentIndex())
        place = self.list.verticalScrollBar().value()
        self.model.show(rows)
        if current is not None and not self.list.currentIndex().isValid():
            self.list.setCurrentIndex(self.model.index_of(current.key))
        self.list.verticalScrollBar().setValue(place)
        self.model.mark(generating=self._answers.generating, unread=self._answers.unread)
        self.personas.refresh()
        self._show_tags()
        self._show_page()

    def _show_page(self) -> None:
        if self.search.text().strip():
            self._stack.setCurrentWidget(self.results)
        elif self.model.rowCount() or not self._library.loaded:
            self._stack.setCurrentWidget(self.list)
        else:
            self._empty.setText(tr("The archive is empty.") if self._archive else tr("Your chats will be listed here."))
            self._stack.setCurrentWidget(self._empty)

    def _show_tags(self) -> None:
        tags = [] if self._archive else self._library.tags()[:_TAGS_SHOWN]
        if self._tag and self._tag not in tags:
            self._tag = ""
        present = [button.text() for button in self.tags.findChildren(QToolButton)]
        if present != tags:
            while (item := self._tag_row.takeAt(0)) is not None:
                if (widget := item.widget()) is not None:
                    widget.setParent(None)
                    widget.deleteLater()
            for tag in tags:
                button = QToolButton(self.tags)
                button.setText(tag)
                button.setProperty("kind", "chip")
                button.setCheckable(True)
                button.setChecked(tag == self._tag)
                button.setAccessibleName(tr("Show only the tag {name}", name=tag))
                button.toggled.connect(lambda on, which=tag: self._on_tag_toggled(which, on))
                self._tag_row.addWidget(button)
        self.tags.setVisible(bool(tags))

    def _on_tag_toggled(self, tag: str, on: bool) -> None:
        self._tag = tag if on else ""
        for button in self.tags.findChildren(QToolButton):
            button.blockSignals(True)
            button.setChecked(button.text() == self._tag)
            button.blockSignals(False)
        self._on_library_changed()

    def _on_archive_toggled(self, on: bool) -> None:
        self._archive = on
        self._on_library_changed()

    def _on_answers_changed(self) -> None:
        self.model.mark(generating=self._answers.generating, unread=self._answers.unread)
        if self._answers.generating and self.isVisible():
            self._spin.start()
        else:
            self._spin.stop()

    def _on_spin(self) -> None:
        for key in self._answers.generating:
            index = self.model.index_of(key)
            if index.isValid():
                self.list.update(index)

    def _on_search_changed(self, text: str) -> None:
        self.results.search(text.strip())
        self._show_page()

    def _on_chosen(self, index: QModelIndex) -> None:
        row = self.model.row(index)
        if row is None:
            return
        if row.kind is RowKind.CONVERSATION:
            self.open_requested.emit(row.key)
            return
        self._collapsed ^= {row.key}
        self._on_library_changed()

    def _on_result_chosen(self, conversation_id: str, message_id: str) -> None:
        if message_id:
            self.message_requested.emit(conversation_id, message_id)
        else:
            self.open_requested.emit(conversation_id)

    def _on_menu_wanted(self, index: QModelIndex, at: QPoint) -> None:
        row = self.model.row(index)
        if row is not None and row.kind is RowKind.CONVERSATION:
            self.conversation_menu_requested.emit(row.key, at)
        elif row is not None and row.kind is RowKind.FOLDER:
            self.folder_menu_requested.emit(row.key, at)

    def _on_more_requested(self, index: QModelIndex) -> None:
        rect = self._delegate.more_rect(self.list.visualRect(index), mirrored=self.isRightToLeft())
        self._on_menu_wanted(index, self.list.viewport().mapToGlobal(rect.bottomLeft()))

    def _on_delete_wanted(self, index: QModelIndex) -> None:
        row = self.model.row(index)
        if row is not None and row.kind is RowKind.CONVERSATION:
            self.delete_requested.emit(row.key)

    def _on_rename_requested(self, row: SidebarRow, name: str) -> None:
        signal = self.rename_requested if row.kind is RowKind.CONVERSATION else self.folder_rename_requested
        signal.emit(row.key, name)

    def _on_theme_changed(self) -> None:
        theme, space = self._theme, self._theme.space
        self._mark.setPixmap(tinted_pixmap(theme, "mark", color="accent", size=space(5)))
        for button, icon in (
            (self.new_button, "square-pen"),
            (self.archive_button, "archive"),
            (self.settings_button, "settings"),
        ):
            set_button_icon(button, theme, icon, size=space(4.5), gap=space(2))
        self._search_action.setIcon(themed_icon(theme, "search", size=space(4)))
        self.setMinimumWidth(space(50))
        self.list.scheduleDelayedItemsLayout()
        self.list.viewport().update()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if local_files(event.mimeData()):
            self.new_button.setDown(True)
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.new_button.setDown(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self.new_button.setDown(False)
        if files := local_files(event.mimeData()):
            event.acceptProposedAction()
            self.files_dropped.emit("", files)

    def folder(self, folder_id: str) -> Folder | None:
        return self._library.folder(folder_id)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.search and isinstance(event, QKeyEvent):
            if event.type() is QEvent.Type.ShortcutOverride and event.key() == Qt.Key.Key_Escape:
                event.accept()
                return True
            if event.type() is QEvent.Type.KeyPress:
                if event.key() == Qt.Key.Key_Escape:
                    self.search.clear()
                    return True
                if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                    self.results.choose_current()
                    return True
                if event.key() == Qt.Key.Key_Down:
                    (self.results if self._stack.currentWidget() is self.results else self.list).setFocus()
                    return True
        return super().eventFilter(watched, event)
