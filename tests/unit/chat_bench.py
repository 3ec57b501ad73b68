"""The services on a FakeEngine and a real database in a temporary folder, and a recorder of what they publish."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from app.events import ChatEvent, MessageFinished, Notice
from app.paths import Paths
from app.services import Services
from app.settings import Settings
from app.store.store import ConversationStore
from app.store.types import StoredMessage
from engine.engine import Engine
from engine.fake import FakeAnswer, FakeEngine
from engine.model.discovery_stores import Places

WAIT_S = 20.0
T = TypeVar("T")


def disposable_paths(folder: Path) -> Paths:
    return Paths(folder / "data", folder / "config", folder / "cache", folder / "logs", folder / "models")


def nowhere(folder: Path) -> Places:
    """A home without any other program's models."""
    return Places(home=folder / "home", environment={}, platform="linux", system=folder / "system")


class Recorder:
    """Keeps events, and waits for one."""

    def __init__(self) -> None:
        self.events: list[ChatEvent] = []
        self._changed = threading.Condition()

    def __call__(self, event: ChatEvent) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def wait(self, wanted: Callable[[ChatEvent], bool]) -> ChatEvent:
        def found() -> ChatEvent | None:
            return next((event for event in self.events if wanted(event)), None)

        with self._changed:
            event = self._changed.wait_for(found, WAIT_S)
        assert event is not None, f"not published; there were {[type(each).__name__ for each in self.events]}"
        return event

    def until(self, holds: Callable[[], bool], patience_s: float = WAIT_S) -> None:
        """Look again after each event until it holds; the look itself may use the services."""
        while True:
            with self._changed:
                seen = len(self.events)
            if holds():
                return
            with self._changed:
                assert self._changed.wait_for(lambda seen=seen: len(self.events) > seen, patience_s), "it never held"

    def of(self, kind: type[T]) -> list[T]:
        return [event for event in self.events if isinstance(event, kind)]

    def notices(self) -> list[str]:
        return [event.text for event in self.of(Notice)]


class Bench:
    """Services, their engine and what they published."""

    def __init__(
        self,
        folder: Path,
        script: Sequence[FakeAnswer | str] = (),
        *,
        engine: Engine | None = None,
        titles: bool = False,
    ) -> None:
        self.events = Recorder()
        self.engine = engine or FakeEngine(script)
        settings = Settings.load(disposable_paths(folder).settings_file)
        settings.override("chat.automatic_titles", titles)
        self.services = Services.open(
            disposable_paths(folder),
            publish=self.events,
            engine=self.engine,
            settings=settings,
            places=nowhere(folder),
        )
        self.chat = self.services.chat

    @property
    def fake(self) -> FakeEngine:
        assert isinstance(self.engine, FakeEngine)
        return self.engine

    def store(self, operation: Callable[[ConversationStore], T]) -> T:
        return self.services.store_call(operation).result(WAIT_S)

    def path(self, conversation_id: str) -> list[StoredMessage]:
        return self.store(lambda store: store.path(conversation_id))

    def ask(self, text: str, conversation_id: str | None = None) -> tuple[str, StoredMessage]:
        """Send, and wait for the whole answer."""
        conversation_id = self.chat.send(conversation_id, text).result(WAIT_S)
        return conversation_id, self.finished(conversation_id)

    def finished(self, conversation_id: str) -> StoredMessage:
        """The answer, once it has ended."""
        assert self.chat.wait_until_idle(WAIT_S)
        leaf = self.path(conversation_id)[-1]
        self.events.wait(lambda event: isinstance(event, MessageFinished) and event.message.id == leaf.id)
        return leaf

    def close(self) -> None:
        self.services.close()
