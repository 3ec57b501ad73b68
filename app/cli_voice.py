"""`hearth transcribe` and `hearth say`: a recording as text, a text as speech. No language model, no conversation."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np

from app.amounts import clock_text
from app.bootstrap import Start
from app.command_line import Arguments
from app.console import Console
from app.i18n import error_sentence, tr
from app.spoken_languages import SpokenLanguages
from app.voice_setup import find_voice, require_weights, speech_choice
from engine.cancel import CancelToken
from engine.errors import VoiceError, sentence
from voice.audio.devices import SoundSystem
from voice.audio.portaudio import Loudspeaker
from voice.audio.resampling import resample
from voice.files import srt, transcribe_file
from voice.speech.choice import Speaking
from voice.speech.client import SpeechClient
from voice.tts.other_voices import OtherVoices, voice_for
from voice.tts.sentences import Chunk, spoken_sentences
from voice.types import Samples, Segment, Sound

EXIT_OK, EXIT_INTERRUPTED = 0, 130
_POLL_S = 0.2
"""How often a wait looks up, so that Ctrl+C is heard."""
_WRITE_S = 2.0
_NOTHING = sentence("There is nothing to say in this text.")
_WRITE_FAILED = sentence("{name} could not be written ({reason}).")
_GONE = sentence("The loudspeaker does not take any sound.")


def transcribe(arguments: Arguments, start: Start, console: Console) -> int:
    """Write down what is said in a file, as it is heard; Ctrl+C ends it."""
    assert arguments.sound is not None
    require_weights(start.paths)
    segments: list[Segment] = []
    with closing(SpeechClient(speech_choice(start.paths))) as speech, closing(_Hearing(speech, arguments)) as hearing:
        try:
            for found in hearing.found():
                if isinstance(found, Segment):
                    segments.append(found)
                    console.end_status()
                    _show(found, arguments, console)
                else:
                    console.status(_progress(*found))
        except KeyboardInterrupt:
            console.end_status()
            console.note(tr("(stopped)"))
            return EXIT_INTERRUPTED
    console.end_status()
    if arguments.srt:
        console.stream(srt(segments))
    elif not segments:
        console.note(tr("Nothing is said there."))
    return EXIT_OK


def say(arguments: Arguments, start: Start, console: Console) -> int:
    """Speak a text, each sentence by a voice of its language, or write it as a file; Ctrl+C ends it."""
    text = " ".join(arguments.words)
    if text == "-":
        text = console.source.read()
    sentences = spoken_sentences(text, languages=SpokenLanguages())
    if not sentences:
        raise VoiceError(_NOTHING)
    choice, voice = find_voice(speech_choice(start.paths), arguments.voice)
    computers = replace(choice, speaking=Speaking.SYSTEM)
    own = SpeechClient(choice, on_own_voice=lambda error: console.note(error_sentence(error)))
    with closing(own) as speech, closing(SpeechClient(computers)) as system:
        # Hearth's own voice speaks one language; one of this computer that was chosen speaks everything.
        others = OtherVoices(system) if choice.speaking.is_english else None

        def said(each: Chunk) -> Sound:
            synthesizer, named = voice_for(each.language, speech, voice, others)
            return synthesizer.synthesize(each.text, voice=named, speed=arguments.speed or 1.0)

        sounds = map(said, sentences)
        if arguments.output is not None:
            _write(sounds, arguments.output)
        else:
            _play(sounds)
    return EXIT_OK


class _Hearing:
    """Listens to a file on a thread of its own, so that Ctrl+C is heard at once."""

    def __init__(self, speech: SpeechClient, arguments: Arguments) -> None:
        self._found: queue.SimpleQueue[Segment | tuple[float, float | None] | BaseException | None]
        self._found = queue.SimpleQueue()
        self._cancel = CancelToken()
        self._thread = threading.Thread(target=self._listen, args=(speech, arguments), name="hearing", daemon=True)
        self._thread.start()

    def found(self) -> Iterator[Segment | tuple[float, float | None]]:
        """Segments, and between them how many seconds were heard, and of how many. Raises `VoiceError`."""
        while True:
            try:
                found = self._found.get(timeout=_POLL_S)
            except queue.Empty:
                continue
            if found is None:
                return
            if isinstance(found, BaseException):
                raise found
            yield found

    def close(self) -> None:
        self._cancel.cancel()
        self._thread.join()

    def _listen(self, speech: SpeechClient, arguments: Arguments) -> None:
        assert arguments.sound is not None
        try:
            for segment in transcribe_file(
                arguments.sound,
                speech,
                language=arguments.language,
                on_progress=lambda heard_s, all_s: self._found.put((heard_s, all_s)),
                cancel=self._cancel,
            ):
                self._found.put(segment)
        except CancelledError:
            pass
        except BaseException as error:  # noqa: BLE001  # raised where it is waited for
            self._found.put(error)
        self._found.put(None)


def _show(segment: Segment, arguments: Arguments, console: Console) -> None:
    if console.json:
        console.record({"type": "segment", "start_s": segment.start_s, "end_s": segment.end_s, "text": segment.text})
    elif not arguments.srt:
        console.say(segment.text)


def _progress(heard_s: float, all_s: float | None) -> str:
    if all_s:
        return tr("Listening… {heard} of {all}", heard=clock_text(heard_s), all=clock_text(all_s))
    return tr("Listening… {heard}", heard=clock_text(heard_s))


def _write(sounds: Iterator[Sound], path: Path) -> None:
    import soundfile  # noqa: PLC0415  # loads libsndfile

    first = next(sounds)
    try:
        with soundfile.SoundFile(str(path), "w", first.rate, 1, "PCM_16", format="WAV") as file:
            file.write(first.samples)
            for sound in sounds:
                file.write(resample(sound.samples, sound.rate, first.rate))
    except (OSError, soundfile.SoundFileError) as error:
        raise VoiceError(_WRITE_FAILED, name=str(path), reason=str(error)) from error


def _play(sounds: Iterator[Sound]) -> None:
    loudspeaker = Loudspeaker(SoundSystem())
    loudspeaker.start()
    try:
        for sound in sounds:
            _play_one(resample(sound.samples, sound.rate, loudspeaker.rate), loudspeaker)
        # Closing throws away what the device still holds.
        _play_one(np.zeros(int((loudspeaker.latency_s + 0.1) * loudspeaker.rate), np.float32), loudspeaker)
    finally:
        loudspeaker.stop()


def _play_one(samples: Samples, loudspeaker: Loudspeaker) -> None:
    block = loudspeaker.block
    for begin in range(0, len(samples), block):
        part = samples[begin : begin + block]
        if not loudspeaker.write(np.pad(part, (0, block - len(part))), _WRITE_S):
            raise VoiceError(_GONE)
