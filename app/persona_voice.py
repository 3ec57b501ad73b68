"""How the persona of a conversation, or of a message's, is heard. Blocks on the store and the disk; knows no sound."""

from __future__ import annotations

from collections.abc import Callable

from app.persona_service import StoreCall
from app.personas.persona import Persona, SpeechStyle
from app.store.types import Conversation
from engine.errors import StoreError


class PersonaVoice:
    """Any thread but the window's and the store's. `default` names the persona of new chats."""

    def __init__(
        self,
        store_call: StoreCall,
        persona_of: Callable[[Conversation], Persona | None],
        default: Callable[[], str],
    ) -> None:
        self._store_call = store_call
        self._persona_of = persona_of
        self._default = default

    def of_conversation(self, conversation_id: str | None) -> SpeechStyle:
        """None is a conversation that has not begun yet."""
        conversation = Conversation("", "", True, 0.0, 0.0, persona=self._default())
        if conversation_id is not None:
            try:
                conversation = self._store_call(lambda store: store.conversation(conversation_id)).result()
            except StoreError:
                return SpeechStyle()
        persona = self._persona_of(conversation)
        return persona.speech if persona is not None else SpeechStyle()

    def of_message(self, message_id: str | None) -> SpeechStyle:
        """Of the conversation that a message is in; the person's own where it is in none."""
        try:
            message = self._store_call(lambda store: store.message(message_id or "")).result()
        except StoreError:
            return SpeechStyle()
        return self.of_conversation(message.conversation_id)
