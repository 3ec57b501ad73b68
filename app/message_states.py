"""How a message ended, or that it has not, in a sentence. Knows no store and no window."""

from __future__ import annotations

from app.i18n import tr
from app.store.types import MessageState, StoredMessage, UnspokenPart


def state_text(message: StoredMessage) -> str:
    """How a message ended, "" if there is nothing to say, or it goes on."""
    match message.state:
        case MessageState.STOPPED if any(isinstance(part, UnspokenPart) for part in message.parts):
            return tr("You interrupted this answer.")
        case MessageState.STOPPED:
            return tr("You stopped this answer.")
        case MessageState.INTERRUPTED:
            return tr("This answer was cut off before it was done.")
        case MessageState.FAILED:
            return message.error or tr("There is no answer.")
        case _:
            return ""


def saved_state_text(message: StoredMessage) -> str:
    """The same, below an answer that is written to a file: what stands there does not go on any more."""
    if message.state is MessageState.STREAMING:
        return tr("This answer was still being written when the chat was saved.")
    return state_text(message) or message.error
