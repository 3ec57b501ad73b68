"""The answers under way, kept while nobody looks, and which finished answers nobody has seen. Main thread only.

The store holds an answer as of its last autosave; what a view needs when it comes back to a conversation
is what has streamed up to now. Knows no widget and no store.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

from PySide6.QtCore import QObject, Signal

from app.events import ChatEvent, MessageAdded, MessageFinished, Streamed
from app.store.types import MessageState, Part, ReasoningPart, StoredMessage, TextPart
from app.ui.answer_meter import AnswerMeter
from app.ui.bridge import EventBridge
from engine.context.segments import Role
from engine.types import ReasoningDelta, TextDelta


@dataclass(slots=True)
class _Answer:
    message: StoredMessage | None
    reasoning: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    thought_s: float = 0.0
    thinking_since: float | None = None
    """On the monotonic clock; None while it does not think."""
    meter: AnswerMeter = field(default_factory=AnswerMeter)


class LiveAnswers(QObject):
    """Follows every chat event. A conversation is "unread" once an answer ends that no window was showing."""

    changed = Signal()
    """Which conversations are generating or unread."""
    followed = Signal(object)
    """A `ChatEvent` that is known here by now. A view that fills itself by `brought_up_to_date` listens to this and not
    to the bridge, or an event on its way to both would be shown twice."""

    def __init__(self, bridge: EventBridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._answers: dict[str, _Answer] = {}
        self._conversation_of: dict[str, str] = {}
        self._watched: dict[object, str] = {}
        self._ended: set[str] = set()
        self.unread: frozenset[str] = frozenset()
        bridge.chat_event.connect(self._on_chat_event)

    @property
    def generating(self) -> frozenset[str]:
        """Ids of conversations with an answer under way."""
        return frozenset(self._conversation_of.values())

    def is_generating(self, conversation_id: str) -> bool:
        return conversation_id in self._conversation_of.values()

    def meter(self, conversation_id: str) -> AnswerMeter | None:
        """What the answer under way in a conversation has cost so far; None before the engine has begun with it."""
        found = (message for message, each in self._conversation_of.items() if each == conversation_id)
        meter = next((self._answers[message].meter for message in found), None)
        return meter if meter is not None and meter.started is not None else None

    def is_outdated(self, path: list[StoredMessage]) -> bool:
        """True if an answer has ended since `path` was read, and the store knows more by now."""
        return any(message.state is MessageState.STREAMING and message.id in self._ended for message in path)

    def watch(self, viewer: object, conversation_id: str) -> None:
        """`viewer` shows this conversation now ("": none)."""
        self._watched[viewer] = conversation_id
        if conversation_id in self.unread:
            self.unread -= {conversation_id}
            self.changed.emit()

    def forget(self, viewer: object) -> None:
        """`viewer` is gone."""
        self._watched.pop(viewer, None)

    def brought_up_to_date(self, path: list[StoredMessage]) -> list[StoredMessage]:
        """`path` as the store gave it, with what has streamed since."""
        return [self._live(message) for message in path]

    def _live(self, message: StoredMessage) -> StoredMessage:
        answer = self._answers.get(message.id)
        if answer is None or message.state is not MessageState.STREAMING:
            return message
        base = answer.message.parts if answer.message is not None else ()
        reasoning = "".join(part.text for part in base if isinstance(part, ReasoningPart)) + "".join(answer.reasoning)
        text = "".join(part.text for part in base if isinstance(part, TextPart)) + "".join(answer.text)
        seconds = answer.thought_s + sum(part.seconds for part in base if isinstance(part, ReasoningPart))
        if answer.thinking_since is not None:
            seconds += time.monotonic() - answer.thinking_since
        parts: list[Part] = [ReasoningPart(reasoning, seconds)] if reasoning else []
        if text:
            parts.append(TextPart(text))
        # Whatever is longer is newer: events that came before this object did are in the store alone.
        return message if len(text) < len(message.text) else replace(message, parts=tuple(parts))

    def _on_chat_event(self, event: ChatEvent) -> None:
        self._follow(event)
        self.followed.emit(event)

    def _follow(self, event: ChatEvent) -> None:
        if isinstance(event, MessageAdded):
            message = event.message
            if message.role is Role.ASSISTANT and message.state is MessageState.STREAMING:
                self._answers[message.id] = _Answer(message)
                self._ended.discard(message.id)
                self._conversation_of[message.id] = message.conversation_id
                self.changed.emit()
        elif isinstance(event, Streamed):
            if event.message_id not in self._conversation_of:
                self._answers.setdefault(event.message_id, _Answer(None))
                self._conversation_of[event.message_id] = event.conversation_id
                self.changed.emit()
            answer = self._answers[event.message_id]
            answer.meter.observe(event.event)
            if isinstance(event.event, TextDelta):
                if answer.thinking_since is not None:
                    answer.thought_s += time.monotonic() - answer.thinking_since
                    answer.thinking_since = None
                answer.text.append(event.event.text)
            elif isinstance(event.event, ReasoningDelta):
                answer.thinking_since = answer.thinking_since or time.monotonic()
                answer.reasoning.append(event.event.text)
        elif isinstance(event, MessageFinished):
            message = event.message
            self._answers.pop(message.id, None)
            self._ended.add(message.id)
            if self._conversation_of.pop(message.id, None) is not None:
                if message.conversation_id not in self._watched.values():
                    self.unread |= {message.conversation_id}
                self.changed.emit()
