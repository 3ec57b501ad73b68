"""A small list of personas to choose from: above the message field while `@...` is typed, or as a palette with a search
field. Says which one was chosen; changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QModelIndex, QObject, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QLabel, QLineEdit, QListView, QVBoxLayout, QWidget

from app.i18n import tr
from app.ui.icons import themed_icon
from app.ui.persona_icons import PersonaIcons
from app.ui.persona_rows import PersonaDelegate, PersonaRows, matching
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.personas.folder import Shelved

_MOST_ROWS = 6
_WIDTH_UNITS = 100


class PersonaPicker(QFrame):
    """A list that stands over its parent and never takes the keyboard: whoever shows it moves it by `step`."""

    chosen = Signal(str)
    """A short name; "": nobody."""

    def __init__(self, theme: Theme, icons: PersonaIcons, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._personas: list[Shelved] = []
        self._with_nobody = False
        self.setProperty("kind", "card")
        self.rows = PersonaRows(self)
        self.list = QListView(self)
        self.list.setModel(self.rows)
        self.list.setItemDelegate(PersonaDelegate(theme, icons, self.list))
        self.list.setUniformItemSizes(True)
        self.list.setMouseTracking(True)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setAccessibleName(tr("Personas"))
        self.list.clicked.connect(self._on_clicked)
        self.empty = QLabel(tr("No persona matches."), self)
        self.empty.setProperty("kind", "muted")
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.column = QVBoxLayout(self)
        self.column.addWidget(self.list)
        self.column.addWidget(self.empty)
        icons.changed.connect(self.list.viewport().update)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.hide()

    def set_personas(self, personas: Iterable[Shelved], typed: str = "", *, with_nobody: bool = False) -> None:
        """Offer what matches of these and, `with_nobody`, to go on without any."""
        self._personas, self._with_nobody = list(personas), with_nobody
        self.filter(typed)

    def filter(self, typed: str) -> None:
        """Show what matches; the first one is chosen."""
        found: list[Shelved | None] = [*matching(self._personas, typed)]
        if self._with_nobody and not typed.strip():
            found.append(None)
        self.rows.show(found)
        self.list.setVisible(bool(found))
        self.empty.setVisible(not found)
        if found:
            self.list.setCurrentIndex(self.rows.index(0))
        self._fit()

    @property
    def count(self) -> int:
        return self.rows.rowCount()

    def step(self, step: int) -> None:
        """Down, or up where it is negative; from the last to the first."""
        if self.count:
            index = self.rows.index((self.list.currentIndex().row() + step) % self.count)
            self.list.setCurrentIndex(index)
            self.list.scrollTo(index)

    def choose_current(self) -> None:
        """As a click on it."""
        if self.list.currentIndex().isValid():
            self._on_clicked(self.list.currentIndex())

    def _on_clicked(self, index: QModelIndex) -> None:
        shelved = self.rows.row(index)
        self.chosen.emit(shelved.persona.short_name if shelved is not None else "")

    def _fit(self) -> None:
        lines = min(_MOST_ROWS, self.count)
        height = lines * self.list.sizeHintForRow(0) if lines else 0
        self.list.setFixedHeight(height + 2)
        self.adjustSize()

    def _on_theme_changed(self) -> None:
        space = self._theme.space
        self.column.setContentsMargins(space(1), space(1.5), space(1), space(1.5))
        self.column.setSpacing(space(1.5))
        self.empty.setContentsMargins(space(3), space(2), space(3), space(2))
        self.list.scheduleDelayedItemsLayout()
        self._fit()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.space(_WIDTH_UNITS), super().sizeHint().height())


class PersonaPalette(PersonaPicker):
    """The same with a search field, for the keyboard from anywhere. It goes when something else gets the keyboard."""

    def __init__(self, theme: Theme, icons: PersonaIcons, parent: QWidget) -> None:
        super().__init__(theme, icons, parent)
        self._before: QWidget | None = None
        self.search = QLineEdit(self)
        self.search.setProperty("kind", "search")
        self.search.setPlaceholderText(tr("Search personas"))
        self.search.setAccessibleName(tr("Search personas"))
        self.search.addAction(themed_icon(theme, "search", size=16), QLineEdit.ActionPosition.LeadingPosition)
        self.search.textChanged.connect(self.filter)
        self.search.installEventFilter(self)
        self._holder = QVBoxLayout()
        self._holder.addWidget(self.search)
        self.column.insertLayout(0, self._holder)
        self.chosen.connect(self.close_palette)
        self._holder.setContentsMargins(theme.space(1.5), theme.space(0.5), theme.space(1.5), 0)

    def open_palette(self, personas: Iterable[Shelved], *, with_nobody: bool = False) -> None:
        """Show it over the upper part of the window and type into it."""
        window = self.parentWidget()
        assert window is not None
        self._before = window.focusWidget()
        self.search.clear()
        self.set_personas(personas, with_nobody=with_nobody)
        self.move(max(0, (window.width() - self.width()) // 2), window.height() // 6)
        self.show()
        self.raise_()
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def close_palette(self) -> None:
        """The keyboard goes back to where it was."""
        if self.isHidden():
            return
        before, self._before = self._before, None
        if before is not None and before.isVisible():
            before.setFocus(Qt.FocusReason.OtherFocusReason)
        self.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.search and isinstance(event, QFocusEvent) and event.lostFocus():
            if event.reason() is not Qt.FocusReason.ActiveWindowFocusReason:
                self._before = None
                self.hide()
        elif watched is self.search and isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress:
            return self._on_key(event)
        return super().eventFilter(watched, event)

    def _on_key(self, event: QKeyEvent) -> bool:
        match event.key():
            case Qt.Key.Key_Down | Qt.Key.Key_Tab:
                self.step(1)
            case Qt.Key.Key_Up | Qt.Key.Key_Backtab:
                self.step(-1)
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self.choose_current()
            case Qt.Key.Key_Escape:
                self.close_palette()
            case _:
                return False
        return True
