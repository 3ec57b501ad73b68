"""What the model is asked on the side, while nobody waits: a title, a summary. At most one thing a conversation.

Knows not what is asked, and keeps nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from engine.cancel import CancelToken
from engine.engine import StreamSink
from engine.types import Failed, Finished, FinishReason, StreamEvent, TextDelta

LEAST_PARAMS = 300_000_000
"""Smaller models were seen to answer such wishes with nonsense; at 0.5 billion they name the topic."""


class Asides:
    """What is under way, at most one thing for each conversation. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[str, CancelToken] = {}
        self._closed = False

    @property
    def closed(self) -> bool:
        """Nothing more is wanted."""
        return self._closed

    def begin(self, conversation_id: str) -> CancelToken | None:
        """None if something is under way there already, or nothing more is wanted. Follow up with `end`."""
        with self._lock:
            if self._closed or conversation_id in self._open:
                return None
            return self._open.setdefault(conversation_id, CancelToken())

    def end(self, conversation_id: str) -> None:
        with self._lock:
            self._open.pop(conversation_id, None)

    def close(self) -> None:
        """Cancel what is under way; nothing begins any more."""
        with self._lock:
            self._closed = True
            tokens = list(self._open.values())
        for token in tokens:
            token.cancel()


def collected(done: Callable[[str, FinishReason | None], None]) -> StreamSink:
    """A sink that calls `done` once, on the engine's thread: with the whole text and why it ended (None: a failure)."""
    text: list[str] = []

    def sink(event: StreamEvent) -> None:
        if isinstance(event, TextDelta):
            text.append(event.text)
        elif isinstance(event, Finished):
            done("".join(text), event.reason)
        elif isinstance(event, Failed):
            done("", None)

    return sink
