"""What a turn needs of the persona of its conversation: itself as prompts use it, and its documents.

What is not there is said once, and the turn goes on without it. Called on the general pool, as it blocks on the disk,
and on the document library where the persona has documents. Knows no window, and builds no request.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from app.events import ChatEvent, FactKept
from app.i18n import error_sentence, tr
from app.persona_service import PersonaService
from app.said_once import SaidOnce
from app.store.types import Conversation, StoredMessage
from engine.errors import HearthError

if TYPE_CHECKING:
    from app.personas.folder import Shelved
    from app.personas.in_use import PersonaInUse
    from app.personas.memory import Fact
    from app.personas.persona import Persona


class PersonaTurns:
    """Any thread but the window's."""

    def __init__(
        self,
        personas: PersonaService,
        said: SaidOnce,
        publish: Callable[[ChatEvent], None],
    ) -> None:
        self._personas = personas
        self._models = personas.models
        self._documents = personas.documents
        self._said = said
        self._publish = publish

    @property
    def default(self) -> str:
        """The short name of the persona of new chats, "" for none."""
        return self._personas.default

    def wanted(self, short_name: str | None) -> Shelved | None:
        """The persona for a new conversation, its model on the way; None names that of new chats, "" nobody.

        Raises `PersonaError` for one that was named and cannot be used; that of new chats is then left out, and told
        of.
        """
        wanted = self._personas.default if short_name is None else short_name
        if not wanted:
            return None
        try:
            shelved = self._personas.shelf.get(wanted).checked()
        except HearthError as error:
            if short_name is not None:
                raise
            self._said.say(wanted, error_sentence(error), "warning")
            return None
        self._models.prefer(shelved.persona)
        return shelved

    def greeting(self, conversation: Conversation) -> str:
        """What the persona says before the first question; "" for nothing."""
        persona = self.persona(conversation)
        if persona is None:
            return ""
        from app.personas.in_use import spoken  # noqa: PLC0415  # as the shelf

        return spoken(persona, persona.greeting, tr("you"))

    def persona(self, conversation: Conversation) -> Persona | None:
        """The persona alone, without what only prompts need; None where it may not be used."""
        try:
            shelved = self._personas.find(conversation)
        except HearthError:
            return None
        return shelved.persona if shelved is not None and shelved.usable else None

    def with_documents(self, conversation: Conversation) -> Conversation:
        """The conversation as it asks the persona's documents too, as they were in the version that it remembers."""
        try:
            shelved = self._personas.find(conversation)
            collection = self._documents.collection(shelved) if shelved is not None and shelved.usable else None
        except HearthError as error:
            self._said.say(conversation.id, error_sentence(error), "warning", conversation.id)
            return conversation
        if collection is None:
            return conversation
        return replace(conversation, collections=tuple(dict.fromkeys((*conversation.collections, collection))))

    def in_use(self, conversation: Conversation) -> PersonaInUse | None:
        """The persona of a conversation for its prompt; None for none. Raises `PersonaError` where it may not be used.

        One that is gone is told of once, and the conversation goes on without it.
        """
        shelved = self._personas.find(conversation)
        if shelved is None:
            if conversation.persona:
                text = tr(
                    "The persona “{name}” of this chat is gone. The chat goes on without it.", name=conversation.persona
                )
                self._said.say(conversation.id, text, conversation_id=conversation.id)
            return None
        from app.personas.in_use import PersonaInUse  # noqa: PLC0415  # as the shelf

        persona = shelved.checked().persona
        return PersonaInUse(persona, self._facts(persona.short_name), self._models.adapters(persona))

    def _facts(self, short_name: str) -> tuple[Fact, ...]:
        try:
            return self._personas.memory(short_name).read().used
        except HearthError as error:
            self._said.say(short_name, error_sentence(error), "warning")
            return ()

    def dress(self, conversation: Conversation) -> PersonaInUse | None:
        """As `in_use`, for what nobody waits for: None where it may not be used."""
        try:
            return self.in_use(conversation)
        except HearthError:
            return None

    def remember(self, conversation: Conversation, question: StoredMessage) -> None:
        """Keep what the words of a question ask to remember, where the person has turned that on."""
        from app.personas.remembering import asked_to_remember  # noqa: PLC0415  # as the shelf

        asked = asked_to_remember(question.text)
        if not asked or not self._personas.shelf.has(conversation.persona):
            return
        memory = self._personas.memory(conversation.persona)
        try:
            if not memory.read().on:
                return
            for text in asked:
                fact = memory.keep(text, conversation_id=conversation.id, message_id=question.id)
                if fact is not None:
                    self._publish(FactKept(conversation.id, conversation.persona, fact))
        except HearthError as error:
            self._said.say(conversation.id, error_sentence(error), "warning", conversation.id)
