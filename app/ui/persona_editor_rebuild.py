"""A ChatGPT GPT rebuilt: its fields are pasted, or its whole page at once, and its files added; the editor goes on.

OpenAI exports no GPTs, so people copy what the page "Configure" shows.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.i18n import tr
from app.limits import PERSONA_LINE_CHARACTERS, PERSONA_TEXT_CHARACTERS
from app.personas.drafts import Draft
from app.personas.foreign.chatgpt import Configuration, configuration_of, rebuilt
from app.ui.dialogs import CalmDialog
from app.ui.library import sentence_of
from app.ui.persona_form_files import FilesField
from app.ui.persona_form_pieces import Labelled, line_field, text_field
from app.ui.toast import Toasts
from app.ui.workspace import Workspace
from engine.errors import PersonaError


class RebuildDialog(CalmDialog):
    """Says what it made of it; saves nothing."""

    rebuilt = Signal(object)
    """A `Draft` for the editor; the dialog has closed."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        theme = workspace.theme
        super().__init__(theme, parent, tr("Rebuild a ChatGPT GPT"), icon="wand-sparkles")
        self._toasts = Toasts(theme, self)
        self.add_sentence(
            tr(
                "Open your GPT in ChatGPT, choose “Edit GPT” and “Configure”, and copy its fields to here. You can also"
                " copy the whole page into the instructions: Hearth sorts it out."
            )
        )
        self.name = line_field(tr("Name"), most=PERSONA_LINE_CHARACTERS)
        self.description = line_field(tr("Description"), most=PERSONA_TEXT_CHARACTERS)
        self.instructions = text_field(theme, tr("Instructions"), tr("Its instructions, or the whole page"), height=36)
        self.starters = text_field(theme, tr("Conversation starters"), tr("One a line"), height=18)
        self.files = FilesField(workspace)
        fields: tuple[tuple[str, QWidget], ...] = (
            (tr("Name"), self.name),
            (tr("Description"), self.description),
            (tr("Instructions"), self.instructions),
            (tr("Conversation starters"), self.starters),
            (tr("Its files"), self.files),
        )
        for label, field in fields:
            self.body.addLayout(Labelled(theme, label, field))
        self.add_button(tr("Cancel")).clicked.connect(self.reject)
        self.go_button = self.add_button(tr("Go on in the editor"), kind="primary", default=True)
        self.go_button.clicked.connect(self._on_go)
        self.instructions.textChanged.connect(self._on_pasted)
        self.files.failed.connect(self._toasts.show)
        self.resize(theme.space(150), theme.space(170))
        self.name.setFocus()

    def _on_pasted(self) -> None:
        """A copy of the whole page is sorted into the fields that are still empty."""
        found = configuration_of(self.instructions.toPlainText())
        if not (found.name or found.description or found.starters):
            return
        for field, words in ((self.name, found.name), (self.description, found.description)):
            if words and not field.text().strip():
                field.setText(" ".join(words.split()))
        if found.starters and not self.starters.toPlainText().strip():
            self.starters.setPlainText(found.starters)
        self.instructions.blockSignals(True)
        self.instructions.setPlainText(found.instructions)
        self.instructions.blockSignals(False)

    def _on_go(self) -> None:
        if self.files.is_busy:
            return
        configuration = Configuration(
            self.name.text(), self.description.text(), self.instructions.toPlainText(), self.starters.toPlainText()
        )
        try:
            persona = rebuilt(configuration).persona
        except PersonaError as error:
            self._toasts.show(sentence_of(error))
            return
        given: dict[str, Path | bytes] = dict(self.files.paths)
        draft = Draft(replace(persona, knowledge=self.files.files), 0, given)
        self.accept()
        self.rebuilt.emit(draft)
