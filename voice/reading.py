"""Reads one text aloud. The loudspeaker is open while there is something to read; the microphone stays closed.

Knows no turns and no conversation: what is read is no answer, and nobody's words end it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from engine.errors import VoiceError
from voice.audio.echo import NoCanceller
from voice.audio.streams import AudioSink
from voice.speaker import Speaker
from voice.tts.other_voices import OtherVoices
from voice.tts.sentences import SentenceSplitter
from voice.types import Synthesizer, VoiceChoice

_RINGS_S = 1.0
"""The device plays what it holds before it is closed; and what is read next begins at once."""


class Reader:
    """Any thread; all methods but `close` return at once. `on_end` is called once for each number, from any thread:
    with what went wrong, or with None where it was read to its end, stopped, or followed by another.
    """

    def __init__(
        self,
        synthesizer: Synthesizer,
        sink: AudioSink,
        make_splitter: Callable[[], SentenceSplitter],
        on_end: Callable[[int, VoiceError | None], None],
        *,
        others: OtherVoices | None = None,
    ) -> None:
        self._speaker = Speaker(synthesizer, sink, NoCanceller(), make_splitter, self, others=others)
        self._on_end = on_end
        self._lock = threading.Lock()
        self._number: int | None = None
        """Of what is being read."""
        self._failure: VoiceError | None = None
        """Of the loudspeaker, while something was read."""
        # Opening takes up to a second; whatever is asked for meanwhile is done after it, in order.
        self._devices = ThreadPoolExecutor(1, "reading")
        self._rest: threading.Timer | None = None

    def read(self, number: int, text: str) -> None:
        """Read this instead of whatever is being read. Markdown is made speakable."""
        self._devices.submit(self._begin, number, text)

    def stop(self) -> None:
        """Silence, also where reading has not begun yet."""
        self._devices.submit(self._drop)

    def choose(self, choice: VoiceChoice) -> None:
        """From the next sentence on."""
        self._speaker.choice = choice

    def close(self) -> None:
        """For good."""
        self._devices.submit(self._drop)
        self._devices.shutdown()
        self._stay_awake()
        self._speaker.close()

    def _begin(self, number: int, text: str) -> None:
        self._drop()
        self._stay_awake()
        with self._lock:
            self._number, self._failure = number, None
        try:
            if not self._speaker.is_open:
                self._speaker.stop()
                self._speaker.open()
        except VoiceError as error:
            self._end(number, error)
            return
        self._speaker.begin(number, text)
        self._speaker.say(number, text)
        self._speaker.ended(number)
        self._speaker.commit(number)

    def _drop(self) -> None:
        number = self._number
        if number is not None:
            self._speaker.drop(number)
            self._end(number, None)

    def _end(self, number: int, error: VoiceError | None) -> None:
        with self._lock:
            if self._number != number:
                return
            self._number = None
            rest = self._rest = threading.Timer(_RINGS_S, self._fall_asleep)
            rest.daemon = True
        rest.start()
        self._on_end(number, error or self._failure)

    def _fall_asleep(self) -> None:
        """After what is asked for by now, which may be to read on."""
        try:
            self._devices.submit(self._close_device, threading.current_thread())
        except RuntimeError:
            return  # closed for good in the meantime

    def _close_device(self, rest: threading.Thread) -> None:
        with self._lock:
            if self._number is not None or self._rest is not rest:
                return
        self._speaker.stop()

    def _stay_awake(self) -> None:
        with self._lock:
            rest, self._rest = self._rest, None
        if rest is not None:
            rest.cancel()

    # See `voice.speaker.Mouth`.

    def started(self, question: int) -> None: ...

    def playing(self, question: int, text: str) -> None: ...

    def spoken(self, question: int, characters: int) -> None: ...

    def done(self, question: int, error: VoiceError | None) -> None:
        self._end(question, error)

    def output_failed(self, error: VoiceError) -> None:
        self._failure = error
