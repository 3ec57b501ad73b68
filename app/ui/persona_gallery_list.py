"""The gallery's list: entries under the headings of their groups, each with its picture and one line on it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPixmap
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.i18n import tr
from app.personas.persona import Persona
from app.ui.persona_gallery_entries import Entry, Group, group_name
from app.ui.persona_icons import PersonaIcons
from app.ui.persona_row_paint import MIDDLE, paint_row, row_size
from app.ui.theme import TextSize, Theme

_ENTRY = Qt.ItemDataRole.UserRole + 1
_PADDING_UNITS = 4.5
_Index = QModelIndex | QPersistentModelIndex


class EntryPictures:
    """What stands for an entry. A stranger's icon in a folder is not decoded before it is added: a letter will do."""

    def __init__(self, icons: PersonaIcons) -> None:
        self._icons = icons

    def pixmap(self, entry: Entry, side: int) -> QPixmap:
        """`side` device-independent pixels each way."""
        source = entry.shelved or entry.built_in
        return self._icons.pixmap(source.persona if source is not None else Persona(entry.key, entry.name), side)


class GalleryList(QListWidget):
    """Arrow keys choose, Enter activates."""

    entry_changed = Signal()
    activated_entry = Signal(object)
    """An `Entry`."""

    def __init__(self, theme: Theme, pictures: EntryPictures, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entries: tuple[Entry, ...] = ()
        self.setAccessibleName(tr("Personas"))
        self.setMouseTracking(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.setItemDelegate(_EntryDelegate(theme, pictures, self))
        self.currentItemChanged.connect(lambda _new, _old: self.entry_changed.emit())
        self.itemActivated.connect(self._on_activated)
        theme.changed.connect(self.doItemsLayout)

    @property
    def entry(self) -> Entry | None:
        """The chosen one."""
        item = self.currentItem()
        found = item.data(_ENTRY) if item is not None else None
        return found if isinstance(found, Entry) else None

    def show_entries(self, entries: Sequence[Entry]) -> None:
        """Show these; the chosen one stays chosen where it is still there."""
        if tuple(entries) == self._entries:
            return
        self._entries = tuple(entries)
        before = self.entry
        self.blockSignals(True)
        self.clear()
        for group in Group:
            of_group = [each for each in entries if each.group is group]
            if not of_group:
                continue
            heading = QListWidgetItem(group_name(group))
            heading.setFlags(Qt.ItemFlag.NoItemFlags)
            self.addItem(heading)
            for each in of_group:
                item = QListWidgetItem(each.name)
                item.setData(_ENTRY, each)
                detail = each.problem or each.description
                item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{each.name}. {detail}" if detail else each.name)
                self.addItem(item)
        self.blockSignals(False)
        if before is None or not self.choose(before.group, before.key):
            self._choose_first()
        self.entry_changed.emit()

    def choose(self, group: Group, key: str) -> bool:
        """Choose an entry, if it is there."""
        for row in range(self.count()):
            entry = self.item(row).data(_ENTRY)
            if isinstance(entry, Entry) and (entry.group, entry.key) == (group, key):
                self.setCurrentRow(row)
                return True
        return False

    def _choose_first(self) -> None:
        for row in range(self.count()):
            if self.item(row).data(_ENTRY) is not None:
                self.setCurrentRow(row)
                return

    def _on_activated(self, item: QListWidgetItem) -> None:
        if isinstance(entry := item.data(_ENTRY), Entry):
            self.activated_entry.emit(entry)


class _EntryDelegate(QStyledItemDelegate):
    def __init__(self, theme: Theme, pictures: EntryPictures, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme, self._pictures = theme, pictures

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        theme = self._theme
        caption = QFontMetrics(theme.font(TextSize.CAPTION)).height()
        if index.data(_ENTRY) is None:
            return QSize(theme.space(40), caption + theme.space(4))
        return row_size(theme, _PADDING_UNITS)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        theme, space = self._theme, self._theme.space
        entry = index.data(_ENTRY)
        if not isinstance(entry, Entry):
            rect: QRect = option.rect
            painter.save()
            painter.setFont(theme.font(TextSize.CAPTION, bold=True))
            painter.setPen(theme.color("text_muted"))
            painter.drawText(rect.adjusted(space(2.5), space(2), 0, 0), MIDDLE, index.data())
            painter.restore()
            return
        detail = (entry.problem, "danger") if entry.problem else (entry.description, "text_muted")
        if entry.shelved is not None and not entry.shelved.usable:
            detail = (tr("Not looked at yet"), "warning")
        side = space(9)
        picture = self._pictures.pixmap(entry, side)
        paint_row(painter, theme, option, picture=picture, side=side, name=(entry.name, "text"), detail=detail)
