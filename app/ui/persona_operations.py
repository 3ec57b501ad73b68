"""What a person does to personas as a whole: use, edit, duplicate, make default, delete, look at again.

One object for each window, which owns the dialogs and toasts. Knows no list and no chat.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QWidget

from app.i18n import tr
from app.ui.toast import Toasts
from app.ui.workspace import Workspace

if TYPE_CHECKING:
    from app.personas.folder import Shelved
    from app.personas.shelf import Deleted


class PersonaOperations(QObject):
    """Named operations on the shelf, with their questions and their undo."""

    begin_requested = Signal(str)
    """A new chat with the persona of this short name, which may be used."""

    def __init__(self, workspace: Workspace, toasts: Toasts, window: QWidget) -> None:
        super().__init__(window)
        self._workspace, self._toasts, self._window = workspace, toasts, window

    def begin(self, short_name: str) -> None:
        """A new chat with it; one nobody has looked at is shown first."""
        shelved = self._workspace.personas.get(short_name)
        if shelved is None:
            return
        if shelved.usable:
            self.begin_requested.emit(short_name)
        else:
            self.review(shelved, lambda: self.begin_requested.emit(short_name))

    def review(self, shelved: Shelved, then: Callable[[], None] | None = None) -> None:
        """Show all that it says and may do; `then` follows once it may be used, if it could not be before."""
        from app.ui.persona_review import review_persona  # noqa: PLC0415  # only when asked for

        review_persona(
            self._workspace, self._window, shelved, accepted=(lambda _kept: then()) if then is not None else None
        )

    def edit(self, short_name: str | None) -> None:
        """Open the editor; None: for a new one."""
        from app.ui.persona_editor import open_editor  # noqa: PLC0415  # only when asked for

        editor = open_editor(self._window, self._workspace, short_name)
        if editor is not None:
            editor.chat_requested.connect(self.begin_requested)

    def gallery(self) -> None:
        """Show all personas, and more of them."""
        from app.ui.persona_gallery import open_gallery  # noqa: PLC0415  # only when asked for

        gallery = open_gallery(self._window, self._workspace)
        if gallery is not None:
            gallery.chat_requested.connect(self.begin_requested)

    def show_memory(self, short_name: str) -> None:
        """Show what one was asked to remember."""
        from app.ui.persona_editor_memory import MemoryDialog  # noqa: PLC0415  # only when asked for

        if (services := self._workspace.services) is not None:
            dialog = MemoryDialog(self._workspace, services, short_name, self._window)
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.open()

    def set_default(self, short_name: str) -> None:
        """Give new chats this persona; "" none."""
        self._workspace.personas.set_default(short_name)
        shelved = self._workspace.personas.get(short_name)
        self._toasts.show(
            tr("New chats begin with “{name}”", name=shelved.persona.name)
            if shelved is not None
            else tr("New chats begin without a persona")
        )

    def duplicate(self, shelved: Shelved) -> None:
        """A copy of another name."""
        name = tr("{name} (copy)", name=shelved.persona.name)

        def done(made: Shelved) -> None:
            self._toasts.show(
                tr("Made “{name}”", name=made.persona.name),
                action=tr("Edit"),
                run=lambda: self.edit(made.persona.short_name),
            )

        self._workspace.personas.run(lambda shelf: shelf.duplicate(shelved.persona.short_name, name), done)

    def delete(self, shelved: Shelved) -> None:
        """Delete at once, with a toast that brings it back."""
        personas = self._workspace.personas

        def done(deleted: Deleted) -> None:
            self._toasts.show(
                tr("Deleted “{title}”", title=shelved.persona.name),
                action=tr("Undo"),
                run=lambda: personas.bring_back(deleted),
            )

        personas.delete(shelved.persona.short_name, done)
