"""The lines of a collection: what a person added, and below a folder the files in it. Knows no painting, no library.

Files are asked for when they come into view, and words are made when a line is shown, so that a hundred thousand files
are listed as quickly as ten.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QStringListModel, Qt, QTimer, Signal

from app.documents_view import Readiness, files_text, hidden_sentence, pages_text, readiness, state_sentence
from app.i18n import ntr, tr
from app.shown_names import shown_name
from app.ui.amounts import count_text
from app.ui.documents_outline import Outline, Place
from app.ui.plain_tip import plain_tip
from engine.display_name import display_name
from rag.events import ReadingProgress
from rag.store.types import Source, SourceKind, SourceOutline, StoredFile

BLOCK = 200
"""Rows whose files are asked for together."""
_MOST_KEPT = 20_000
LINE_ROLE = int(Qt.ItemDataRole.UserRole) + 1
READING_ROLE = int(Qt.ItemDataRole.UserRole) + 2
Index = QModelIndex | QPersistentModelIndex
_pages_text = partial(pages_text, number=count_text)


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A folder, or a file or text of which nothing is there. `open`: its files are shown below."""

    source: Source
    n_files: int = 0
    n_failed: int = 0
    n_waiting: int = 0
    open: bool = True

    @property
    def key(self) -> tuple[str, int]:
        return "source", self.source.id


@dataclass(frozen=True, slots=True)
class FileLine:
    """A file; `depth` 1 below its folder."""

    source: Source
    file: StoredFile
    depth: int = 0

    @property
    def key(self) -> tuple[str, int]:
        return "file", self.file.id


Line = SourceLine | FileLine


def line_name(line: Line) -> str:
    """What a line is called; safe to show."""
    source = line.source
    if isinstance(line, SourceLine) or source.kind is SourceKind.TEXT:
        return display_name(source.name)
    if source.kind is SourceKind.FOLDER and line.file.path.is_relative_to(source.path):
        return display_name(str(line.file.path.relative_to(source.path)))
    return display_name(line.file.path.name)


def line_detail(line: Line, reading: ReadingProgress | None) -> str:
    """The second row of words."""
    if isinstance(line, FileLine):
        return state_sentence(line.file, reading, number=count_text)
    if not line.source.reachable:
        words = tr("Not reachable just now: its drive or folder is not there")
        return f"{words} · {files_text(line.n_files, number=count_text)}" if line.n_files else words
    if line.source.kind is not SourceKind.FOLDER:
        return tr("This is not there any more, or Hearth may not read it")
    if not line.n_files:
        return tr("No files that Hearth can read")
    pieces = [files_text(line.n_files, number=count_text)]
    if line.n_waiting:
        pieces.append(
            ntr("{number} to be read", "{number} to be read", line.n_waiting, number=count_text(line.n_waiting))
        )
    if line.n_failed:
        pieces.append(
            ntr(
                "{number} could not be read",
                "{number} could not be read",
                line.n_failed,
                number=count_text(line.n_failed),
            )
        )
    return " · ".join(pieces)


def line_size(line: Line) -> str:
    """ "120 pages", "" where nothing is to be said."""
    return _pages_text(line.file.unit, line.file.n_pages) if isinstance(line, FileLine) else ""


class DocumentListModel(QStringListModel):
    """The lines of one collection. Where only states changed, the view keeps its place and what is chosen.

    It stands on a list of empty strings: laying out, a view asks for the number of rows once a row, and Python would
    take half a second to say it a hundred thousand times.
    """

    rows_wanted = Signal(list)
    """`FileSpan`s that came into view."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.outline = Outline()
        self._files: dict[Place, StoredFile] = {}
        self._places: dict[int, Place] = {}
        self._reading: Mapping[int, ReadingProgress] = {}
        self._asked: set[int] = set()
        """Blocks of rows that are on their way."""
        self._new: set[int] = set()
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self._ask)

    def show(
        self,
        sources: Sequence[SourceOutline],
        files: Mapping[Place, StoredFile],
        reading: Mapping[int, ReadingProgress],
    ) -> None:
        """Show these, of which some files are known."""
        before, self.outline = self.outline, Outline(sources, self.outline.folded)
        self._files, self._reading = dict(files), reading
        self._places = {file.id: place for place, file in files.items()}
        self._asked.clear()
        self._reshape(before)

    def add(self, files: Mapping[Place, StoredFile]) -> None:
        """Files that were asked for."""
        if len(self._files) > _MOST_KEPT:
            self._files, self._places = {}, {}
            self._asked.clear()
        self._files.update(files)
        self._places.update((file.id, place) for place, file in files.items())
        rows = sorted(row for place in files if (row := self.outline.row_of(*place)) is not None)
        if rows:
            self.dataChanged.emit(self.index(rows[0]), self.index(rows[-1]))

    def set_reading(self, file_id: int, reading: Mapping[int, ReadingProgress]) -> None:
        """A file is being read, or no longer."""
        self._reading = reading
        index = self.index_of(("file", file_id))
        if index.isValid():
            self.dataChanged.emit(index, index)

    def set_folded(self, source_id: int, folded: bool) -> None:
        """Show a folder's files, or do not."""
        before = self.outline
        wanted = before.folded | {source_id} if folded else before.folded - {source_id}
        if wanted != before.folded:
            self.outline = Outline(before.sources, wanted)
            self._asked.clear()
            self._reshape(before)

    def line(self, index: Index) -> Line | None:
        """None too for a file that is not known yet; it is asked for."""
        if not index.isValid() or index.row() >= len(self.outline):
            return None
        each, place = self.outline.at(index.row())
        source = each.source
        if place is None:
            is_open = source.id not in self.outline.folded
            return SourceLine(source, each.n_files, each.n_failed, each.n_waiting, is_open)
        file = self._files.get((source.id, place))
        if file is None:
            self._want(index.row())
            return None
        return FileLine(source, file, int(source.kind is SourceKind.FOLDER))

    def index_of(self, key: tuple[str, int]) -> QModelIndex:
        """Where a line stands; invalid if it is not shown, or not known yet."""
        kind, number = key
        place = self._places.get(number) if kind == "file" else (number, None)
        row = None if place is None else self.outline.row_of(*place)
        return self.index(row) if row is not None else QModelIndex()

    def reading_of(self, line: Line) -> ReadingProgress | None:
        return self._reading.get(line.file.id) if isinstance(line, FileLine) else None

    def _reshape(self, before: Outline) -> None:
        count = len(self.outline)
        if not self.outline.is_shaped_as(before):
            self.setStringList([""] * count)
        elif count:
            self.dataChanged.emit(self.index(0), self.index(count - 1))

    def _want(self, row: int) -> None:
        block = row // BLOCK
        if block not in self._asked:
            self._asked.add(block)
            self._new.add(block)
            self._soon.start()

    def _ask(self) -> None:
        blocks, self._new = sorted(self._new), set()
        spans = [span for block in blocks for span in self.outline.spans(block * BLOCK, (block + 1) * BLOCK)]
        if spans:
            self.rows_wanted.emit(spans)

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren
        return flags if index.isValid() else Qt.ItemFlag.NoItemFlags

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> object:
        line = self.line(index)
        if line is None:
            return None
        reading = self.reading_of(line)
        if role == LINE_ROLE:
            return line
        if role == READING_ROLE:
            return reading
        if role == Qt.ItemDataRole.DisplayRole:
            return line_name(line)
        if role == Qt.ItemDataRole.ToolTipRole:
            return tooltip(line, reading)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return _spoken(line, reading)
        return None


def tooltip(line: Line, reading: ReadingProgress | None) -> str:
    """Path and state in full, as plain text."""
    shown = line.file.path if isinstance(line, FileLine) else line.source.path
    path = "" if line.source.kind is SourceKind.TEXT else shown_name(shown)
    return plain_tip("\n".join(each for each in (path, line_detail(line, reading)) if each))


def _spoken(line: Line, reading: ReadingProgress | None) -> str:
    pieces = [line_name(line), line_detail(line, reading), line_size(line)]
    if isinstance(line, FileLine):
        if line.file.n_hidden:
            pieces.append(hidden_sentence(line.file.n_hidden, number=count_text))
    elif line.source.kind is SourceKind.FOLDER:
        pieces.insert(1, tr("folder"))
        pieces.append(tr("open") if line.open else tr("folded"))
    return ", ".join(piece for piece in pieces if piece)


READINESS_MARKS = {
    Readiness.WAITING: ("pause", "text_faint"),
    Readiness.READING: ("loader-circle", "accent"),
    Readiness.BY_WORDS: ("circle-check", "text_faint"),
    Readiness.READY: ("circle-check", "success"),
    Readiness.UNREACHABLE: ("hard-drive", "text_faint"),
    Readiness.EMPTY: ("circle-help", "warning"),
    Readiness.FAILED: ("circle-alert", "danger"),
}
"""Icon and colour (a field of `Colors`)."""


def mark_of(line: Line, reading: ReadingProgress | None) -> tuple[str, str]:
    """Icon and colour before a line."""
    if isinstance(line, FileLine):
        return READINESS_MARKS[readiness(line.file, reading)]
    if not line.source.reachable:
        return READINESS_MARKS[Readiness.UNREACHABLE]
    if line.source.kind is SourceKind.FOLDER:
        return ("folder-open" if line.open else "folder"), "text_muted"
    return "circle-alert", "danger"
