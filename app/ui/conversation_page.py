"""One conversation in a window: its messages above, the composer below. Shows what chat events tell it.

Talks to the `ChatService`; knows no sidebar and no menu.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QStyle, QVBoxLayout, QWidget

from app.events import (
    ChatEvent,
    MessageAdded,
    MessageFinished,
    PathChanged,
    Streamed,
    SummaryAdded,
    SummaryChanged,
)
from app.i18n import tr
from app.store.summaries import covered_by, newest_on
from app.store.types import Attached, Changes, Draft, MessageState, StoredMessage, Summary
from app.ui.chat_documents import ChatDocuments
from app.ui.composer import Composer
from app.ui.composer_text import holds_image, local_files
from app.ui.library import sentence_of
from app.ui.remote_banner import answering_host
from app.ui.start_page import StartPage
from app.ui.toast import Toasts, announce
from app.ui.workspace import Workspace
from engine.context.segments import Role
from engine.engine import EngineState, EngineStatus
from engine.types import SamplingParams

if TYPE_CHECKING:
    from app.store.store import ConversationStore
    from app.ui.transcript import Transcript

_SPOKEN_CHARACTERS = 400
_COLUMN_UNITS = 190
"""The widest a line of text and the composer get, in spacing units."""


class ConversationPage(QWidget):
    """Shows a conversation, or the start page while there is none yet."""

    conversation_changed = Signal(str)
    """Another conversation is on show ("": a new chat). Also when a new chat has got its id."""
    generating_changed = Signal(bool)
    observed = Signal(object)
    """A stream event of the conversation on show."""
    citation_activated = Signal(object)
    """A `SourcePassage` of the conversation on show."""
    path_shown = Signal(list)
    """The messages on show, after every change that is not a stream event."""

    def __init__(self, workspace: Workspace, toasts: Toasts, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace, self._toasts = workspace, toasts
        self._conversation_id = ""
        self._sending = False
        self._held: Draft | None = None
        self._generating = False
        self._want_message = ""
        self._new_parameters: tuple[SamplingParams | None, str] | None = None
        self._path: list[StoredMessage] = []
        self._summaries: list[Summary] = []
        self.setProperty("kind", "surface")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAcceptDrops(True)
        theme = workspace.theme
        self.start_page = StartPage(theme, self)
        self._transcript: Transcript | None = None
        self._stack = QStackedWidget(self)
        self._stack.addWidget(self.start_page)
        self.composer = Composer(
            theme,
            workspace.settings,
            run=workspace.run,
            bridge=workspace.bridge,
            pictures=workspace.pictures,
            parent=self,
        )
        self._foot = QWidget(self)
        self._foot_row = QHBoxLayout(self._foot)
        self._foot_row.addStretch(1)
        self._foot_row.addWidget(self.composer, 100)
        self._foot_row.addStretch(1)
        toasts.stand_above(self._foot)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.documents = ChatDocuments(workspace, self)
        self._documents_row = QHBoxLayout()
        self._documents_row.addStretch(1)
        self._documents_row.addWidget(self.documents, 100)
        self._documents_row.addStretch(1)
        column.addWidget(self._stack, 1)
        column.addLayout(self._documents_row)
        column.addWidget(self._foot)
        self._connect()
        self._on_theme_changed()
        self._on_engine_changed(workspace.engine_state)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if local_files(event.mimeData()) or holds_image(event.mimeData()):
            self.composer.dragEnterEvent(event)  # which shows that it will take them

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.composer.dragLeaveEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        self.composer.dropEvent(event)

    @property
    def conversation_id(self) -> str:
        """The conversation on show; "" for a new chat."""
        return self._conversation_id

    @property
    def path(self) -> list[StoredMessage]:
        """The messages on show, first to last; a growing one as of its last event that changed it in the store."""
        return self._path

    @property
    def is_generating(self) -> bool:
        """Whether the conversation on show is being answered."""
        return self._generating

    def open(self, conversation_id: str, *, message_id: str = "", files: Sequence[Path] = ()) -> None:
        """Show a conversation ("": a new chat), at `message_id` if one is given. It is given `files` once its draft is
        there.
        """
        self.composer.flush_draft()
        changed = conversation_id != self._conversation_id
        self._conversation_id = conversation_id
        self._want_message = message_id
        self._workspace.answers.watch(self, conversation_id)
        self.documents.show_conversation(conversation_id)
        if changed:
            self._new_parameters = None
            self.composer.set_draft(Draft())
            self._load_draft(files if self._workspace.services is not None else ())
        if files and (not changed or self._workspace.services is None):
            self.composer.add_files(files)
        if conversation_id:
            self._load_path()
        else:
            self._path, self._summaries = [], []
            if self._transcript is not None:
                self._transcript.show_path([])
            self.path_shown.emit([])
            self.start_page.refresh()
            self._stack.setCurrentWidget(self.start_page)
        self._show_generating()
        if changed:
            self.conversation_changed.emit(conversation_id)

    def set_parameters(self, conversation_id: str, sampling: SamplingParams | None, instructions: str) -> None:
        """How answers of a conversation are made from now on ("": of the new chat, once it begins)."""
        if not conversation_id:
            self._new_parameters = (sampling, instructions)
            return

        def keep(store: ConversationStore) -> Changes:
            store.set_system_prompt(conversation_id, instructions)
            return store.set_sampling(conversation_id, sampling)

        self._workspace.library.run(keep)

    def focus_composer(self) -> None:
        self.composer.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def stop(self) -> None:
        """Stop the answer under way."""
        services = self._workspace.services
        if services is not None and self._conversation_id and self._generating:
            services.chat.stop(self._conversation_id)

    def regenerate_last(self) -> None:
        """Answer the last question again, beside the answer that is there."""
        message = self._last(Role.ASSISTANT)
        if message is not None and not self._generating:
            self._on_regenerate(message.id)

    def edit_last_question(self) -> None:
        """Open the editor of the person's last message, if there is one and no answer is under way."""
        message = self._last(Role.USER)
        if message is None or self._generating:
            return
        self.transcript.scroll_to(message.id)
        if (view := self.transcript.message_view(message.id)) is not None:
            view.edit()

    def show_message(self, message_id: str) -> None:
        """Bring a message of the conversation on show into view."""
        self.transcript.scroll_to(message_id)

    def copy_last_answer(self) -> None:
        """Put the newest answer on the clipboard."""
        self.transcript.copy_last_answer()

    def close_page(self) -> None:
        """Keep the draft and stop listening; the window is going."""
        self.composer.flush_draft()
        self._workspace.answers.forget(self)

    def _connect(self) -> None:
        workspace = self._workspace
        workspace.bridge.chat_event.connect(self._on_chat_event)
        workspace.engine_changed.connect(self._on_engine_changed)
        workspace.models.entries_changed.connect(self._show_whether_sendable)
        workspace.ready.connect(self._on_ready)
        workspace.library.replaced.connect(self._on_replaced)
        workspace.theme.changed.connect(self._on_theme_changed)
        self.start_page.starter_chosen.connect(self._on_starter_chosen)
        self.composer.submitted.connect(self._on_submitted)
        self.composer.stop_requested.connect(self.stop)
        self.composer.draft_changed.connect(self._on_draft_changed)
        self.composer.attachment_refused.connect(self._toasts.show)
        self.composer.edit_last_requested.connect(self.edit_last_question)
        self.composer.documents_given.connect(self.documents.add)
        self.composer.documents_menu_requested.connect(self.documents.fill_menu)
        self.documents.failed.connect(self._toasts.show)
        self.documents.said.connect(self._toasts.show)

    @property
    def transcript(self) -> Transcript:
        """Made when it is first needed: what it imports takes longer than the rest of the window."""
        if self._transcript is None:
            self._transcript = self._make_transcript()
            self._stack.addWidget(self._transcript)
        return self._transcript

    def _make_transcript(self) -> Transcript:
        from app.ui.transcript import Transcript  # noqa: PLC0415  # see `transcript`

        transcript = Transcript(self._workspace.theme, parent=self, pictures=self._workspace.pictures)
        transcript.regenerate_requested.connect(self._on_regenerate)
        transcript.edit_requested.connect(self._on_edit)
        transcript.sibling_requested.connect(self._on_sibling)
        transcript.branch_requested.connect(self._on_branch)
        transcript.continue_requested.connect(self._on_continue)
        transcript.delete_requested.connect(self._on_delete)
        transcript.pin_requested.connect(self._on_pin)
        transcript.summary_edited.connect(self._on_summary_edited)
        transcript.summary_undone.connect(self._on_summary_undone)
        transcript.citation_activated.connect(self.citation_activated)
        transcript.copied.connect(lambda: self._toasts.show(tr("Copied")))
        return transcript

    def _last(self, role: Role) -> StoredMessage | None:
        return next((each for each in reversed(self._path) if each.role is role), None)

    def _load_path(self) -> None:
        conversation_id = self._conversation_id

        def show(found: tuple[list[StoredMessage], list[Summary]]) -> None:
            if conversation_id == self._conversation_id:
                self._summaries = found[1]
                self._show_path(found[0])

        self._workspace.library.run(lambda store: (store.path(conversation_id), store.summaries(conversation_id)), show)

    def _show_summary(self) -> None:
        summary = newest_on(self._path, self._summaries)
        covered = [message.id for message in covered_by(summary, self._path)]
        self.transcript.show_summary(summary, covered)

    def _take_summary(self, summary: Summary) -> None:
        """One was made or changed."""
        known = [each.id for each in self._summaries]
        if summary.id in known:
            self._summaries[known.index(summary.id)] = summary
        else:
            self._summaries.append(summary)
        self._show_summary()

    def _show_path(self, path: list[StoredMessage]) -> None:
        if self._workspace.answers.is_outdated(path):
            self._load_path()  # an answer ended while this was on its way
            return
        self._path = self._workspace.answers.brought_up_to_date(path)
        self.transcript.show_path(self._path)
        self._show_summary()
        self._stack.setCurrentWidget(self.transcript if path else self.start_page)
        if self._want_message:
            self.transcript.scroll_to(self._want_message)
            self._want_message = ""
        self._show_generating()
        self.path_shown.emit(self._path)

    def _load_draft(self, files: Sequence[Path] = ()) -> None:
        conversation_id = self._conversation_id

        def show(stored: Draft) -> None:
            draft = self._workspace.held_drafts.draft(conversation_id) or stored
            if draft != Draft() and conversation_id == self._conversation_id and self.composer.draft == Draft():
                self.composer.set_draft(draft)
            if files and conversation_id == self._conversation_id:
                self.composer.add_files(files)

        self._workspace.library.run(lambda store: store.draft(conversation_id or None), show)

    def _show_generating(self) -> None:
        generating = self._sending or self._workspace.answers.is_generating(self._conversation_id)
        if generating != self._generating:
            self._generating = generating
            self.composer.set_generating(generating)
            self.generating_changed.emit(generating)

    def _then(self, future: Future[str], done: Callable[[str], None] | None = None) -> None:
        """Follow a chat operation; its failure becomes a toast."""
        self._workspace.bridge.then(future, done or (lambda _id: None), self._on_failed)

    def _on_failed(self, error: BaseException) -> None:
        self._toasts.show(sentence_of(error))

    def _on_replaced(self) -> None:
        if self._workspace.library.conversation(self._conversation_id) is not None:
            self._load_path()

    def _on_ready(self) -> None:
        self._show_whether_sendable()
        # Before the first message, while nobody waits for it.
        QTimer.singleShot(0, self, lambda: self.transcript)
        held, self._held = self._held, None
        if held is not None and self.composer.draft == held:
            self.composer.submit()
        else:
            self._load_draft()
        if self._conversation_id:
            self._load_path()

    def _on_submitted(self, text: str, attachments: tuple[Attached, ...]) -> None:
        services = self._workspace.services
        draft = Draft(text, attachments)
        if services is None:
            # The first second after the start: it stands where it was written, and goes when the store is open.
            self.composer.restore(draft)
            self._held = draft
            return
        asked_from = self._conversation_id
        self._sending = True
        self._show_generating()

        def sent(conversation_id: str) -> None:
            self._sending = False
            if not asked_from and not self._conversation_id:
                self.open(conversation_id)
            self._show_generating()

        def failed(error: BaseException) -> None:
            self._sending = False
            self._show_generating()
            self.composer.restore(draft)
            self._toasts.show(sentence_of(error))

        def send(conversation_id: str | None) -> None:
            self._workspace.bridge.then(services.chat.send(conversation_id, text, attachments), sent, failed)

        parameters, self._new_parameters = self._new_parameters, None
        if asked_from:
            self.documents.adopt(asked_from, lambda: send(asked_from))
            return
        if parameters is None and not self.documents.is_pending:
            send(None)
            return
        sampling, instructions = parameters or (None, "")

        def create(store: ConversationStore) -> str:
            conversation = store.create_conversation(system_prompt=instructions)
            store.set_sampling(conversation.id, sampling)
            return conversation.id

        def equip(conversation_id: str) -> None:
            self.documents.adopt(conversation_id, lambda: send(conversation_id))

        self._workspace.library.run(create, equip, failed=failed)

    def _on_regenerate(self, message_id: str) -> None:
        if (services := self._workspace.services) is not None:
            self._then(services.chat.regenerate(message_id))

    def _on_edit(self, message_id: str, text: str) -> None:
        if (services := self._workspace.services) is not None:
            self._then(services.chat.edit(message_id, text))

    def _on_continue(self, message_id: str) -> None:
        if (services := self._workspace.services) is not None:
            self._then(services.chat.continue_answer(message_id))

    def _on_sibling(self, message_id: str, step: int) -> None:
        def select(store: ConversationStore) -> Changes:
            siblings = store.siblings(message_id)
            position = min(len(siblings) - 1, max(0, siblings.index(message_id) + step))
            return store.select_sibling(siblings[position])

        self._workspace.library.run(select, lambda _changes: self._load_path())

    def _on_pin(self, message_id: str, pinned: bool) -> None:
        if (services := self._workspace.services) is not None:
            self._workspace.bridge.then(
                services.chat.set_pinned(message_id, pinned), lambda _message: None, self._on_failed
            )

    def _on_summary_edited(self, summary_id: str, text: str) -> None:
        if (services := self._workspace.services) is not None:
            self._workspace.bridge.then(
                services.chat.edit_summary(summary_id, text), lambda _summary: None, self._on_failed
            )

    def _on_summary_undone(self, summary_id: str) -> None:
        services = self._workspace.services
        if services is None:
            return
        chat = services.chat

        def again() -> None:
            self._workspace.bridge.then(chat.undo_summary(summary_id, False), lambda _summary: None, self._on_failed)

        def undone(_summary: Summary) -> None:
            self._toasts.show(tr("The model reads the messages themselves again"), action=tr("Undo"), run=again)

        self._workspace.bridge.then(chat.undo_summary(summary_id), undone, self._on_failed)

    def _on_delete(self, message_id: str) -> None:
        library = self._workspace.library

        def restore() -> None:
            library.run(lambda store: store.restore_message(message_id), lambda _changes: self._load_path())

        def deleted(_changes: Changes) -> None:
            self._load_path()
            self._toasts.show(tr("Message deleted"), action=tr("Undo"), run=restore)

        library.run(lambda store: store.delete_message(message_id), deleted)

    def _on_branch(self, message_id: str) -> None:
        self._workspace.library.run(
            lambda store: store.branch_conversation(message_id), lambda branch: self.open(branch.id)
        )

    def _on_starter_chosen(self, words: str) -> None:
        self.composer.set_draft(Draft(words))
        self.focus_composer()

    def _on_draft_changed(self, draft: Draft) -> None:
        conversation_id, held = self._conversation_id, self._workspace.held_drafts
        library = self._workspace.library

        def failed(error: BaseException) -> None:
            # Nobody is told while writing; sending says it.
            held.hold(conversation_id, draft)
            library.report(error, say=False)

        library.run(
            lambda store: store.save_draft(conversation_id or None, draft),
            lambda _nothing: held.release(conversation_id),
            failed=failed,
        )

    def _on_chat_event(self, event: ChatEvent) -> None:
        if isinstance(event, MessageAdded) and event.message.conversation_id == self._conversation_id:
            self._path = [*self._path, event.message]
            self._stack.setCurrentWidget(self.transcript)
            self.transcript.add_message(event.message)
            self._show_generating()
            self.path_shown.emit(self._path)
        elif isinstance(event, Streamed) and event.conversation_id == self._conversation_id:
            self.transcript.streamed(event.message_id, event.event)
            self.observed.emit(event.event)
            if not self._generating:
                self._show_generating()
        elif isinstance(event, MessageFinished) and event.message.conversation_id == self._conversation_id:
            self._path = [event.message if each.id == event.message.id else each for each in self._path]
            self.transcript.finish_message(event.message)
            self._show_generating()
            self.path_shown.emit(self._path)
            self._announce(event.message)
        elif (
            isinstance(event, SummaryAdded | SummaryChanged) and event.summary.conversation_id == self._conversation_id
        ):
            self._take_summary(event.summary)
        elif isinstance(event, PathChanged) and event.conversation_id == self._conversation_id:
            self._load_path()

    def _announce(self, message: StoredMessage) -> None:
        if message.state is MessageState.COMPLETE:
            announce(self, tr("Answer: {text}", text=message.text[:_SPOKEN_CHARACTERS]))
        elif message.state is MessageState.FAILED:
            announce(self, message.error)

    def _on_engine_changed(self, state: EngineState) -> None:
        self.composer.set_model_state(state)
        self.start_page.set_private(not answering_host(self._workspace, state))
        self._show_whether_sendable()

    def _show_whether_sendable(self) -> None:
        """A question is refused where there is no model at all, and where it could not be kept."""
        models, services = self._workspace.models, self._workspace.services
        if services is not None and services.store.read_only:
            self.composer.set_enabled_with_reason(tr("Your chats can only be read at the moment"))
            return
        empty = self._workspace.engine_state.status is EngineStatus.EMPTY
        nothing = empty and models.scanned and not models.has_models()
        self.composer.set_enabled_with_reason(tr("Choose a model first") if nothing else "")

    def _on_theme_changed(self) -> None:
        space = self._workspace.theme.space
        # The transcript's scroll bar takes room at its right: centre below the same column.
        bar = self.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent)
        self._foot_row.setContentsMargins(space(5), space(1), space(5) + max(bar, space(2.5)), space(4))
        self._documents_row.setContentsMargins(space(5), space(1), space(5) + max(bar, space(2.5)), space(1))
        self.composer.setMaximumWidth(space(_COLUMN_UNITS))
        self.documents.setMaximumWidth(space(_COLUMN_UNITS))
