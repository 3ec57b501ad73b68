"""How a persona is heard, in its form: voice, speed and language. What is left open is as in Hearth's settings."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.i18n import tr
from app.personas.persona import Persona
from app.settings_options import OPTIONS
from app.ui.found_choice import FoundChoice
from app.ui.parameter_row import ParameterRow
from app.ui.persona_form_pieces import Labelled
from app.ui.voice_section import language_name
from app.ui.workspace import Workspace
from voice.types import VoiceName


class VoiceField(QWidget):
    """Feed it a persona; `applied` gives it with what stands here."""

    changed = Signal()

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._base = Persona("persona", "")
        self._shown = 0.0
        self._looked = False
        theme = workspace.theme
        declared = {option.key: option for option in OPTIONS}
        self.voice = FoundChoice(tr("As in the settings"), self)
        self.voice.setAccessibleName(tr("Speaking voice"))
        self.language = FoundChoice(tr("As in the settings"), self)
        self.language.setAccessibleName(tr("Language"))
        self.language.set_found([(code, tr(name)) for code, name in declared["voice.language"].choices if code])
        self.speed = ParameterRow(theme, declared["voice.speed"])
        self.speed.set_default(self._general)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.addLayout(Labelled(theme, tr("Speaking voice"), self.voice))
        self._column.addLayout(Labelled(theme, tr("Language"), self.language))
        self._column.addWidget(self.speed)
        self.voice.wanted.connect(self._look)
        self.voice.chosen.connect(self.changed)
        self.language.chosen.connect(self.changed)
        self.speed.changed.connect(self.changed)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def show_persona(self, persona: Persona) -> None:
        """Show what a persona says; says nothing."""
        self._base = persona
        self.voice.show_value(persona.speech.voice)
        self.language.show_value(persona.speech.language)
        self.speed.set_value(self._general if persona.speech.speed is None else persona.speech.speed)
        self._shown = self.speed.value

    def applied(self, persona: Persona) -> Persona:
        """`persona` with what stands here."""
        row = self.speed
        speed = None if row.value == row.value_of(self._general) else row.value
        if row.value == self._shown:
            speed = self._base.speech.speed
        speech = replace(persona.speech, voice=self.voice.value, language=self.language.value, speed=speed)
        return replace(persona, speech=speech)

    @property
    def _general(self) -> float:
        return self._workspace.settings.number("voice.speed")

    def _look(self) -> None:
        """Ask what voices there are, once: it starts a process."""
        desk = self._workspace.voice
        if self._looked or not desk.is_attached:
            return
        self._looked = True

        def found(voices: tuple[tuple[str, VoiceName], ...]) -> None:
            self.voice.set_found([(value, _words(each)) for value, each in voices], gone=tr("(not there now)"))

        self._workspace.bridge.then(desk.voices(), found, lambda _error: None, owner=self)

    def _on_theme_changed(self) -> None:
        self._column.setSpacing(self._workspace.theme.space(4))


def _words(voice: VoiceName) -> str:
    language = language_name(voice.language)
    return f"{voice.name} · {language}" if language else voice.name
