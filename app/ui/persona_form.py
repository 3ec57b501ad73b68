"""The form of a persona: what everybody needs on top, the rest in folded groups. Saves nothing and asks no model.

What a persona says and the form has no field for stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QLineEdit, QPlainTextEdit, QScrollArea, QVBoxLayout, QWidget

from app.i18n import tr
from app.limits import PERSONA_LINE_CHARACTERS, PERSONA_LIST_ITEMS, PERSONA_TEXT_CHARACTERS
from app.personas.drafts import Draft, new_persona
from app.personas.foreign.fields import a_line, lines_of
from app.ui.composer_text import local_files
from app.ui.persona_form_answers import AnswersField
from app.ui.persona_form_files import FilesField
from app.ui.persona_form_icon import IconField
from app.ui.persona_form_keyed import KeyedField
from app.ui.persona_form_pieces import Fold, Labelled, LineList, caption, line_field, text_field
from app.ui.persona_form_voice import VoiceField
from app.ui.workspace import Workspace
from engine.context.clean import clean

_STARTER_CHARACTERS = 2_000
_GAP = ", "


class PersonaForm(QScrollArea):
    """Feed it a draft; `draft` gives it as it stands here."""

    changed = Signal()
    failed = Signal(str)
    """A sentence."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._base = Draft(new_persona())
        self._shown: dict[QWidget, tuple[str, str]] = {}
        """What stood in a field when it was filled, and what that was before the field showed it."""
        theme = workspace.theme
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAcceptDrops(True)
        self.icon = IconField(workspace)
        self.name = line_field(tr("Name"), tr("What it is called"), most=PERSONA_LINE_CHARACTERS)
        self.description = line_field(
            tr("Description"), tr("What it is good for, in one sentence"), most=PERSONA_TEXT_CHARACTERS
        )
        self.instructions = text_field(
            theme,
            tr("Instructions"),
            tr("Who it is, what it knows, how it answers. For example: You help with letters to offices. Ask what is"
               " missing. Write short, polite letters."),
            height=52,
        )  # fmt: skip
        self.tokens = caption("")
        self.files = FilesField(workspace)
        self.starters = LineList(
            theme, tr("Conversation starters"), tr("A first question to choose"), most_characters=_STARTER_CHARACTERS
        )
        self.greeting = text_field(theme, tr("Greeting"), tr("What it says first"), height=20)
        self.answers = AnswersField(workspace)
        self.voice = VoiceField(workspace)
        self.keyed = KeyedField(theme)
        self.tools = LineList(
            theme, tr("Tools"), tr("The name of a tool"), most_characters=PERSONA_LINE_CHARACTERS
        )  # fmt: skip
        self.tags = line_field(tr("Tags"), tr("Separated by commas"), most=PERSONA_TEXT_CHARACTERS)
        self.author = line_field(tr("Author"), most=PERSONA_LINE_CHARACTERS)
        self.licence = line_field(tr("Licence"), tr("For example CC-BY-4.0"), most=PERSONA_LINE_CHARACTERS)
        self.version = line_field(tr("Version"), most=PERSONA_LINE_CHARACTERS)
        self.changelog = text_field(theme, tr("What is new"), height=17)
        self._lay_out()
        self._connect()
        self._on_theme_changed()

    @property
    def draft(self) -> Draft:
        """What stands here. Every text is as a persona may hold it; a name may be missing."""
        base = self._base.persona
        persona = replace(
            base,
            name=self._said(self.name),
            description=self._said(self.description),
            instructions=self._said(self.instructions),
            greeting=self._said(self.greeting),
            starters=self.starters.lines,
            tools=base.tools if self.tools.lines == base.tools else lines_of(self.tools.lines),
            tags=base.tags if self.tags.text() == _GAP.join(base.tags) else self._tags(),
            author=self._said(self.author),
            licence=self._said(self.licence),
            version=self._said(self.version),
            changelog=self._said(self.changelog),
            icon_sha256=self.icon.sha256,
            knowledge=self.files.files,
            keyed=self.keyed.entries,
        )
        persona = self.voice.applied(self.answers.applied(persona))
        given: dict[str, Path | bytes] = dict(self.files.paths)
        if self.icon.sha256 and self.icon.data:
            given[self.icon.sha256] = self.icon.data
        return Draft(persona, self._base.before, given)

    def show_draft(self, draft: Draft, icon: bytes = b"") -> None:
        """Show a draft; `icon` is the PNG file of one that lies in the persona's folder. Says nothing."""
        self.blockSignals(True)
        self._base, persona = draft, draft.persona
        given = draft.given.get(persona.icon_sha256, icon)
        self.icon.show_icon(persona.icon_sha256, given if isinstance(given, bytes) else icon)
        self.icon.show_name(persona.name)
        self.icon.show_key(persona.short_name if draft.before else "")
        for line, text in (
            (self.name, persona.name),
            (self.description, persona.description),
            (self.tags, _GAP.join(persona.tags)),
            (self.author, persona.author),
            (self.licence, persona.licence),
            (self.version, persona.version),
        ):
            line.setText(" ".join(text.split()))
            line.setCursorPosition(0)
            self._shown[line] = (line.text(), text)
        for field, text in (
            (self.instructions, persona.instructions),
            (self.greeting, persona.greeting),
            (self.changelog, persona.changelog),
        ):
            field.setPlainText(text)
            self._shown[field] = (field.toPlainText(), text)
        self.starters.show_lines(persona.starters)
        self.tools.show_lines(persona.tools)
        self.keyed.show_entries(persona.keyed)
        self.answers.show_persona(persona)
        self.voice.show_persona(persona)
        paths = {sha256: each for sha256, each in draft.given.items() if isinstance(each, Path)}
        self.files.show_files(persona.knowledge, paths)
        self.blockSignals(False)

    def show_base(self, draft: Draft) -> None:
        """What stands here was saved as `draft`; fields and cursors stay where they are."""
        self._base = draft

    def show_tokens(self, words: str) -> None:
        """How long the instructions are."""
        self.tokens.setText(words)

    def add_files(self, paths: Sequence[Path]) -> None:
        """Files were dropped or chosen for its knowledge."""
        self.files.add(paths)

    def _said(self, field: QLineEdit | QPlainTextEdit) -> str:
        """What a field says; where it was not touched, exactly what it was filled with: showing a text changes it."""
        text = field.text() if isinstance(field, QLineEdit) else field.toPlainText()
        shown, before = self._shown.get(field, ("", ""))
        if text == shown:
            return before
        if field is self.description:
            return clean(text, max_characters=PERSONA_TEXT_CHARACTERS).text.strip()
        return a_line(text) if isinstance(field, QLineEdit) else text[:PERSONA_TEXT_CHARACTERS]

    def _tags(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(lines_of(self.tags.text().split(","))))[:PERSONA_LIST_ITEMS]

    def _lay_out(self) -> None:
        theme = self._workspace.theme
        page = QWidget()
        page.setProperty("kind", "plain")
        self._column = QVBoxLayout(page)
        self._head = QGridLayout()
        self._head.addWidget(self.icon, 0, 0, 2, 1, Qt.AlignmentFlag.AlignTop)
        self._head.addWidget(self.name, 0, 1)
        self._head.addWidget(self.description, 1, 1)
        self._column.addLayout(self._head)
        instructions = Labelled(theme, tr("Instructions"), self.instructions)
        instructions.head.addWidget(self.tokens)
        self._column.addLayout(instructions)
        self._column.addLayout(Labelled(theme, tr("Documents"), self.files))
        self._column.addLayout(Labelled(theme, tr("Conversation starters"), self.starters))
        self.folds = {
            "greeting": self._fold(tr("Greeting"), self.greeting),
            "answers": self._fold(tr("Models and answers"), self.answers),
            "voice": self._fold(tr("Voice and language"), self.voice),
            "keyed": self._fold(tr("Knowledge for certain words"), self.keyed),
            "tools": self._fold(
                tr("Tools"),
                self.tools,
                tr("What the persona asks to be allowed. Whoever uses it decides; nothing is allowed by itself."),
            ),
        }
        about = self.folds["about"] = Fold(theme, tr("Tags, author and version"))
        for label, field in (
            (tr("Tags"), self.tags),
            (tr("Author"), self.author),
            (tr("Licence"), self.licence),
            (tr("Version"), self.version),
            (tr("What is new"), self.changelog),
        ):
            about.inside.addLayout(Labelled(theme, label, field))
        self._column.addWidget(about)
        self._column.addStretch(1)
        self.setWidget(page)

    def _fold(self, title: str, content: QWidget, help_text: str = "") -> Fold:
        fold = Fold(self._workspace.theme, title)
        if help_text:
            fold.inside.addWidget(caption(help_text))
        fold.inside.addWidget(content)
        self._column.addWidget(fold)
        return fold

    def _connect(self) -> None:
        self.name.textChanged.connect(self.icon.show_name)
        for line in (self.name, self.description, self.tags, self.author, self.licence, self.version):
            line.textChanged.connect(self.changed)
        for field in (self.instructions, self.greeting, self.changelog):
            field.textChanged.connect(self.changed)
        for part in (self.icon, self.files, self.starters, self.answers, self.voice, self.keyed, self.tools):
            part.changed.connect(self.changed)
        for part in (self.icon, self.files):
            part.failed.connect(self.failed)
        self._workspace.theme.changed.connect(self._on_theme_changed)

    def _on_theme_changed(self) -> None:
        space = self._workspace.theme.space
        self._column.setContentsMargins(space(6), space(5), space(5), space(6))
        self._column.setSpacing(space(4))
        self._head.setHorizontalSpacing(space(4))
        self._head.setVerticalSpacing(space(2))

    # Qt

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if local_files(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.add_files(local_files(event.mimeData()))
