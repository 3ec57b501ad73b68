"""In which folders the gallery looks for bundles. Every change takes effect at once."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from app.i18n import tr
from app.ui.dialogs import CalmDialog
from app.ui.settings_controls import FolderList
from app.ui.workspace import Workspace

_KEY = "persona.shelves"


class FoldersDialog(CalmDialog):
    """A list of folders: add one, take one away."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(workspace.theme, parent, tr("Folders with personas"), icon="folder-open")
        self.add_sentence(
            tr(
                "Put bundles (.hearth files) into a folder, on this computer or one that you share with others, and"
                " they are offered here. Nothing of them is used before you have added and looked at it."
            )
        )
        self.list = FolderList(workspace.theme, title=tr("A folder with personas"))
        self.list.show_folders(workspace.settings.texts(_KEY))
        self.list.changed.connect(lambda: workspace.settings.set(_KEY, self.list.folders))
        self.body.addWidget(self.list)
        self.body.addStretch(1)
        self.add_button(tr("Done"), kind="primary", default=True).clicked.connect(self.accept)
