"""Runs in a process of its own: everything of a conversation by speech that must not wait for a window.

Owns the sound devices, the echo canceller, the detectors, the turns and the speaker; what recognises and synthesises
is its child. Nothing is opened or loaded before it is asked to listen. No network; ends with its parent. Knows no
language model, no store and no window.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import replace
from multiprocessing.connection import Connection

from engine.errors import HearthError, VoiceError, sentence
from engine.worker.envelope import ProtocolError, receive
from engine.worker.settle import settle
from voice import protocol
from voice.audio.devices import SoundSystem
from voice.audio.echo import EchoCanceller, NoCanceller, WebRtcCanceller
from voice.audio.portaudio import Loudspeaker, Microphone
from voice.audio.streams import AudioSink, AudioSource
from voice.endpoint import SmartTurn
from voice.pipeline import Parts, VoicePipeline
from voice.protocol import Command, Noticed, Report, VoiceSetup
from voice.quiet_gate import QuietGate
from voice.reading import Reader
from voice.speech.choice import Speaking
from voice.speech.client import SpeechClient
from voice.stt.partials import Partial
from voice.tts.languages import Languages
from voice.tts.other_voices import OtherVoices
from voice.tts.sentences import SentenceSplitter
from voice.turn_events import TextStatus
from voice.turn_state import Phase
from voice.types import VoiceChoice, VoiceName
from voice.vad import SileroVoiceActivity
from voice.word_end import WordEnd

PROTOCOL_EXIT, BUG_EXIT = 70, 71
_ANY_LANGUAGE = "Welche Sprache ist das, und wer kann sie hier verstehen?"
_BUG = sentence("Voice met an error of its own ({reason}).")

Audio = tuple[AudioSource, AudioSink]


class _Machine:
    """The devices of this machine."""

    def __init__(self) -> None:
        self.system = SoundSystem()

    def open_audio(self, setup: VoiceSetup) -> Audio:
        return Microphone(self.system, setup.microphone), Loudspeaker(self.system, setup.loudspeaker)


def main(connection: Connection) -> None:
    """The child's entry point."""
    serve(connection)


def serve(
    connection: Connection,
    open_audio: Callable[[VoiceSetup], Audio] | None = None,
    *,
    languages: Languages | None = None,
) -> None:
    """Obey until the pipe ends. `open_audio` gives other devices than the machine's; they are not started.

    With `languages`, what is in another language than Hearth's own voice speaks is spoken by this computer's.
    """
    logging.disable(logging.CRITICAL)  # libraries would log what was said
    settle()
    machine = _Machine()
    _Voice(connection, machine.system, open_audio or machine.open_audio, languages).run()


class _Voice:
    """The commands' side is this thread; the listener's is the pipeline's own."""

    def __init__(
        self,
        connection: Connection,
        system: SoundSystem,
        open_audio: Callable[[VoiceSetup], Audio],
        languages: Languages | None,
    ) -> None:
        self._connection = connection
        self._sending = threading.Lock()
        self._system = system
        self._open_audio = open_audio
        self._languages = languages
        self._others: SpeechClient | None = None
        self._setup: VoiceSetup | None = None
        self._speech: SpeechClient | None = None
        self._pipeline: VoicePipeline | None = None
        self._reader: Reader | None = None
        self._choice = protocol.Choose("", 1.0, "")
        self._muted = False
        self._questions = ThreadPoolExecutor(1, "voice-questions")

    def run(self) -> None:
        """Never returns."""
        try:
            while True:
                command = protocol.decode_command(receive(self._connection, protocol.MESSAGE_BYTES))
                if isinstance(command, protocol.Quit):
                    break
                self._obey(command)
            self._close()
            os._exit(0)
        except EOFError:
            os._exit(0)  # the parent is gone
        except ProtocolError:
            os._exit(PROTOCOL_EXIT)
        except Exception:  # noqa: BLE001 - a bug
            os._exit(BUG_EXIT)

    def post(self, report: Report) -> None:
        """Any thread."""
        raw = protocol.encode(report)
        try:
            with self._sending:
                self._connection.send_bytes(raw)
        except OSError:
            os._exit(0)  # the parent is gone

    def _obey(self, command: Command) -> None:
        match command:
            case protocol.Begin(setup):
                self._setup = setup
            case protocol.Listen(mode, half_duplex, waits_for_name):
                self._stop_reading()
                pipeline = self._pipeline or self._made()
                if pipeline is not None:
                    pipeline.turn_on(mode, half_duplex=half_duplex, waits_for_name=waits_for_name)
            case protocol.Choose():
                self._choice = command
                self._apply_choice()
            case protocol.Mute(on):
                self._muted = on
                if self._pipeline is not None:
                    self._pipeline.mute(on)
            case protocol.ReadAloud(call_id, text):
                self._reading_aloud().read(call_id, text)
            case protocol.StopReading():
                self._stop_reading()
            case protocol.ListDevices() | protocol.ListVoices():
                self._questions.submit(self._answer, command)
            case _:
                self._conduct(command)

    def _conduct(self, command: Command) -> None:
        """What there is nothing to do for before the first time of listening."""
        pipeline = self._pipeline
        if pipeline is None:
            return
        match command:
            case protocol.Leave():
                pipeline.turn_off()
            case protocol.Key(down):
                pipeline.key(down)
            case protocol.StopAnswer():
                pipeline.stop()
            case protocol.Say(question, delta):
                pipeline.say(question, delta)
            case protocol.Progressed(question):
                pipeline.progressed(question)
            case protocol.EndWeighed(question, probability):
                pipeline.end_weighed(question, probability)
            case protocol.AnswerEnded(question):
                pipeline.answer_ended(question)

    def _made(self) -> VoicePipeline | None:
        """The pipeline, with its models loaded; None where that fails, which has been told then."""
        assert self._setup is not None, "the first command is Begin"
        setup = self._setup
        self.post(protocol.PhaseChanged(Phase.OPENING))
        try:
            activity = WordEnd(QuietGate(SileroVoiceActivity(setup.folder)))
            end_of_turn = SmartTurn(setup.folder)
        except VoiceError as error:
            self.post(protocol.noticed(error))
            self.post(protocol.PhaseChanged(Phase.OFF))
            return None
        source, sink = self._open_audio(setup)
        speech = self._spoken_to()
        parts = Parts(
            source,
            sink,
            self._canceller(setup),
            activity,
            end_of_turn,
            speech,
            speech,
            self._new_splitter,
            self._other_voices(),
        )
        self._pipeline = VoicePipeline(parts, _Told(self.post))
        self._apply_choice()
        self._pipeline.mute(self._muted)
        self._questions.submit(self._prepare, speech)
        return self._pipeline

    def _reading_aloud(self) -> Reader:
        assert self._setup is not None, "the first command is Begin"
        if self._reader is None:
            _source, sink = self._open_audio(self._setup)
            others = self._other_voices()
            self._reader = Reader(self._spoken_to(), sink, self._new_splitter, self._read_to_end, others=others)
            self._apply_choice()
        return self._reader

    def _stop_reading(self) -> None:
        if self._reader is not None:
            self._reader.stop()

    def _read_to_end(self, call_id: int, error: VoiceError | None) -> None:
        self.post(protocol.ReadToEnd(call_id) if error is None else protocol.Refused(call_id, protocol.noticed(error)))

    def _new_splitter(self) -> SentenceSplitter:
        return SentenceSplitter(languages=self._languages)

    def _other_voices(self) -> OtherVoices | None:
        """None where one of this computer was chosen: it speaks everything."""
        assert self._setup is not None, "the first command is Begin"
        speech = self._setup.speech
        if self._languages is None or not speech.speaking.is_english:
            return None
        self._others = self._others or SpeechClient(replace(speech, speaking=Speaking.SYSTEM))
        return OtherVoices(self._others)

    def _canceller(self, setup: VoiceSetup) -> EchoCanceller:
        if not setup.cancels_echo:
            return NoCanceller()
        try:
            return WebRtcCanceller()
        except VoiceError as error:
            self.post(protocol.noticed(error))
            return NoCanceller()

    def _spoken_to(self) -> SpeechClient:
        assert self._setup is not None
        if self._speech is None:
            self._speech = SpeechClient(
                self._setup.speech, on_own_voice=lambda error: self.post(protocol.noticed(error))
            )
        return self._speech

    def _prepare(self, speech: SpeechClient) -> None:
        """While the devices open, which takes longer."""
        try:
            speech.prepare()
        except VoiceError as error:
            self.post(protocol.noticed(error))
        except CancelledError:
            return
        if self._languages is not None:
            self._languages.of(_ANY_LANGUAGE)  # what tells them takes a second to load

    def _apply_choice(self) -> None:
        voice, language = VoiceChoice(self._choice.voice, self._choice.speed), self._choice.language
        if self._pipeline is not None:
            self._pipeline.choose(voice=voice, language=language)
        if self._reader is not None:
            self._reader.choose(voice)

    def _answer(self, question: protocol.ListDevices | protocol.ListVoices) -> None:
        try:
            if isinstance(question, protocol.ListDevices):
                answer: Report = protocol.Devices(question.call_id, self._system.devices())
            else:
                answer = protocol.Voices(question.call_id, self._voices())
        except VoiceError as error:
            answer = protocol.Refused(question.call_id, protocol.noticed(error))
        except Exception as error:  # noqa: BLE001  # whatever the sound library raises is said
            answer = protocol.Refused(question.call_id, _bug(error))
        self.post(answer)

    def _voices(self) -> tuple[VoiceName, ...]:
        return tuple(self._spoken_to().voices())

    def _close(self) -> None:
        if self._speech is not None:
            self._speech.close()  # first: whoever waits for a word must not wait any longer
        if self._others is not None:
            self._others.close()
        if self._pipeline is not None:
            self._pipeline.close()
        if self._reader is not None:
            self._reader.close()


class _Told:
    """See `voice.listener.Listener`: every call as a message."""

    def __init__(self, post: Callable[[Report], None]) -> None:
        self._post = post

    def phase_changed(self, phase: Phase) -> None:
        self._post(protocol.PhaseChanged(phase))

    def level(self, heard: float, spoken: float) -> None:
        self._post(protocol.Level(heard, spoken))

    def partial(self, turn_id: int, partial: Partial) -> None:
        self._post(protocol.PartialHeard(turn_id, partial.stable, partial.tail))

    def text(self, turn_id: int, text: str, status: TextStatus) -> None:
        self._post(protocol.TextHeard(turn_id, text, status))

    def ask(self, question: int, turn_id: int, text: str) -> None:
        self._post(protocol.Asked(question, turn_id, text))

    def commit(self, question: int, turn_id: int, text: str) -> None:
        self._post(protocol.Committed(question, turn_id, text))

    def withdraw(self, question: int) -> None:
        self._post(protocol.Withdrawn(question))

    def interrupted(self, question: int, characters: int) -> None:
        self._post(protocol.Interrupted(question, characters))

    def spoken(self, question: int, characters: int) -> None:
        self._post(protocol.SpokenSoFar(question, characters))

    def done(self, question: int) -> None:
        self._post(protocol.Done(question))

    def notice(self, error: VoiceError) -> None:
        self._post(protocol.noticed(error))


def _bug(error: Exception) -> Noticed:
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    known = error if isinstance(error, HearthError) else VoiceError(_BUG, reason=reason)
    return protocol.noticed(known if isinstance(known, VoiceError) else VoiceError(known.template, **known.fields))
