"""What the chat needs of models and of personas; who gives it is chosen where the program is put together."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING, Protocol

from app.store.types import Conversation, StoredMessage
from engine.types import LoadedModel

if TYPE_CHECKING:
    from app.personas.folder import Shelved
    from app.personas.in_use import PersonaInUse
    from app.personas.persona import Persona


class ModelSource(Protocol):
    """What the chat needs of the model library."""

    def expected_name(self) -> str:
        """The name of the model that is loaded, or would be loaded now; "" if there is none."""
        ...

    def ensure_loaded(self) -> Future[LoadedModel]:
        """Ends when a model is loaded; fails with the sentence that says what to do."""
        ...


class PersonaDesk(Protocol):
    """What the chat needs of personas: `app.persona_turns`. Blocks on the disk."""

    @property
    def default(self) -> str:
        """The short name of the persona of new chats, "" for none."""
        ...

    def wanted(self, short_name: str | None) -> Shelved | None:
        """The persona for a new conversation; None names that of new chats. Raises `PersonaError`."""
        ...

    def greeting(self, conversation: Conversation) -> str:
        """What the persona says before the first question; "" for nothing."""
        ...

    def persona(self, conversation: Conversation) -> Persona | None:
        """The persona alone; None for none, and where it may not be used."""
        ...

    def with_documents(self, conversation: Conversation) -> Conversation:
        """The conversation as it asks the persona's documents too."""
        ...

    def in_use(self, conversation: Conversation) -> PersonaInUse | None:
        """The persona for a prompt; None for none. Raises `PersonaError` where it may not be used."""
        ...

    def dress(self, conversation: Conversation) -> PersonaInUse | None:
        """As `in_use`, but None for every failure."""
        ...

    def remember(self, conversation: Conversation, question: StoredMessage) -> None:
        """Keep what the words of a question ask the persona to remember."""
        ...
