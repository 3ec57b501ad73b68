"""The documents of a persona in its form: added by a button or dropped, each with its state, taken off again.

A file is looked at off the main thread. Knows no library: how far each is read it is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.i18n import tr
from app.limits import PERSONA_KNOWLEDGE_FILES, PERSONA_UNPACKED_BYTES
from app.personas.knowledge import document_at
from app.personas.names import same_file
from app.personas.persona import KnowledgeFile
from app.ui.amounts import bytes_text
from app.ui.composer_text import local_files
from app.ui.elided_label import ElidedLabel
from app.ui.icons import IconButton, tinted_pixmap
from app.ui.library import sentence_of
from app.ui.persona_form_pieces import caption
from app.ui.theme import Theme
from app.ui.workspace import Workspace
from engine.errors import LimitError, sentence


@dataclass(frozen=True, slots=True)
class FileState:
    """How far a document is, in words; `failed`: it cannot be answered from."""

    words: str
    failed: bool = False


class FilesField(QWidget):
    """Feed it a persona's documents; it says what became of them."""

    changed = Signal()
    failed = Signal(str)
    """A sentence."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._files: list[KnowledgeFile] = []
        self._paths: dict[str, Path] = {}
        self._states: Mapping[str, FileState] = {}
        self._n_looking = 0
        self._generation = 0
        self.add_button = QPushButton(tr("Add files…"), self)
        self.add_button.setAutoDefault(False)
        self.setAccessibleName(tr("Documents"))
        self.setAcceptDrops(True)
        self._rows = QVBoxLayout()
        self._foot = QHBoxLayout()
        self._foot.addWidget(self.add_button)
        self._hint = caption("")
        self._foot.addWidget(self._hint, 1)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.addLayout(self._rows)
        self._column.addLayout(self._foot)
        self.add_button.clicked.connect(self._on_add)
        workspace.theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    @property
    def files(self) -> tuple[KnowledgeFile, ...]:
        return tuple(self._files)

    @property
    def paths(self) -> dict[str, Path]:
        """Where each document is that was added here, by sha256."""
        return {each.sha256: self._paths[each.sha256] for each in self._files if each.sha256 in self._paths}

    @property
    def is_busy(self) -> bool:
        """A file is still being looked at."""
        return self._n_looking > 0

    def show_files(self, files: Iterable[KnowledgeFile], paths: Mapping[str, Path]) -> None:
        """Show a persona's documents; says nothing."""
        self._files, self._paths = list(files), dict(paths)
        self._generation += 1
        self._n_looking = 0
        self._show()

    def show_states(self, states: Mapping[str, FileState]) -> None:
        """How far each document is read, by sha256."""
        if states != self._states:
            self._states = dict(states)
            self._show()

    def add(self, paths: Sequence[Path]) -> None:
        """Files were given; one of the name of another takes its place."""
        generation = self._generation
        for path in paths:
            self._n_looking += 1

            def taken(file: KnowledgeFile, given: Path = path) -> None:
                if generation == self._generation:
                    self._n_looking -= 1
                    self._take(file, given)

            def failed(error: BaseException) -> None:
                if generation == self._generation:
                    self._n_looking -= 1
                    self._show()
                    self.failed.emit(sentence_of(error))

            self._workspace.bridge.then(self._workspace.run(partial(document_at, path)), taken, failed, owner=self)
        self._show()

    def _take(self, file: KnowledgeFile, path: Path) -> None:
        others = [each for each in self._files if same_file(each.name) != same_file(file.name)]
        if len(others) >= PERSONA_KNOWLEDGE_FILES:
            template = sentence("A persona can have {limit} documents at most.")
            self.failed.emit(sentence_of(LimitError(template, limit=PERSONA_KNOWLEDGE_FILES)))
        elif sum(each.size_bytes for each in others) + file.size_bytes > PERSONA_UNPACKED_BYTES:
            template = sentence("The documents of a persona may be {limit} MB together at most.")
            self.failed.emit(sentence_of(LimitError(template, limit=PERSONA_UNPACKED_BYTES >> 20)))
        elif file in self._files:
            self._paths[file.sha256] = path
        else:
            place = next((at for at, each in enumerate(self._files) if each not in others), len(self._files))
            self._files = [*others[:place], file, *others[place:]]
            self._paths[file.sha256] = path
        self._show()
        self.changed.emit()

    def _remove(self, file: KnowledgeFile) -> None:
        self._files.remove(file)
        self._show()
        self.add_button.setFocus()
        self.changed.emit()

    def _show(self) -> None:
        while (item := self._rows.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for each in self._files:
            self._rows.addWidget(self._row(each))
        if self._n_looking:
            self._hint.setText(tr("Looking at the files…"))
        elif self._files:
            self._hint.setText("")
        else:
            self._hint.setText(tr("Or drop them here. The persona answers from them, and says where it read it."))

    def _row(self, file: KnowledgeFile) -> QFrame:
        theme, space = self._workspace.theme, self._workspace.theme.space
        row = QFrame(self)
        row.setProperty("kind", "chip")
        mark = QLabel()
        mark.setPixmap(tinted_pixmap(theme, "file-text", size=space(4)))
        name = ElidedLabel(Qt.TextElideMode.ElideMiddle)
        name.setText(file.name)
        state = self._states.get(file.sha256, FileState(bytes_text(file.size_bytes)))
        words = QLabel(state.words)
        words.setTextFormat(Qt.TextFormat.PlainText)
        words.setProperty("kind", "danger" if state.failed else "caption")
        words.setToolTip(state.words)
        remove = IconButton(theme, "x", tr("Take {name} off the list", name=file.name), size=14)
        remove.clicked.connect(lambda: self._remove(file))
        row.setAccessibleName(f"{file.name}, {state.words}")
        across = QHBoxLayout(row)
        across.setContentsMargins(space(2.5), space(0.5), space(0.5), space(0.5))
        across.setSpacing(space(2))
        across.addWidget(mark)
        across.addWidget(name, 1)
        across.addWidget(words)
        across.addWidget(remove)
        return row

    def _on_add(self) -> None:
        names, _filter = QFileDialog.getOpenFileNames(self, tr("Add files"))
        self.add([Path(name) for name in names])

    def _on_theme_changed(self) -> None:
        theme: Theme = self._workspace.theme
        self._rows.setSpacing(theme.space(1))
        self._column.setSpacing(theme.space(1.5))
        self._foot.setSpacing(theme.space(2))
        self._show()

    # Qt

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if local_files(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.add(local_files(event.mimeData()))
