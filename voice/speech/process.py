"""Runs in a process of its own: turns sound into text and text into sound, one job after the other.

One at a time, because two jobs at once take more than twice as long (both want all cores). Cancelling is heard while a
job runs. No network; whoever started it kills it when it is silent for too long. Knows no microphone and no chat.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
from concurrent.futures import CancelledError
from multiprocessing.connection import Connection

from engine.cancel import CancelToken
from engine.errors import HearthError, VoiceError, sentence
from engine.worker.envelope import ProtocolError, fault_of, receive
from engine.worker.settle import settle
from voice.speech.choice import SpeechChoice
from voice.speech.messages import (
    MESSAGE_BYTES,
    Begin,
    Cancel,
    Heard,
    Job,
    ListVoices,
    Prepare,
    Prepared,
    Refused,
    Report,
    Spoken,
    Synthesize,
    Transcribe,
    Voices,
    decode_command,
    encode,
)
from voice.types import Samples, Synthesizer, Transcriber

_BROKEN = sentence("Speech failed ({reason}). Choose another model or voice in the settings.")
_REASON_LENGTH = 200
_Work = tuple[Job, Samples, CancelToken]


def main(connection: Connection) -> None:
    """Answer jobs until the pipe closes."""
    logging.disable(logging.CRITICAL)  # libraries would log what was said
    # Threads that wait by spinning starve each other where llama.cpp computes too: measured 0.9 s against 12 s.
    os.environ.update(OMP_WAIT_POLICY="passive")
    settle()
    _Speech(connection).run()


class _Speech:
    """The jobs' side is this thread; a second one only reads, and so hears a cancel at once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._work: queue.SimpleQueue[_Work] = queue.SimpleQueue()
        self._tokens: dict[int, CancelToken] = {}
        self._lock = threading.Lock()
        self._choice: SpeechChoice | None = None
        self._transcriber: Transcriber | None = None
        self._synthesizer: Synthesizer | None = None

    def run(self) -> None:
        threading.Thread(target=self._read, name="speech-reader", daemon=True).start()
        while True:
            job, samples, token = self._work.get()
            try:
                report, sound = self._answer(job, samples, token)
            except CancelledError:
                continue
            except HearthError as error:
                report, sound = Refused(job.job, fault_of(error)), samples[:0]
            except Exception as error:  # noqa: BLE001  # whatever a foreign library raises is said, and the next job tried
                reason = (str(error).splitlines() or [type(error).__name__])[0][:_REASON_LENGTH]
                report, sound = Refused(job.job, fault_of(VoiceError(_BROKEN, reason=reason))), samples[:0]
            finally:
                with self._lock:
                    self._tokens.pop(job.job, None)
            try:
                self._connection.send_bytes(encode(report, sound))
            except OSError:
                return  # nobody is listening any more

    def _read(self) -> None:
        try:
            while True:
                command, samples = decode_command(receive(self._connection, MESSAGE_BYTES))
                if isinstance(command, Begin):
                    self._choice = command.choice
                elif isinstance(command, Cancel):
                    with self._lock:
                        token = self._tokens.get(command.job)
                    if token is not None:
                        token.cancel()
                else:
                    token = CancelToken()
                    with self._lock:
                        self._tokens[command.job] = token
                    self._work.put((command, samples, token))
        except (EOFError, ProtocolError):
            # The client is gone, and there is nothing to save; a job that hangs must not keep the process.
            os._exit(0)

    def _answer(self, job: Job, samples: Samples, token: CancelToken) -> tuple[Report, Samples]:
        if token.cancelled:
            raise CancelledError
        if isinstance(job, Transcribe):
            heard = self._hearing().transcribe(samples, language=job.language, cancel=token)
            return Heard(job.job, heard.text, heard.segments, heard.language), samples[:0]
        if isinstance(job, Synthesize):
            sound = self._speaking().synthesize(job.text, voice=job.voice, speed=job.speed, cancel=token)
            return Spoken(job.job, sound.rate), sound.samples
        if isinstance(job, ListVoices):
            return Voices(job.job, tuple(self._speaking().voices())), samples[:0]
        self._prepare(job)
        return Prepared(job.job), samples[:0]

    def _prepare(self, job: Prepare) -> None:
        """The first answer of a model is slower than all others: let it be one that nobody waits for."""
        if job.hearing:
            self._hearing()
        if job.speaking:
            self._speaking().synthesize("Ready.")

    def _hearing(self) -> Transcriber:
        from voice.speech.backends import make_transcriber  # noqa: PLC0415  # after the environment is set

        assert self._choice is not None, "the first message is Begin"
        if self._transcriber is None:
            self._transcriber = make_transcriber(self._choice)
        return self._transcriber

    def _speaking(self) -> Synthesizer:
        from voice.speech.backends import make_synthesizer  # noqa: PLC0415  # as above

        assert self._choice is not None, "the first message is Begin"
        if self._synthesizer is None:
            self._synthesizer = make_synthesizer(self._choice)
        return self._synthesizer
