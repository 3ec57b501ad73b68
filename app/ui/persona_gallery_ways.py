"""The ways to get a persona that the gallery offers beside those it shows: a new one, a file, a GPT, folders.

Each opens a dialog above the gallery. Knows no list of personas.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QDialog, QMenu, QWidget

from app.i18n import tr
from app.personas.drafts import Draft
from app.ui.icons import themed_icon
from app.ui.persona_editor import open_editor
from app.ui.persona_editor_rebuild import RebuildDialog
from app.ui.persona_exchange import PersonaExchange
from app.ui.persona_gallery_folders import FoldersDialog
from app.ui.workspace import Workspace


class WaysToGetOne(QObject):
    """`window` is what its dialogs stand above."""

    chat_requested = Signal(str)
    """The person wants to talk with the persona of this short name, which an editor has saved."""
    saved = Signal(str)
    """An editor has saved the persona of this short name."""
    folders_changed = Signal()

    def __init__(self, workspace: Workspace, exchange: PersonaExchange, window: QWidget) -> None:
        super().__init__(window)
        self._workspace, self._exchange, self._window = workspace, exchange, window

    def edit(self, short_name: str | None, draft: Draft | None = None) -> None:
        """Open the editor on a persona, or on a new one (None), which may begin with a draft."""
        editor = open_editor(self._window, self._workspace, short_name, draft=draft)
        if editor is not None:
            editor.chat_requested.connect(self.chat_requested)
            editor.saved.connect(self.saved)

    def show_menu(self, button: QWidget) -> None:
        """The less frequent ways, above `button`."""
        menu = QMenu(self._window)
        menu.aboutToHide.connect(menu.deleteLater)
        for icon, words, run in (
            ("upload", tr("Import a file…"), self._exchange.ask_for_file),
            ("wand-sparkles", tr("Rebuild a ChatGPT GPT…"), self.rebuild),
            ("folder-open", tr("Folders with personas…"), self.choose_folders),
        ):
            action = menu.addAction(themed_icon(self._workspace.theme, icon), words)
            action.triggered.connect(lambda _checked=False, do=run: do())
        menu.popup(button.mapToGlobal(button.rect().topLeft()))

    def rebuild(self) -> None:
        """Make a persona of what a GPT's page says."""
        dialog = RebuildDialog(self._workspace, self._window)
        dialog.rebuilt.connect(self.edit_draft)
        open_freely(dialog)

    def edit_draft(self, draft: object) -> None:
        """Open the editor on a new persona that begins with this draft."""
        assert isinstance(draft, Draft)
        self.edit(None, draft)

    def choose_folders(self) -> None:
        """In which folders bundles are looked for."""
        dialog = FoldersDialog(self._workspace, self._window)
        dialog.finished.connect(lambda _result: self.folders_changed.emit())
        open_freely(dialog)


def open_freely(dialog: QDialog) -> None:
    """Show a dialog that goes when it closes."""
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.open()
