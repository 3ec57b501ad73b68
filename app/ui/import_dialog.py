"""Taking in another program's conversations, with progress and a way to stop."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QProgressBar, QWidget

from app.i18n import ntr, tr
from app.ui.dialogs import CalmDialog
from app.ui.library import sentence_of
from app.ui.workspace import Workspace
from engine.cancel import CancelToken

if TYPE_CHECKING:
    from app.store.importing import ImportResult

_STEPS = 1000
_PROBLEMS_SHOWN = 3


def import_conversations(workspace: Workspace, parent: QWidget) -> None:
    """Ask for a file, then import it."""
    chosen, _filter = QFileDialog.getOpenFileName(
        parent, tr("Import conversations"), "", tr("Exports (*.json *.zip)") + ";;" + tr("All files (*)")
    )
    if chosen:
        ImportDialog(workspace, Path(chosen), parent).open()


class ImportDialog(CalmDialog):
    """Imports `path` while it is open; closing it stops the import, and what came in stays."""

    progressed = Signal(float)
    """How far it is, 0 to 1; from a thread of the pool."""

    def __init__(self, workspace: Workspace, path: Path, parent: QWidget | None = None) -> None:
        super().__init__(workspace.theme, parent, tr("Import conversations"), icon="upload")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._cancel = CancelToken()
        self._finished = False
        self.sentence = self.add_sentence(tr("Reading {name}…", name=path.name))
        self.bar = QProgressBar()
        self.bar.setRange(0, 0)
        self.bar.setAccessibleName(tr("Progress"))
        self.body.addWidget(self.bar)
        self.button = self.add_button(tr("Stop"), default=True)
        self.button.clicked.connect(self._on_button)
        self.rejected.connect(self._cancel.cancel)
        self.progressed.connect(self._on_progressed)
        cancel = self._cancel

        def report(done: int, total: int) -> None:
            self.progressed.emit(done / max(1, total))

        services = workspace.services
        assert services is not None  # the command is there once the store is open

        def work() -> ImportResult:
            from app.store.importing import import_with  # noqa: PLC0415  # only when asked for
            from app.ui.picture_reader import keep_foreign  # noqa: PLC0415

            # One conversation at a time goes to the store's thread, so that chats are saved in between.
            return import_with(
                lambda entry: services.store_call(lambda store: store.adopt(entry)).result(),
                path,
                report,
                cancel,
                lambda raw, name: keep_foreign(raw, name, services.store.images),
            )

        def done(result: ImportResult) -> None:
            workspace.library.refresh()
            if not cancel.cancelled:
                self._show_end(_summary(result))

        def failed(error: BaseException) -> None:
            workspace.library.refresh()
            if not cancel.cancelled:
                self._show_end(sentence_of(error))

        workspace.bridge.then(workspace.run(work), done, failed)

    def _show_end(self, text: str) -> None:
        self._finished = True
        self.sentence.setText(text)
        self.bar.hide()
        self.button.setText(tr("Close"))

    def _on_progressed(self, done: float) -> None:
        self.bar.setRange(0, _STEPS)
        self.bar.setValue(round(_STEPS * min(1.0, done)))

    def _on_button(self) -> None:
        if self._finished:
            self.accept()
        else:
            self.reject()


def _summary(result: ImportResult) -> str:
    sentences = [ntr("{count} chat was imported.", "{count} chats were imported.", result.imported)]
    if result.skipped_duplicates:
        sentences.append(
            ntr(
                "{count} was here already and was left out.",
                "{count} were here already and were left out.",
                result.skipped_duplicates,
            )
        )
    sentences += result.problems[:_PROBLEMS_SHOWN]
    if len(result.problems) > _PROBLEMS_SHOWN:
        sentences.append(tr("And {count} more problems.", count=len(result.problems) - _PROBLEMS_SHOWN))
    return "\n".join(sentences)
