"""Microphone and loudspeaker for the whole program: a conversation, dictation or reading aloud, one at a time.

Owns the voice process by its client, and follows the settings. What goes wrong is published as a notice. Qt-free.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from app.chat import ChatService
from app.conversing import SpokenConversation
from app.events import ChatEvent, Notice, VoiceHappened
from app.i18n import error_sentence
from app.paths import Paths
from app.personas.persona import SpeechStyle
from app.read_ahead import ReadAhead
from app.settings import Settings
from app.spoken_languages import run_voice
from app.voice_choice import OWN, PREFIX, KnownVoices, all_voices, chosen_setup, chosen_voice
from app.voice_events import (
    HeardSoFar,
    HeardText,
    SpokenSoFar,
    VoiceEvent,
    VoiceLevel,
    VoiceState,
    VoiceUse,
)
from app.voice_setup import require_weights
from app.weights_bundle import VOICE
from engine.errors import VoiceError
from voice.audio.devices import AudioDevice
from voice.audio.streams import DeviceError, Fault
from voice.client import VoiceClient
from voice.listener import Listener, QuietListener
from voice.protocol import VoiceSetup
from voice.stt.partials import Partial
from voice.turn_events import Mode, TextStatus
from voice.turn_state import Phase
from voice.types import VoiceName

MakeClient = Callable[[VoiceSetup, Listener], VoiceClient]
StyleOf = Callable[[str | None], SpeechStyle]

_log = logging.getLogger(__name__)
_LISTENS = (VoiceUse.CONVERSATION, VoiceUse.DICTATION)
_END_S = 10.0
"""The voice process may still be starting when it is told to end."""


def own_style(_id: str | None) -> SpeechStyle:
    """The person's own settings."""
    return OWN


class VoiceService:
    """Any thread; all methods but `close` return at once. `take` gets every event of the chat service."""

    def __init__(
        self,
        paths: Paths,
        settings: Settings,
        chat: ChatService,
        ahead: ReadAhead,
        publish: Callable[[ChatEvent], None],
        *,
        pool: Executor,
        make_client: MakeClient = partial(VoiceClient, entry_point=run_voice),  # noqa: B008  # it is a constant
        style_of: StyleOf = own_style,
        style_of_message: StyleOf = own_style,
    ) -> None:
        """`style_of` says how the persona of a conversation is heard, None for one not begun yet; both may block."""
        self._paths = paths
        self._settings = settings
        self._publish = publish
        self._pool = pool
        self._make_client = make_client
        self._style_of = style_of
        self._style_of_message = style_of_message
        self._style = OWN
        self._known_voices = KnownVoices(paths, self._on_missing_voice)
        # One thing after another: other settings end the voice process first, which takes up to some seconds.
        self._orders = ThreadPoolExecutor(1, "voice")
        self._lock = threading.RLock()
        """Of what the orders and the voice process' reader thread both change."""
        self._phase_came = threading.Condition(self._lock)
        self._state = VoiceState()
        self._awaits_opening = False
        """Turned on; until it opens, that it is off was about an earlier time."""
        self._is_ending = False
        """Turned off; until it is, what is told is about that time."""
        self._problem = ""
        """The last notice, until something is heard: a device that fails again and again is told of once only."""
        self._reading: Future[None] | None = None
        self._client: VoiceClient | None = None
        self._setup: VoiceSetup | None = None
        self._conversation = SpokenConversation(chat, ahead, _Told(self), publish)
        self._unfollow = settings.subscribe(self._on_setting)

    @property
    def state(self) -> VoiceState:
        return self._state

    @property
    def is_ready(self) -> bool:
        """The weights that hear are there. Reading aloud does without."""
        return not VOICE.missing(self._paths.voice)

    def converse(self, conversation_id: str | None, mode: Mode) -> None:
        """Begin a conversation by speech, instead of whatever goes on; None: a new chat, with the first question.

        Where it only changes the mode of the one that goes on, that stays muted.
        """

        def begin() -> None:
            now = self._state
            same = now.use is VoiceUse.CONVERSATION and now.conversation_id == conversation_id
            self._listen(VoiceState(VoiceUse.CONVERSATION, Phase.OPENING, mode, same and now.is_muted, conversation_id))

        self._order(begin)

    def continue_in(self, conversation_id: str) -> None:
        """A conversation that was to begin with the first spoken question was begun by writing: it goes on there."""
        with self._lock:
            if self._state.use is VoiceUse.CONVERSATION and self._conversation.continue_in(conversation_id):
                self._show(replace(self._state, conversation_id=conversation_id))

    def dictate(self) -> None:
        """Write down what is said until `end_dictation`, instead of whatever goes on."""
        self._order(lambda: self._listen(VoiceState(VoiceUse.DICTATION, Phase.OPENING, Mode.DICTATION)))

    def end_dictation(self) -> None:
        """What has been said is still written down."""
        self._order(lambda: self._client_of(VoiceUse.DICTATION, lambda client: client.key(False)))

    def key(self, down: bool) -> None:
        """Push-to-talk's."""
        self._client_of(VoiceUse.CONVERSATION, lambda client: client.key(down))

    def mute(self, muted: bool) -> None:
        """The conversation hears nothing; an answer goes on."""

        def mute(client: VoiceClient) -> None:
            client.mute(muted)
            self._show(replace(self._state, is_muted=muted))

        self._client_of(VoiceUse.CONVERSATION, mute)

    def stop_answer(self) -> None:
        """The spoken answer is not wanted any more."""
        self._client_of(VoiceUse.CONVERSATION, lambda client: client.stop())

    def end(self) -> None:
        """Devices are closed, an unfinished turn is dropped. An answer under way goes on as text."""
        self._order(self._end)

    def read_aloud(self, message_id: str, text: str) -> None:
        """Read an answer, instead of whatever goes on."""
        self._order(lambda: self._read(message_id, text))

    def devices(self) -> Future[tuple[AudioDevice, ...]]:
        """Microphones and loudspeakers there are now; fails with `VoiceError`. Takes a moment."""

        def ask() -> tuple[AudioDevice, ...]:
            # What goes on is not ended for the sake of other settings.
            client = self._client or self._orders.submit(self._ready_client).result()
            return client.devices().result()

        return self._pool.submit(ask)

    def voices(self) -> Future[tuple[tuple[str, VoiceName], ...]]:
        """Each voice with its value for the setting `voice.voice`. Takes a moment."""
        return self._pool.submit(all_voices, self._paths)

    def take(self, event: ChatEvent) -> None:
        """Any thread."""
        if isinstance(event, VoiceHappened):
            return
        self._conversation.take(event)  # also when nobody listens any more: what was said is still asked
        if self._state.use is not VoiceUse.CONVERSATION:
            return  # most of what comes is a token for readers: no lock for it
        with self._lock:
            begun = self._conversation.conversation_id
            if self._state.use is VoiceUse.CONVERSATION and self._state.conversation_id != begun:
                self._show(replace(self._state, conversation_id=begun))

    def close(self) -> None:
        """For good; waits for the voice process to end."""
        self._unfollow()
        self._orders.submit(self._end)
        self._orders.shutdown()
        if self._client is not None:
            self._client.close()

    # Orders, on their own thread.

    def _order(self, order: Callable[[], None]) -> None:
        def carry_out() -> None:
            try:
                order()
            except VoiceError as error:
                with self._lock:
                    self._end()
                    self.on_notice(error)
                    self._show(VoiceState(problem=self._problem))

        self._orders.submit(carry_out).add_done_callback(_log_bug)

    def _listen(self, state: VoiceState) -> None:
        require_weights(self._paths)
        self._end_reading()
        self._style = self._known_voices.usable(
            self._style_of(state.conversation_id) if state.use is VoiceUse.CONVERSATION else OWN
        )
        client = self._ready_client()
        with self._lock:
            self._phase_came.wait_for(lambda: not self._is_ending or client.pid is None, _END_S)
            self._is_ending = False
            self._conversation.leave()
            if state.use is VoiceUse.CONVERSATION:
                self._conversation.begin(state.conversation_id)
            self._awaits_opening = True
            self._problem = ""
            self._show(state)
        client.mute(state.is_muted)
        client.turn_on(state.mode, waits_for_name=self._settings.flag("voice.waits_for_name"))

    def _read(self, message_id: str, text: str) -> None:
        self._end()
        style = self._known_voices.usable(self._style_of_message(message_id))
        with self._lock:
            self._show(VoiceState(VoiceUse.READING, message_id=message_id))
        client = self._client_as(chosen_setup(self._paths, self._settings, style))
        client.choose(voice=chosen_voice(self._settings, style))
        with self._lock:
            reading = self._reading = client.read(text)
        reading.add_done_callback(self._on_read)

    def _end(self) -> None:
        self._end_reading()
        with self._lock:
            self._conversation.leave()
            if self._client is not None and self._state.use in _LISTENS:
                self._is_ending = True
                self._client.turn_off()
            if self._state.use is not VoiceUse.NONE:
                self._show(VoiceState())

    def _end_reading(self) -> None:
        with self._lock:
            reading, self._reading = self._reading, None
        if reading is not None and self._client is not None:
            self._client.stop_reading()

    def _ready_client(self) -> VoiceClient:
        client = self._client_as(chosen_setup(self._paths, self._settings, self._style))
        self._choose(client)
        return client

    def _client_as(self, setup: VoiceSetup) -> VoiceClient:
        if self._client is None:
            self._client = self._conversation.line = self._make_client(setup, self._conversation)
        elif setup != self._setup:
            self._client.set_up(setup)
        self._setup = setup
        return self._client

    def _choose(self, client: VoiceClient) -> None:
        language = self._style.language or self._settings.text("voice.language")
        client.choose(voice=chosen_voice(self._settings, self._style), language=language)

    # What happens; any thread.

    def _client_of(self, use: VoiceUse, order: Callable[[VoiceClient], None]) -> None:
        with self._lock:
            if self._client is not None and self._state.use is use:
                order(self._client)

    def _show(self, state: VoiceState) -> None:
        self._state = state
        self.tell(state)

    def tell(self, event: VoiceEvent) -> None:
        self._publish(VoiceHappened(event))

    def on_phase(self, phase: Phase) -> None:
        with self._lock:
            if phase is Phase.OFF:
                self._is_ending = False
                self._phase_came.notify_all()
            if self._state.use not in _LISTENS:
                if phase is not Phase.OFF and self._client is not None:
                    self._client.turn_off()  # nobody wants it any more, and nobody would see that it listens
            elif phase is not Phase.OFF:
                self._awaits_opening = False
                if phase not in (Phase.OPENING, Phase.ERROR):
                    self._problem = ""
                self._show(replace(self._state, phase=phase, problem=self._problem))
            elif not self._awaits_opening or self._client is None or self._client.pid is None:
                self._conversation.leave()
                self._show(VoiceState(problem=self._problem))

    def on_spoken(self, question: int, characters: int) -> None:
        if message_id := self._conversation.message_of(question):
            self.tell(SpokenSoFar(message_id, characters))

    def on_notice(self, error: VoiceError) -> None:
        text = error_sentence(error)
        with self._lock:
            self._problem = text
            if isinstance(error, DeviceError) and error.fault is Fault.SILENT:
                self._show(replace(self._state, problem=text))  # no phase of its own: it goes on listening
        self._publish(Notice(text, "warning", self._state.conversation_id))

    def _on_missing_voice(self, error: VoiceError) -> None:
        self._publish(Notice(error_sentence(error), "warning", None))

    def _on_read(self, ended: Future[None]) -> None:
        with self._lock:
            if self._reading is not ended:
                return
            self._reading = None
            self._show(VoiceState())
        error = ended.exception()
        if isinstance(error, VoiceError):
            self.on_notice(error)

    def _on_setting(self, key: str) -> None:
        """Voice, speed and language at once; another device or recogniser, the next time."""
        client, setup = self._client, self._setup
        if not key.startswith(PREFIX) or client is None or setup is None:
            return
        if (
            chosen_setup(self._paths, self._settings, self._style).speech == setup.speech
        ):  # another backend has other voices
            self._choose(client)


class _Told(QuietListener):
    """What is told of what the voice tells, after the conversation has acted."""

    def __init__(self, service: VoiceService) -> None:
        self._service = service

    def phase_changed(self, phase: Phase) -> None:
        self._service.on_phase(phase)

    def level(self, heard: float, spoken: float) -> None:
        self._service.tell(VoiceLevel(heard, spoken))

    def partial(self, turn_id: int, partial: Partial) -> None:
        self._service.tell(HeardSoFar(partial.stable, partial.tail))

    def text(self, turn_id: int, text: str, status: TextStatus) -> None:
        self._service.tell(HeardText(text, status))

    def spoken(self, question: int, characters: int) -> None:
        self._service.on_spoken(question, characters)

    def notice(self, error: VoiceError) -> None:
        self._service.on_notice(error)


def _log_bug(order: Future[None]) -> None:
    error = None if order.cancelled() else order.exception()
    if error is not None:
        _log.error("an order to the voice failed", exc_info=error)
