"""The editor of a persona: the form, a chat beside it that tries it out, and what is done with both.

What is written is kept as a draft a moment later, and until it is saved or thrown away.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QDialog, QSplitter, QVBoxLayout, QWidget

from app.i18n import tr
from app.personas.drafts import Draft
from app.personas.editing import Opened, open_persona, save_persona, whole
from app.personas.folder import Shelved
from app.personas.persona import Persona
from app.ui.dialogs import confirm, line, tell
from app.ui.library import sentence_of
from app.ui.persona_editor_drafts import DraftKeeper, Leaving, ask_what_becomes
from app.ui.persona_editor_foot import EditorFoot
from app.ui.persona_editor_watch import DraftWatch
from app.ui.persona_form import PersonaForm
from app.ui.persona_trial import TrialPanel
from app.ui.persona_versions import VersionsDialog
from app.ui.toast import Toasts
from app.ui.workspace import Workspace
from engine.errors import PersonaError

if TYPE_CHECKING:
    from app.services import Services

_PAUSE_MS = 700


class PersonaEditor(QDialog):
    """Opens on a persona by its short name, or on a new one with ""."""

    opened = Signal()
    """The persona is there."""
    saved = Signal(str)
    """Its short name."""
    chat_requested = Signal(str)
    """The person wants to talk with it: its short name. The editor has closed."""

    def __init__(
        self, workspace: Workspace, services: Services, short_name: str = "", parent: QWidget | None = None,
        *, draft: Draft | None = None,
    ) -> None:  # fmt: skip
        """`draft` is what to begin a new persona with."""
        super().__init__(parent)
        self._workspace, self._services = workspace, services
        self.short_name = short_name
        self._first_draft = draft
        self._saved: Draft | None = None
        self._saving = False
        self._drafts = DraftKeeper(workspace.bridge, lambda: services.personas.shelf, self._alive(self._on_failed))
        self._toasts = Toasts(workspace.theme, self)
        self.form = PersonaForm(workspace, self)
        self.trial = TrialPanel(workspace, lambda: self.form.draft, self)
        self.watch = DraftWatch(workspace, services, self.form, self.trial, self)
        self.foot = EditorFoot(workspace.theme, self)
        self.save_button, self.chat_button = self.foot.save_button, self.foot.chat_button
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._lay_out()
        self._connect()
        self._on_theme_changed()
        self.setEnabled(False)
        self._show_state()
        self._open()

    # What a person does

    def save(self, then: Callable[[], None] | None = None, *, over: bool = False) -> None:
        """Save what stands in the form, and go on with `then`."""
        draft = self.form.draft
        if not draft.persona.name:
            self.form.name.setFocus()
            self._say(tr("Give the persona a name first."))
            return
        if self._saving or self.form.files.is_busy:
            return
        if not self.is_changed and self.short_name:
            self._go_on(then)
            return
        self._saving = True
        self._pause.stop()
        self._show_state()
        short_name = self.short_name

        def work(shelf: object) -> Shelved:
            saving = partial(save_persona, self._services.personas.shelf, short_name, draft, over=over)
            return self._drafts.submit(saving).result()

        def done(shelved: Shelved) -> None:
            self._saving = False
            self._on_saved(shelved, draft)
            self._go_on(then)

        def failed(error: BaseException) -> None:
            self._saving = False
            self._show_state()
            self._on_not_saved(error, draft, then)

        self._call(work, done, failed)

    def discard(self) -> None:
        """Back to what is saved."""
        if self._saved is not None:
            self.form.show_draft(self._saved, self._icon)
            self._on_shown()
            self._forget_draft()

    def show_versions(self) -> None:
        """The saved versions, to compare and to bring back."""
        if not self.short_name:
            return
        dialog = VersionsDialog(self._workspace, self._services, self.short_name, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.restored.connect(self._on_restored)
        dialog.open()

    @property
    def is_changed(self) -> bool:
        """Something stands in the form that is not saved."""
        return self._saved is not None and self.form.draft.persona != self._saved.persona

    # Opening

    def _open(self) -> None:
        short_name = self.short_name
        self._call(lambda shelf: open_persona(shelf, short_name), self._on_opened, self._on_not_opened, changes=False)

    def _on_opened(self, found: Opened) -> None:
        self._saved, self._icon = found.saved, found.icon
        kept = self._first_draft or found.kept
        self.setEnabled(True)
        self.form.show_draft(kept or found.saved, found.icon)
        services, short_name = self._services, self.short_name
        self.trial.begin(services, lambda draft: whole(services.personas.shelf, self.short_name or short_name, draft))
        self._on_shown()
        if found.kept is not None and self._first_draft is None:
            self._say(tr("This is what you had written and not saved."))
        (self.form.instructions if found.shelved is not None else self.form.name).setFocus()
        self.opened.emit()

    def _on_not_opened(self, error: BaseException) -> None:
        tell(self._workspace.theme, self, tr("This persona cannot be opened"), sentence_of(error))
        self.done(QDialog.DialogCode.Rejected)

    def _on_shown(self) -> None:
        draft = self.form.draft
        if self._saved is not None and draft.persona.short_name != self._saved.persona.short_name:
            self._saved = replace(
                self._saved, persona=replace(self._saved.persona, short_name=draft.persona.short_name)
            )
        self.watch.look(draft)
        self._show_state()

    # Saving

    def _on_saved(self, shelved: Shelved, draft: Draft) -> None:
        self.short_name = shelved.persona.short_name
        self._saved = Draft(shelved.persona, shelved.number)
        icon = draft.given.get(draft.persona.icon_sha256, self._icon if draft.persona.icon_sha256 else b"")
        self._icon = icon if isinstance(icon, bytes) else b""
        written_on = self.form.draft.persona != draft.persona
        self.form.show_base(self._saved)
        if written_on:
            self._pause.start()
        self._show_state()
        self._workspace.personas.show(shelved)  # the list is read again in a moment only
        self.saved.emit(self.short_name)

    def _on_not_saved(self, error: BaseException, draft: Draft, then: Callable[[], None] | None) -> None:
        short_name = self.short_name
        if not short_name or not isinstance(error, PersonaError):
            self._say(sentence_of(error))
            return

        def newest(number: int) -> None:
            if number == draft.before:
                self._say(sentence_of(error))
            elif confirm(
                self._workspace.theme,
                self,
                tr("This persona was changed meanwhile"),
                tr("Somebody saved it while you were writing. Both stay among its versions."),
                yes=tr("Save mine as the newest"),
            ):
                self.save(then, over=True)

        self._call(lambda shelf: shelf.place(short_name).newest(), newest, lambda _e: self._say(sentence_of(error)),
                   changes=False)  # fmt: skip

    def _go_on(self, then: Callable[[], None] | None) -> None:
        if then is not None:
            then()

    def _on_save(self) -> None:
        self.save()

    def _on_chat(self) -> None:
        def leave() -> None:
            self.done(QDialog.DialogCode.Accepted)
            self.chat_requested.emit(self.short_name)

        self.save(leave)

    def _on_restored(self, shelved: Shelved, icon: bytes) -> None:
        self._saved, self._icon = Draft(shelved.persona, shelved.number), icon
        self.form.show_draft(self._saved, icon)
        self._on_shown()
        self._forget_draft()
        self.saved.emit(self.short_name)

    # Drafts

    def _on_edited(self) -> None:
        self._show_state()
        self._pause.start()

    def _on_pause(self) -> None:
        draft = self.form.draft
        self.watch.look(draft)
        self._keep_draft(draft)

    def _keep_draft(self, draft: Draft) -> None:
        if self._saved is None:
            return
        if draft.persona == self._saved.persona:
            self._forget_draft()
            return
        self._drafts.keep(self.short_name, draft, self._on_kept)

    def _forget_draft(self) -> None:
        self._drafts.forget(self.short_name)

    def _on_kept(self) -> None:
        if not self._closed:
            self._show_state(kept=True)

    # Closing

    def reject(self) -> None:
        """Escape, or the window's own button."""
        if self._saved is None or not self.is_changed:
            self.done(QDialog.DialogCode.Rejected)
            return
        leaving = ask_what_becomes(self._workspace.theme, self)
        if leaving is Leaving.SAVE:
            self.save(lambda: self.done(QDialog.DialogCode.Accepted))
        elif leaving is Leaving.KEEP:
            self._keep_draft(self.form.draft)
            self.done(QDialog.DialogCode.Rejected)
        elif leaving is Leaving.DISCARD:
            self._forget_draft()
            self.done(QDialog.DialogCode.Rejected)

    def done(self, result: int) -> None:
        """Close for good."""
        if self._closed:
            return
        self._pause.stop()
        self._closed = True
        self.watch.close()
        self.trial.close_trial()
        self._drafts.close()
        super().done(result)

    # The rest

    _closed = False
    _icon = b""

    def _alive(self, function: Callable[[object], None]) -> Callable[[object], None]:
        """Nothing where the editor has closed meanwhile."""

        def run(value: object) -> None:
            if not self._closed:
                function(value)

        return run

    def _call(
        self,
        operation: Callable[..., object],
        done: Callable[..., None],
        failed: Callable[[BaseException], None],
        *,
        changes: bool = True,
    ) -> None:
        future = self._services.personas.call(operation, changes=changes)
        self._workspace.bridge.then(future, self._alive(done), self._alive(failed))  # type: ignore[arg-type]

    def _on_failed(self, error: object) -> None:
        assert isinstance(error, BaseException)
        self._say(sentence_of(error))

    def _say(self, text: str) -> None:
        if text:
            self._toasts.show(text)

    def _show_state(self, *, kept: bool = False) -> None:
        changed = self.is_changed
        persona: Persona | None = self._saved.persona if self._saved is not None else None
        name = self.form.name.text().strip() or (persona.name if persona is not None else "")
        self.setWindowTitle(name or tr("New persona"))
        self.foot.show_state(
            saved=self._saved.before if self._saved is not None else 0,
            changed=changed,
            kept=kept,
            saving=self._saving,
            busy=self._saving or self.form.files.is_busy,
        )

    def _lay_out(self) -> None:
        self.splitter = QSplitter(Qt.Orientation.Horizontal, self)
        self.splitter.addWidget(self.form)
        self.splitter.addWidget(self.trial)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setStretchFactor(0, 3)
        self.splitter.setStretchFactor(1, 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.splitter, 1)
        column.addWidget(line(self))
        column.addWidget(self.foot)

    def _connect(self) -> None:
        self.form.changed.connect(self._on_edited)
        self.form.failed.connect(self._say)
        self.trial.failed.connect(self._say)
        self._pause.timeout.connect(self._on_pause)
        self.save_button.clicked.connect(self._on_save)
        self.chat_button.clicked.connect(self._on_chat)
        self.foot.discard_button.clicked.connect(self.discard)
        self.foot.versions_button.clicked.connect(self.show_versions)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Save), self).activated.connect(self._on_save)
        self._workspace.theme.changed.connect(self._on_theme_changed)

    def _on_theme_changed(self) -> None:
        space = self._workspace.theme.space
        self.resize(space(270), space(190))
        self.splitter.setSizes([space(160), space(110)])

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._closed:
            super().closeEvent(event)
        else:
            event.ignore()
            self.reject()


def open_editor(
    parent: QWidget, workspace: Workspace, short_name: str | None = None, *, draft: Draft | None = None
) -> PersonaEditor | None:
    """Show the editor, modal to `parent`, on a persona or a new one. None while the services are not open."""
    services = workspace.services
    if services is None:
        return None
    editor = PersonaEditor(workspace, services, short_name or "", parent, draft=draft)
    editor.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    editor.open()
    return editor
