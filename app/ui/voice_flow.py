"""A conversation by speech in one window: its view opens over the messages, and all that was said lands in them.

Brings the voice service, the page and the view together. The view closes with the conversation it belongs to; only one
window has it at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from app.events import ChatEvent, MessageAdded, MessageFinished, Streamed, VoiceHappened
from app.i18n import tr
from app.store.types import StoredMessage
from app.ui.conversation_page import ConversationPage
from app.ui.library import sentence_of
from app.ui.motion import wants_less_motion
from app.ui.toast import Toasts
from app.ui.voice_exchange import Exchange
from app.ui.voice_view import VoiceView
from app.ui.voice_words import TALKING
from app.ui.weights_card import WeightsCard
from app.ui.workspace import Workspace
from app.voice_events import HeardSoFar, HeardText, SpokenSoFar, VoiceLevel, VoiceState, VoiceUse
from app.weights_bundle import VOICE
from voice.turn_events import Mode, TextStatus
from voice.turn_state import Phase

if TYPE_CHECKING:
    from app.voice import VoiceService

_CAPTIONS_MS = 100
"""Captions change together, at most so often."""


class VoiceFlow(QObject):
    """One for each window that has wanted it. Main thread only."""

    shown = Signal(bool)
    """The view is on show, or is no longer."""

    def __init__(self, workspace: Workspace, page: ConversationPage, toasts: Toasts, parent: QObject) -> None:
        super().__init__(parent)
        self._workspace, self._page, self._toasts = workspace, page, toasts
        self._voice: VoiceService | None = None
        self._state = VoiceState()
        self._conversation_id = ""
        """It belongs to; "" until the first question."""
        self._is_open = self._is_ordered = False
        """`_is_ordered`: it was asked for, and has not begun yet; what is told until then is of something else."""
        self._exchange = Exchange()
        self._early: list[MessageAdded | MessageFinished | Streamed] = []
        """What came while the conversation had no id here yet."""
        self._captions_timer = QTimer(self, singleShot=True, interval=_CAPTIONS_MS)
        self._captions_timer.timeout.connect(self._show_captions)
        self.view = VoiceView(workspace.theme)
        self._fetch: WeightsCard | None = None
        page.add_cover(self.view)
        view = self.view
        view.key_changed.connect(self._on_key)
        view.mute_requested.connect(self._on_mute)
        view.mode_requested.connect(self._on_mode)
        view.stop_requested.connect(self._on_stop)
        view.retry_requested.connect(self._begin)
        view.close_requested.connect(self.close)
        page.begun.connect(self._on_begun)
        page.conversation_changed.connect(self._on_conversation_changed)
        page.path_shown.connect(self._on_path_shown)
        workspace.bridge.chat_event.connect(self._on_chat_event)
        workspace.voice_taken.connect(self._on_taken)
        workspace.commands.changed.connect(self._on_commands_changed)
        self._on_commands_changed()

    @property
    def is_open(self) -> bool:
        return self._is_open

    def toggle(self) -> None:
        """Open the view, or close it."""
        if self._is_open:
            self.close()
        else:
            self.open()

    def open(self) -> None:
        """Talk in the conversation on show, or in a new one."""
        services = self._workspace.services
        if services is None or self._is_open:
            return
        self._is_open = self._is_ordered = True
        self._workspace.voice_taken.emit(self)
        self._conversation_id = self._page.conversation_id
        self._state = VoiceState(VoiceUse.CONVERSATION, Phase.OPENING, self._chosen_mode())
        self._exchange, self._early = Exchange(), []
        self._show_captions()
        self.view.show_state(self._state)
        self.view.show_talk()
        self._page.show_cover(self.view)
        self.shown.emit(True)
        self.view.setFocus()
        then, run = self._workspace.bridge.then, self._workspace.run
        then(run(wants_less_motion), self._on_motion, lambda _error: None)
        # What it imports and starts takes longer than a frame.
        then(run(lambda: services.voice), self._on_voice, self._on_failed)

    def escape(self) -> None:
        """What is being said or written ends; else the view closes."""
        if self._state.phase in TALKING:
            self._on_stop()
        elif self._page.is_generating:
            self._page.stop()
        else:
            self.close()

    def close(self) -> None:
        """End the conversation by speech. An answer under way goes on as text."""
        if self._is_open:
            if self._voice is not None and (self._is_ordered or self._state.use is VoiceUse.CONVERSATION):
                self._voice.end()
            self._leave()

    def _leave(self) -> None:
        self._is_open = self._is_ordered = False
        self._state = VoiceState()
        self.view.hold.let_go()
        self.view.show_state(self._state)
        self._page.hide_cover()
        self.shown.emit(False)
        self._page.focus_composer()

    def _on_voice(self, voice: VoiceService) -> None:
        self._voice = voice
        if not self._is_open:
            return
        if voice.is_ready:
            self._begin()
        else:
            self._show_fetch()

    def _on_motion(self, less: bool) -> None:
        if self._is_open:
            self.view.picture.set_less_motion(less)

    def _begin(self) -> None:
        if self._is_open:
            self._is_ordered = True
            self.view.show_talk()
            self._page.provide_conversation(self._converse)

    def _converse(self, conversation_id: str | None) -> None:
        if self._is_open and self._voice is not None:
            self._conversation_id = conversation_id or ""
            self._is_ordered = True
            self._voice.converse(conversation_id, self._chosen_mode())

    def _show_fetch(self) -> None:
        if self._fetch is None:
            fetch = self._workspace.voice_weights
            self._fetch = WeightsCard(
                self._workspace.theme,
                fetch,
                title=tr("Talk to Hearth"),
                about=tr(
                    "To understand you, Hearth needs {name}. They run on this computer; what you say never leaves it.",
                    name=VOICE.name,
                ),
            )
            fetch.fetched.connect(self._begin)
        self._is_ordered = False
        self._state = VoiceState()
        self._fetch.refresh()
        self.view.show_instead(self._fetch)
        self._fetch.button.setFocus()

    def _chosen_mode(self) -> Mode:
        return Mode(self._workspace.settings.text("voice.mode"))

    # What the person does in the view

    def _on_key(self, down: bool) -> None:
        if self._voice is not None:
            self._voice.key(down)

    def _on_mute(self, muted: bool) -> None:
        if self._voice is not None:
            self._voice.mute(muted)

    def _on_mode(self, mode: Mode) -> None:
        self._workspace.settings.set("voice.mode", mode.value)
        self._begin()

    def _on_stop(self) -> None:
        if self._voice is not None:
            self._voice.stop_answer()

    # What happens

    def _on_chat_event(self, event: ChatEvent) -> None:
        if not self._is_open:
            return
        if not isinstance(event, VoiceHappened):
            if isinstance(event, MessageAdded | MessageFinished | Streamed):
                self._on_message_event(event)
            return
        match event.event:
            case VoiceState():
                self._on_state(event.event)
            case VoiceLevel() if self._state.use is VoiceUse.CONVERSATION:
                self.view.show_level(event.event)
            case HeardText(text, TextStatus.RESCUED) if self._state.use is VoiceUse.CONVERSATION:
                self._page.composer.insert_text(text)
                self._hear(event.event)
            case HeardSoFar() | HeardText() if self._state.use is VoiceUse.CONVERSATION:
                self._hear(event.event)
            case SpokenSoFar():
                self._exchange.spoken(event.event)
                self._show_captions()

    def _on_state(self, state: VoiceState) -> None:
        if state.use is VoiceUse.CONVERSATION:
            self._is_ordered = False
            self._state = state
            if state.conversation_id and not self._conversation_id:
                # The first spoken question began it.
                self._settle_in(state.conversation_id)
                if not self._page.conversation_id:
                    self._page.follow(state.conversation_id)
            if state.conversation_id is not None and state.conversation_id != self._conversation_id:
                self._leave()  # another window has it
                return
            if state.phase in (Phase.LISTENING, Phase.ASLEEP, Phase.OFF, Phase.ERROR):
                self._exchange.settle()
                self._show_captions()
            self.view.show_state(state)
        elif state.problem:
            self._is_ordered = False
            self._state = state
            self._exchange.settle()
            self._show_captions()
            self.view.show_state(state)
        elif not self._is_ordered:
            self._leave()  # it was ended, or the microphone is used for something else now

    def _hear(self, event: HeardSoFar | HeardText) -> None:
        self._exchange.hear(event)
        self._show_captions()

    def _on_message_event(self, event: MessageAdded | MessageFinished | Streamed) -> None:
        if not self._conversation_id:
            self._early.append(event)
            return
        where = event.conversation_id if isinstance(event, Streamed) else event.message.conversation_id
        if where == self._conversation_id:
            self._exchange.take(event)
            if not self._captions_timer.isActive():
                self._captions_timer.start()

    def _settle_in(self, conversation_id: str) -> None:
        """A new chat has become this conversation."""
        self._conversation_id = conversation_id
        early, self._early = self._early, []
        for event in early:
            self._on_message_event(event)

    def _show_captions(self) -> None:
        self.view.captions.show_captions(self._exchange.captions)

    def _on_path_shown(self, path: list[StoredMessage]) -> None:
        if self._is_open:
            self._exchange.stored(path)
            self._show_captions()

    def _on_begun(self, conversation_id: str) -> None:
        """The new chat was begun by writing: what is said goes there too."""
        if self._is_open and not self._conversation_id:
            self._settle_in(conversation_id)
            if self._voice is not None:
                self._voice.continue_in(conversation_id)

    def _on_conversation_changed(self, conversation_id: str) -> None:
        if self._is_open and conversation_id != self._conversation_id:
            self.close()

    def _on_taken(self, by: QObject) -> None:
        if by is not self:
            self.close()

    def _on_commands_changed(self) -> None:
        self.view.escape_keys = self._workspace.commands.keys_text("stop")
        self.view.show_keys()

    def _on_failed(self, error: BaseException) -> None:
        self._toasts.show(sentence_of(error))
        self.close()
