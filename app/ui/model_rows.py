"""What the model picker shows of a `ModelEntry`, and the list that groups and filters them.

A Qt list model; knows neither where models come from nor how they are loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from app.amounts import context_text
from app.downloader.order import Progress
from app.i18n import tr
from app.model_entry import Availability, Fit, ModelEntry
from app.ui.amounts import bytes_text, params_text

ROW_ROLE = int(Qt.ItemDataRole.UserRole) + 1
PROGRESS_ROLE = int(Qt.ItemDataRole.UserRole) + 2
_ROOT = QModelIndex()


def entry_detail(entry: ModelEntry) -> str:
    """ "1.5B · Q4_K_M · 1.0 GB · 32k context · Ollama"."""
    if entry.problem:
        return entry.problem
    away = entry.availability is Availability.ELSEWHERE
    pieces = [
        tr("on {host}", host=entry.host) if away else "",
        tr("your messages leave this computer") if away else "",
        params_text(entry.n_params),
        entry.quantisation,
        bytes_text(entry.size_bytes) if entry.size_bytes else "",
        tr("{count} context", count=context_text(entry.n_ctx_train)) if entry.n_ctx_train else "",
        ", ".join(entry.sources),
        tr("recommended") if entry.recommended else "",
    ]
    return " · ".join(piece for piece in pieces if piece)


def fit_label(fit: Fit) -> str:
    """The verdict in a word."""
    return {
        Fit.FITS: tr("Fits"),
        Fit.TIGHT: tr("Tight"),
        Fit.TOO_LARGE: tr("Too large"),
        Fit.UNKNOWN: "",
    }[fit]


def _matches(entry: ModelEntry, words: Sequence[str]) -> bool:
    """Whether every word occurs somewhere in what is shown."""
    shown = (entry.name, entry_detail(entry), entry.architecture, tr(entry.good_for), entry.licence)
    text = " ".join(shown).casefold()
    return all(word in text for word in words)


@dataclass(frozen=True, slots=True)
class GroupHeading:
    """A line between the rows; BROKEN's opens and folds its rows."""

    group: Availability
    text: str
    foldable: bool = False
    open: bool = True


def group_title(group: Availability, count: int) -> str:
    """The heading of a section."""
    if group is Availability.ELSEWHERE:
        return tr("On another computer")
    if group is Availability.HERE:
        return tr("On this computer")
    if group is Availability.TO_FETCH:
        return tr("Ready to download")
    return tr("Cannot be used ({count})", count=count)


def _is_selectable(item: ModelEntry | GroupHeading) -> bool:
    return isinstance(item, ModelEntry) or item.foldable


class ModelListModel(QAbstractListModel):
    """Headings and rows, filtered. The broken ones stay folded until asked for, or found by a search."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[ModelEntry, ...] = ()
        self._shown: list[ModelEntry | GroupHeading] = []
        self._progress: dict[str, Progress] = {}
        self._words: tuple[str, ...] = ()
        self._broken_open = False

    def set_rows(self, rows: Iterable[ModelEntry]) -> None:
        """Show other models."""
        self._rows = tuple(rows)
        self._rebuild()

    def set_filter(self, text: str) -> None:
        """Show only what has all these words."""
        self._words = tuple(text.casefold().split())
        self._rebuild()

    def toggle_broken(self) -> None:
        """Open or fold the files that cannot be used."""
        self._broken_open = not self._broken_open
        self._rebuild()

    def set_progress(self, key: str, progress: Progress | None) -> None:
        """Show that a model is being downloaded; None when that has ended."""
        if progress is None:
            self._progress.pop(key, None)
        else:
            self._progress[key] = progress
        index = self.index_of(key)
        if index.isValid():
            self.dataChanged.emit(index, index, [PROGRESS_ROLE])

    def index_of(self, key: str) -> QModelIndex:
        """The row with this key; invalid if it is not shown."""
        for number, item in enumerate(self._shown):
            if isinstance(item, ModelEntry) and item.key == key:
                return self.index(number)
        return QModelIndex()

    def index_of_heading(self, group: Availability) -> QModelIndex:
        """A section's heading; invalid if the section is empty."""
        for number, item in enumerate(self._shown):
            if isinstance(item, GroupHeading) and item.group is group:
                return self.index(number)
        return QModelIndex()

    def selectable(self) -> list[int]:
        """The numbers of the lines that can be chosen: models, and the heading that folds."""
        return [number for number, item in enumerate(self._shown) if _is_selectable(item)]

    def item(self, index: QModelIndex | QPersistentModelIndex) -> ModelEntry | GroupHeading | None:
        """What stands in a line."""
        return self._shown[index.row()] if index.isValid() and index.row() < len(self._shown) else None

    def row(self, index: QModelIndex | QPersistentModelIndex) -> ModelEntry | None:
        """The model of a line, None for a heading."""
        item = self.item(index)
        return item if isinstance(item, ModelEntry) else None

    def _rebuild(self) -> None:
        self.beginResetModel()
        self._shown = []
        for group in Availability:
            rows = [row for row in self._rows if row.availability is group and _matches(row, self._words)]
            if not rows:
                continue
            foldable = group is Availability.BROKEN
            is_open = not foldable or self._broken_open or bool(self._words)
            self._shown.append(GroupHeading(group, group_title(group, len(rows)), foldable, is_open))
            if is_open:
                self._shown.extend(rows)
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._shown)

    def flags(self, index: QModelIndex | QPersistentModelIndex) -> Qt.ItemFlag:
        item = self.item(index)
        if item is not None and _is_selectable(item):
            return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren
        return Qt.ItemFlag.ItemIsEnabled if item is not None else Qt.ItemFlag.NoItemFlags

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = int(Qt.ItemDataRole.DisplayRole)) -> object:
        item = self.item(index)
        if item is None:
            return None
        if isinstance(item, GroupHeading):
            if role == Qt.ItemDataRole.DisplayRole:
                return item.text
            if role == Qt.ItemDataRole.AccessibleTextRole:
                folded = tr("open") if item.open else tr("folded")
                return f"{item.text}, {folded}" if item.foldable else item.text
            return None
        if role == ROW_ROLE:
            return item
        if role == PROGRESS_ROLE:
            return self._progress.get(item.key)
        if role == Qt.ItemDataRole.DisplayRole:
            return item.name
        if role == Qt.ItemDataRole.ToolTipRole:
            return item.problem or item.fit_sentence
        if role == Qt.ItemDataRole.AccessibleTextRole:
            pieces = [item.name, entry_detail(item), fit_label(item.fit), tr("in use") if item.loaded else ""]
            return ", ".join(piece for piece in pieces if piece)
        if role == Qt.ItemDataRole.AccessibleDescriptionRole:
            return item.fit_sentence
        return None
