"""Which persona answers in the chat that a page shows: found, chosen, changed, taken away. Main thread only.

A new chat has none in the store yet, so its persona is kept here until the first question. Draws nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.i18n import tr
from app.store.types import Changes, Conversation
from app.ui.library import sentence_of
from app.ui.workspace import Workspace

if TYPE_CHECKING:
    from app.personas.folder import Shelved


class ChatPersona(QObject):
    """Of one page; `changed` whenever what it says is another."""

    changed = Signal()
    failed = Signal(str)
    """A sentence."""
    review_wanted = Signal(object, object)
    """A `Shelved` that nobody has looked at, and what to call once it may be used."""

    def __init__(self, workspace: Workspace, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._conversation_id = ""
        self._chosen: str | None = None
        """For the new chat; None: that of new chats."""
        self._asked_for: tuple[str, str, int] | None = None
        self._found: Shelved | None = None
        self._begun = False
        self.answers_from_here = False
        """It was chosen while messages were there already, and has not answered yet."""
        workspace.personas.changed.connect(self._on_personas_changed)
        workspace.library.changed.connect(self._on_library_changed)

    def show_conversation(self, conversation_id: str) -> None:
        """Another chat is on show ("": a new one, with the persona of new chats)."""
        if conversation_id == self._conversation_id and conversation_id:
            return
        self._conversation_id, self._chosen = conversation_id, None
        self._begun = self.answers_from_here = False
        self._look()

    def set_begun(self, begun: bool) -> None:
        """Whether the chat on show has messages."""
        self._begun = begun

    def set_answered(self) -> None:
        """Whoever was chosen last has been asked."""
        if self.answers_from_here:
            self.answers_from_here = False
            self.changed.emit()

    @property
    def shelved(self) -> Shelved | None:
        """The persona of the chat on show, as it is used there; None for none, or while it is being read."""
        return self._found

    @property
    def short_name(self) -> str:
        """Of the persona of the chat on show, also where it is gone; "" for none."""
        conversation = self._conversation()
        if conversation is not None:
            return conversation.persona
        if self._conversation_id:
            return ""
        return self._workspace.personas.default if self._chosen is None else self._chosen

    @property
    def is_gone(self) -> bool:
        """The chat had a persona that is not on the shelf any more."""
        personas = self._workspace.personas
        return bool(self.short_name) and personas.loaded and personas.get(self.short_name) is None

    @property
    def is_outdated(self) -> bool:
        """There is a newer version than the one that is used here."""
        newest = self._workspace.personas.get(self.short_name)
        return newest is not None and self._found is not None and newest.number > self._found.number

    def choose(self, short_name: str) -> None:
        """Let this persona answer from now on, "" nobody. One that nobody has looked at is shown first."""
        if short_name == self.short_name:
            return
        shelved = self._workspace.personas.get(short_name)
        if shelved is not None and not shelved.usable:
            self.review_wanted.emit(shelved, lambda: self.choose(short_name))
        elif not self._conversation_id:
            self._chosen = short_name
            self._look()
        elif (services := self._workspace.services) is not None:
            self._workspace.bridge.then(
                services.personas.choose(self._conversation_id, short_name), self._on_chosen, self._on_failed
            )

    def update(self) -> None:
        """Use the newest version here."""
        services = self._workspace.services
        if services is not None and self._conversation_id:
            self._workspace.bridge.then(services.personas.update(self._conversation_id), self._keep, self._on_failed)

    @property
    def for_new_chat(self) -> str | None:
        """What was chosen for the new chat on show: a short name, "" for nobody, None for that of new chats."""
        return self._chosen

    def _conversation(self) -> Conversation | None:
        return self._workspace.library.conversation(self._conversation_id) if self._conversation_id else None

    def _keep(self, changes: Changes) -> None:
        self._workspace.library.refresh_after(changes)

    def _on_chosen(self, changes: Changes) -> None:
        self.answers_from_here = self._begun
        self._keep(changes)
        self.changed.emit()

    def _on_failed(self, error: BaseException) -> None:
        self.failed.emit(sentence_of(error))

    def _look(self) -> None:
        """Find out who answers; `changed` follows."""
        conversation = self._conversation()
        services = self._workspace.services
        if conversation is None and self._conversation_id:
            return  # it has begun just now, and is not in the lists yet
        if conversation is None:
            self._asked_for = None
            self._show(self._workspace.personas.get(self.short_name))
            return
        wanted = (conversation.id, conversation.persona, conversation.persona_version)
        if wanted == self._asked_for:
            return
        self._asked_for = wanted if services is not None else None
        if services is None or not conversation.persona:
            self._show(None)
            return
        self._workspace.bridge.then(
            services.personas.of(conversation),
            lambda found: self._on_found(wanted, found),
            lambda _error: self._on_found(wanted, None),  # a damaged folder: the list says why
        )

    def _on_found(self, wanted: tuple[str, str, int], found: Shelved | None) -> None:
        if wanted == self._asked_for:
            self._show(found)

    def _show(self, found: Shelved | None) -> None:
        self._found = found
        self.changed.emit()

    def _on_personas_changed(self) -> None:
        self._asked_for = None
        self._look()

    def _on_library_changed(self) -> None:
        if self._conversation_id:
            self._look()


def gone_note() -> str:
    """What is said of a persona that was deleted, behind its name."""
    return tr("was deleted; the chat goes on without it")
