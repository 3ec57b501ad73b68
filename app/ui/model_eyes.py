"""What a model looks at images with: the vision file beside it, another one, or none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtWidgets import QWidget

from app.i18n import tr
from app.model_projectors import AUTOMATIC, NONE, ProjectorChoice
from app.ui.companion_choice import CompanionChoice
from app.ui.theme import Theme


class ModelEyes(CompanionChoice):
    """One choice for each model. `chosen` gives a `ProjectorChoice`."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        title = tr("Looks at images with")
        super().__init__(
            theme,
            title,
            tr("A vision file (mmproj) that was made for this model. In force from the next loading on."),
            name=title,
            dialog=(tr("Choose a vision file"), tr("Vision files")),
            parent=parent,
        )

    def set_choice(self, choice: ProjectorChoice, found: Sequence[Path] | None) -> None:
        """Show what is chosen, and which files lie ready; the first of them is what is used by itself.

        None: nobody has looked yet.
        """
        ready = found or ()
        others = [] if choice.path is None or choice.path in ready else [choice.path]
        self._fill(
            choice,
            [
                (_automatic(found), AUTOMATIC, ""),
                *((path.name, self._of_file(path), str(path)) for path in (*ready, *others)),
                (tr("None"), NONE, ""),
            ],
        )

    def _of_file(self, path: Path) -> ProjectorChoice:
        return ProjectorChoice(automatic=False, path=path)


def _automatic(found: Sequence[Path] | None) -> str:
    if found is None:
        return tr("Automatic")
    return tr("Automatic: {name}", name=found[0].name) if found else tr("Automatic: nothing found")
