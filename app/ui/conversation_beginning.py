"""How a new chat becomes a conversation before its first message, where something was chosen for it: its parameters,
its documents, its persona. Knows no composer and no messages.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.ui.chat_documents import ChatDocuments
from app.ui.persona_flow import ChatPersona
from app.ui.workspace import Workspace
from engine.types import SamplingParams

if TYPE_CHECKING:
    from app.store.store import ConversationStore


class NewChat:
    """What was chosen for the new chat on show. Main thread."""

    def __init__(self, workspace: Workspace, documents: ChatDocuments, persona: ChatPersona) -> None:
        self._workspace, self._documents, self._persona = workspace, documents, persona
        self._parameters: tuple[SamplingParams | None, str] | None = None

    def set_parameters(self, sampling: SamplingParams | None, instructions: str) -> None:
        """How its answers are to be made."""
        self._parameters = (sampling, instructions)

    def forget(self) -> None:
        """Another conversation is on show."""
        self._parameters = None

    def equip(self, done: Callable[[str | None], None], failed: Callable[[BaseException], None]) -> None:
        """Make its conversation, if anything was chosen for it, and give that to `done`; None: a new one will do."""
        parameters, self._parameters = self._parameters, None
        if parameters is None and not self._documents.is_pending:
            done(None)
            return
        sampling, instructions = parameters or (None, "")
        persona = self._persona.short_name if self._persona.shelved is not None else ""

        def dress(store: ConversationStore, conversation_id: str) -> str:
            if parameters is not None:
                store.set_system_prompt(conversation_id, instructions)
                store.set_sampling(conversation_id, sampling)
            return conversation_id

        def adopt(conversation_id: str) -> None:
            self._documents.adopt(conversation_id, lambda: done(conversation_id))

        run, services = self._workspace.library.run, self._workspace.services
        if persona and services is not None:

            def begun(conversation_id: str) -> None:
                run(lambda store: dress(store, conversation_id), adopt, failed=failed)

            self._workspace.bridge.then(services.personas.begin(persona), begun, failed)
        else:
            run(lambda store: dress(store, store.create_conversation().id), adopt, failed=failed)
