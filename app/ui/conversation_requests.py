"""What a person asks of one message of a conversation: another answer, an edit, a branch, reading aloud, deleting it.

Hands it to the chat service and the store, and undoes it where that is offered. Shows only toasts; knows no page.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QObject, Signal

from app.i18n import tr
from app.store.types import Changes, MessageState, StoredMessage, Summary
from app.ui.library import sentence_of
from app.ui.toast import Toasts
from app.ui.workspace import Workspace

if TYPE_CHECKING:
    from app.chat import ChatService
    from app.store.store import ConversationStore
    from app.ui.transcript import Transcript

T = TypeVar("T")


class MessageRequests(QObject):
    """`path` gives the messages on show."""

    path_changed = Signal()
    """The path in the store is another one now."""
    branched = Signal(str)
    """There is a new conversation, by its id."""

    def __init__(
        self, workspace: Workspace, toasts: Toasts, path: Callable[[], Sequence[StoredMessage]], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._workspace, self._toasts, self._path = workspace, toasts, path

    def follow(self, transcript: Transcript) -> None:
        """Do what its messages are asked for."""
        transcript.regenerate_requested.connect(self.regenerate)
        transcript.read_requested.connect(self.read_aloud)
        transcript.edit_requested.connect(self.edit)
        transcript.sibling_requested.connect(self.select_sibling)
        transcript.branch_requested.connect(self.branch)
        transcript.continue_requested.connect(self.go_on)
        transcript.delete_requested.connect(self.delete)
        transcript.pin_requested.connect(self.pin)
        transcript.summary_edited.connect(self.edit_summary)
        transcript.summary_undone.connect(self.undo_summary)
        transcript.copied.connect(lambda: self._toasts.show(tr("Copied")))

    def regenerate(self, message_id: str) -> None:
        """Answer again, beside the answer that is there."""
        self._ask(lambda chat: chat.regenerate(message_id))

    def edit(self, message_id: str, text: str) -> None:
        """Ask with other words, beside the question that is there."""
        self._ask(lambda chat: chat.edit(message_id, text))

    def go_on(self, message_id: str) -> None:
        """Let the model go on with an answer that ended early."""
        self._ask(lambda chat: chat.continue_answer(message_id))

    def pin(self, message_id: str, pinned: bool) -> None:
        self._ask(lambda chat: chat.set_pinned(message_id, pinned))

    def read_aloud(self, message_id: str) -> None:
        """Read a message aloud, or stop reading it."""
        voice = self._workspace.voice
        message = next((each for each in self._path() if each.id == message_id), None)
        if voice.read_message == message_id:
            voice.stop_reading()
        elif message is not None and message.state is not MessageState.STREAMING and message.text.strip():
            voice.read_aloud(message_id, message.text)

    def select_sibling(self, message_id: str, step: int) -> None:
        """Show the answer before (-1) or behind (1) this one."""

        def select(store: ConversationStore) -> Changes:
            siblings = store.siblings(message_id)
            position = min(len(siblings) - 1, max(0, siblings.index(message_id) + step))
            return store.select_sibling(siblings[position])

        self._workspace.library.run(select, lambda _changes: self.path_changed.emit())

    def branch(self, message_id: str) -> None:
        """Go on from here in a conversation of its own."""
        self._workspace.library.run(
            lambda store: store.branch_conversation(message_id), lambda branch: self.branched.emit(branch.id)
        )

    def delete(self, message_id: str) -> None:
        """Take a message away, which can be undone."""
        library = self._workspace.library

        def restore() -> None:
            library.run(lambda store: store.restore_message(message_id), lambda _changes: self.path_changed.emit())

        def deleted(_changes: Changes) -> None:
            self.path_changed.emit()
            self._toasts.show(tr("Message deleted"), action=tr("Undo"), run=restore)

        library.run(lambda store: store.delete_message(message_id), deleted)

    def edit_summary(self, summary_id: str, text: str) -> None:
        self._ask(lambda chat: chat.edit_summary(summary_id, text))

    def undo_summary(self, summary_id: str) -> None:
        """Let the model read the messages themselves, which can be undone."""

        def undone(_summary: Summary) -> None:
            self._toasts.show(
                tr("The model reads the messages themselves again"),
                action=tr("Undo"),
                run=lambda: self._ask(lambda chat: chat.undo_summary(summary_id, False)),
            )

        self._ask(lambda chat: chat.undo_summary(summary_id), undone)

    def _ask(
        self, operation: Callable[[ChatService], Future[T]], done: Callable[[T], None] = lambda _value: None
    ) -> None:
        """Ask the chat service, once it is there; a failure becomes a toast."""
        if (services := self._workspace.services) is not None:
            self._workspace.bridge.then(operation(services.chat), done, self._on_failed)

    def _on_failed(self, error: BaseException) -> None:
        self._toasts.show(sentence_of(error))
