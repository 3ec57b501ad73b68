"""The person's choice of the model that finds passages by meaning, kept the same in the settings and in the library.

A choice that cannot be loaded is a sentence, and the setting goes back to what is in force. Knows no model, no window.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from app.events import ChatEvent, Notice
from app.i18n import error_sentence
from app.settings import Settings
from engine.errors import HearthError
from rag.client import LibraryClient
from rag.events import EmbedderChosen, LibraryEvent

KEY = "documents.embedder"
_log = logging.getLogger(__name__)


def spelled(choice: str) -> str:
    """A file or folder by its whole path, so that it means the same wherever the program is started."""
    path = Path(choice).expanduser()
    return str(path.absolute()) if path.exists() else choice


class EmbedderFollower:
    """Hands changes of the setting on to the library, while `library` is there; any thread."""

    def __init__(
        self, settings: Settings, documents: LibraryClient, library: Path, publish: Callable[[ChatEvent], None]
    ) -> None:
        self._settings, self._documents, self._library, self._publish = settings, documents, library, publish
        self._in_force = settings.text(KEY)
        self.unfollow = settings.subscribe(self._on_setting)

    def on_event(self, event: LibraryEvent) -> None:
        """Another program on this library may have chosen."""
        if isinstance(event, EmbedderChosen):
            self._in_force = event.choice
            self._settings.set(KEY, event.choice)

    def _on_setting(self, key: str) -> None:
        if key != KEY or (choice := self._settings.text(KEY)) == self._in_force:
            return
        if not self._library.exists():
            self._in_force = choice
            self._documents.prefer_embedder(choice)
            return
        before, self._in_force = self._in_force, choice
        self._documents.use_embedder(choice).add_done_callback(lambda ended: self._on_used(ended, choice, before))

    def _on_used(self, ended: Future[None], choice: str, before: str) -> None:
        error = ended.exception()
        if error is None:
            return
        if self._in_force == choice:
            self._in_force = before
            self._settings.set(KEY, before)
        if isinstance(error, HearthError):
            self._publish(Notice(error_sentence(error), "warning", setting=KEY))
        else:
            _log.error("choosing an embedder failed", exc_info=error)
