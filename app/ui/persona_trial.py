"""A chat beside the form of a persona, answered by the persona as it stands there. Nothing of it is kept.

Shows what the trial's own events tell it; knows no form.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QStackedWidget, QVBoxLayout, QWidget

from app.events import ChatEvent, MessageAdded, MessageFinished, Notice, PathChanged, Streamed
from app.i18n import tr
from app.persona_trial import PersonaTrial
from app.personas.drafts import Draft
from app.personas.folder import Given
from app.personas.persona import Persona
from app.store.types import MessageState, SourcePassage, StoredMessage
from app.ui.bridge import EventBridge
from app.ui.composer_button import SendButton
from app.ui.composer_text import ComposerText, only_begins
from app.ui.icons import IconButton
from app.ui.library import sentence_of
from app.ui.live_answers import LiveAnswers
from app.ui.message_actions import Action
from app.ui.persona_trial_start import TrialStart, WordsFrame
from app.ui.transcript import Transcript
from app.ui.workspace import Workspace

if TYPE_CHECKING:
    from app.services import Services

T = TypeVar("T")


class TrialPanel(QWidget):
    """`draft` is asked at each question. Call `begin` once the services are open, `close_trial` before it goes."""

    asked = Signal()
    """A question is on its way: look again how the documents are."""
    failed = Signal(str)
    """A sentence."""

    def __init__(self, workspace: Workspace, draft: Callable[[], Draft], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace, self._draft = workspace, draft
        self._bridge = EventBridge(self)
        self._answers = LiveAnswers(self._bridge, self)
        self.trial: PersonaTrial | None = None
        self._conversation_id = ""
        self._answering = False
        self.setProperty("kind", "window")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        theme = workspace.theme
        self._title = QLabel(tr("Try it out"), self)
        self._title.setProperty("kind", "large")
        self.restart_button = IconButton(theme, "rotate-ccw", tr("Begin the trial anew"), parent=self)
        self.start = TrialStart(workspace, self)
        allowed = frozenset({Action.COPY, Action.REGENERATE})
        self.transcript = Transcript(theme, self, pictures=workspace.pictures, allowed=allowed)
        self._stack = QStackedWidget(self)
        self._stack.addWidget(self.start)
        self._stack.addWidget(self.transcript)
        self._frame = WordsFrame(workspace, self)
        self.words = ComposerText(theme, lambda: workspace.settings.text("chat.send_with") != "ctrl_enter", self._frame)
        self.words.setPlaceholderText(tr("Ask it something"))
        self.words.setAccessibleName(tr("Ask it something"))
        self.send_button = SendButton(theme, self._frame)
        self._lay_out()
        self._connect()
        self._on_theme_changed()
        self._show_state()

    def begin(self, services: Services, whole: Callable[[Draft], Given]) -> None:
        """The model can be asked from now on."""
        if self.trial is None:
            self.trial = PersonaTrial(services, self._bridge.publish, whole)
            self._show_state()

    def show_persona(self, persona: Persona) -> None:
        """What the form says has changed."""
        self.start.show_persona(persona)

    def ask(self, words: str) -> None:
        """Ask the persona as it stands now."""
        if self.trial is None or self._answering or not words.strip():
            return
        self._set_answering(True)

        def failed(error: BaseException) -> None:
            if not self.words.toPlainText():
                self.words.setPlainText(words)
            self._on_not_answered(error)

        self._bridge.then(self.trial.ask(self._draft(), words), lambda _id: None, failed)
        self.asked.emit()

    def restart(self) -> None:
        """Forget what was said."""
        if self.trial is not None:
            self.trial.restart()
        self._conversation_id = ""
        self.transcript.show_path([])
        self._stack.setCurrentWidget(self.start)
        self._set_answering(False)
        self.words.setFocus()

    def prepare(self, draft: Draft) -> None:
        """Have the draft's documents read."""
        if self.trial is not None:
            self._bridge.then(self.trial.prepare(draft), lambda _nothing: None, self._on_failed)

    def then(self, future: Future[T], done: Callable[[T], None]) -> None:
        """As the bridge's, for as long as the panel is there."""
        self._bridge.then(future, done, self._on_failed)

    def close_trial(self) -> None:
        """Let go of the trial; nothing comes home any more."""
        self._bridge.close()
        if self.trial is not None:
            self.trial.close()
            self.trial = None

    def _lay_out(self) -> None:
        self._head = QHBoxLayout()
        self._head.addWidget(self._title, 1)
        self._head.addWidget(self.restart_button)
        self._inside = QHBoxLayout(self._frame)
        self._inside.addWidget(self.words, 1, Qt.AlignmentFlag.AlignVCenter)
        self._inside.addWidget(self.send_button, 0, Qt.AlignmentFlag.AlignBottom)
        self._foot = QVBoxLayout()
        self._foot.addWidget(self._frame)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addLayout(self._head)
        self._column.addWidget(self._stack, 1)
        self._column.addLayout(self._foot)

    def _connect(self) -> None:
        self._answers.followed.connect(self._on_event)
        self.restart_button.clicked.connect(self.restart)
        self.start.chosen.connect(self._on_starter)
        self.words.send_requested.connect(self._on_send)
        self.words.stop_requested.connect(self._on_stop)
        self.words.textChanged.connect(self._show_state)
        self.send_button.clicked.connect(self._on_button)
        self.transcript.regenerate_requested.connect(self._on_regenerate)
        self.transcript.citation_activated.connect(self._on_citation)
        self._workspace.theme.changed.connect(self._on_theme_changed)

    def _on_starter(self, words: str) -> None:
        """Ask it at once, unless it only begins a question or something else is being written."""
        is_empty = self.words.is_blank
        self.words.insertPlainText(words)
        if is_empty and not only_begins(words):
            self._on_send()
        self.words.setFocus()

    def _on_citation(self, source: SourcePassage) -> None:
        from app.ui.sources_flow import show_source  # noqa: PLC0415  # only when asked for

        show_source(self, self._workspace, source)

    def _on_send(self) -> None:
        words = self.words.toPlainText()
        if self.trial is not None and not self._answering and words.strip():
            self.words.clear()
            self.ask(words)

    @property
    def is_answering(self) -> bool:
        """A question is on its way, or being answered."""
        return self._answering

    def _on_stop(self) -> None:
        if self.trial is not None and self._answering:
            self.trial.stop()

    def _on_button(self) -> None:
        if self._answering:
            self._on_stop()
        else:
            self._on_send()

    def _on_regenerate(self, message_id: str) -> None:
        if self.trial is not None and not self._answering:
            self._set_answering(True)
            self._bridge.then(self.trial.regenerate(message_id), lambda _id: None, self._on_not_answered)

    def _on_not_answered(self, error: BaseException) -> None:
        self._set_answering(False)
        self._on_failed(error)

    def _on_failed(self, error: BaseException) -> None:
        self.failed.emit(sentence_of(error))

    def _on_event(self, event: ChatEvent) -> None:
        if isinstance(event, MessageAdded):
            if event.message.conversation_id != self._conversation_id:
                self._conversation_id = event.message.conversation_id
                self.transcript.show_path([])
                self._load()  # with the greeting before it
            self._stack.setCurrentWidget(self.transcript)
            self.transcript.add_message(event.message)
        elif isinstance(event, Streamed):
            self.transcript.streamed(event.message_id, event.event)
        elif isinstance(event, MessageFinished):
            self.transcript.finish_message(event.message)
            self._set_answering(False)
            if event.message.state is MessageState.FAILED:
                self.failed.emit(event.message.error)
        elif isinstance(event, PathChanged):
            self._load()
        elif isinstance(event, Notice) and event.level != "info":
            self.failed.emit(event.text)

    def _load(self) -> None:
        """The path of the trial as it is stored, with what has streamed since."""
        trial, conversation_id = self.trial, self._conversation_id
        if trial is None or not conversation_id:
            return

        def show(path: list[StoredMessage]) -> None:
            if conversation_id != self._conversation_id:
                return
            if self._answers.is_outdated(path):
                self._load()
            else:
                self.transcript.show_path(self._answers.brought_up_to_date(path))

        self._bridge.then(trial.store_call(lambda store: store.path(conversation_id)), show, self._on_failed)

    def _set_answering(self, answering: bool) -> None:
        self._answering = answering
        self._show_state()

    def _show_state(self) -> None:
        ready = self.trial is not None
        reason = "" if ready else tr("Hearth is still starting")
        self.send_button.set_state(generating=self._answering, enabled=ready and not self.words.is_blank, reason=reason)

    def _on_theme_changed(self) -> None:
        space = self._workspace.theme.space
        self._head.setContentsMargins(space(5), space(4), space(4), space(1))
        self._inside.setContentsMargins(space(4), space(2), space(2), space(2))
        self._inside.setSpacing(space(2))
        self._foot.setContentsMargins(space(4), space(2), space(4), space(4))
