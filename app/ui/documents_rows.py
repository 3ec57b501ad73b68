"""The lines of a collection: what a person added, and below a folder the files in it. Knows no painting, no library.

Words are made when a line is shown, so that a hundred thousand files are listed as quickly as ten.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QStringListModel, Qt

from app.documents_view import Readiness, files_text, hidden_sentence, pages_text, readiness, state_sentence
from app.i18n import ntr, tr
from app.ui.amounts import count_text
from engine.display_name import display_name
from rag.events import ReadingProgress
from rag.store.types import FileState, Source, SourceKind, StoredFile

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


def build_lines(
    sources: Sequence[Source], files: Sequence[StoredFile], folded: frozenset[int] = frozenset()
) -> list[Line]:
    """All lines. `files` come by path; `folded` are ids of folders whose files are not shown."""
    inside: dict[int, list[StoredFile]] = {source.id: [] for source in sources}
    for file in files:
        if file.source_id in inside:
            inside[file.source_id].append(file)
    lines: list[Line] = []
    for source in sources:
        members = inside[source.id]
        if source.kind is SourceKind.FOLDER:
            is_open = source.id not in folded
            failed = sum(file.state is FileState.FAILED for file in members)
            waiting = sum(file.state is FileState.WAITING and file.reachable for file in members)
            lines.append(SourceLine(source, len(members), failed, waiting, is_open))
            if is_open:
                lines += [FileLine(source, file, 1) for file in members]
        elif members:
            lines += [FileLine(source, file) for file in members]
        else:
            lines.append(SourceLine(source))
    return lines


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


@dataclass(frozen=True, slots=True)
class Prepared:
    """Lines in place of those `before`; `places` by key, None if they are the same ones in the same order, of which
    the first and the last that say something else are `changed`.
    """

    sources: Sequence[Source]
    files: Sequence[StoredFile]
    folded: frozenset[int]
    before: list[Line]
    lines: list[Line]
    places: dict[tuple[str, int], int] | None
    changed: tuple[int, int] | None


class DocumentListModel(QStringListModel):
    """The lines of one collection. Where only states changed, the view keeps its place and what is chosen.

    It stands on a list of empty strings: laying out, a view asks for the number of rows once a row, and Python would
    take half a second to say it a hundred thousand times.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._sources: Sequence[Source] = ()
        self._files: Sequence[StoredFile] = ()
        self._reading: Mapping[int, ReadingProgress] = {}
        self._folded: frozenset[int] = frozenset()
        self._lines: list[Line] = []
        self._places: dict[tuple[str, int], int] = {}

    def prepared(self, sources: Sequence[Source], files: Sequence[StoredFile]) -> Prepared:
        """What it takes to show these. Any thread; nothing is changed."""
        before, folded = self._lines, self._folded
        lines = build_lines(sources, files, folded)
        if len(before) == len(lines) and all(a.key == b.key for a, b in zip(before, lines, strict=True)):
            changed = [place for place, (a, b) in enumerate(zip(before, lines, strict=True)) if a != b]
            return Prepared(sources, files, folded, before, lines, None, (changed[0], changed[-1]) if changed else None)
        places = {line.key: place for place, line in enumerate(lines)}
        return Prepared(sources, files, folded, before, lines, places, None)

    def show(self, prepared: Prepared, reading: Mapping[int, ReadingProgress]) -> None:
        """Show what was prepared. At once, unless a folder was opened or folded since."""
        if prepared.before is not self._lines or prepared.folded != self._folded:
            prepared = self.prepared(prepared.sources, prepared.files)
        self._sources, self._files, self._reading = prepared.sources, prepared.files, reading
        if prepared.places is None:
            self._lines = prepared.lines
            if prepared.changed is not None:
                self.dataChanged.emit(self.index(prepared.changed[0]), self.index(prepared.changed[1]))
            return
        self._lines, self._places = prepared.lines, prepared.places
        self.setStringList([""] * len(prepared.lines))

    def set_reading(self, file_id: int, reading: Mapping[int, ReadingProgress]) -> None:
        """A file is being read, or no longer."""
        self._reading = reading
        index = self.index_of(("file", file_id))
        if index.isValid():
            self.dataChanged.emit(index, index)

    def set_folded(self, source_id: int, folded: bool) -> None:
        """Show a folder's files, or do not."""
        wanted = self._folded | {source_id} if folded else self._folded - {source_id}
        if wanted != self._folded:
            self._folded = wanted
            self.show(self.prepared(self._sources, self._files), self._reading)

    def line(self, index: Index) -> Line | None:
        return self._lines[index.row()] if index.isValid() and index.row() < len(self._lines) else None

    def index_of(self, key: tuple[str, int]) -> QModelIndex:
        """Where a line stands; invalid if it is not shown."""
        place = self._places.get(key)
        return self.index(place) if place is not None else QModelIndex()

    def next_failed(self, after: int) -> QModelIndex:
        """The next file that could not be read, around the end; invalid if there is none."""
        count = len(self._lines)
        for step in range(1, count + 1):
            place = (after + step) % count
            line = self._lines[place]
            if isinstance(line, FileLine) and line.file.state is FileState.FAILED:
                return self.index(place)
        return QModelIndex()

    def reading_of(self, line: Line) -> ReadingProgress | None:
        return self._reading.get(line.file.id) if isinstance(line, FileLine) else None

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
    path = "" if line.source.kind is SourceKind.TEXT else display_path(str(shown))
    words = "\n".join(each for each in (path, line_detail(line, reading)) if each)
    # Qt takes a tip that looks like HTML for HTML.
    return words.replace("&", "&amp;").replace("<", "&lt;").replace("\n", "<br>") if "<" in words else words


def display_path(path: str) -> str:
    """A path that is safe to show, not shortened."""
    return "".join(character if character.isprintable() else "\ufffd" for character in path)


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
