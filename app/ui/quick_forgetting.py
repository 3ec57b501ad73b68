"""Quick questions that are to be forgotten: which, also when the program is cut off before it has done so.

Knows no window. Main thread only.
"""

from __future__ import annotations

from app.ui.workspace import Workspace

_KEY = "quick/to_forget"


def mark(workspace: Workspace, conversation_id: str, to_forget: bool) -> None:
    """Remember beyond this run that a conversation is to go, or that it is not."""
    others = [each for each in workspace.state.texts(_KEY) if each != conversation_id]
    workspace.state.keep(_KEY, [*others, conversation_id] if to_forget else others)


def forget(workspace: Workspace, conversation_id: str) -> None:
    """Remove a conversation for good, with its mark."""
    workspace.library.run(
        lambda store: store.forget_conversation(conversation_id),
        lambda _changes: mark(workspace, conversation_id, False),
    )


def forget_left_over(workspace: Workspace) -> None:
    """Forget what the last run did not come to forget; the chats must be open."""
    for conversation_id in workspace.state.texts(_KEY):
        forget(workspace, conversation_id)
