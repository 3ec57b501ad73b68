"""The services on a FakeEngine with personas on their shelf, and a spy on what the engine is asked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from app.personas.folder import Given, Shelved
from app.personas.persona import Persona
from app.personas.trust import Origin, Trust
from app.store.types import Conversation, StoredMessage
from engine.cancel import CancelToken
from engine.engine import StreamSink
from engine.fake import FakeAnswer
from engine.types import GenerationRequest
from tests.unit.chat_bench import WAIT_S, Bench


class PersonaBench(Bench):
    """`requests` are those of answers, in their order."""

    def __init__(self, folder: Path, script: Sequence[FakeAnswer | str] = ()) -> None:
        super().__init__(folder, script)
        self.personas = self.services.personas
        self.requests: list[GenerationRequest] = []
        submit = self.fake.submit

        def spy(request: GenerationRequest, cancel: CancelToken, sink: StreamSink) -> None:
            if not request.background:
                self.requests.append(request)
            submit(request, cancel, sink)

        self.fake.submit = spy  # type: ignore[method-assign]

    def make(self, persona: Persona, given: Given | None = None, *, imported: bool = False) -> Shelved:
        trust = Trust(Origin.IMPORTED) if imported else None
        return self.personas.call(lambda shelf: shelf.create(persona, given, trust)).result(WAIT_S)

    def talk(self, text: str, conversation_id: str | None = None, **options: str) -> tuple[str, StoredMessage]:
        """Send with a persona, and wait for the whole answer."""
        conversation_id = self.chat.send(conversation_id, text, **options).result(WAIT_S)  # type: ignore[arg-type]
        return conversation_id, self.finished(conversation_id)

    def conversation(self, conversation_id: str) -> Conversation:
        return self.store(lambda store: store.conversation(conversation_id))

    def prompt(self, number: int = -1) -> list[str]:
        """The messages of a request, each as its role and text."""
        return [f"{message.role}: {message.text}" for message in self.requests[number].messages]
