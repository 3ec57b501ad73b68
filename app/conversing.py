"""A conversation by speech becomes messages: what is asked is sent, what is answered is said. Qt-free.

While it is listened, the model reads all that comes before the words of the next question. One that may still change
is only read ahead too, and the voice told how likely it is whole; it is sent, stored and shown when it is committed.
Whoever interrupts stops the answer, and of the stored answer counts what was heard. Knows no device and no window.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol

from app.chat import ChatService
from app.events import ChatEvent, MessageAdded, MessageFinished, Notice, Streamed
from app.i18n import error_sentence, tr
from app.read_ahead import ReadAhead
from app.spoken_reading import SpokenReading
from engine.context.segments import Role
from engine.errors import HearthError, VoiceError
from engine.types import Failed, Finished, SamplingParams, Started, TextDelta
from voice.listener import Listener
from voice.stt.partials import Partial
from voice.turn_events import TextStatus
from voice.turn_state import Phase


class Line(Protocol):
    """What is needed of `voice.client.VoiceClient` (or of a `VoicePipeline`)."""

    def say(self, question: int, delta: str) -> None: ...

    def progressed(self, question: int) -> None: ...

    def end_weighed(self, question: int, probability: float | None) -> None: ...

    def answer_ended(self, question: int) -> None: ...


class SpokenConversation:
    """See `voice.listener.Listener`; what it hears it also passes on to `listener`, after having acted.

    `take` gets every event of the chat service, from any thread. `conversation_id` None starts a conversation with
    the first question; `begin` turns to another. `publish` gets notices of what went wrong.
    """

    def __init__(
        self,
        chat: ChatService,
        ahead: ReadAhead,
        listener: Listener,
        publish: Callable[[ChatEvent], None],
        *,
        conversation_id: str | None = None,
        sampling: SamplingParams | None = None,
    ) -> None:
        self.line: Line | None = None
        """Set it before it is turned on."""
        self.conversation_id = conversation_id
        self._chat = chat
        self._listener = listener
        self._publish = publish
        self._sampling = sampling
        self._lock = threading.RLock()
        self._reading = SpokenReading(ahead, self._end_weighed)
        self._phase = Phase.OFF
        self._waiting: deque[tuple[int, str]] = deque()
        """Committed, while the answer before still ends."""
        self._sent: tuple[int, str] | None = None
        """Given to the chat service, which has not made its answer yet."""
        self._answers: dict[str, int] = {}
        """Answers under way, and their questions."""
        self._message_of: dict[int, str] = {}
        """The newest questions and their answers."""
        self._heard: dict[int, int] = {}
        """Questions whose answer was interrupted, and how many characters were heard."""
        self._is_left = False

    def begin(self, conversation_id: str | None) -> None:
        """What is said from now on belongs to this conversation."""
        with self._lock:
            self.leave()
            self.conversation_id = conversation_id
            self._waiting.clear()
            self._sent = None
            self._is_left = False

    def continue_in(self, conversation_id: str) -> bool:
        """The conversation has begun otherwise than with the first question; False: it has begun already."""
        with self._lock:
            if self.conversation_id is not None or self._sent is not None or self._waiting:
                return False
            self.conversation_id = conversation_id
            return True

    def leave(self) -> None:
        """Nobody listens any more: the answer under way goes on as text, whole."""
        with self._lock:
            self._is_left = True
            self._reading.end()
            self._answers.clear()
            self._message_of.clear()
            self._heard.clear()

    def message_of(self, question: int) -> str:
        """The answer to one of the newest questions, "" for none."""
        return self._message_of.get(question, "")

    # What the voice tells

    def ask(self, question: int, turn_id: int, text: str) -> None:
        self._reading.ask(self.conversation_id, question, text)
        self._listener.ask(question, turn_id, text)

    def withdraw(self, question: int) -> None:
        self._reading.withdraw(question)
        self._listener.withdraw(question)

    def commit(self, question: int, turn_id: int, text: str) -> None:
        self._reading.commit(question)
        with self._lock:
            self._waiting.append((question, text))
            busy = self._is_busy()
        if busy and self.conversation_id is not None:
            self._chat.stop(self.conversation_id)  # its end sends this question
        else:
            self._send()
        self._listener.commit(question, turn_id, text)

    def interrupted(self, question: int, characters: int) -> None:
        if not self._is_left:
            self._cut_short(question, characters)
        self._listener.interrupted(question, characters)

    def phase_changed(self, phase: Phase) -> None:
        with self._lock:
            self._phase = phase
            self._read_early()
        self._listener.phase_changed(phase)

    def level(self, heard: float, spoken: float) -> None:
        self._listener.level(heard, spoken)

    def partial(self, turn_id: int, partial: Partial) -> None:
        self._listener.partial(turn_id, partial)

    def text(self, turn_id: int, text: str, status: TextStatus) -> None:
        self._listener.text(turn_id, text, status)

    def spoken(self, question: int, characters: int) -> None:
        self._listener.spoken(question, characters)

    def done(self, question: int) -> None:
        self._listener.done(question)

    def notice(self, error: VoiceError) -> None:
        self._listener.notice(error)

    # What the chat tells

    def take(self, event: ChatEvent) -> None:
        """Any thread."""
        if isinstance(event, Streamed):
            question = self._answers.get(event.message_id)
            if question is not None:
                self._take_answer(question, event)
        elif isinstance(event, MessageAdded):
            self._take_message(event)
        elif isinstance(event, MessageFinished):
            self._take_end(event)

    def _take_answer(self, question: int, streamed: Streamed) -> None:
        assert self.line is not None
        event = streamed.event
        if isinstance(event, Started):
            self._reading.answer_begins()
        if isinstance(event, TextDelta):
            self.line.say(question, event.text)
        elif isinstance(event, Failed | Finished):
            self.line.answer_ended(question)
        else:
            self.line.progressed(question)

    def _take_message(self, added: MessageAdded) -> None:
        """The answer's message is there before any of its words."""
        message = added.message
        with self._lock:
            if self._sent is None:
                return
            question, text = self._sent
            if self.conversation_id is None and message.role is Role.USER and message.text == text:
                self.conversation_id = message.conversation_id
            if message.role is not Role.ASSISTANT or message.conversation_id != self.conversation_id:
                return
            self._sent = None
            if self._is_left:
                return
            self._answers[message.id] = question
            self._message_of = {question: message.id}
            unwanted = question in self._heard
        if unwanted:
            self._chat.stop(message.conversation_id)
        elif self.line is not None:
            self.line.progressed(question)

    def _take_end(self, finished: MessageFinished) -> None:
        """On the store's thread: what is asked of the store now comes after."""
        message = finished.message
        with self._lock:
            question = self._answers.pop(message.id, None)
            interrupted = question in self._heard
        if question is not None and interrupted:
            self._cut(question, message.id)
        if message.conversation_id == self.conversation_id:
            with self._lock:
                self._read_early()
            self._send()

    # What is done

    def _is_busy(self) -> bool:
        """Under the lock: an answer is under way in this conversation, or about to be."""
        known = self.conversation_id
        return self._sent is not None or (known is not None and self._chat.generating(known) is not None)

    def _send(self) -> None:
        """The first question that waits, if one does."""
        with self._lock:
            if not self._waiting or self._is_busy():
                return
            self._sent = question, text = self._waiting.popleft()
        sent = self._chat.send(self.conversation_id, text, sampling=self._sampling, spoken=True)
        sent.add_done_callback(lambda sent: self._on_sent(question, sent))

    def _on_sent(self, question: int, sent: Future[str]) -> None:
        error = None if sent.cancelled() else sent.exception()
        if error is None and not sent.cancelled():
            return
        with self._lock:
            self._sent = None
        text = error_sentence(error) if isinstance(error, HearthError) else tr("Something went wrong inside Hearth.")
        self._publish(Notice(text, "error", self.conversation_id))
        if self.line is not None:
            self.line.answer_ended(question)

    def _cut_short(self, question: int, characters: int) -> None:
        with self._lock:
            message_id = self._message_of.get(question)
            under_way = message_id in self._answers or (self._sent is not None and self._sent[0] == question)
            self._heard[question] = characters
        if under_way and self.conversation_id is not None:
            self._chat.stop(self.conversation_id)
        elif message_id is not None:
            self._cut(question, message_id)
            with self._lock:
                self._reading.forget_early()
                self._read_early()

    def _cut(self, question: int, message_id: str) -> None:
        with self._lock:
            characters = self._heard.pop(question, None)
        if characters is not None:
            self._chat.keep_heard(message_id, characters)

    def _read_early(self) -> None:
        """Under the lock. What an answer under way will have said is not known yet: its end calls again."""
        listens = self._phase in (Phase.LISTENING, Phase.USER_SPEAKING) and not self._is_left
        if listens and not self._waiting and not self._is_busy():
            self._reading.listen(self.conversation_id)

    def _end_weighed(self, question: int, probability: float | None) -> None:
        """Any thread."""
        if self.line is not None:
            self.line.end_weighed(question, probability)
