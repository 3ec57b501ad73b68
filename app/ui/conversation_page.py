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
from app.ui.answer_meter import AnswerMeter
from app.ui.chat_documents import ChatDocuments
from app.ui.composer import Composer
from app.ui.composer_text import holds_image, local_files, only_begins
from app.ui.conversation_beginning import NewChat
from app.ui.conversation_requests import MessageRequests
from app.ui.dictation import Dictation
from app.ui.library import sentence_of
from app.ui.persona_flow import ChatPersona
from app.ui.persona_mention import PersonaMention
from app.ui.remote_banner import answering_host
from app.ui.start_page import StartPage
from app.ui.toast import Toasts, announce
from app.ui.workspace import Workspace
from engine.context.segments import Role
from engine.engine import EngineState, EngineStatus
from engine.errors import ConversationGoneError
from engine.types import SamplingParams

if TYPE_CHECKING:
    from app.store.store import ConversationStore
    from app.ui.persona_start import PersonaStart
    from app.ui.transcript import Transcript

_SPOKEN_CHARACTERS = 400
_COLUMN_UNITS = 190
"""The widest a line of text and the composer get, in spacing units."""


class ConversationPage(QWidget):
    """Shows a conversation, or the start page while there is none yet."""

    conversation_changed = Signal(str)
    """Another conversation is on show ("": a new chat). Also when a new chat has got its id."""
    begun = Signal(str)
    """The new chat on show has become this conversation; before `conversation_changed`."""
    generating_changed = Signal(bool)
    observed = Signal(object)
    """A stream event of the conversation on show."""
    files_dropped = Signal(list)
    """Paths that were dropped on the page; `composer.add_files` attaches them."""
    citation_activated = Signal(object)
    """A `SourcePassage` of the conversation on show."""
    path_shown = Signal(list)
    """The messages on show, after every change that is not a stream event."""
    scrolled = Signal()

    def __init__(self, workspace: Workspace, toasts: Toasts, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace, self._toasts = workspace, toasts
        self._conversation_id = ""
        self._sending = False
        self._held: Draft | None = None
        self._generating = False
        self._want_message = ""
        self._want_place = "", 0
        self._path: list[StoredMessage] = []
        self._summaries: list[Summary] = []
        self.setProperty("kind", "surface")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAcceptDrops(True)
        theme = workspace.theme
        self.start_page = StartPage(theme, self)
        self._transcript: Transcript | None = None
        self._persona_start: PersonaStart | None = None
        self._stack = QStackedWidget(self)
        self._stack.addWidget(self.start_page)
        self._centre = QStackedWidget(self)
        self._centre.addWidget(self._stack)
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
        column.addWidget(self._centre, 1)
        column.addLayout(self._documents_row)
        column.addWidget(self._foot)
        self.dictation = Dictation(workspace, self.composer, toasts, self._keep_draft, self)
        self.persona = ChatPersona(workspace, self)
        self.mention = PersonaMention(
            theme, workspace.persona_icons, workspace.personas, self.composer.field, self.composer
        )
        self._new_chat = NewChat(workspace, self.documents, self.persona)
        self.requests = MessageRequests(workspace, toasts, lambda: self._path, self)
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

    @property
    def live_meter(self) -> AnswerMeter | None:
        """What the answer being written here has cost so far; None without one, and while it waits."""
        return self._workspace.answers.meter(self._conversation_id) if self._generating else None

    def open(self, conversation_id: str, *, message_id: str = "", files: Sequence[Path] = ()) -> None:
        """Show a conversation ("": a new chat), at `message_id` if one is given. It is given `files` once its draft is
        there.
        """
        self.composer.flush_draft()
        changed = conversation_id != self._conversation_id
        if changed:
            self.dictation.leave(self._conversation_id)
        self._conversation_id = conversation_id
        self._want_message, self._want_place = message_id, ("", 0)
        self._workspace.answers.watch(self, conversation_id)
        self.documents.show_conversation(conversation_id)
        self.persona.show_conversation(conversation_id)
        if changed:
            self._new_chat.forget()
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
            self._show_stack()
        self._show_generating()
        if changed:
            self.conversation_changed.emit(conversation_id)

    @property
    def place(self) -> tuple[str, int]:
        """Where the conversation on show stands, as `Transcript.place`."""
        if self._want_place[0] or self._transcript is None:
            return self._want_place
        return self._transcript.place

    def return_to(self, message_id: str, offset: int) -> None:
        """Show that place of the conversation on show, once its messages are there."""
        self._want_place = message_id, offset

    def add_words(self, words: str) -> None:
        """Write more into the composer, behind the draft that may be on its way from the store."""
        if self._workspace.services is None:
            self.composer.insert_text(words)
        elif words:
            self._workspace.library.run(lambda store: None, lambda _nothing: self.composer.insert_text(words))

    def follow(self, conversation_id: str) -> None:
        """The new chat on show has become this conversation otherwise than by what stands in the composer, which goes
        along.
        """
        draft = self.composer.draft
        if draft != Draft():
            self.composer.set_draft(Draft())
            self._on_draft_changed(Draft())
        self.open(conversation_id)
        if draft != Draft():
            self.composer.restore(draft)

    def set_parameters(self, conversation_id: str, sampling: SamplingParams | None, instructions: str) -> None:
        """How answers of a conversation are made from now on ("": of the new chat, once it begins)."""
        if not conversation_id:
            self._new_chat.set_parameters(sampling, instructions)
            return

        def keep(store: ConversationStore) -> Changes:
            store.set_system_prompt(conversation_id, instructions)
            return store.set_sampling(conversation_id, sampling)

        self._workspace.library.run(keep)

    def focus_composer(self) -> None:
        self.composer.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def add_cover(self, cover: QWidget) -> None:
        """Something that may stand over the messages, while the composer stays."""
        self._centre.addWidget(cover)

    def show_cover(self, cover: QWidget) -> None:
        """Let it stand over the messages. What happens to them is not announced meanwhile."""
        self._centre.setCurrentWidget(cover)

    def hide_cover(self) -> None:
        """Back to the messages."""
        self._centre.setCurrentWidget(self._stack)

    def stop(self) -> None:
        """Stop the answer under way."""
        services = self._workspace.services
        if services is not None and self._conversation_id and self._generating:
            services.chat.stop(self._conversation_id)

    def stop_what_runs(self) -> None:
        """The key that stops: dictation, then reading aloud, then the answer under way."""
        voice = self._workspace.voice
        if self.dictation.is_on:
            self.dictation.end()
        elif voice.read_message:
            voice.stop_reading()
        else:
            self.stop()

    def read_last_aloud(self) -> None:
        """Read the newest answer aloud, or stop reading it."""
        message = self._last(Role.ASSISTANT)
        if message is not None:
            self.requests.read_aloud(message.id)

    def regenerate_last(self) -> None:
        """Answer the last question again, beside the answer that is there."""
        message = self._last(Role.ASSISTANT)
        if message is not None and not self._generating:
            self.requests.regenerate(message.id)

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
        self.dictation.close()
        self.composer.flush_draft()
        self._workspace.answers.forget(self)

    def _connect(self) -> None:
        workspace = self._workspace
        workspace.answers.followed.connect(self._on_chat_event)
        workspace.engine_changed.connect(self._on_engine_changed)
        workspace.models.entries_changed.connect(self._show_whether_sendable)
        workspace.ready.connect(self._on_ready)
        workspace.library.replaced.connect(self._on_replaced)
        workspace.theme.changed.connect(self._on_theme_changed)
        workspace.voice.changed.connect(self._show_reading)
        self.start_page.starter_chosen.connect(self._on_starter_chosen)
        self.composer.submitted.connect(self._on_submitted)
        self.composer.stop_requested.connect(self.stop)
        self.composer.draft_changed.connect(self._on_draft_changed)
        self.composer.attachment_refused.connect(self._toasts.show)
        self.composer.edit_last_requested.connect(self.edit_last_question)
        self.composer.documents_given.connect(self.documents.add)
        self.composer.text_given.connect(lambda text: self.documents.add([text]))
        self.composer.documents_menu_requested.connect(self.documents.fill_menu)
        self.composer.files_dropped.connect(self.files_dropped)
        self.persona.changed.connect(self._on_persona_changed)
        self.persona.failed.connect(self._toasts.show)
        self.mention.chosen.connect(self.persona.choose)
        self.requests.path_changed.connect(self._load_path)
        self.requests.branched.connect(self.open)
        self.documents.failed.connect(self._toasts.show)
        self.documents.said.connect(self._toasts.show)

    @property
    def transcript(self) -> Transcript:
        """Made when it is first needed: what it imports takes longer than the rest of the window."""
        if self._transcript is None:
            self._transcript = self._make_transcript()
            self._stack.addWidget(self._transcript)
        return self._transcript

    @property
    def persona_start(self) -> PersonaStart:
        """Made when the first chat with a persona begins."""
        if self._persona_start is None:
            from app.ui.persona_start import PersonaStart  # noqa: PLC0415  # see `transcript`

            self._persona_start = PersonaStart(self._workspace.theme, self._workspace.persona_icons, self)
            self._persona_start.starter_chosen.connect(self._on_question_chosen)
            self._stack.addWidget(self._persona_start)
        return self._persona_start

    def _make_transcript(self) -> Transcript:
        from app.ui.transcript import Transcript  # noqa: PLC0415  # see `transcript`

        transcript = Transcript(self._workspace.theme, parent=self, pictures=self._workspace.pictures)
        self.requests.follow(transcript)
        transcript.citation_activated.connect(self.citation_activated)
        transcript.scroll_bar.valueChanged.connect(lambda _value: self.scrolled.emit())
        transcript.show_read_aloud(self._workspace.voice.read_message)
        return transcript

    def _last(self, role: Role) -> StoredMessage | None:
        return next((each for each in reversed(self._path) if each.role is role), None)

    def _load_path(self) -> None:
        conversation_id = self._conversation_id

        def show(found: tuple[list[StoredMessage], list[Summary]]) -> None:
            if conversation_id == self._conversation_id:
                self._summaries = found[1]
                self._show_path(found[0])

        def failed(error: BaseException) -> None:
            self._workspace.library.report(error)
            if isinstance(error, ConversationGoneError) and conversation_id == self._conversation_id:
                self.open("")  # the last session showed it, and it is gone since: nothing could be sent from here

        self._workspace.library.run(
            lambda store: (store.path(conversation_id), store.summaries(conversation_id)), show, failed=failed
        )

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
        self._show_stack()
        if self._want_message:
            self.transcript.scroll_to(self._want_message)
            self._want_message = ""
        elif self._want_place[0]:
            (message_id, offset), self._want_place = self._want_place, ("", 0)
            self.transcript.return_to(message_id, offset)
        self._show_generating()
        self.path_shown.emit(self._path)

    def _show_stack(self) -> None:
        """The messages; before the first one, who is there to talk to."""
        self.persona.set_begun(bool(self._path))
        shelved = self.persona.shelved
        if self._path:
            self._stack.setCurrentWidget(self.transcript)
        elif shelved is not None:
            self.persona_start.show_persona(shelved)
            self._stack.setCurrentWidget(self.persona_start)
        else:
            self._stack.setCurrentWidget(self.start_page)

    def _on_persona_changed(self) -> None:
        shelved = self.persona.shelved
        self.composer.set_addressee(shelved.persona.name if shelved is not None else "")
        self._show_stack()

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
                self.begun.emit(conversation_id)
                self.open(conversation_id)
            self._show_generating()

        def failed(error: BaseException) -> None:
            self._sending = False
            self._show_generating()
            self.composer.restore(draft)
            self._toasts.show(sentence_of(error))

        persona = self.persona.for_new_chat

        def ask(conversation_id: str | None) -> Future[str]:
            return services.chat.send(conversation_id, text, attachments, persona=persona)

        def send(conversation_id: str | None) -> None:
            self._workspace.bridge.then(ask(conversation_id), sent, failed)

        if asked_from:
            self.documents.adopt(asked_from, lambda: send(asked_from))
        else:
            self._new_chat.equip(send, failed)

    def provide_conversation(self, done: Callable[[str | None], None]) -> None:
        """Give the conversation on show, with all that was chosen for it; None: a new one will do."""
        if self._conversation_id:
            done(self._conversation_id)
            return

        def equipped(conversation_id: str | None) -> None:
            if conversation_id is not None and not self._conversation_id:
                self.begun.emit(conversation_id)
                self.follow(conversation_id)
            done(conversation_id)

        self._new_chat.equip(equipped, self._on_failed)

    def _show_reading(self) -> None:
        if self._transcript is not None:
            self._transcript.show_read_aloud(self._workspace.voice.read_message)

    def _on_starter_chosen(self, words: str) -> None:
        self.composer.set_draft(Draft(words))
        self.focus_composer()

    def _on_question_chosen(self, words: str) -> None:
        """Ask it at once, unless it only begins one ("Translate: ") or something else is being written."""
        is_empty = self.composer.draft == Draft()
        self.composer.insert_text(words)
        if is_empty and not only_begins(words):
            self.composer.submit()
        self.focus_composer()

    def _on_draft_changed(self, draft: Draft) -> None:
        self._save_draft(self._conversation_id, draft)

    def _keep_draft(self, conversation_id: str, draft: Draft) -> None:
        """Of a chat that was left while somebody dictated in it; it may be on show again."""
        if conversation_id == self._conversation_id:
            self.composer.set_draft(draft)
        self._save_draft(conversation_id, draft)

    def _save_draft(self, conversation_id: str, draft: Draft) -> None:
        library, held = self._workspace.library, self._workspace.held_drafts

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
            self._show_stack()
            if event.message.role is Role.ASSISTANT:
                self.persona.set_answered()
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
        if self._centre.currentWidget() is not self._stack:
            return
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
