"""Which of a persona's keyed knowledge joins a question: what it calls, and is not in the chat already. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from app.personas.in_use import PersonaInUse, spoken
from app.personas.keyed import called, without_decorators
from app.store.types import KeyedPart, StoredMessage
from engine.context.segments import Role

KEYED_TOKENS = 1024
"""Of keyed knowledge that one question calls, at most."""
CHARACTERS_A_TOKEN = 3.2
"""By and large; the engine's budget counts exactly afterwards."""
_REPEATED_AFTER = 24
"""Messages; what was called longer ago may have left the window."""


def keyed_part(persona: PersonaInUse, path: Sequence[StoredMessage], n_ctx: int | None) -> KeyedPart | None:
    """What the last question of `path` calls that does not stand in the messages before it; None for nothing."""
    own = persona.persona
    if not own.keyed or not path or path[-1].role is not Role.USER:
        return None
    if any(isinstance(part, KeyedPart) and part.persona == own.short_name for part in path[-1].parts):
        return None
    there = {
        text
        for message in path[-_REPEATED_AFTER:]
        for part in message.parts
        if isinstance(part, KeyedPart) and not message.excluded
        for text in part.texts
    }
    said = [message.text for message in path if message.role is not Role.SYSTEM]
    found = called(
        own.keyed,
        said,
        budget_tokens=min(KEYED_TOKENS, (n_ctx or 4096) // 5),
        count_tokens=lambda text: round(len(text) / CHARACTERS_A_TOKEN) + 1,
    )
    texts = (spoken(own, without_decorators(entry.text)) for entry in found)
    fresh = tuple(text for text in dict.fromkeys(texts) if text and text not in there)
    return KeyedPart(own.short_name, fresh) if fresh else None
