"""The small model that guesses ahead, chosen beside a large one: those that may fit, any file, or none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtWidgets import QWidget

from app.i18n import tr
from app.model_entry import ModelEntry
from app.ui.companion_choice import CompanionChoice
from app.ui.theme import Theme


class ModelDraft(CompanionChoice):
    """One choice for all models; each uses it if it fits. `chosen` gives a path, or None for no guessing by a model."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(
            theme,
            tr("Guess ahead"),
            tr(
                "A much smaller model of the same family writes ahead, and this one checks it."
                " The answer stays the same and may come faster. In force from the next loading on."
            ),
            name=tr("Small model that guesses ahead"),
            dialog=(tr("Choose a small model"), tr("Models")),
            parent=parent,
        )

    def set_choice(self, path: Path | None, candidates: Sequence[ModelEntry]) -> None:
        """Show what is chosen, and which models of this computer could be."""
        lines: list[tuple[str, object, str]] = [(tr("No model"), None, "")]
        lines += [(entry.name, entry.path, "") for entry in candidates]
        if path is not None and all(entry.path != path for entry in candidates):
            lines.append((path.name, path, str(path)))
        self._fill(path, lines)
