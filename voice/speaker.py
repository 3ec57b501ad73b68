"""From the deltas of an answer to sound: split, synthesised at most two sentences ahead, mixed, played.

Two threads: one synthesises, one plays; both rest while there is no answer. An answer that is not committed is split
and begun to be synthesised, so that it starts at once, but none of it is heard. Knows no turns.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError
from typing import Protocol

import numpy as np

from engine.cancel import CancelToken
from engine.errors import VoiceError
from voice.answer import Answer
from voice.audio.echo import EchoCanceller
from voice.audio.resampling import resample
from voice.audio.streams import AudioSink
from voice.mixer import Heard, Mixer, SentenceSound, faded
from voice.tts.other_voices import OtherVoices, voice_for
from voice.tts.sentences import Chunk, SentenceSplitter
from voice.types import Samples, Sound, Synthesizer, VoiceChoice

AHEAD = 2
"""Sentences that are ready or being made, of a committed answer; one of another."""
_WAIT_S = 0.5
_LATER_S = 0.1
_RINGS_BLOCKS = 15
_RESTS_AFTER_BLOCKS = 100
"""Two seconds of silence: nobody will miss what is not written, and waiting costs nothing."""


class Mouth(Protocol):
    """Who is told. From the threads of the speaker; must return at once."""

    def started(self, question: int) -> None:
        """Its first sample goes to the device."""
        ...

    def playing(self, question: int, text: str) -> None:
        """This sentence begins."""
        ...

    def spoken(self, question: int, characters: int) -> None:
        """So much of the answer's text was given to the device."""
        ...

    def done(self, question: int, error: VoiceError | None) -> None:
        """Spoken to its end, or not to be spoken, because of `error`."""
        ...

    def output_failed(self, error: VoiceError) -> None:
        """The loudspeaker is gone."""
        ...


class Speaker:
    """Any thread."""

    def __init__(
        self,
        synthesizer: Synthesizer,
        sink: AudioSink,
        canceller: EchoCanceller,
        make_splitter: Callable[[], SentenceSplitter],
        mouth: Mouth,
        *,
        others: OtherVoices | None = None,
    ) -> None:
        """`others` speak sentences in languages that the synthesizer's voice does not."""
        self._synthesizer = synthesizer
        self._sink = sink
        self._canceller = canceller
        self._make_splitter = make_splitter
        self._mouth = mouth
        self._others = others
        self._changed = threading.Condition()
        self._answers: dict[int, Answer] = {}
        self._mixer = Mixer(sink.rate)
        self._is_open = self._is_closed = False
        self._levels: deque[float] = deque([0.0], maxlen=_RINGS_BLOCKS)
        self._in_hand: Samples = np.zeros(0, np.float32)
        """The block that waits for room at the device."""
        self._n_silent = 0
        """Blocks of silence since the last answer."""
        self.choice = VoiceChoice()
        self._threads = [
            threading.Thread(target=self._synthesize, name="synthesize", daemon=True),
            threading.Thread(target=self._play, name="playback", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    @property
    def level(self) -> float:
        """Root mean square of what is being played, 0..1."""
        return self._levels[-1]

    @property
    def recent_level(self) -> float:
        """The loudest of the last 300 ms, whose echo may still be in the room."""
        return max(tuple(self._levels))

    @property
    def is_open(self) -> bool:
        """There is a loudspeaker, and it runs."""
        return self._is_open

    def open(self) -> None:
        """Start the loudspeaker. Raises `DeviceError`; answers then count as spoken when they are complete."""
        self._sink.start()
        with self._changed:
            self._mixer = Mixer(self._sink.rate)
            self._is_open = True
            self._changed.notify_all()

    def stop(self) -> None:
        """Stop the loudspeaker."""
        with self._changed:
            self._is_open = False
            self._changed.notify_all()
        self._sink.stop()

    def close(self) -> None:
        """Stop, and end the threads. For good."""
        with self._changed:
            self._is_closed = True
            for answer in self._answers.values():
                answer.cancel.cancel()
            self._answers.clear()
        self.stop()
        for thread in self._threads:
            thread.join()

    def begin(self, question: int, text: str = "") -> None:
        """An answer to `text` will come, most likely in its language; unheard until it is committed."""
        splitter = self._make_splitter()
        splitter.expect(text)
        with self._changed:
            self._answers[question] = Answer(question, splitter)
            self._n_silent = 0
            self._changed.notify_all()  # playback runs by the time that there is something to play

    def say(self, question: int, delta: str) -> bool:
        """More of an answer; False if nobody wants to hear it any more."""
        with self._changed:
            answer = self._answers.get(question)
            if answer is None or answer.is_ended:
                return False
            answer.text += delta
            answer.add(answer.splitter.feed(delta))
            self._changed.notify_all()
            return True

    def ended(self, question: int) -> None:
        """All of the answer was given."""
        with self._changed:
            answer = self._answers.get(question)
            if answer is None or answer.is_ended:
                return
            answer.add(answer.splitter.end())
            answer.is_ended = True
        self._finish_if_done(question)

    def commit(self, question: int) -> None:
        """It may be heard."""
        with self._changed:
            answer = self._answers.get(question)
            if answer is None:
                return
            answer.is_committed = True
            self._mixer.open(question)
            self._changed.notify_all()
        self._finish_if_done(question)

    def drop(self, question: int) -> int:
        """Silence within a block; how many characters of the answer were heard."""
        with self._changed:
            answer = self._answers.pop(question, None)
            if answer is None:
                return 0
            answer.cancel.cancel()
            unplayed = self._sink.flush() if answer.is_committed else 0
            heard = self._mixer.flush(question, unplayed)
            self._changed.notify_all()
            return answer.heard_characters(heard)

    def duck(self, on: bool) -> None:
        """Silent at once, or on from there."""
        if not on:
            self._mixer.go_on()
            return
        in_hand = self._in_hand
        in_hand[:] = 0.0
        self._mixer.still(self._sink.hush() + len(in_hand))

    def hold(self, on: bool) -> None:
        """Stand still, or go on."""
        self._mixer.hold(on)

    def _synthesize(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._is_closed or self._next() is not None, _LATER_S if self._answers else None
                )
                if self._is_closed:
                    return
                answer = self._next()
                if answer is None:
                    self._look_again()
                    continue
                number = answer.n_synthesized
                sentence = answer.sentences[number]
                answer.n_synthesized += 1
                choice, mixer = self.choice, self._mixer
            try:
                sound = self._spoken(sentence, choice, answer.cancel)
            except CancelledError:
                continue
            except VoiceError as error:
                self._give_up(answer, error)
                continue
            samples = _ready(sound, mixer.rate)
            with self._changed:
                if answer.question in self._answers:
                    self._mixer.add(SentenceSound(answer.question, number, samples))
                    self._changed.notify_all()

    def _spoken(self, sentence: Chunk, choice: VoiceChoice, cancel: CancelToken) -> Sound:
        synthesizer, voice = voice_for(sentence.language, self._synthesizer, choice.voice, self._others)
        return synthesizer.synthesize(sentence.text, voice=voice, speed=choice.speed, cancel=cancel)

    def _next(self) -> Answer | None:
        """Whose next sentence to synthesise now: a committed answer's, else the newest's."""
        ordered = sorted(self._answers.values(), key=lambda answer: (not answer.is_committed, -answer.question))
        for answer in ordered:
            ahead = AHEAD if answer.is_committed else 1
            if (
                answer.error is None
                and answer.n_synthesized < min(len(answer.sentences), answer.n_played + ahead)
                and self._is_open
            ):
                return answer
        return None

    def _look_again(self) -> None:
        """Words that have waited for the end of their sentence long enough."""
        for answer in self._answers.values():
            if not answer.is_ended:
                answer.add(answer.splitter.poll())

    def _give_up(self, answer: Answer, error: VoiceError) -> None:
        with self._changed:
            answer.error = error
            self._mixer.flush(answer.question)
        self._finish_if_done(answer.question)

    def _play(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._is_closed or (self._is_open and not self._rests()))
                if self._is_closed:
                    return
                mixer = self._mixer
            try:
                self._play_block(mixer)
            except VoiceError as error:
                with self._changed:
                    self._is_open = False
                self._mouth.output_failed(error)
                self._finish_unheard()

    def _rests(self) -> bool:
        """Under the lock: nothing is played, nor will be soon. The device plays silence by itself."""
        return not self._answers and self._n_silent >= _RESTS_AFTER_BLOCKS

    def _play_block(self, mixer: Mixer) -> None:
        block, touched = mixer.render(self._sink.block)
        self._in_hand = block
        while not self._sink.write(block, _WAIT_S):
            if not self._is_open:
                return
        self._in_hand = np.zeros(0, np.float32)
        self._canceller.played(block, mixer.rate)
        self._levels.append(float(np.sqrt(np.mean(np.square(block)))))
        self._n_silent = 0 if touched else self._n_silent + 1
        for heard in touched:
            self._tell(heard)

    def _tell(self, heard: Heard) -> None:
        with self._changed:
            answer = self._answers.get(heard.key)
            if answer is None:
                return
            is_first, answer.has_started = not answer.has_started, True
            sentence = answer.sentences[heard.number]
            begins = heard.number >= answer.n_played and heard.played <= self._sink.block
            if heard.whole:
                answer.n_played = heard.number + 1
                self._changed.notify_all()
        if is_first:
            self._mouth.started(heard.key)
        if begins:
            self._mouth.playing(heard.key, sentence.text)
        if heard.whole:
            self._mouth.spoken(heard.key, sentence.end)
            self._finish_if_done(heard.key)

    def _finish_if_done(self, question: int) -> None:
        with self._changed:
            answer = self._answers.get(question)
            if answer is None:
                return
            unheard = answer.is_committed and answer.is_ended and not self._is_open
            if not answer.is_done and not unheard:
                self._changed.notify_all()
                return
            del self._answers[question]
        self._mouth.done(question, answer.error)

    def _finish_unheard(self) -> None:
        for question in tuple(self._answers):
            self._finish_if_done(question)


def _ready(sound: Sound, rate: int) -> Samples:
    return faded(resample(sound.samples, sound.rate, rate), rate)
