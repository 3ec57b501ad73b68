"""The rows of the sidebar: pinned, folders, then conversations by date. Knows no painting and no store.

`build_rows` is pure; `SidebarModel` shows its result to a view.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import (
    QAbstractListModel,
    QByteArray,
    QMimeData,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)

from app.i18n import ntr, tr
from app.store.types import Conversation, Folder
from app.ui.amounts import reader_locale

MIME = "application/x-hearth-conversation"
ROW_ROLE = Qt.ItemDataRole.UserRole + 1
_INVALID = QModelIndex()
Index = QModelIndex | QPersistentModelIndex


class RowKind(StrEnum):
    SECTION = "section"
    FOLDER = "folder"
    CONVERSATION = "conversation"


@dataclass(frozen=True, slots=True)
class SidebarRow:
    """One line. `key` is the id of what it shows, or a section's stable name."""

    kind: RowKind
    key: str
    title: str
    depth: int = 0
    count: int = 0
    expanded: bool = True
    conversation: Conversation | None = None


def shown_title(conversation: Conversation) -> str:
    """The title, or what stands for none."""
    return conversation.title or tr("New chat")


def date_group(moment: float, today: dt.date) -> tuple[str, str]:
    """Key and title of the date group that a time belongs to, seen from `today`."""
    day = dt.datetime.fromtimestamp(moment).astimezone().date()
    age = (today - day).days
    if age <= 0:
        return "today", tr("Today")
    if age == 1:
        return "yesterday", tr("Yesterday")
    if age <= 7:
        return "week", tr("Previous 7 days")
    if age <= 30:
        return "days30", tr("Previous 30 days")
    month = reader_locale().standaloneMonthName(day.month)
    return f"{day:%Y-%m}", month if day.year == today.year else f"{month} {day.year}"


def _day(moment: float) -> tuple[float, float]:
    """When the local day of a time begins and ends."""
    day = dt.datetime.fromtimestamp(moment).astimezone().date()
    first, last = (dt.datetime.combine(each, dt.time()).timestamp() for each in (day, day + dt.timedelta(days=1)))
    return first, last


def build_rows(
    conversations: Sequence[Conversation],
    folders: Sequence[Folder],
    *,
    today: dt.date,
    collapsed: Collection[str] = (),
    tag: str = "",
) -> list[SidebarRow]:
    """All rows, newest first inside each group. `conversations` come newest first; `tag` keeps only those with it."""
    if tag:
        conversations = [each for each in conversations if tag in each.tags]
    known = {folder.id for folder in folders}
    pinned = [each for each in conversations if each.pinned]
    rows: list[SidebarRow] = []
    if pinned:
        rows += _group(RowKind.SECTION, "pinned", tr("Pinned"), pinned, collapsed)
    if folders and not tag:
        rows.append(SidebarRow(RowKind.SECTION, "folders", tr("Folders"), expanded="folders" not in collapsed))
    inside: dict[str, list[Conversation]] = {folder.id: [] for folder in folders}
    loose: list[Conversation] = []
    for each in conversations:
        if not each.pinned:
            (inside[each.folder_id] if each.folder_id in known else loose).append(each)
    if "folders" not in collapsed or tag:
        for folder in sorted(folders, key=lambda each: each.name.casefold()):
            if inside[folder.id] or not tag:
                rows += _group(RowKind.FOLDER, folder.id, folder.name, inside[folder.id], collapsed)
    groups: dict[str, tuple[str, list[Conversation]]] = {}
    begin = end = 0.0  # of the last one's day: thousands of chats share some hundred days
    key = title = ""
    for each in loose:
        if not begin <= each.updated_at < end:
            key, title = date_group(each.updated_at, today)
            begin, end = _day(each.updated_at)
        groups.setdefault(key, (title, []))[1].append(each)
    for key, (title, members) in groups.items():
        rows += _group(RowKind.SECTION, key, title, members, collapsed)
    return rows


def _group(
    kind: RowKind, key: str, title: str, members: Sequence[Conversation], collapsed: Collection[str]
) -> list[SidebarRow]:
    expanded = key not in collapsed
    rows = [SidebarRow(kind, key, title, count=len(members), expanded=expanded)]
    if expanded:
        depth = 1 if kind is RowKind.FOLDER else 0
        rows += [
            SidebarRow(RowKind.CONVERSATION, each.id, shown_title(each), depth=depth, conversation=each)
            for each in members
        ]
    return rows


class SidebarModel(QAbstractListModel):
    """Rows for the view, with what changes from moment to moment: which one is open, busy, unread."""

    rename_requested = Signal(object, str)
    """A `SidebarRow` (conversation or folder) and its new name."""
    moved = Signal(str, object)
    """A conversation's id was dropped on a folder (its id) or outside all folders (None)."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[SidebarRow] = []
        self._positions: dict[str, int] = {}
        self.open_id = ""
        self.generating: frozenset[str] = frozenset()
        self.unread: frozenset[str] = frozenset()

    def show(self, rows: list[SidebarRow]) -> None:
        """Show other rows. Where only contents changed, the view keeps its place."""
        old = self._rows
        same_shape = len(old) == len(rows) and all(
            before.key == after.key and before.kind is after.kind for before, after in zip(old, rows, strict=True)
        )
        if same_shape:
            self._rows = rows
            for position, (before, after) in enumerate(zip(old, rows, strict=True)):
                if before != after:
                    self.dataChanged.emit(self.index(position), self.index(position))
            return
        self.beginResetModel()
        self._rows = rows
        self._positions = {row.key: position for position, row in enumerate(rows)}
        self.endResetModel()

    def row(self, index: Index) -> SidebarRow | None:
        return self._rows[index.row()] if index.isValid() and index.row() < len(self._rows) else None

    def index_of(self, key: str) -> QModelIndex:
        """Where a conversation or folder stands; invalid if it is not shown."""
        position = self._positions.get(key)
        return self.index(position) if position is not None else QModelIndex()

    def conversation_ids(self) -> list[str]:
        """The conversations on show, from top to bottom."""
        return [row.key for row in self._rows if row.kind is RowKind.CONVERSATION]

    def mark(
        self,
        *,
        open_id: str | None = None,
        generating: frozenset[str] | None = None,
        unread: frozenset[str] | None = None,
    ) -> None:
        """Change what is marked, and repaint just those rows."""
        touched: set[str] = set()
        if open_id is not None and open_id != self.open_id:
            touched |= {open_id, self.open_id}
            self.open_id = open_id
        if generating is not None:
            touched |= generating ^ self.generating
            self.generating = generating
        if unread is not None:
            touched |= unread ^ self.unread
            self.unread = unread
        for key in touched:
            index = self.index_of(key)
            if index.isValid():
                self.dataChanged.emit(index, index)

    def rowCount(self, parent: Index = _INVALID) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row = self.row(index)
        if row is None:
            return None
        if role == ROW_ROLE:
            return row
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return row.title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self._spoken(row)
        return None

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        row = self.row(index)
        if row is None or role != Qt.ItemDataRole.EditRole:
            return False
        name = str(value).strip()
        if name and name != row.title:
            self.rename_requested.emit(row, name)
        return True

    def flags(self, index: Index) -> Qt.ItemFlag:
        row = self.row(index)
        if row is None:
            return Qt.ItemFlag.NoItemFlags
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if row.kind is RowKind.CONVERSATION:
            return flags | Qt.ItemFlag.ItemIsEditable | Qt.ItemFlag.ItemIsDragEnabled
        flags |= Qt.ItemFlag.ItemIsDropEnabled
        return flags | Qt.ItemFlag.ItemIsEditable if row.kind is RowKind.FOLDER else flags

    def mimeTypes(self) -> list[str]:
        return [MIME]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        data = QMimeData()
        rows = [row for row in map(self.row, indexes) if row is not None and row.kind is RowKind.CONVERSATION]
        if rows:
            data.setData(MIME, QByteArray(rows[0].key.encode()))
        return data

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.MoveAction

    def canDropMimeData(self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: Index) -> bool:
        return data.hasFormat(MIME) and self.row(parent) is not None

    def dropMimeData(self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: Index) -> bool:
        target = self.row(parent)
        if target is None or not data.hasFormat(MIME):
            return False
        key = bytes(data.data(MIME).data()).decode()
        self.moved.emit(key, target.key if target.kind is RowKind.FOLDER else None)
        return True

    def _spoken(self, row: SidebarRow) -> str:
        if row.kind is not RowKind.CONVERSATION:
            state = tr("open") if row.expanded else tr("folded")
            return f"{row.title}, {ntr('{count} chat', '{count} chats', row.count)}, {state}"
        words = [row.title]
        if row.key in self.generating:
            words.append(tr("answering"))
        elif row.key in self.unread:
            words.append(tr("new answer"))
        if row.conversation is not None:
            if row.conversation.pinned:
                words.append(tr("pinned"))
            words += row.conversation.tags
        return ", ".join(words)
