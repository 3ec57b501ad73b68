"""`hearth talk`: a conversation by microphone and loudspeaker, with captions of both sides in the terminal.

Hands-free, or between two presses of Enter. Ctrl+C ends it. Chats are stored as the window's are, unless --no-save.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import TimeoutError as NotYetError
from dataclasses import dataclass, replace

from app.bootstrap import Start
from app.cli_answer import AnswerPrinter
from app.cli_chat import Talk, services_for
from app.cli_persona_run import read_documents, usable
from app.command_line import Arguments
from app.console import Console
from app.conversing import SpokenConversation
from app.events import ChatEvent, MessageFinished, Notice, Streamed
from app.i18n import error_sentence, tr
from app.paths import Paths
from app.persona_models import KEY
from app.persona_service import DEFAULT
from app.personas.persona import SpeechStyle
from app.read_ahead import ReadAhead
from app.services import Services
from app.settings import Settings
from app.spoken_languages import run_voice
from app.voice_choice import OWN, KnownVoices, chosen_setup, chosen_voice
from app.voice_setup import find_voice, require_weights, speech_choice
from engine.errors import VoiceError
from engine.types import TextDelta
from voice.client import VoiceClient
from voice.listener import QuietListener
from voice.protocol import VoiceSetup
from voice.stt.partials import Partial
from voice.turn_events import Mode
from voice.turn_state import Phase
from voice.types import VoiceChoice

EXIT_OK, EXIT_FAILED = 0, 1
_POLL_S = 0.2
"""How often a wait looks up, so that Ctrl+C is heard."""


@dataclass(frozen=True, slots=True)
class _Heard:
    text: str
    is_sure: bool


@dataclass(frozen=True, slots=True)
class _Cut:
    characters: int


@dataclass(frozen=True, slots=True)
class _Key:
    """Enter was pressed; `end`: there is nobody who could press it."""

    end: bool = False


_Shown = _Heard | _Cut | _Key | Phase | VoiceError | ChatEvent


def talk(arguments: Arguments, start: Start, console: Console) -> int:
    """Talk until Ctrl+C. Raises `HearthError`."""
    require_weights(start.paths)
    shelved = usable(start, arguments.persona) if arguments.persona else None
    if shelved is not None:
        start.settings.override(DEFAULT, shelved.persona.short_name)
    if arguments.model is not None:
        start.settings.override(KEY, False)
    shown: queue.SimpleQueue[_Shown] = queue.SimpleQueue()
    takers: list[Callable[[ChatEvent], None]] = [shown.put]

    def publish(event: ChatEvent) -> None:
        for take in takers:
            take(event)

    with services_for(arguments, start, publish) as services:
        persona = shelved.persona if shelved is not None else None
        chat = Talk(arguments, services, console, AnswerPrinter(console, show_reasoning=False), persona)
        chat.begin()
        if shelved is not None:
            services.personas.models.prefer(shelved.persona)
            read_documents(services, shelved)
        _load(services, console)
        ahead = ReadAhead(
            services.store_call, services.engine, services.settings, pool=services.pool, dress=services.dress
        )
        conversation = SpokenConversation(
            services.chat,
            ahead,
            _Told(shown.put),
            publish,
            conversation_id=chat.conversation_id,
            sampling=chat.sampling(),
        )
        takers.insert(0, conversation.take)
        known = KnownVoices(start.paths, lambda missing: console.note(error_sentence(missing)))
        style = known.usable(services.persona_voice.of_conversation(chat.conversation_id))
        setup, choice, language = chosen_for(arguments, start.paths, services.settings, style)
        voice = VoiceClient(setup, conversation, entry_point=run_voice)
        conversation.line = voice
        voice.choose(voice=choice, language=language)
        try:
            return _Screen(arguments, console, voice, shown).run()
        except KeyboardInterrupt:
            console.end_status()
            console.say()
            return EXIT_OK
        finally:
            voice.close()


def chosen_for(
    arguments: Arguments, paths: Paths, settings: Settings, style: SpeechStyle = OWN
) -> tuple[VoiceSetup, VoiceChoice, str]:
    """Devices, voice and language: as the command line says, else the persona's `style`, else the settings.

    Raises `VoiceError`.
    """
    setup, choice = chosen_setup(paths, settings, style), chosen_voice(settings, style)
    if arguments.voice:
        speech, voice_id = find_voice(speech_choice(paths), arguments.voice)
        setup, choice = replace(setup, speech=speech), replace(choice, voice=voice_id)
    if arguments.speed is not None:
        choice = replace(choice, speed=arguments.speed)
    return setup, choice, arguments.language or style.language or settings.text("voice.language")


class _Screen:
    """What is shown, on the main thread."""

    def __init__(
        self, arguments: Arguments, console: Console, voice: VoiceClient, shown: queue.SimpleQueue[_Shown]
    ) -> None:
        self._console = console
        self._voice = voice
        self._shown = shown
        self._hands_free = arguments.hands_free
        self._key_is_down = self._was_on = self._in_answer = False

    def run(self) -> int:
        """Until Ctrl+C, which is raised; or until voice has ended, or the keyboard. Returns the exit code."""
        if self._hands_free:
            self._voice.turn_on(Mode.HANDS_FREE)
        else:
            threading.Thread(target=self._read_keys, name="keys", daemon=True).start()
            self._voice.turn_on(Mode.PUSH_TO_TALK)
        while True:
            try:
                shown = self._shown.get(timeout=_POLL_S)
            except queue.Empty:
                continue
            if isinstance(shown, Phase):
                if shown is Phase.OFF:
                    return EXIT_FAILED  # nobody asked for it; why has been said
                self._show_phase(shown)
            elif isinstance(shown, _Key):
                if shown.end:
                    return EXIT_OK
                self._key_is_down = not self._key_is_down
                self._voice.key(self._key_is_down)
            else:
                self._show(shown)

    def _read_keys(self) -> None:
        while self._console.source.readline():
            self._shown.put(_Key())
        self._shown.put(_Key(end=True))

    def _show_phase(self, phase: Phase) -> None:
        if phase is Phase.LISTENING and not self._was_on:
            self._was_on = True
            if self._hands_free:
                self._console.note(tr("Listening. Say something; Ctrl+C ends it."))
            else:
                self._console.note(tr("Press Enter, speak, and press Enter again. Ctrl+C ends it."))
        if self._console.json:
            self._console.record({"type": "phase", "phase": phase.value})

    def _show(self, shown: _Shown) -> None:
        if isinstance(shown, VoiceError):
            self._end_answer("")
            self._console.end_status()
            self._console.fail(error_sentence(shown))
        elif self._console.json:
            record = _record(shown)
            if record is not None:
                self._console.record(record)
        else:
            self._print(shown)
        if isinstance(shown, MessageFinished) and shown.message.error:
            self._console.fail(shown.message.error)

    def _print(self, shown: _Shown) -> None:
        match shown:
            case _Heard(text, False):
                self._console.status(tr("You: {text}", text=text))
            case _Heard(text):
                self._end_answer("")
                self._console.end_status()
                self._console.say(self._console.bold(tr("You: {text}", text=text)))
            case _Cut():
                self._end_answer(" — " + tr("(interrupted)"))
            case Streamed(_, _, TextDelta(_, text)):
                self._stream(text)
            case MessageFinished():
                self._end_answer("")
            case Notice(text):
                self._end_answer("")
                self._console.note(text)

    def _stream(self, text: str) -> None:
        if not self._in_answer:
            self._console.end_status()
            self._console.stream("Hearth: ")
            self._in_answer = True
        self._console.stream(text)

    def _end_answer(self, mark: str) -> None:
        if self._in_answer:
            self._in_answer = False
            self._console.stream(f"{mark}\n")


class _Told(QuietListener):
    """What of the voice is shown."""

    def __init__(self, show: Callable[[_Shown], None]) -> None:
        self._show = show

    def phase_changed(self, phase: Phase) -> None:
        self._show(phase)

    def partial(self, turn_id: int, partial: Partial) -> None:
        self._show(_Heard(partial.text, False))

    def commit(self, question: int, turn_id: int, text: str) -> None:
        self._show(_Heard(text, True))

    def interrupted(self, question: int, characters: int) -> None:
        self._show(_Cut(characters))

    def notice(self, error: VoiceError) -> None:
        self._show(error)


def _record(shown: _Shown) -> dict[str, object] | None:
    match shown:
        case _Heard(text, True):
            return {"type": "question", "text": text}
        case _Cut(characters):
            return {"type": "interrupted", "characters": characters}
        case Streamed(_, _, TextDelta(_, text)):
            return {"type": "text", "text": text}
        case MessageFinished(message):
            return {
                "type": "message", "message_id": message.id, "state": message.state.value, "text": message.text,
                "error": message.error,
            }  # fmt: skip
    return None


def _load(services: Services, console: Console) -> None:
    """Before anybody speaks. Raises `HearthError`."""
    loading = services.models.ensure_loaded()
    while True:
        try:
            loading.result(timeout=_POLL_S)
        except NotYetError:
            if loading.done():
                raise
            percent = round(services.engine.state.progress * 100)
            console.status(tr("Loading {name}… {percent} %", name=services.models.expected_name(), percent=percent))
        else:
            console.end_status()
            return
