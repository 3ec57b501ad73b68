"""The personas in the sidebar: a folding heading, the ones used most lately below it, and the way to all of them.

Says what was asked for; changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QDropEvent, QIcon, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.i18n import tr
from app.ui.composer_text import local_files
from app.ui.elided_label import ElidedLabel
from app.ui.icons import IconButton, themed_icon
from app.ui.persona_icons import PersonaIcons
from app.ui.persona_list import PersonaList
from app.ui.persona_rows import detail_of
from app.ui.theme import TextSize, Theme

if TYPE_CHECKING:
    from app.personas.folder import Shelved

_MOST = 4


class PersonaSection(QWidget):
    """Up and Down move within it; the menu key asks for a persona's menu, Delete deletes it. It takes dropped files."""

    begin_requested = Signal(str)
    files_dropped = Signal(str, list)
    """A persona's short name, and paths."""
    menu_requested = Signal(str, QPoint)
    delete_requested = Signal(str)
    all_requested = Signal()
    new_requested = Signal()

    def __init__(self, theme: Theme, personas: PersonaList, icons: PersonaIcons, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._personas, self._icons = theme, personas, icons
        self._folded = False
        self._current = ""
        self._shown: list[Shelved] = []
        self.setAccessibleName(tr("Personas"))
        self.head = QPushButton(tr("Personas"), self)
        self.head.setProperty("kind", "row")
        self.head.setToolTip(tr("Show or hide the personas here"))
        self.all_button = IconButton(theme, "search", tr("All personas"), size=15, parent=self)
        self.new_button = IconButton(theme, "plus", tr("New persona"), size=15, parent=self)
        self.rows: list[QPushButton] = []
        head = QHBoxLayout()
        head.setContentsMargins(0, 0, 0, 0)
        head.setSpacing(0)
        head.addWidget(self.head, 1)
        head.addWidget(self.all_button)
        head.addWidget(self.new_button)
        self._column = QVBoxLayout(self)
        self._column.addLayout(head)
        self.head.clicked.connect(lambda: self.set_folded(not self._folded))
        self.all_button.clicked.connect(self.all_requested)
        self.new_button.clicked.connect(self.new_requested)
        personas.changed.connect(self.refresh)
        icons.changed.connect(self._show_pictures)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    @property
    def folded(self) -> bool:
        return self._folded

    def set_folded(self, folded: bool) -> None:
        """Show only the heading, or the personas too."""
        if folded != self._folded:
            self._folded = folded
            self._show_fold()

    def set_current(self, short_name: str) -> None:
        """Mark the one that answers in the chat on show; "" for none."""
        self._current = short_name
        for row, shelved in zip(self.rows, self._shown, strict=True):
            row.setChecked(shelved.persona.short_name == short_name)

    def refresh(self) -> None:
        """The shelf, or which ones were used last, is another."""
        shown = self._personas.by_use()[:_MOST]
        if shown == self._shown:
            return
        focused = next((number for number, row in enumerate(self.rows) if row.hasFocus()), -1)
        for row in self.rows:
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        self._shown = shown
        self.rows = [self._row(shelved) for shelved in shown]
        for row in self.rows:
            self._column.addWidget(row)
        if focused >= 0 and self.rows:
            self.rows[min(focused, len(self.rows) - 1)].setFocus()
        self.set_current(self._current)
        self._show_pictures()
        self._show_fold()

    def _row(self, shelved: Shelved) -> QPushButton:
        persona = shelved.persona
        row = QPushButton(self)
        row.setProperty("kind", "row")
        row.setCheckable(True)
        row.setAccessibleName(tr("New chat with {name}", name=persona.name))
        row.setAccessibleDescription(detail_of(shelved))
        row.setToolTip("\n".join(part for part in (persona.name, detail_of(shelved)) if part))
        row.clicked.connect(lambda: self._on_clicked(persona.short_name))
        row.setAcceptDrops(True)
        row.installEventFilter(self)
        label = ElidedLabel(parent=row)
        label.setText(persona.name)
        label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        inside = QHBoxLayout(row)
        inside.addWidget(label)
        self._dress(row)
        return row

    def _dress(self, row: QPushButton) -> None:
        space = self._theme.space
        layout = row.layout()
        assert layout is not None
        layout.setContentsMargins(space(9), 0, space(2), 0)
        row.setFixedHeight(space(8.5))

    def _on_clicked(self, short_name: str) -> None:
        self.set_current(self._current)  # the click has turned its mark
        self.begin_requested.emit(short_name)

    def _show_fold(self) -> None:
        theme, side = self._theme, self._theme.space(3.5)
        name = "chevron-right" if self._folded else "chevron-down"
        self.head.setIcon(themed_icon(theme, name, size=side))
        for row in self.rows:
            row.setVisible(not self._folded)

    def _show_pictures(self) -> None:
        side = self._theme.space(5)
        for row, shelved in zip(self.rows, self._shown, strict=True):
            picture = self._icons.pixmap(shelved.persona, side)
            row.setIcon(QIcon(picture))
            row.setIconSize(picture.deviceIndependentSize().toSize())

    def _on_theme_changed(self) -> None:
        self._column.setContentsMargins(0, 0, 0, self._theme.space(2))
        self._column.setSpacing(self._theme.space(0.5))
        self.head.setFont(self._theme.font(TextSize.CAPTION, bold=True))
        for row in self.rows:
            self._dress(row)
        self._show_pictures()
        self._show_fold()

    def _step(self, row: QPushButton, step: int) -> None:
        place = self.rows.index(row) + step
        if 0 <= place < len(self.rows):
            self.rows[place].setFocus(Qt.FocusReason.TabFocusReason)
        elif place < 0:
            self.head.setFocus(Qt.FocusReason.TabFocusReason)

    def _takes_files(self, row: QPushButton, short_name: str, event: QEvent) -> bool:
        """Whether the event was of files that are held over a row, or let go there."""
        match event.type():
            case QEvent.Type.DragLeave:
                row.setDown(False)
                return True
            case QEvent.Type.DragEnter | QEvent.Type.DragMove | QEvent.Type.Drop if isinstance(event, QDropEvent):
                files, let_go = local_files(event.mimeData()), event.type() is QEvent.Type.Drop
                row.setDown(bool(files) and not let_go)
                if files:
                    event.setDropAction(Qt.DropAction.CopyAction)  # a move would have the other program delete them
                    event.accept()
                    if let_go:
                        self.files_dropped.emit(short_name, files)
                return bool(files)
        return False

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not isinstance(watched, QPushButton) or watched not in self.rows:
            return super().eventFilter(watched, event)
        short_name = self._shown[self.rows.index(watched)].persona.short_name
        if self._takes_files(watched, short_name, event):
            return True
        if isinstance(event, QContextMenuEvent):
            by_mouse = event.reason() is QContextMenuEvent.Reason.Mouse
            at = event.globalPos() if by_mouse else watched.mapToGlobal(watched.rect().center())
            self.menu_requested.emit(short_name, at)
            return True
        if isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress:
            match event.key():
                case Qt.Key.Key_Up | Qt.Key.Key_Down:
                    self._step(watched, 1 if event.key() == Qt.Key.Key_Down else -1)
                    return True
                case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                    self._on_clicked(short_name)
                    return True
                case Qt.Key.Key_Delete:
                    self.delete_requested.emit(short_name)
                    return True
        return super().eventFilter(watched, event)
