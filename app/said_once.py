"""Notices that are said once in a run, however often there is reason to. Knows no window."""

from __future__ import annotations

import threading
from collections.abc import Callable

from app.events import ChatEvent, Notice


class SaidOnce:
    """Any thread."""

    def __init__(self, publish: Callable[[ChatEvent], None]) -> None:
        self._publish = publish
        self._lock = threading.Lock()
        self._said: set[tuple[str, str]] = set()

    def say(self, about: str, text: str, level: str = "info", conversation_id: str | None = None) -> None:
        """Publish a translated sentence, unless it was said of the same subject before."""
        with self._lock:
            if (about, text) in self._said:
                return
            self._said.add((about, text))
        self._publish(Notice(text, level, conversation_id))
