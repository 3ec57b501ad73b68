"""Personas from files and into files: what was dropped is told apart, imported, shown in full, and written out again.

One object for each window, which owns the dialogs. What is read and written, and which formats there are, is
`app.personas`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, QStandardPaths, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QWidget

from app.i18n import tr
from app.persona_files import is_persona, may_be_persona
from app.personas.bundle import SUFFIX
from app.personas.exporting import write_foreign
from app.personas.folder import Shelved
from app.personas.foreign.formats import SUFFIXES, left_out
from app.personas.foreign.imported import Format
from app.personas.importing import Taken, take
from app.personas.shelf import Shelf
from app.personas.signing import Keys
from app.personas.updating import update, updated_by
from app.ui.dialogs import CalmDialog
from app.ui.persona_review import review_persona
from app.ui.toast import Toasts
from app.ui.workspace import Workspace

OWN, SIGNED = "hearth", "hearth_signed"
"""Hearth's own bundle, beside the foreign `Format`s."""


def export_titles() -> tuple[tuple[str, str], ...]:
    """What a persona can be written as: its key and how a menu says it."""
    return (
        (OWN, tr("Hearth persona…")),
        (SIGNED, tr("Hearth persona, signed with your key…")),
        (Format.CARD_V3_PNG, tr("Character card (PNG)…")),
        (Format.CARD_V3, tr("Character card (JSON)…")),
        (Format.CHARX, tr("Character card (CharX)…")),
        (Format.OPEN_WEBUI, tr("Open WebUI…")),
        (Format.LM_STUDIO, tr("LM Studio…")),
        (Format.JAN, tr("Jan…")),
        (Format.SKILL, tr("Skill (a folder)…")),
    )


class PersonaExchange(QObject):
    """Files in and out."""

    begin_requested = Signal(str)
    """The persona of this short name was imported, looked at, and is to be used."""

    def __init__(self, workspace: Workspace, toasts: Toasts, window: QWidget) -> None:
        super().__init__(window)
        self._workspace, self._toasts, self._window = workspace, toasts, window
        self._waiting: list[tuple[Taken, Shelved | None]] = []
        """What was imported and not shown yet, each with the older version of it that is on the shelf."""
        self._is_showing = False

    def sort(self, files: Sequence[Path], others: Callable[[list[Path]], None]) -> None:
        """Import what is a persona of these; `others` gets the rest, at once where no name looks like one."""
        given = list(files)
        if self._workspace.services is None or not any(may_be_persona(path) for path in given):
            others(given)
            return

        def told_apart(personas: list[Path]) -> None:
            if rest := [path for path in given if path not in personas]:
                others(rest)
            for path in personas:
                self.import_file(path)

        self._workspace.bridge.then(
            self._workspace.run(lambda: [path for path in given if is_persona(path)]),
            told_apart,
            self._workspace.personas.report,
        )

    def ask_for_file(self) -> None:
        """Let the person choose what to import."""
        kinds = "*.hearth *.charx *.png *.json *.zip SKILL.md"
        names, _filter = QFileDialog.getOpenFileNames(
            self._window, tr("Import a persona"), "", f"{tr('Personas')} ({kinds});;{tr('All files')} (*)"
        )
        for name in names:
            self.import_file(Path(name))

    def import_file(self, path: Path) -> None:
        """Put it on the shelf, and show it in full."""

        def take_it(shelf: Shelf) -> tuple[Taken, Shelved | None]:
            taken = take(shelf, path)
            return taken, updated_by(shelf, taken.shelved)

        self._workspace.personas.run(take_it, self._on_taken, owner=self)

    def _on_taken(self, found: tuple[Taken, Shelved | None]) -> None:
        self._waiting.append(found)
        if not self._is_showing:
            self._show_next()

    def _show_next(self) -> None:
        """One after another, if several were given."""
        self._is_showing = bool(self._waiting)
        if not self._waiting:
            return
        taken, older = self._waiting.pop(0)
        review_persona(
            self._workspace,
            self._window,
            taken.shelved,
            notes=taken.notes,
            accepted=lambda kept: self._on_accepted(kept, older),
            closed=self._show_next,
        )

    def _on_accepted(self, kept: Shelved, older: Shelved | None) -> None:
        if older is None:
            self.begin_requested.emit(kept.persona.short_name)
            return
        name = older.persona.name
        dialog = CalmDialog(self._workspace.theme, self._window, tr("You have “{name}” already", name=name))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.add_sentence(
            tr("This is another version of it, by the same author. Chats go on with the version they have.")
        )
        dialog.add_button(tr("Keep both")).clicked.connect(dialog.reject)
        dialog.add_button(tr("Update it"), kind="primary", default=True).clicked.connect(dialog.accept)

        def updated(new: Shelved) -> None:
            self._workspace.personas.show(new)
            self.begin_requested.emit(new.persona.short_name)

        dialog.accepted.connect(lambda: self._workspace.personas.run(lambda shelf: update(shelf, older, kept), updated))
        dialog.rejected.connect(lambda: self.begin_requested.emit(kept.persona.short_name))
        dialog.open()

    def export(self, shelved: Shelved, kind: str) -> None:
        """Ask where to, then write it as `kind`."""
        folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        name = shelved.persona.short_name
        if kind == Format.SKILL:
            chosen = QFileDialog.getExistingDirectory(self._window, tr("Export the skill into a folder"), folder)
            target = Path(chosen) / name
        else:
            ending = SUFFIX if kind in (OWN, SIGNED) else SUFFIXES[Format(kind)]
            chosen, _filter = QFileDialog.getSaveFileName(
                self._window, tr("Export persona"), str(Path(folder) / (name + ending)), f"*{ending}"
            )
            target = Path(chosen)
        if chosen:
            self.export_to(shelved, kind, target)

    def export_to(self, shelved: Shelved, kind: str, target: Path) -> None:
        """Write it, and say where it is and what the format has no place for."""
        sign = Keys(self._workspace.paths.config).sign if kind == SIGNED else None
        missed = () if kind in (OWN, SIGNED) else left_out(shelved.persona, kind)

        def write_it(shelf: Shelf) -> None:
            if kind in (OWN, SIGNED):
                shelf.write_bundle(shelved.persona.short_name, target, sign)
            else:
                write_foreign(shelf, shelved, Format(kind), target)

        def written(_nothing: None) -> None:
            self._toasts.show(
                " ".join((tr("Saved as {name}.", name=target.name), *missed)),
                action=tr("Show"),
                run=lambda: _show_folder(target.parent),
            )

        self._workspace.personas.run(write_it, written, changes=False, owner=self)


def _show_folder(folder: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
