"""Drafts that the store would not take (a newer Hearth's file, a full disk), until it does. Main thread only.

Keeps them for all windows, and their words in the window state for the next start.
"""

from __future__ import annotations

from app.store.types import Draft
from app.ui.window_state import WindowState


class HeldDrafts:
    """By conversation; "" is the new chat."""

    def __init__(self, state: WindowState) -> None:
        self._state = state
        self._drafts: dict[str, Draft] = {}

    def hold(self, conversation_id: str, draft: Draft) -> None:
        """Keep what could not be saved."""
        self._drafts[conversation_id] = draft
        self._state.keep(_key(conversation_id), draft.text)

    def release(self, conversation_id: str) -> None:
        """The store has a newer one."""
        self._drafts.pop(conversation_id, None)
        if self._state.text(_key(conversation_id)):
            self._state.forget(_key(conversation_id))

    def draft(self, conversation_id: str) -> Draft | None:
        """What is held, None if the store knows better."""
        held = self._drafts.get(conversation_id)
        if held is None and (words := self._state.text(_key(conversation_id))):
            return Draft(words)
        return held


def _key(conversation_id: str) -> str:
    return f"drafts/{conversation_id or 'new'}"
