"""Follows one answer on the terminal: words to stdout as they come, the rest to stderr. Ctrl+C stops the answer.

Terminals make links of addresses: those that only a document has brought into the chat are broken there.

Knows no command.
"""

from __future__ import annotations

import contextlib
import queue
import re
from collections.abc import Callable
from concurrent.futures import Future, TimeoutError  # noqa: A004  # the builtin one from 3.11 on
from typing import TypeVar

from app.answer import failure_sentence
from app.answer_citations import OUR_OWN
from app.console import Console
from app.document_addresses import NO_DOCUMENTS, DocumentAddresses
from app.events import ChatEvent, MessageAdded, MessageFinished, Notice, Streamed
from app.i18n import tr
from app.inventory import as_text
from app.services import Services
from app.store.types import MessageState, StoredMessage
from engine.context.segments import Role
from engine.engine import EngineStatus
from engine.types import (
    EndWeighed,
    Failed,
    Finished,
    PromptLogprobs,
    PromptProgress,
    QuestionScored,
    ReasoningDelta,
    Started,
    TextDelta,
    Usage,
)

T = TypeVar("T")
_OPEN = re.compile(r"(?:(?:https?:|www\.|mailto:)\S*|[!-~]+)\Z", re.IGNORECASE)
"""The end of a text that may be part of an address."""
_POLL_S = 0.2
"""How often a wait looks up, so that Ctrl+C is heard (a blocked lock does not hear it on Windows)."""


class AnswerPrinter:
    """`take` is the services' publisher; `follow` prints one answer on the caller's thread."""

    def __init__(self, console: Console, *, show_reasoning: bool) -> None:
        self._console = console
        self._show_reasoning = show_reasoning
        self._events: queue.SimpleQueue[ChatEvent] = queue.SimpleQueue()
        self._thinking = False
        self._ends_with_newline = True
        self._addresses: DocumentAddresses | None = None
        self._held = ""
        """The end of what has come, as long as it may go on as an address."""
        self._is_programs = False
        """The program itself has written the answer, for a window."""

    def take(self, event: ChatEvent) -> None:
        """Any thread."""
        self._events.put(event)

    def follow(self, services: Services, begin: Callable[[], Future[str]]) -> StoredMessage:
        """Begin an answer and print it to its end; the stored message tells how it ended."""
        self._drain()
        conversation_id = wait_for(begin())
        interrupts = 0
        answer_id = ""
        self._addresses, self._held, self._is_programs = None, "", False
        while True:
            try:
                try:
                    event = self._events.get(timeout=_POLL_S)
                except queue.Empty:
                    self._show_loading(services)
                    continue
                if isinstance(event, MessageAdded) and event.message.role is Role.ASSISTANT:
                    answer_id = event.message.id
                elif isinstance(event, Streamed) and event.message_id == answer_id:
                    self._show(event, services)
                elif isinstance(event, MessageFinished) and event.message.id == answer_id:
                    self._end(event.message)
                    return event.message
                elif isinstance(event, Notice):
                    self._console.note(event.text)
            except KeyboardInterrupt:
                interrupts += 1
                if interrupts == 1:
                    services.chat.stop(conversation_id)
                else:
                    services.chat.force_stop()
            except BrokenPipeError:
                services.chat.stop(conversation_id)
                raise

    def _drain(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                event = self._events.get_nowait()
                if isinstance(event, Notice):
                    self._console.note(event.text)

    def _show_loading(self, services: Services) -> None:
        state = services.engine.state
        if state.status is EngineStatus.LOADING:
            name = services.models.expected_name()
            self._console.status(tr("Loading {name}… {percent} %", name=name, percent=round(state.progress * 100)))

    def _show(self, streamed: Streamed, services: Services) -> None:
        event = streamed.event
        if self._console.json:
            self._console.record(_record(streamed))
            return
        if isinstance(event, PromptProgress):
            if event.total > event.processed:
                self._console.status(tr("Reading… {percent} %", percent=round(100 * event.processed / event.total)))
        elif isinstance(event, ReasoningDelta):
            if self._show_reasoning:
                self._console.end_status()
                self._thinking = True
                self._console.dim(self._words(event.text, self._addresses_of(services, streamed)))
            else:
                self._console.status(tr("Thinking…"))
        elif isinstance(event, TextDelta):
            self._console.end_status()
            if self._thinking:
                self._thinking = False
                self._console.dim(f"{self._last_word()}\n\n")
            self._stream(self._words(event.text, self._addresses_of(services, streamed)))

    def _words(self, text: str, addresses: DocumentAddresses) -> str:
        """What can be written: whole words, where they may be addresses."""
        text = self._held + (as_text(text) if self._is_programs else text)
        end = match.start() if addresses.documents and (match := _OPEN.search(text)) else len(text)
        self._held = text[end:]
        return addresses.spelled_out(text[:end])

    def _last_word(self) -> str:
        held, self._held = self._held, ""
        return self._addresses.spelled_out(held) if self._addresses is not None else held

    def _stream(self, text: str) -> None:
        if text:
            self._console.stream(text)
            self._ends_with_newline = text.endswith("\n")

    def _addresses_of(self, services: Services, streamed: Streamed) -> DocumentAddresses:
        """Those that documents have brought into the chat; none for programs, which get an answer as it is."""
        if self._addresses is None:
            self._addresses = NO_DOCUMENTS
            if self._console.out.isatty():
                path = services.store_call(lambda store: store.path(streamed.conversation_id)).result()
                for message in path:
                    self._addresses = self._addresses.after(message)
                asked = next((each for each in reversed(path) if each.role is Role.USER), None)
                sources = asked.sources if asked is not None else None
                self._is_programs = sources is not None and sources.way in OUR_OWN
        return self._addresses

    def _end(self, message: StoredMessage) -> None:
        console = self._console
        console.end_status()
        self._stream(self._last_word())
        if console.json:
            console.record({
                "type": "message", "conversation_id": message.conversation_id, "message_id": message.id,
                "state": message.state.value, "text": message.text, "model": message.model, "error": message.error,
            })  # fmt: skip
        elif not self._ends_with_newline:
            console.say()
        self._ends_with_newline = True
        if message.error:
            console.fail(message.error)
        elif message.state is MessageState.STOPPED:
            console.note(tr("(stopped)"))


def wait_for(future: Future[T]) -> T:
    """The result, while Ctrl+C stays heard."""
    while True:
        try:
            return future.result(timeout=_POLL_S)
        except TimeoutError:
            if future.done():
                raise


def _record(streamed: Streamed) -> dict[str, object]:
    """One engine event as JSON."""
    event = streamed.event
    ids = {"conversation_id": streamed.conversation_id, "message_id": streamed.message_id}
    match event:
        case Started():
            return {
                "type": "started", **ids, "prompt_tokens": event.prompt_tokens, "cached_tokens": event.cached_tokens,
                "n_ctx": event.n_ctx, "seed": event.seed, "dropped": list(event.dropped),
            }  # fmt: skip
        case PromptProgress():
            return {"type": "progress", **ids, "processed": event.processed, "total": event.total}
        case PromptLogprobs():
            return {
                "type": "prompt_logprobs",
                **ids,
                "at": event.at,
                "logprobs": [each.logprob for each in event.logprobs],
            }
        case EndWeighed():
            return {"type": "end_weighed", **ids, "probability": event.probability}
        case QuestionScored():
            return {"type": "question_scored", **ids, "logprob": event.logprob}
        case TextDelta():
            return {"type": "text", **ids, "text": event.text}
        case ReasoningDelta():
            return {"type": "reasoning", **ids, "text": event.text}
        case Usage():
            return {
                "type": "usage", **ids, "prompt_tokens": event.prompt_tokens, "cached_tokens": event.cached_tokens,
                "completion_tokens": event.completion_tokens, "prefill_s": event.prefill_s, "decode_s": event.decode_s,
            }  # fmt: skip
        case Finished():
            return {"type": "finished", **ids, "reason": event.reason.value}
        case Failed():
            return {"type": "failed", **ids, "code": event.code, "message": failure_sentence(event)}
