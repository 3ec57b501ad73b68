"""How a persona answers, in its form: the models it prefers, how words are drawn, whether the model thinks first.

What is left as it is in Hearth's settings is not the persona's.
"""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QLabel, QVBoxLayout, QWidget

from app.i18n import tr
from app.model_entry import Availability
from app.persona_models import file_by_hash, is_hash
from app.personas.persona import Persona, Sampling, Thinking
from app.settings_options import OPTIONS
from app.ui.found_choice import FoundChoice
from app.ui.parameter_row import ParameterRow
from app.ui.persona_form_pieces import Labelled
from app.ui.workspace import Workspace

_KEYS = ("temperature", "max_tokens", "top_p", "top_k", "min_p", "repeat_penalty")
"""Of `Sampling`, which are those of the settings."""
_SLIDER_TO: dict[str, float] = {"top_k": 200, "max_tokens": 0}
_MODELS = 3


class AnswersField(QWidget):
    """Feed it a persona; `applied` gives it with what stands here."""

    changed = Signal()

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._base = Persona("persona", "")
        self._shown: dict[str, float] = {}
        theme, settings = workspace.theme, workspace.settings
        self.models = [FoundChoice(self._no_model(at), self) for at in range(_MODELS)]
        self.thinking = QComboBox(self)
        self.thinking.setAccessibleName(tr("Thinking"))
        for mode, words in (
            (Thinking.AUTO, tr("As in the settings")),
            (Thinking.ON, tr("Think first")),
            (Thinking.OFF, tr("Answer at once")),
        ):
            self.thinking.addItem(words, mode.value)
        declared = {option.key: option for option in OPTIONS}
        self.rows = {key: ParameterRow(theme, declared[f"chat.{key}"], slider_to=_SLIDER_TO.get(key)) for key in _KEYS}
        for key, row in self.rows.items():
            row.set_default(settings.number(f"chat.{key}"))
            row.changed.connect(self.changed)
        self._models_label = QLabel(tr("Preferred models"))
        self._models_label.setBuddy(self.models[0])
        self._models_box = QVBoxLayout()
        self._models_box.addWidget(self._models_label)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.addLayout(self._models_box)
        for at, choice in enumerate(self.models):
            choice.setAccessibleName(
                tr("Preferred model") if at == 0 else tr("Model {number}, if those before are not there", number=at + 1)
            )
            choice.chosen.connect(self._on_model)
            self._models_box.addWidget(choice)
        self._column.addLayout(Labelled(theme, tr("Thinking"), self.thinking))
        for row in self.rows.values():
            self._column.addWidget(row)
        self.thinking.activated.connect(self.changed)
        workspace.models.entries_changed.connect(self._on_entries)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self._on_entries()

    def show_persona(self, persona: Persona) -> None:
        """Show what a persona says; says nothing."""
        self._base = persona
        for choice, model in zip(self.models, (*persona.models, *[""] * _MODELS), strict=False):
            choice.show_value(model)
        self._on_entries()
        self._show_models()
        self.thinking.setCurrentIndex(self.thinking.findData(persona.thinking.value))
        for key, row in self.rows.items():
            value = getattr(persona.sampling, key)
            row.set_value(self._workspace.settings.number(f"chat.{key}") if value is None else value)
            self._shown[key] = row.value

    def applied(self, persona: Persona) -> Persona:
        """`persona` with what stands here."""
        chosen = [choice.value for choice in self.models if choice.value]
        models = tuple(dict.fromkeys((*chosen, *self._base.models[_MODELS:])))
        sampling = Sampling(**{key: self._value(key) for key in _KEYS})  # type: ignore[arg-type]  # each of its kind
        thinking = Thinking(str(self.thinking.currentData()))
        return replace(persona, models=models, sampling=sampling, thinking=thinking)

    def _value(self, key: str) -> float | int | None:
        """What the persona says: as before where the row was not moved, nothing where it stands as in the settings."""
        row = self.rows[key]
        if row.value == self._shown.get(key):
            before: float | int | None = getattr(self._base.sampling, key)
            return before
        return None if row.value == row.value_of(self._workspace.settings.number(f"chat.{key}")) else row.value

    @staticmethod
    def _no_model(at: int) -> str:
        return tr("The model in use") if at == 0 else tr("Otherwise: the model in use")

    def _on_model(self) -> None:
        self._show_models()
        self.changed.emit()

    def _show_models(self) -> None:
        """One more than are chosen."""
        for before, choice in zip(self.models, self.models[1:], strict=False):
            choice.setVisible(bool(before.value or choice.value))

    def _on_entries(self) -> None:
        here = [
            (entry.name, entry.name)
            for entry in self._workspace.models.entries
            if entry.availability is Availability.HERE
        ]
        for choice in self.models:
            # Whether such a file is here is known once all of them were read: that takes too long for a look.
            named = [(choice.value, file_by_hash(choice.value))] if is_hash(choice.value) else []
            choice.set_found(tuple(dict.fromkeys((*here, *named))), gone=tr("(not on this computer)"))

    def _on_theme_changed(self) -> None:
        space = self._workspace.theme.space
        self._column.setSpacing(space(4))
        self._models_box.setSpacing(space(1.5))
